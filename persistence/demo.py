"""What the demonstration prints of a program: sums over all of its members."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from persistence import rows

TOP_COUNT: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class TopMember:
    """One of the members with the most points earned."""

    external_id: str
    points: int
    tier: str | None
    purchases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Sums of a program. `tiers` is how many members are in each, the highest first; None: in none."""

    members: int
    purchases: int
    amount_minor: int
    points: int
    tiers: tuple[tuple[str | None, int], ...]
    top: tuple[TopMember, ...]


async def figures(program_id: UUID) -> Figures:
    """The figures as they stand."""
    (purchases,) = await rows.fetch(
        "SELECT count(*) AS count, coalesce(sum(amount_minor), 0)::bigint AS amount_minor FROM purchases"
        " WHERE program_id = $1",
        program_id,
    )
    (accounts,) = await rows.fetch(
        "SELECT count(*) AS count, coalesce(sum(lifetime_earned), 0)::bigint AS points FROM points_accounts"
        " WHERE program_id = $1",
        program_id,
    )
    tiers = await rows.fetch(
        "SELECT tiers.name, count(*) AS count FROM points_accounts AS accounts"
        " LEFT JOIN tiers ON tiers.program_id = $1 AND tiers.id = accounts.tier_id"
        " WHERE accounts.program_id = $1 GROUP BY tiers.rank, tiers.name ORDER BY tiers.rank DESC NULLS LAST",
        program_id,
    )
    return Figures(
        members=accounts["count"],
        purchases=purchases["count"],
        amount_minor=purchases["amount_minor"],
        points=accounts["points"],
        tiers=tuple((tier["name"], tier["count"]) for tier in tiers),
        top=await _top(program_id),
    )


async def _top(program_id: UUID) -> tuple[TopMember, ...]:
    found = await rows.fetch(
        "SELECT members.external_id, accounts.lifetime_earned AS points, tiers.name AS tier,"
        " (SELECT count(*) FROM purchases WHERE program_id = $1 AND member_id = accounts.id) AS purchases"
        " FROM points_accounts AS accounts JOIN members ON members.program_id = $1 AND members.id = accounts.id"
        " LEFT JOIN tiers ON tiers.program_id = $1 AND tiers.id = accounts.tier_id"
        " WHERE accounts.program_id = $1 ORDER BY accounts.lifetime_earned DESC, members.external_id LIMIT $2",
        program_id,
        TOP_COUNT,
    )
    return tuple(TopMember(**record) for record in found)
