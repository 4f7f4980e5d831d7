"""The real broker as the blinded user reads it: the same after two played worlds, and a planted leak is seen."""

from collections.abc import Sequence

import pytest

from trial.config.leakcheck.broker import Broker, scratch
from trial.config.leakcheck.comparison import Observed, differences
from trial.config.leakcheck.listening import keep

ARMS = ({"a": "imr", "b": "cau"}, {"a": "cau", "b": "imr"})
"""Who has which arm, in either world."""


def send(arms: dict[str, str], tell: Sequence[str] = ()) -> None:
    """What either world sends: requests on the open queue; behind the wall as many messages as the arm will have it."""
    for person, arm in arms.items():
        keep("allocation", "randomization.allocate", [person, *(arm for word in tell if word == person)])
        for _time in range(3 if person == "a" and arm == "imr" else 0):
            keep("unblinded", "treatment.begins", [person, arm])


def read(arms: dict[str, str], tell: Sequence[str] = ()) -> Observed:
    with scratch() as broker:
        send(arms, tell)
        return Observed(at_rest={"running": broker.read()})


def differ(tell: Sequence[str] = ()) -> list[str]:
    one, other = (read(arms, tell) for arms in ARMS)
    return [found.place for found in differences(one, other)]


def test_the_blinded_user_reads_its_own_keys_and_they_are_equal() -> None:
    one, other = (read(arms) for arms in ARMS)
    assert differences(one, other) == []
    keys = one.at_rest["running"]
    kind, length, *messages = keys["open:allocation"]
    assert (kind, length, len(messages)) == ("list", "2", 2)
    assert keys["open:_kombu.binding.allocation"][:2] == ["set", "1"]
    assert not [key for key in keys if key.startswith("unblinded:")]
    assert keys["ACL WHOAMI"] == ["blinded"]
    assert keys["DBSIZE"] == keys["KEYS *"] == keys["INFO"] == ["NOPERM"]


def test_a_message_that_names_an_arm_is_caught() -> None:
    assert differ(tell=["a"]) == ["open:allocation"]


@pytest.mark.parametrize(
    ("rule", "places"),
    [
        (
            "~*",
            [
                f"unblinded:{key}"
                for key in ("_kombu.binding.unblinded", "_kombu.binding_permanent.unblinded", "unblinded")
            ],
        ),
        ("+dbsize", ["DBSIZE"]),
    ],
)
def test_a_right_too_much_is_caught(monkeypatch: pytest.MonkeyPatch, rule: str, places: list[str]) -> None:
    """Planted: the blinded user may read every key, or count them all."""
    from trial.config.supervisor import valkey

    listed = valkey.access_list
    monkeypatch.setattr(
        valkey,
        "access_list",
        lambda passwords: "".join(
            line.rstrip("\n") + (f" {rule}\n" if line.startswith("user blinded ") else "\n")
            for line in listed(passwords).splitlines()
        ),
    )
    assert differ() == places


def test_only_what_is_drawn_for_a_message_is_rewritten() -> None:
    with scratch() as broker:
        keep("allocation", "randomization.allocate", ["11111111-1111-4111-8111-111111111111"])
        kept = broker.read()["open:allocation"][2]
    assert isinstance(broker, Broker)
    assert '"task": "randomization.allocate"' in kept
    assert "11111111-1111-4111-8111-111111111111" in kept, "what the message says is compared"
    assert kept.count("NUMBER") == 4
