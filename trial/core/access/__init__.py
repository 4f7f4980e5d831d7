"""Who may see and do what: roles as classes, persons with memberships, pages that name their readers."""

from trial.core.access.pages import Access, endpoint, gate, page, public
from trial.core.access.person import Person, Request, person_of
from trial.core.access.roles import Role

__all__ = ["Access", "Person", "Request", "Role", "endpoint", "gate", "page", "person_of", "public"]
