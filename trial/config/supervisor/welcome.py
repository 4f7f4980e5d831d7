"""What the terminal says when everything is ready."""

from __future__ import annotations

DEMO_PASSWORD = "equipoise-demo"  # noqa: S105 - refused outside demo worlds
BLINDED_ACCOUNTS = (
    ("coordinator", "screens, asks consent, registers, randomizes"),
    ("interviewer", "assesses outcomes, blind"),
    ("rater", "clinician who rates scales, in both arms"),
    ("datamanager", "queries, snapshots, database lock"),
    ("monitor", "reads and verifies"),
    ("statistician", "trial statistician, blind until planned unblinding"),
    ("investigator", "principal investigator"),
    ("sponsor", "sponsor's representative"),
)
UNBLINDED_ACCOUNTS = (
    ("treatment", "treatment coordinator: sees allocations of the site"),
    ("therapist", "records the sessions of own groups, with therapist3, therapist5, therapist7"),
    ("fidelity1", "fidelity rater, with fidelity2"),
    ("abstractor", "looks up hospital admissions in files"),
    ("datamanager_unblinded", "data manager of this side"),
    ("independent", "independent statistician"),
    ("dmc", "data monitoring committee"),
    ("chair", "its chair, who signs"),
    ("admin", "administrator"),
    ("admin2", "second administrator"),
)

WIDTH = max(len(name) for name, _what in BLINDED_ACCOUNTS + UNBLINDED_ACCOUNTS) + 2

WORLDS = {
    "imr": ("A synthetic IMR trial, two years in. Its end: make demo AT=end",),
    "imr-end": (
        "The synthetic IMR trial at its end: locked, unblinded, analyzed.",
        "Flow, list and effects are built in to match the published ones; so they confirm nothing.",
    ),
    "imr-interim": (
        "The synthetic IMR trial under a teaching plan with looks, two and a half years in; the first look is due.",
        "Begin it as independent, read and recommend as dmc, sign as dmc and then chair. Its end: add AT=end",
    ),
    "imr-interim-end": (
        "The synthetic IMR trial under a teaching plan with looks, at its end: two looks held, then the final analysis.",
        "The trial itself had no look. Flow, list and effects are built in; so they confirm nothing.",
    ),
    "btheb": ("Beat the Blues: the published data of 100 patients, analyzed to the end.",),
}


def demo(address: str, world: str) -> str:
    """Return the address and the accounts of a demo world."""
    lines = ["", f"Equipoise is ready ({world} demo): {address}", ""]
    lines += [*(f"  {line}" for line in WORLDS[world]), ""]
    lines += [f"  Blinded accounts, at {address}login/"]
    lines += [f"    {name:<{WIDTH}}{what}" for name, what in BLINDED_ACCOUNTS]
    lines += [f"  Unblinded accounts, at {address}unblinded/login/"]
    lines += [f"    {name:<{WIDTH}}{what}" for name, what in UNBLINDED_ACCOUNTS]
    lines += [
        "",
        f"  Password of all: {DEMO_PASSWORD}",
        "  With two sites coordinator2, interviewer2, rater2, treatment2, therapist2, therapist4, therapist6, therapist8",
        "  work at the second.",
        "  Stop with Ctrl-C.",
        "",
    ]
    return "\n".join(lines)


def own_trial(address: str, token: str) -> str:
    """Return the address, and the way to the first administrators while there are none (`token` is empty later)."""
    lines = ["", f"Equipoise is ready: {address}"]
    if token:
        lines += [
            "",
            f"  There is no administrator yet. Open {address}unblinded/setup/",
            f"  and give this token, which works once: {token}",
        ]
    lines += ["", "  Stop with Ctrl-C.", ""]
    return "\n".join(lines)
