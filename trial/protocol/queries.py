"""Reading the protocol that is in force."""

from django.utils.translation import gettext_lazy as _

from trial.core.errors import Refused
from trial.protocol import document
from trial.protocol.definition import Protocol
from trial.protocol.models import ImportState, ProtocolVersion

# Protocols read so far, by hash: a document never changes, so neither does its protocol. Small, since old ones are rare.
_READ: dict[str, Protocol] = {}
_KEEP = 4


class NoProtocol(Refused):
    """No protocol has been loaded into this database yet."""

    def __init__(self) -> None:
        message = _("This trial has no protocol yet. Load one with: manage.py load_protocol FOLDER")
        super().__init__("no_protocol", str(message))


def version_or_none() -> ProtocolVersion | None:
    """The version in force, without its document (it is fetched when asked for); nothing before the first was loaded."""
    return ProtocolVersion.objects.defer("document").order_by("-number").first()


def version() -> ProtocolVersion:
    """The version in force: the highest number. Raises NoProtocol before the first was loaded."""
    found = version_or_none()
    if found is None:
        raise NoProtocol
    return found


def current() -> Protocol:
    """The protocol in force, by one small query. Raises NoProtocol before the first was loaded."""
    return protocol_of(version())


def protocol_of(one: ProtocolVersion) -> Protocol:
    """The protocol of this version. Raises ValueError if the stored document is not the one that its hash names."""
    if one.sha256 not in _READ:
        if document.sha256(one.document) != one.sha256:
            raise ValueError(f"Protocol version {one.number} was changed after it was loaded: its hash does not fit.")
        while len(_READ) >= _KEEP:
            _READ.pop(next(iter(_READ)))
        _READ[one.sha256] = Protocol.from_document(one.document)
    return _READ[one.sha256]


def sees_allocation(site: str) -> bool:
    """Whether the coordinator of this site sees allocations, as the protocol in force says; nowhere before the first was loaded."""
    found = version_or_none()
    return found is not None and any(
        one.coordinator_sees_allocation for one in protocol_of(found).sites if one.code == site
    )


def import_under_way() -> ImportState | None:
    """The import that has begun and is not finished."""
    return ImportState.objects.filter(finished_at=None).first()
