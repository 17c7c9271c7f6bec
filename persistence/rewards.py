"""Rewards, their stock, and what members like; and the catalogue as a member sees it, in one statement."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import segments
from domain.members import Member
from domain.points import account
from domain.rewards import availability, commands, reward, stock
from persistence import codec, pages, rows
from persistence.tables import TABLES, describes


@describes(reward.Reward)
class RewardTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    description = fields.TextField(null=True)
    kind = fields.CharEnumField(reward.RewardKind, max_length=30)
    categories: fields.JSONField[object] = fields.JSONField()
    pictures: fields.JSONField[object] = fields.JSONField()
    translations: fields.JSONField[object] = fields.JSONField()
    points = fields.BigIntField()
    cash_minor = fields.BigIntField()
    pay_minutes = fields.IntField()
    prices: fields.JSONField[object] = fields.JSONField()
    audience: fields.JSONField[object] = fields.JSONField()
    unlock_points = fields.BigIntField()
    limit_per_member = fields.IntField(null=True)
    limits: fields.JSONField[object] = fields.JSONField()
    daily_stock = fields.BigIntField(null=True)
    deliveries: fields.JSONField[object] = fields.JSONField()
    store_ids: fields.JSONField[object] = fields.JSONField()
    pool_id = fields.UUIDField(null=True)
    is_active = fields.BooleanField()
    visible_from = fields.DatetimeField(null=True)
    visible_until = fields.DatetimeField(null=True)
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "rewards"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        indexes = (Index(fields=("program_id", "points", "id"), name="rewards_points_order"),)
        constraints = (CheckConstraint(check="points > 0 AND cash_minor >= 0", name="rewards_points"),)


@describes(stock.RewardStock)
class RewardStockTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    left = fields.BigIntField(null=True)
    day = fields.DateField(null=True)
    day_taken = fields.BigIntField()

    class Meta:
        table = "reward_stocks"
        constraints = (CheckConstraint(check='"left" >= 0 AND day_taken >= 0', name="reward_stocks_left"),)


@describes(stock.StockHold, is_open="state = 'HELD'")
class StockHoldTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    reward_id = fields.UUIDField()
    quantity = fields.IntField()
    day = fields.DateField(null=True)
    state = fields.CharEnumField(account.HoldState, max_length=30)
    lapses_at = fields.DatetimeField()

    class Meta:
        table = "stock_holds"
        indexes = (Index(fields=("program_id", "reward_id", "state"), name="stock_holds_reward"),)
        constraints = (CheckConstraint(check="quantity > 0", name="stock_holds_quantity"),)


@describes(commands.RewardFavourite)
class RewardFavouriteTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    reward_id = fields.UUIDField()
    is_favourite = fields.BooleanField()
    changed_at = fields.DatetimeField()

    class Meta:
        table = "reward_favourites"
        unique_together = (("program_id", "member_id", "reward_id"),)


NEWEST: Final = pages.Keyset(("id",), is_descending=True)
OLDEST: Final = pages.Keyset(("id",))
CHEAPEST: Final = pages.Keyset(("points", "id"), (int, UUID))
DEAREST: Final = pages.Keyset(("points", "id"), (int, UUID), is_descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which rewards: every condition that is told. Those about a member need to know the member.

    Prices are the member's own, where one is told.
    """

    is_active: bool | None = None
    # Shown to members now.
    is_visible: bool = False
    # Open, and in stock.
    is_redeemable: bool = False
    kind: reward.RewardKind | None = None
    category: str | None = None
    points_min: int | None = None
    points_max: int | None = None
    is_affordable: bool = False
    is_eligible: bool = False
    is_favourite: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A reward with its stock, what lapsed put back."""

    reward: reward.Reward
    stock: stock.RewardStock


class _Told:
    """The parameters of a statement, each told once; those about the member only if something asks for them."""

    def __init__(self, program_id: UUID, standing: availability.Standing | None, now: datetime) -> None:
        self.values: list[Any] = [program_id]
        self.standing = standing
        self.now = self.add(now, "timestamptz")
        self._member: dict[str, str] = {}

    def add(self, value: Any, kind: str) -> str:
        self.values.append(value)
        return f"${len(self.values)}::{kind}"

    @property
    def member(self) -> dict[str, str]:
        """What audiences ask of the member."""
        assert self.standing is not None, "somebody asks about a member who was not told"
        if not self._member:
            tier_id = self.standing.account.tier_id
            self._member = {
                "tier": self.add(None if tier_id is None else str(tier_id), "text"),
                "tags": self.add(sorted(self.standing.tags), "text[]"),
                "segments": self.add(sorted(self.standing.segments), "text[]"),
            }
        return self._member


def _is_for(audience: str, told: _Told) -> str:
    """Whether an audience, a document, has a place for the member: `audiences.keeps_out` in SQL."""
    member = told.member
    return (
        f"({audience}->'tiers' = '[]' OR coalesce({audience}->'tiers' ? {member['tier']}, false))"
        f" AND ({audience}->'tags' = '[]' OR {audience}->'tags' ?| {member['tags']})"
        f" AND NOT {audience}->'without_tags' ?| {member['tags']}"
        f" AND ({audience}->'segments' = '[]' OR {audience}->'segments' ?| {member['segments']})"
    )


def _window(starts_at: str, ends_at: str, at: str) -> str:
    return f"({starts_at} IS NULL OR {starts_at} <= {at}) AND ({ends_at} IS NULL OR {ends_at} > {at})"


def _price(told: _Told) -> str:
    """The points of the best price for the member: `availability.price_for` in SQL."""
    if told.standing is None:
        return "points"
    window = _window("(price->>'starts_at')::timestamptz", "(price->>'ends_at')::timestamptz", told.now)
    is_for = _is_for("(price->'audience')", told)
    return (
        "(CASE WHEN prices = '[]' THEN points ELSE least(points, (SELECT min((price->>'points')::bigint)"
        f" FROM jsonb_array_elements(prices) AS price WHERE {window} AND {is_for})) END)"
    )


def _conditions(which: Filter, told: _Told) -> list[str]:
    where = _times(which, told)
    if which.is_active is not None:
        where.append("is_active" if which.is_active else "NOT is_active")
    if which.kind is not None:
        where.append(f"kind = {told.add(which.kind, 'text')}")
    if which.category is not None:
        where.append(f"categories ? {told.add(which.category, 'text')}")
    if which.points_min is not None:
        where.append(f"{_price(told)} >= {told.add(which.points_min, 'bigint')}")
    if which.points_max is not None:
        where.append(f"{_price(told)} <= {told.add(which.points_max, 'bigint')}")
    if told.standing is not None:
        where.extend(_about(which, told.standing, told))
    return where


def _times(which: Filter, told: _Told) -> list[str]:
    where: list[str] = []
    if which.is_visible:
        where.append(f"is_active AND {_window('visible_from', 'visible_until', told.now)}")
    if which.is_redeemable:
        where.append(f"is_active AND {_window('starts_at', 'ends_at', told.now)}")
        # Whatever lapsed is there for whoever comes next.
        where.append(
            '(SELECT coalesce(kept."left" > 0, true) OR EXISTS (SELECT FROM stock_holds AS hold'
            " WHERE hold.program_id = $1 AND hold.reward_id = rewards.id AND hold.state = 'HELD'"
            f" AND hold.lapses_at <= {told.now}) FROM reward_stocks AS kept"
            " WHERE kept.program_id = $1 AND kept.id = rewards.id)"
        )
    return where


def _about(which: Filter, standing: availability.Standing, told: _Told) -> list[str]:
    where: list[str] = []
    if which.is_affordable:
        spendable = 0 if standing.account.debt else standing.account.available
        where.append(f"{_price(told)} <= {told.add(spendable, 'bigint')}")
    if which.is_eligible:
        where.append(_is_for("audience", told))
        where.append(f"unlock_points <= {told.add(standing.account.lifetime_earned, 'bigint')}")
    if which.is_favourite:
        where.append(
            "id IN (SELECT reward_id FROM reward_favourites WHERE program_id = $1 AND is_favourite"
            f" AND member_id = {told.add(standing.account.id, 'uuid')})"
        )
    return where


# A stock as it is at an instant ($2): what was not paid in time is put back.
_STOCK_NOW: Final = """
    SELECT kept.id, kept.program_id, kept."left" + coalesce(lapsed.in_all, 0), kept.day,
        greatest(0, kept.day_taken - coalesce(lapsed.of_day, 0))
    FROM reward_stocks AS kept LEFT JOIN LATERAL (
        SELECT sum(quantity)::bigint AS in_all, (sum(quantity) FILTER (WHERE hold.day = kept.day))::bigint AS of_day
        FROM stock_holds AS hold
        WHERE hold.program_id = kept.program_id AND hold.reward_id = kept.id AND state = 'HELD' AND lapses_at <= $2
    ) AS lapsed ON true WHERE kept.program_id = $1"""


async def page(
    program_id: UUID,
    which: Filter,
    standing: availability.Standing | None,
    now: datetime,
    *,
    keyset: pages.Keyset,
    part: pages.Slice,
) -> list[Listed]:
    """Rewards with their stock, in one statement. Whatever is asked about a member is asked of `standing`."""
    told = _Told(program_id, standing, now)
    where = ["program_id = $1"]
    if conditions := _conditions(which, told):
        # Told as one, they are taken for a coin's toss: the planner walks the list in its order and stops when the
        # page is full. By the guesses it makes of each, nothing would be left, and it would sort all that is.
        where.append(f"CASE WHEN {' AND '.join(conditions)} THEN true ELSE false END")
    if part.after is not None:
        where.append(keyset.sql_after(reward.Reward, len(told.values) + 1))
        told.values.extend(part.after)
    limit = told.add(part.count, "bigint")
    table = TABLES[reward.Reward]
    records = await rows.fetch(
        f"WITH page AS MATERIALIZED (SELECT {table.sql_columns} FROM rewards WHERE {' AND '.join(where)}"
        f" ORDER BY {keyset.sql_order()} LIMIT {limit}) SELECT {table.sql_columns_of('page')}, shelf.* FROM page"
        f" CROSS JOIN LATERAL ({_STOCK_NOW} AND kept.id = page.id) AS shelf ORDER BY {keyset.sql_order('page')}",
        *told.values,
    )
    width = len(table.columns)
    decode_stock = TABLES[stock.RewardStock].decode
    return [Listed(table.decode(told[:width]), decode_stock(told[width:])) for told in map(tuple, records)]  # type: ignore[arg-type]


async def stocks(program_id: UUID, now: datetime, reward_ids: Sequence[UUID]) -> dict[UUID, stock.RewardStock]:
    """Rewards' stocks as they are at an instant."""
    records = await rows.fetch(f"{_STOCK_NOW} AND kept.id = ANY($3::uuid[])", program_id, now, list(reward_ids))
    decode = TABLES[stock.RewardStock].decode
    return {found.id: found for found in map(decode, records)}  # type: ignore[misc]


