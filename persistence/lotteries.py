"""Lotteries: what they are, how they go, where members stand in them, draws and tickets."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import chances
from domain.lotteries import draw, lottery, tickets, verifying
from persistence import pages, rows
from persistence.tables import TABLES, describes


@describes(lottery.Lottery)
class LotteryTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    kind = fields.CharEnumField(lottery.LotteryKind, max_length=30)
    rules = fields.TextField()
    prizes: fields.JSONField[object] = fields.JSONField()
    points = fields.BigIntField(null=True)
    free_per_day = fields.IntField()
    limits: fields.JSONField[object] = fields.JSONField()
    audience: fields.JSONField[object] = fields.JSONField()
    schedule: fields.JSONField[object] = fields.JSONField()
    starts_at = fields.DatetimeField(null=True)
    ends_at = fields.DatetimeField(null=True)
    stock_out = fields.CharEnumField(lottery.StockOut, max_length=30)
    fallback = fields.TextField(null=True)
    guarantee_every = fields.IntField(null=True)
    guarantee_rank = fields.IntField(null=True)
    wins_per_member = fields.IntField()
    created_at = fields.DatetimeField()
    published_at = fields.DatetimeField(null=True)
    seed_hash = fields.TextField(null=True)
    table_hash = fields.TextField(null=True)

    class Meta:
        table = "lotteries"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        constraints = (
            CheckConstraint(check="points IS NULL OR points > 0", name="lotteries_points"),
            CheckConstraint(
                check="(published_at IS NULL) = (seed_hash IS NULL) AND (published_at IS NULL) = (table_hash IS NULL)",
                name="lotteries_hashes",
            ),
            CheckConstraint(
                check="(guarantee_every IS NULL) = (guarantee_rank IS NULL)"
                " AND (kind <> 'TICKETED' OR ends_at IS NOT NULL)",
                name="lotteries_whole",
            ),
            CheckConstraint(
                check="NOT jsonb_path_exists(prizes, '$[*] ? (@.weight < 1)')",
                name="lotteries_weights",
            ),
        )


@describes(lottery.LotterySeed)
class LotterySeedTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    seed = fields.TextField()

    class Meta:
        table = "lottery_seeds"
        constraints = (CheckConstraint(check="seed ~ '^[0-9a-f]{64}$'", name="lottery_seeds_seed"),)


@describes(chances.LotteryRun)
class LotteryRunTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    draws = fields.BigIntField()
    tickets = fields.BigIntField()
    attempts = fields.BigIntField()
    spent_tickets = fields.BigIntField()
    steps = fields.IntField()
    published_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)
    closed_at = fields.DatetimeField(null=True)
    closed_by = fields.TextField(null=True)
    reason = fields.TextField(null=True)

    class Meta:
        table = "lottery_runs"
        unique_together = (("program_id", "id"),)
        # What waits for the clock.
        indexes = (Index(fields=("program_id", "due_at"), name="lottery_runs_due"),)
        constraints = (
            CheckConstraint(
                check="draws >= 0 AND tickets >= 0 AND spent_tickets BETWEEN 0 AND tickets", name="lottery_runs_counts"
            ),
            CheckConstraint(
                check="(closed_at IS NULL) = (closed_by IS NULL) AND (closed_at IS NULL OR due_at IS NULL)",
                name="lottery_runs_closed",
            ),
        )


@describes(lottery.PrizeStock)
class PrizeStockTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    lottery_id = fields.UUIDField()
    code = fields.TextField()
    left = fields.BigIntField(null=True)
    won = fields.BigIntField()
    day = fields.DateField(null=True)
    day_won = fields.BigIntField()

    class Meta:
        table = "prize_stocks"
        unique_together = (("program_id", "lottery_id", "code"),)
        constraints = (
            CheckConstraint(check='("left" IS NULL OR "left" >= 0) AND won >= day_won', name="prize_stocks_left"),
        )


@describes(chances.LotteryStanding)
class LotteryStandingTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    lottery_id = fields.UUIDField()
    chances = fields.IntField()
    won_chances = fields.IntField()
    draws = fields.IntField()
    dry_draws = fields.IntField()
    tickets = fields.IntField()
    wins = fields.IntField()
    day = fields.DateField(null=True)
    free_used = fields.IntField()
    day_played = fields.IntField()
    week_played = fields.IntField()
    month_played = fields.IntField()
    year_played = fields.IntField()
    played = fields.IntField()

    class Meta:
        table = "lottery_standings"
        unique_together = (("program_id", "lottery_id", "member_id"),)
        constraints = (
            CheckConstraint(
                check="chances >= 0 AND won_chances >= 0 AND dry_draws >= 0 AND free_used >= 0"
                " AND wins BETWEEN 0 AND tickets",
                name="lottery_standings_counts",
            ),
        )


@describes(chances.ChanceGrant)
class ChanceGrantTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    lottery_id = fields.UUIDField()
    chances = fields.IntField()
    reason = fields.TextField()
    granted_at = fields.DatetimeField()
    actor = fields.TextField()

    class Meta:
        table = "chance_grants"
        indexes = (Index(fields=("program_id", "member_id", "id"), name="chance_grants_member"),)
        constraints = (CheckConstraint(check="chances > 0", name="chance_grants_chances"),)


@describes(tickets.LotteryTicket)
class LotteryTicketTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    lottery_id = fields.UUIDField()
    number = fields.BigIntField()
    payment = fields.CharEnumField(chances.Payment, max_length=30)
    points = fields.BigIntField()
    transaction_id = fields.UUIDField(null=True)
    taken_at = fields.DatetimeField()
    actor = fields.TextField()

    class Meta:
        table = "lottery_tickets"
        unique_together = (("program_id", "lottery_id", "number"),)
        indexes = (
            Index(fields=("program_id", "member_id", "taken_at", "number", "id"), name="lottery_tickets_member"),
        )
        constraints = (
            CheckConstraint(check="(payment = 'POINTS') = (transaction_id IS NOT NULL)", name="lottery_tickets_paid"),
        )


@describes(draw.Draw)
class DrawTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    lottery_id = fields.UUIDField()
    number = fields.BigIntField()
    client_seed = fields.TextField()
    nonce = fields.TextField()
    among: fields.JSONField[object] = fields.JSONField()
    total = fields.BigIntField()
    point = fields.BigIntField()
    drawn = fields.TextField()
    prize = fields.TextField()
    is_guaranteed = fields.BooleanField()
    payment = fields.CharEnumField(chances.Payment, max_length=30, null=True)
    points = fields.BigIntField()
    transaction_id = fields.UUIDField(null=True)
    ticket = fields.BigIntField(null=True)
    points_won = fields.BigIntField()
    chances_won = fields.IntField()
    voucher_id = fields.UUIDField(null=True)
    redemption_id = fields.UUIDField(null=True)
    owed = fields.TextField(null=True)
    drawn_at = fields.DatetimeField()
    actor = fields.TextField()

    class Meta:
        table = "draws"
        unique_together = (
            ("program_id", "lottery_id", "number"),
            # No draw of a member is made twice, and no ticket wins twice (D4).
            ("program_id", "lottery_id", "nonce"),
            ("program_id", "lottery_id", "ticket"),
        )
        indexes = (Index(fields=("program_id", "member_id", "drawn_at", "id"), name="draws_member"),)
        constraints = (
            CheckConstraint(check="point BETWEEN 0 AND total - 1 AND points >= 0", name="draws_point"),
            CheckConstraint(check="(payment = 'POINTS') = (transaction_id IS NOT NULL)", name="draws_paid"),
            CheckConstraint(check="(ticket IS NULL) = (payment IS NOT NULL)", name="draws_kind"),
        )


NEWEST: Final = pages.Keyset(("id",), is_descending=True)
LATEST_TICKET: Final = pages.Keyset(("taken_at", "number", "id"), (datetime, int, UUID), is_descending=True)
LATEST_DRAW: Final = pages.Keyset(("drawn_at", "id"), (datetime, UUID), is_descending=True)
IN_ORDER: Final = pages.Keyset(("number", "id"), (int, UUID))


async def page(program_id: UUID, part: pages.Slice, *, has_drafts: bool) -> list[lottery.Lottery]:
    """Lotteries, the latest made first; drafts only for who may see them."""
    where = "program_id = $1" if has_drafts else "program_id = $1 AND published_at IS NOT NULL"
    return await pages.select(lottery.Lottery, NEWEST, part, where, [program_id])


async def of_code(program_id: UUID, code: str) -> lottery.Lottery | None:
    """A lottery by its code."""
    return await rows.first(lottery.Lottery, "program_id = $1 AND code = $2", program_id, code)


async def playing(program_id: UUID, _: datetime, lottery_ids: Sequence[UUID]) -> dict[UUID, lottery.Playing]:
    """Published lotteries with how they go and their stocks, in one statement."""
    game, run, stock = TABLES[lottery.Lottery], TABLES[chances.LotteryRun], TABLES[lottery.PrizeStock]
    records = await rows.fetch(
        f"SELECT {game.sql_columns_of('game')}, {run.sql_columns_of('run')}, {stock.sql_columns_of('stock')}"
        " FROM lotteries AS game"
        " JOIN lottery_runs AS run ON run.program_id = game.program_id AND run.id = game.id"
        " JOIN prize_stocks AS stock ON stock.program_id = game.program_id AND stock.lottery_id = game.id"
        " WHERE game.program_id = $1 AND game.id = ANY($2::uuid[])",
        program_id,
        list(lottery_ids),
    )
    first, second = len(game.columns), len(game.columns) + len(run.columns)
    found: dict[UUID, lottery.Playing] = {}
    for told in map(tuple, records):
        its: lottery.PrizeStock = stock.decode(told[second:])  # type: ignore[assignment]
        known = found.get(its.lottery_id)
        if known is None:
            row, goes = game.decode(told[:first]), run.decode(told[first:second])
            known = found[its.lottery_id] = lottery.Playing(row, goes, {})  # type: ignore[arg-type]
        known.stocks[its.code] = its
    return found


async def standings(
    program_id: UUID, _: datetime, pairs: Sequence[tuple[UUID, UUID]]
) -> dict[tuple[UUID, UUID], chances.LotteryStanding]:
    """Where members stand, by member and lottery."""
    keys = {chances.standing_id(*pair): pair for pair in pairs}
    found = await rows.by_ids(chances.LotteryStanding, program_id, keys)
    return {keys[key]: row for key, row in found.items()}


async def draws_of_members(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[draw.Draw]]:
    """The same page of each member's draws, the latest first."""
    return await pages.of_parents(draw.Draw, LATEST_DRAW, part, program_id, "member_id", member_ids)


