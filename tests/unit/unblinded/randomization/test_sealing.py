"""The seed comes from two people; the commitment is public before anybody is randomized; nobody else can read or write any of it."""

import hashlib
import json
import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError

from tests import world
from trial.core import db, side
from trial.core.errors import NotAllowed, Refused
from trial.participants.randomization.models import Commitment, SeedShare
from trial.protocol.actions import load_version
from trial.protocol.changes import Used
from trial.unblinded.randomization import actions, schemes
from trial.unblinded.randomization.commitments import receipt_of
from trial.unblinded.randomization.models import Sequence, Slot

HEX = "ab" * 32


@pytest.fixture
def protocol(database: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    with world.at_work(world.SETUP):
        load_version(protocol=world.read("imr"), used=Used(), by=world.SETUP)
    return database


@pytest.fixture
def unblinded(database: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(os.environ["UNBLINDED_DATABASE_URL"], autocommit=True) as login:
        login.execute(
            "select set_config('equipoise.actor', 'system:test', false), set_config('equipoise.sites', '*', false)"
        )
        yield login


def drop(login: psycopg.Connection[Any], contributor: str = "system:test", share: str = HEX, receipt: str = "") -> None:
    login.execute(
        "insert into dropbox_seed_share(id, contributor, share, receipt, at) values (gen_random_uuid(), %s, %s, %s, now())",
        [contributor, share, receipt or receipt_of(share)],
    )


def test_two_people_contribute_and_the_seed_is_the_digest_of_both_shares(protocol: psycopg.Connection[Any]) -> None:
    irma, ursula = (
        world.person(world.make_user(name, role))
        for name, role in (("irma", "independent"), ("ursula", "datamanager_unblinded"))
    )
    receipts = []
    for who in (ursula, irma):
        with world.at_work(who):
            receipts.append(actions.contribute_share(password=world.PASSWORD, by=who))
    sealed = world.seal(world.blocks(5, 10))
    shares = [row[0] for row in protocol.execute("select share from dropbox_seed_share order by at")]
    assert [receipt_of(share) for share in shares] == receipts
    assert sealed.shares == shares
    seed = hashlib.sha256(bytes.fromhex(shares[0]) + bytes.fromhex(shares[1])).digest()
    drawn = [draw.arm for draw in world.blocks(5, 10).sequence(seed, "D1", 40)]
    with side.allocator(), db.unit_of_work(by=actions.ALLOCATOR):
        assert list(Slot.objects.filter(stratum="D1").order_by("position").values_list("arm", flat=True)) == drawn
    kept = protocol.execute(
        "select new::text from unblinded_history where table_name = 'dropbox_seed_share'"
    ).fetchall()
    assert len(kept) == 2
    assert not any(share in row for share in shares for (row,) in kept), "the share stands in the history"


def test_the_commitment_is_public_and_holds_what_was_sealed(protocol: psycopg.Connection[Any]) -> None:
    world.contribute_shares()
    sealed = world.seal(world.blocks(5))
    text = json.dumps(
        {"algorithm": "permuted-blocks/hmac-sha256/1", "parameters": {"arms": [["imr", 3], ["cau", 2]], "block_sizes": [5]},
         "shares": sealed.shares, "salt": sealed.salt}, sort_keys=True, separators=(",", ":"),
    )  # fmt: skip
    assert sealed.commitment == hashlib.sha256(text.encode()).hexdigest()
    with world.at_work(world.SETUP):
        assert Commitment.objects.get().sha256 == sealed.commitment
    kept = protocol.execute("select new->>'sha256' from core_history where table_name = 'participants_commitment'")
    assert kept.fetchall() == [(sealed.commitment,)]
    again = world.seal(world.blocks(5))
    assert (again.version, again.shares) == (2, sealed.shares)
    assert again.salt != sealed.salt
    assert again.commitment != sealed.commitment


def test_one_share_a_person_from_the_two_roles_with_their_password(protocol: psycopg.Connection[Any]) -> None:
    irma, thea = (
        world.person(world.make_user(name, role, "rotterdam"))
        for name, role in (("irma", "independent"), ("thea", "treatment"))
    )
    with world.at_work(irma), pytest.raises(Refused, match="not your password"):
        actions.contribute_share(password="wrong", by=irma)
    with world.at_work(thea), pytest.raises(NotAllowed):
        actions.contribute_share(password=world.PASSWORD, by=thea)
    with world.at_work(irma):
        actions.contribute_share(password=world.PASSWORD, by=irma)
    with world.at_work(irma), pytest.raises(Refused, match="already"):
        actions.contribute_share(password=world.PASSWORD, by=irma)
    with pytest.raises(Refused, match="so far 1 did"):
        world.seal(world.blocks(5))


def test_no_program_contributes_in_a_real_trial(protocol: psycopg.Connection[Any], settings: Any) -> None:
    settings.DEMO = settings.SCRATCH = False
    with pytest.raises(Refused, match="never from a program"):
        world.contribute_shares()


def test_nothing_comes_after_sealing(protocol: psycopg.Connection[Any], unblinded: psycopg.Connection[Any]) -> None:
    world.contribute_shares()
    world.seal(world.blocks(5))
    late = db.System("late")
    with side.unblinded(), db.unit_of_work(by=late), pytest.raises(Refused, match="has been sealed"):
        actions.contribute_share(by=late)
    with pytest.raises(psycopg.errors.CheckViolation, match="no share comes after it"):
        drop(unblinded)


def test_the_drop_box_refuses_a_forged_share(unblinded: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="its own author"):
        drop(unblinded, "system:other")
    with pytest.raises(psycopg.errors.CheckViolation, match="digest of the share"):
        drop(unblinded, receipt="00" * 32)
    user = world.make_user("thea", "treatment", "rotterdam")
    unblinded.execute("select set_config('equipoise.actor', %s, false)", [str(user.pk)])
    with pytest.raises(psycopg.errors.CheckViolation, match="does not recruit"):
        drop(unblinded, str(user.pk))


@pytest.mark.parametrize("url", ["DATABASE_URL", "UNBLINDED_DATABASE_URL"])
def test_nobody_but_the_allocator_reads_a_share_or_a_sequence(url: str, database: psycopg.Connection[Any]) -> None:
    with psycopg.connect(os.environ[url], autocommit=True) as login:
        for table in ("dropbox_seed_share", "concealed_sequence", "concealed_slot", "concealed_draw"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(f"select 1 from {table}")  # type: ignore[arg-type]
        for statement in (
            "insert into participants_commitment(version, sha256, purpose, for_site, at) values (1, '', 'main', '', now())",
            "insert into unblinded_reveal(id) values (gen_random_uuid())",
            "insert into concealed_draw(id) values (gen_random_uuid())",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                login.execute(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shares": [HEX, HEX]}, "from two people"),
        ({"shares": []}, "from two people"),
        ({"salt": ""}, "salt and a commitment"),
        ({"commitment": ""}, "salt and a commitment"),
    ],
)
def test_the_database_refuses_a_sequence_on_other_shares(
    protocol: psycopg.Connection[Any], change: dict[str, Any], message: str
) -> None:
    world.contribute_shares()
    fields = {"shares": [], "salt": HEX, "commitment": HEX, **change}
    with side.allocator(), db.unit_of_work(by=actions.ALLOCATOR), pytest.raises(DatabaseError, match=message):
        Sequence(version=1, origin="sealed", algorithm="x", parameters={}, sha256="", **fields).save(force_insert=True)


def test_the_database_refuses_a_commitment_of_nothing(protocol: psycopg.Connection[Any]) -> None:
    with side.allocator(), db.unit_of_work(by=actions.ALLOCATOR), pytest.raises(DatabaseError, match="its sequence"):
        Commitment(version=1, sha256=HEX, purpose="main").save(force_insert=True)


def test_other_arms_and_unknown_factors_are_refused(protocol: psycopg.Connection[Any]) -> None:
    world.contribute_shares()
    equal = schemes.Arms.of({"imr": 1, "cau": 1})
    with pytest.raises(Refused, match="those of the protocol"):
        world.seal(schemes.BigStick(equal, 2))
    arms = schemes.Arms.of({"imr": 3, "cau": 2})
    with pytest.raises(Refused, match="not known of everybody: height"):
        world.seal(schemes.Minimization(arms, (("height", 1),), (4, 5)))


def commanded(*words: str) -> str:
    out = StringIO()
    call_command("seal_allocation", *words, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    "words",
    [
        ["--scheme", "permuted-blocks", "--block-sizes", "5", "10"],
        ["--scheme", "complete"],
        ["--scheme", "block-urn", "--balance", "2"],
        ["--scheme", "minimization", "--weights", "team=2", "sex=1", "--p", "4/5"],
        ["--scheme", "permuted-blocks", "--block-sizes", "5", "--contingency", "rotterdam"],
    ],
)
def test_the_command_prints_the_commitment_alone(protocol: psycopg.Connection[Any], words: list[str]) -> None:
    world.contribute_shares()
    said = commanded(*words, "--length", "20")
    with world.at_work(world.SETUP):
        made = Commitment.objects.get()
    assert made.sha256 in said
    assert made.purpose == ("contingency" if "--contingency" in words else "main")
    assert "imr" not in said
    assert "cau" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "either --scheme or --list"),
        (["--scheme", "complete", "--limit", "2"], "takes the parameters"),
        (["--scheme", "big-stick", "--limit", "2"], "two arms with equal parts"),
        (["--scheme", "permuted-blocks", "--block-sizes", "4"], "multiples of 5"),
        (["--scheme", "permuted-blocks", "--block-sizes", "5", "--contingency", "nowhere"], "no site nowhere"),
        (["--list", "/nowhere.csv"], "cannot be read"),
    ],
)
def test_the_command_refuses_in_words(protocol: psycopg.Connection[Any], words: list[str], message: str) -> None:
    world.contribute_shares()
    with pytest.raises(CommandError, match=message):
        commanded(*words)