class Whole(NamedTuple):
    """A member with its account as it is stored, the time zone of its program, and its open segments by code."""

    member: Member
    account: account.PointsAccount
    time_zone: str
    segments: Mapping[str, segments.Criteria]


_read_criteria: Final = codec.reader(segments.Criteria, is_document=True)


async def whole_members(program_id: UUID, _: datetime, member_ids: Sequence[UUID]) -> dict[UUID, Whole]:
    """All that decides what members may have, in one statement."""
    member, kept = TABLES[Member], TABLES[account.PointsAccount]
    records = await rows.fetch(
        f"SELECT {member.sql_columns_of('member')}, {kept.sql_columns_of('kept')}, program.time_zone,"
        # At most 200, told with the member: what a segment asks is answered by the domain alone.
        " ARRAY(SELECT row(code, criteria::text) FROM segments WHERE program_id = $1 AND archived_at IS NULL)"
        " FROM members AS member"
        " JOIN points_accounts AS kept ON kept.program_id = member.program_id AND kept.id = member.id"
        " JOIN programs AS program ON program.id = member.program_id"
        " WHERE member.program_id = $1 AND member.id = ANY($2::uuid[])",
        program_id,
        list(member_ids),
    )
    width = len(member.columns)
    found = [
        Whole(member.decode(told[:width]), kept.decode(told[width:-2]), told[-2], _criteria(told[-1]))  # type: ignore[arg-type]
        for told in map(tuple, records)
    ]
    return {whole.member.id: whole for whole in found}