async def tickets_of_members(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[tickets.LotteryTicket]]:
    """The same page of each member's tickets, the latest first."""
    return await pages.of_parents(tickets.LotteryTicket, LATEST_TICKET, part, program_id, "member_id", member_ids)


async def draws_of_lotteries(
    program_id: UUID, lottery_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[draw.Draw]]:
    """The same page of each lottery's draws, in their order."""
    return await pages.of_parents(draw.Draw, IN_ORDER, part, program_id, "lottery_id", lottery_ids)


async def tallies(program_id: UUID, _: datetime, lottery_ids: Sequence[UUID]) -> dict[UUID, list[verifying.Tally]]:
    """How often which prize of lotteries was drawn among what."""
    records = await rows.fetch(
        "SELECT lottery_id, among::text AS among, drawn, count(*) AS count FROM draws"
        " WHERE program_id = $1 AND lottery_id = ANY($2::uuid[]) GROUP BY lottery_id, draws.among, drawn",
        program_id,
        list(lottery_ids),
    )
    found: dict[UUID, list[verifying.Tally]] = defaultdict(list)
    for record in records:
        places = tuple(int(place) for place in record["among"].strip("[]").split(",") if place)
        found[record["lottery_id"]].append(verifying.Tally(places, record["drawn"], record["count"]))
    return found


async def before(program_id: UUID, seed: bytes, won: draw.Draw) -> verifying.Before:
    """What was drawn before a winning ticket, as far as tickets that were passed over need it."""
    records = await rows.fetch(
        "SELECT member_id, ticket, nonce FROM draws WHERE program_id = $1 AND lottery_id = $2 AND number < $3",
        program_id,
        won.lottery_id,
        won.number,
    )
    attempt = max((int(record["nonce"]) for record in records), default=0)
    wins: dict[UUID, int] = defaultdict(int)
    for record in records:
        wins[record["member_id"]] += 1
    skipped = verifying.passed_over(seed, won, attempt)
    owners = await rows.fetch(
        "SELECT number, member_id FROM lottery_tickets"
        " WHERE program_id = $1 AND lottery_id = $2 AND number = ANY($3::bigint[])",
        program_id,
        won.lottery_id,
        list(skipped),
    )
    return verifying.Before(
        attempt=attempt,
        wins={record["number"]: wins[record["member_id"]] for record in owners},
        won=frozenset(record["ticket"] for record in records),
    )
