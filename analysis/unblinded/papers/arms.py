"""How a report by arm names the arms, and what would give coded ones away. Pure."""

from dataclasses import replace

from django.utils.translation import gettext as _

from trial.protocol.definition import Protocol

LETTERS = "ABCDEFGH"


def coded(protocol: Protocol, first: str) -> Protocol:
    """The protocol with its arms called A, B, ...: ``first`` is A, the others follow in their order. The codes stay, names and order do not."""
    order = sorted(protocol.arms, key=lambda arm: arm.code != first)
    arms = tuple(
        replace(arm, name=_("Arm %(letter)s") % {"letter": letter}, description="")
        for letter, arm in zip(LETTERS, order, strict=False)
    )
    return replace(protocol, arms=arms)


def what_reveals(protocol: Protocol) -> list[str]:
    """What of a report with coded arms tells which is which, in words."""
    found = []
    ratios = {arm.ratio for arm in protocol.arms}
    if len(ratios) > 1:
        words = " : ".join(str(arm.ratio) for arm in sorted(protocol.arms, key=lambda arm: -arm.ratio))
        found.append(
            _("The arms are allocated %(ratio)s: whoever knows which is the larger one knows both.") % {"ratio": words}
        )
    if protocol.sessions:
        found.append(
            _("Sessions, attendance and completion exist for the arm that is offered the program, and for no other.")
        )
    if protocol.fidelity:
        found.append(_("Fidelity is that of the groups of one arm."))
    return found
