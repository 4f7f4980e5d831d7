"""The shares of the seed, and sealing a sequence with a public commitment."""

from collections.abc import Sequence as Seq

from django.conf import settings
from django.db import IntegrityError
from django.db.models import Max
from django.utils.translation import gettext as _

from trial.core import clock, db, ids
from trial.core.access import Person
from trial.core.access.roles import IndependentStatistician, UnblindedDataManager
from trial.core.access.signing import content_sha256, prove
from trial.core.actions import action
from trial.core.errors import Refused
from trial.participants.randomization.actions import publish_commitment
from trial.participants.randomization.models import SeedShare
from trial.protocol.definition import Protocol
from trial.protocol.queries import current
from trial.unblinded.randomization import schemes
from trial.unblinded.randomization.allocator import one_at_a_time
from trial.unblinded.randomization.commitments import commitment_of, receipt_of, revealed, seed_of
from trial.unblinded.randomization.lists import Rows, looked_at, read_list
from trial.unblinded.randomization.models import Allocation, ContingencyRelease, Sequence, Slot

FACTORS = ("age_band", "sex", "site", "team")
"""What minimization may balance: known of everybody who is screened."""

CONTRIBUTORS = (IndependentStatistician, UnblindedDataManager)
"""They recruit nobody; one of each is two people."""


@action
def contribute_share(*, by: db.Actor, password: str | None = None) -> str:
    """Drop one share of the seed, drawn here and read by the allocator alone. Returns the receipt: the SHA-256 of the share.

    One a person. Refused after a sequence was sealed, for a wrong password, and for a person who does not hold one of the two roles.
    """
    if isinstance(by, Person):
        by.must_hold(*CONTRIBUTORS)
        prove(person=by, password=password or "")
    elif not (settings.DEMO or settings.SCRATCH):
        raise Refused("person", _("The seed of a real trial comes from two people, never from a program."))
    share = ids.secret()
    row = SeedShare(contributor=by.actor_id, share=share, receipt=receipt_of(share), at=clock.now())
    try:
        with db.atomic():
            SeedShare.objects.bulk_create([row])
    except IntegrityError as error:
        # who contributed cannot be read here; the database knows
        if "has been sealed" in str(error):
            raise Refused("sealed", _("A sequence has been sealed: no share of the seed comes after it.")) from error
        raise Refused("contributed", _("You have contributed your share already. One person gives one.")) from error
    return row.receipt


@action
def seal_sequence(*, scheme: schemes.Scheme, length: int, by: db.Actor, for_site: str = "") -> Sequence:
    """Make and seal the sequence of every stratum, on the shares of two people, and publish its commitment. Shows nothing of it.

    ``for_site``: a contingency sequence of this site instead. Refuses arms that are not the protocol's ratio, unknown factors, fewer
    than two shares, and another main sequence once somebody has been randomized. Versions are only added.
    """
    one_at_a_time()
    protocol = current()
    _refuse_scheme(scheme, protocol, for_site)
    shares = list(SeedShare.objects.order_by("at", "id").values_list("share", flat=True))
    if len(shares) < 2:
        raise Refused(
            "shares",
            _(
                "Two people contribute to the seed before a sequence is sealed, the independent statistician and the data manager"
                " of the unblinded side; so far %(count)d did."
            )
            % {"count": len(shares)},
        )
    rows: Rows = []
    if not isinstance(scheme, schemes.Minimization):
        strata = [contingency_stratum(for_site)] if for_site else protocol.strata
        seed = seed_of(shares)
        rows = [
            (stratum, position, draw.arm, draw.block)
            for stratum in strata
            for position, draw in enumerate(scheme.sequence(seed, stratum, length), start=1)
        ]
    return _store(rows, Sequence.Origin.SEALED, scheme.algorithm, scheme.parameters(), shares, for_site, by)