def _criteria(told: Sequence[tuple[str, str]]) -> dict[str, segments.Criteria]:
    assert _read_criteria is not None, "criteria are a document"
    return {code: _read_criteria(criteria) for code, criteria in told}


async def taken(
    program_id: UUID, now: datetime, pairs: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], list[availability.Taken]]:
    """What members have of rewards, by member and reward, in one statement."""
    records = await rows.fetch(
        "SELECT kept.member_id, kept.reward_id, kept.placed_at, kept.quantity - kept.cancelled - kept.returned AS kept"
        " FROM redemptions AS kept JOIN unnest($2::uuid[], $3::uuid[]) AS asked (member_id, reward_id)"
        " ON kept.member_id = asked.member_id AND kept.reward_id = asked.reward_id WHERE kept.program_id = $1"
        " AND kept.origin = 'REWARD'"
        " AND kept.state NOT IN ('CANCELLED', 'RETURNED', 'LAPSED') AND (kept.due_at IS NULL OR kept.due_at > $4)",
        program_id,
        [member_id for member_id, _ in pairs],
        [reward_id for _, reward_id in pairs],
        now,
    )
    found: dict[tuple[UUID, UUID], list[availability.Taken]] = defaultdict(list)
    for record in records:
        key = (record["member_id"], record["reward_id"])
        found[key].append(availability.Taken(record["placed_at"], record["kept"]))
    return found


async def liked(program_id: UUID, _: datetime, pairs: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], bool]:
    """Which of these rewards members like, by member and reward."""
    records = await rows.fetch(
        "SELECT kept.member_id, kept.reward_id FROM reward_favourites AS kept"
        " JOIN unnest($2::uuid[], $3::uuid[]) AS asked (member_id, reward_id)"
        " ON kept.member_id = asked.member_id AND kept.reward_id = asked.reward_id"
        " WHERE kept.program_id = $1 AND kept.is_favourite",
        program_id,
        [member_id for member_id, _ in pairs],
        [reward_id for _, reward_id in pairs],
    )
    return {(record["member_id"], record["reward_id"]): True for record in records}