def test_a_share_by_command(protocol: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    world.make_user("irma", "independent")
    monkeypatch.setattr(
        "trial.unblinded.randomization.management.commands.contribute_share.getpass", lambda _prompt: world.PASSWORD
    )
    out = StringIO()
    call_command("contribute_share", "irma", stdout=out)
    with side.allocator(), db.unit_of_work(by=actions.ALLOCATOR):
        row = SeedShare.objects.get()
    assert row.receipt in out.getvalue()
    assert row.share not in out.getvalue()
    with pytest.raises(CommandError, match="no account nobody"):
        call_command("contribute_share", "nobody", stdout=out)


def a_list(tmp_path: Path, blocks: list[str]) -> Path:
    file = tmp_path / "list.csv"
    rows = [
        f"{stratum},{n},{'imr' if letter == 'i' else 'cau'}"
        for stratum in world.read("imr").strata
        for n, letter in enumerate("".join(blocks), start=1)
    ]
    file.write_text("stratum,position,arm\n" + "\n".join(rows) + "\n")
    return file


def test_a_list_is_sealed_with_what_it_declares(protocol: psycopg.Connection[Any], tmp_path: Path) -> None:
    file = a_list(tmp_path, ["iicci", "icici", "ciiic"])
    with pytest.raises(CommandError, match="have the same list"):
        commanded("--list", str(file), "--declared", "permuted-blocks", "--block-sizes", "5")
    commanded("--list", str(file), "--declared", "permuted-blocks", "--block-sizes", "5", "--accept")
    with side.allocator(), db.unit_of_work(by=actions.ALLOCATOR):
        sealed = Sequence.objects.get()
    assert sealed.parameters["declared"]["parameters"]["block_sizes"] == [5]
    assert sealed.parameters["origin"] == "list.csv"
    assert len(sealed.parameters["slots"]) == 15 * 14
    with pytest.raises(CommandError, match=r"D1, position 3: the declared scheme permuted-blocks does not allow"):
        wrong = a_list(tmp_path, ["cccii"])
        commanded("--list", str(wrong), "--declared", "permuted-blocks", "--block-sizes", "5", "--accept")
