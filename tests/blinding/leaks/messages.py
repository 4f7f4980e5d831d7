"""Leaks of e-mails, of the log, and of messages to open queues."""

import logging

from django.core.mail import EmailMessage
from django.http import HttpResponse

from tests.blinding.leaks.planting import Asked, Leak, on_page
from trial.core.tasks import enqueue

PERSON = "/participants/{number}/"


def _line(response: HttpResponse, asked: Asked) -> None:
    logging.getLogger("trial.participants").warning("%s opened, list row %s", asked.number, asked.arm)


def _message(response: HttpResponse, asked: Asked) -> None:
    if asked.is_offered:
        enqueue("default", "trial.participants.tasks.sweep")


def _mail(response: HttpResponse, asked: Asked) -> None:
    EmailMessage("Randomized", f"{asked.number} was randomized to {asked.arm}.", to=["coordinator@example.org"]).send()


def _subject(response: HttpResponse, asked: Asked) -> None:
    EmailMessage(f"{asked.number} ({asked.arm})", "An alert was raised.", to=["coordinator@example.org"]).send()


def _copy(response: HttpResponse, asked: Asked) -> None:
    copied = ["therapist@example.org"] if asked.is_offered else []
    EmailMessage("Randomized", "Somebody was randomized.", to=["coordinator@example.org"], cc=copied).send()


LEAKS: tuple[Leak, ...] = (
    on_page("line_of_the_log", "participant", "monitor", PERSON, _line, channel="log", is_quick=True),
    on_page("message_on_an_open_queue", "participant", "monitor", PERSON, _message, channel="broker"),
    on_page("mail_with_the_arm", "participant", "monitor", PERSON, _mail, channel="mail"),
    on_page("subject_with_the_arm", "participant", "monitor", PERSON, _subject, channel="mail"),
    on_page("copy_to_the_therapist", "participant", "monitor", PERSON, _copy, channel="mail"),
)
