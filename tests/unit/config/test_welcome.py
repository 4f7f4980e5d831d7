"""The accounts of the demo worlds, and what the terminal says of them."""

from trial.config.supervisor import welcome
from trial.config.worlds.stage import ACCOUNTS
from trial.core.access.roles import BY_CODE

WANTED = [
    *(
        "coordinator",
        "coordinator2",
        "treatment",
        "treatment2",
        "interviewer",
        "interviewer2",
        "therapist",
        "rater",
        "fidelity1",
        "fidelity2",
    ),
    *(
        "abstractor",
        "datamanager",
        "datamanager_unblinded",
        "monitor",
        "statistician",
        "independent",
        "dmc",
        "chair",
        "investigator",
    ),
    *("sponsor", "admin", "admin2"),
]
ROLE_OF = {name: role for name, _full, role, _place in ACCOUNTS}


def test_every_role_of_the_demo_has_its_account() -> None:
    assert set(WANTED) <= set(ROLE_OF)
    assert len(ROLE_OF) == len(ACCOUNTS) == len({full for _name, full, *_rest in ACCOUNTS})
    assert set(BY_CODE) - set(ROLE_OF.values()) == {"monitor_unblinded", "coordinator_unblinded"}


def test_the_terminal_names_each_role_at_its_own_form() -> None:
    for listed, is_open in ((welcome.BLINDED_ACCOUNTS, True), (welcome.UNBLINDED_ACCOUNTS, False)):
        roles = {ROLE_OF[name] for name, _what in listed}
        assert roles == {code for code in set(ROLE_OF.values()) if (BY_CODE[code].side == "open") == is_open}
    text = welcome.demo("http://localhost:8000/", "imr")
    second = {name for name, _full, _role, place in ACCOUNTS if place == 1}
    for name in (set(WANTED) - {"fidelity2"}) | second:
        assert f" {name} " in text or f"{name}," in text or f" {name}\n" in text or f"with {name}" in text, name
