"""Lots: when they open and close, and which of them a spending draws from."""

from collections.abc import Iterable
from datetime import UTC, datetime

from domain import calendars
from domain.points.account import InsufficientPoints, Lot, PointsAccount
from domain.policies import ExpiryKind, ExpiryPolicy
from domain.programs import Program

Draws = tuple[tuple[Lot, int], ...]

_NEVER = datetime.max.replace(tzinfo=UTC)


def idle_expires_at(policy: ExpiryPolicy, active_at: datetime, zone_name: str) -> datetime | None:
    """When lots that expire by inactivity do, if nothing happens after `active_at`; None under other policies."""
    if policy.kind is not ExpiryKind.INACTIVITY or policy.count is None:
        return None
    return calendars.end_after(active_at, policy.count, zone_name)


def replacement_expires_at(program: Program, now: datetime) -> datetime:
    """When a replacement lot expires: `replacement_days` local days from now, the last inclusive (L4)."""
    return calendars.end_after(now, program.replacement_days, program.time_zone)


def expiry_of(lot: Lot, account: PointsAccount) -> datetime | None:
    """When a lot expires, as things stand."""
    return account.idle_expires_at if lot.expires_when_idle else lot.expires_at


def spend_order(lot: Lot, account: PointsAccount) -> tuple[datetime, datetime, int]:
    """Soonest expiry first, those that never expire last, then the oldest, then by id (L4)."""
    return (expiry_of(lot, account) or _NEVER, lot.earned_at, lot.id.int)


def choose(lots: Iterable[Lot], account: PointsAccount, amount: int) -> Draws:
    """The lots that pay `amount`, in spend order, with what each gives (L4). Refuses `InsufficientPoints`."""
    draws: list[tuple[Lot, int]] = []
    missing = amount
    for lot in sorted(lots, key=lambda lot: spend_order(lot, account)):
        if missing == 0:
            break
        taken = min(lot.free, missing)
        if taken > 0:
            draws.append((lot, taken))
            missing -= taken
    if missing:
        raise InsufficientPoints(required=amount, available=amount - missing)
    return tuple(draws)


def giving_back(draws: Iterable[tuple[Lot, int]], returned: int, amount: int) -> Draws:
    """Where `amount` points of a spending come back to, `returned` of which came back before.

    What was drawn last comes back first: it expires latest, which is the member's advantage.
    """
    backwards: list[tuple[Lot, int]] = []
    to_skip, missing = returned, amount
    for lot, drawn in reversed(tuple(draws)):
        skipped = min(drawn, to_skip)
        to_skip -= skipped
        given = min(drawn - skipped, missing)
        if given > 0:
            backwards.append((lot, given))
            missing -= given
    assert missing == 0, "no more comes back than was drawn"
    return tuple(backwards)