@action
def import_sequence(
    *, text: str, origin: str, by: db.Actor, declared: schemes.Scheme | None = None, accepted: bool = False
) -> Sequence:
    """Seal a list made elsewhere: CSV with the columns stratum, position, arm. Every bad row is named; nothing is stored then.

    ``declared``: the scheme that the list is said to follow; a list that contradicts it is refused. What is merely unlikely is refused
    too, unless it is ``accepted``.
    """
    one_at_a_time()
    protocol = current()
    rows, problems = read_list(text, protocol)
    if problems:
        raise Refused("list_invalid", "\n".join(problems))
    if isinstance(declared, schemes.Minimization):
        raise Refused("declared", _("Minimization makes no list: it looks at those who came before."))
    arms = arms_of(protocol)
    found = looked_at(rows, arms=arms, strata=protocol.strata, needed=protocol.target_sample_size, declared=declared)
    if found.problems:
        raise Refused("list_invalid", "\n".join(found.problems))
    if found.warnings and not accepted:
        raise Refused("list_unlikely", "\n".join(found.warnings))
    parameters: dict[str, object] = {
        "arms": arms.as_json(),
        "origin": origin,
        "declared": {"algorithm": declared.algorithm, "parameters": declared.parameters()} if declared else None,
        "slots": [[stratum, position, arm] for stratum, position, arm, _block in sorted(rows)],
    }
    return _store(rows, Sequence.Origin.IMPORTED, schemes.IMPORTED, parameters, [], "", by)


def arms_of(protocol: Protocol) -> schemes.Arms:
    """The protocol's arms with their ratio. Refuses (SchemeError) what is no ratio."""
    return schemes.Arms.of({arm.code: arm.ratio for arm in protocol.arms})


def contingency_stratum(site: str) -> str:
    """The label of a site's contingency list: no stratum has such a name, so that no list is drawn from the same stream."""
    return f"contingency/{site}"


def _refuse_scheme(scheme: schemes.Scheme, protocol: Protocol, for_site: str) -> None:
    if scheme.arms != arms_of(protocol):
        raise Refused("arms", _("The arms and their ratio are those of the protocol."))
    if for_site and for_site not in {site.code for site in protocol.sites}:
        raise Refused("site", _("There is no site %(code)s in the protocol.") % {"code": for_site})
    if isinstance(scheme, schemes.Minimization):
        unknown = sorted({factor for factor, _weight in scheme.weights} - set(FACTORS))
        if unknown:
            raise Refused(
                "factors",
                _("Minimization balances %(known)s; not known of everybody: %(unknown)s.")
                % {"known": ", ".join(FACTORS), "unknown": ", ".join(unknown)},
            )
        if for_site:
            raise Refused("scheme", _("A contingency sequence is a list: minimization makes none."))


def _store(
    rows: Rows,
    origin: str,
    algorithm: str,
    parameters: dict[str, object],
    shares: Seq[str],
    for_site: str,
    by: db.Actor,
) -> Sequence:
    version = (Sequence.objects.aggregate(last=Max("version"))["last"] or 0) + 1
    if not for_site and Allocation.objects.exists():
        raise Refused(
            "already_randomizing", _("Somebody has been randomized already: the sequence in use is not replaced.")
        )
    if for_site and ContingencyRelease.objects.filter(site=for_site).exists():
        raise Refused(
            "already_released", _("A contingency slot of this site has been used: its sequence is not replaced.")
        )
    salt = ids.secret()
    purpose = Sequence.Purpose.CONTINGENCY if for_site else Sequence.Purpose.MAIN
    commitment = commitment_of(revealed(algorithm=algorithm, parameters=parameters, shares=shares, salt=salt))
    sequence = Sequence(
        version=version, purpose=purpose, for_site=for_site, origin=origin, algorithm=algorithm, parameters=parameters,
        shares=list(shares), salt=salt, commitment=commitment, sealed_by=by.actor_id,
        sha256=content_sha256([list(row[:3]) for row in rows]),
    )  # fmt: skip
    sequence.save(force_insert=True)
    Slot.objects.bulk_create(
        [
            Slot(sequence=sequence, stratum=stratum, position=position, arm=arm, block=block)
            for stratum, position, arm, block in rows
        ],
        batch_size=2000,
    )
    publish_commitment(version=version, sha256=commitment, purpose=purpose, for_site=for_site, by=by)
    return sequence
