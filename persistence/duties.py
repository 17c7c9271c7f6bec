"""Duties and their claims: who does what the clock asks, and how far it is done.

A duty is claimed by locking its row, `FOR UPDATE SKIP LOCKED`, for as long as a bounded batch of its subjects is told
to the engine. So two workers never do the same at once, and when one is killed its session ends and the next takes
over at once. The row says how far the duty is done; should that be lost with a worker, the same subjects are told
again under the same idempotency keys, which changes nothing. This bookkeeping is no fact of the program, which is why
it alone is written here and not by a command.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from domain.duties import Duty, Work, birthdays_on
from persistence import clock

_COLUMNS: Final = "id, program_id, work, due_at, day, part, after, version"


class DutyTable(Model):
    """What the clock asks of each program."""

    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    work = fields.CharEnumField(Work, max_length=30)
    due_at = fields.DatetimeField()
    day = fields.DateField(null=True)
    part = fields.IntField(db_default=0)
    after = fields.UUIDField(null=True)
    version = fields.IntField(null=True)

    class Meta:
        table = "duties"
        unique_together = (("program_id", "work"),)
        indexes = (Index(fields=("due_at",), name="duties_due"),)


# Reminders that are due, and those that were reckoned by other times than their sale has now.
_REMINDERS: Final = """
    (SELECT id, program_id, due_at, 0 AS timing FROM flash_sale_reminders
    UNION ALL SELECT reminder.id, reminder.program_id, sale.created_at, sale.timing
    FROM flash_sales AS sale JOIN flash_sale_reminders AS reminder
        ON reminder.program_id = sale.program_id AND reminder.sale_id = sale.id AND reminder.timing < sale.timing
    WHERE reminder.is_wanted) AS reminders"""

# Where what has a time of its own is found, and what tells two dues of the same row at the same time apart.
DUE_IN: Final = {
    Work.SETTLE: ("points_accounts", "sequence"),
    Work.REDEMPTIONS: ("redemptions", "0"),
    Work.VOUCHERS: ("vouchers", "0"),
    Work.FLASH_SALE_CLAIMS: ("claims", "0"),
    Work.FLASH_SALE_REMINDERS: (_REMINDERS, "timing"),
    Work.LEADERBOARDS: ("leaderboard_clocks", "0"),
    Work.LEADERBOARD_AWARDS: ("leaderboard_awards", "0"),
    Work.REFERRALS: ("referrals", "0"),
    Work.GROUP_DEALS: ("deal_groups", "0"),
}


class Due(NamedTuple):
    """A row for which the clock has something to do, since when; of an account, how many transactions it had then."""

    id: UUID
    due_at: datetime
    sequence: int


@dataclass(slots=True)
class Claim:
    """A duty that this worker has; `done` is what is kept of it when it lets go."""

    duty: Duty
    done: Duty


async def ensure(own: asyncpg.Connection, now: datetime) -> None:
    """Give every program the duties that it lacks, due at once. Its members stand by the tiers as they are now."""
    ids = clock.Ids()
    missing = await own.fetch(
        "SELECT programs.id AS program_id, wanted.work, ladder_version"
        " FROM programs CROSS JOIN unnest($1::text[]) AS wanted (work)"
        " WHERE NOT EXISTS (SELECT FROM duties WHERE duties.program_id = programs.id AND duties.work = wanted.work)",
        list(Work),
    )
    if missing:
        await own.executemany(
            "INSERT INTO duties (id, program_id, work, version, due_at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            [(clock.make_id(ids.next_first(now)), *record, now) for record in missing],
        )


@asynccontextmanager
async def claimed(own: asyncpg.Connection, now: datetime) -> AsyncIterator[Claim | None]:
    """The duty that has been due longest and that nobody has, for as long as the block lasts; None if there is none.

    What the block leaves in `done` is kept when it ends well.
    """
    async with own.transaction():
        record = await own.fetchrow(
            f"SELECT {_COLUMNS} FROM duties WHERE due_at <= $1 ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED", now
        )
        if record is None:
            yield None
            return
        duty = Duty(**{**record, "work": Work(record["work"])})
        claim = Claim(duty, duty)
        yield claim
        done = claim.done
        await own.execute(
            "UPDATE duties SET due_at = $2, day = $3, part = $4, after = $5, version = $6 WHERE id = $1",
            done.id,
            done.due_at,
            done.day,
            done.part,
            done.after,
            done.version,
        )


# Subjects: whom a duty is about, in an order that a claim can go on in.


async def due(
    own: asyncpg.Connection, work: Work, program_id: UUID, now: datetime, count: int, *, without: Sequence[UUID] = ()
) -> list[Due]:
    """Accounts, redemptions, vouchers and the like that the clock has something to do for, longest waiting first."""
    table, sequence = DUE_IN[work]
    records = await own.fetch(
        f"SELECT id, due_at, {sequence} FROM {table}"
        " WHERE program_id = $1 AND due_at <= $2 AND id <> ALL($4::uuid[]) ORDER BY due_at LIMIT $3",
        program_id,
        now,
        count,
        list(without),
    )
    return [Due(*record) for record in records]


class OverLottery(NamedTuple):
    """A lottery that is over: how many steps of its end are done, and how many winners are to be drawn at most."""

    id: UUID
    steps: int
    winners: int


async def lotteries_over(
    own: asyncpg.Connection, program_id: UUID, now: datetime, count: int, *, without: Sequence[UUID] = ()
) -> list[OverLottery]:
    """Lotteries that are over and not closed yet, those that wait longest first."""
    records = await own.fetch(
        "SELECT run.id, run.steps, CASE WHEN game.kind = 'TICKETED' THEN coalesce((SELECT sum(stock.\"left\")"
        " FROM prize_stocks AS stock WHERE stock.program_id = $1 AND stock.lottery_id = run.id), 0)::int ELSE 0 END"
        " FROM lottery_runs AS run JOIN lotteries AS game ON game.program_id = $1 AND game.id = run.id"
        " WHERE run.program_id = $1 AND run.due_at <= $2 AND run.id <> ALL($4::uuid[]) ORDER BY run.due_at LIMIT $3",
        program_id,
        now,
        count,
        list(without),
    )
    return [OverLottery(*record) for record in records]


async def accounts_after(own: asyncpg.Connection, program_id: UUID, after: UUID | None, count: int) -> list[UUID]:
    """Accounts in the order of their ids."""
    return await _ids(own, "SELECT id FROM points_accounts WHERE program_id = $1", program_id, after, count)


async def birthdays(own: asyncpg.Connection, program_id: UUID, day: date, after: UUID | None, count: int) -> list[UUID]:
    """Members whose birthday is celebrated on a local day, in the order of their ids."""
    which = ", ".join(str(number) for number in birthdays_on(day))
    where = (
        "SELECT id FROM members WHERE program_id = $1 AND birthday IS NOT NULL"
        f" AND extract(month FROM birthday) * 100 + extract(day FROM birthday) IN ({which})"
    )
    return await _ids(own, where, program_id, after, count)


async def tiers_ending(
    own: asyncpg.Connection, program_id: UUID, ends_at: datetime, after: UUID | None, count: int
) -> list[UUID]:
    """Members whose tier in force ends at an instant, in the order of their ids; a tier in grace has ended before."""
    where = (
        "SELECT id FROM points_accounts WHERE program_id = $1 AND (manual_tier_until = $4"
        " OR (tier_valid_until = $4 AND tier_grace_until IS NULL AND manual_tier_id IS NULL))"
    )
    return await _ids(own, where, program_id, after, count, ends_at)


async def points_expiring(
    own: asyncpg.Connection, program_id: UUID, expires_at: datetime, after: UUID | None, count: int
) -> list[UUID]:
    """Members of whom available points expire at an instant, in the order of their ids."""
    where = (
        "SELECT id FROM points_accounts AS accounts WHERE program_id = $1 AND available > 0"
        " AND (idle_expires_at = $4 OR EXISTS (SELECT FROM lots WHERE lots.program_id = $1"
        " AND lots.member_id = accounts.id AND lots.state = 'ACTIVE' AND lots.expires_at = $4))"
    )
    return await _ids(own, where, program_id, after, count, expires_at)


async def streaks_ending(
    own: asyncpg.Connection, program_id: UUID, day: date, hour: int, *, after: UUID | None, count: int
) -> list[UUID]:
    """Streaks that end with a local date, in activities that tell of it at an hour, in the order of their ids.

    Asked of PostgreSQL: who goes through a sorted set by places, while members sign in and leave it, skips some.
    """
    where = (
        "SELECT id FROM streaks WHERE program_id = $1 AND last_day = $4::date - 1 AND activity_id IN"
        " (SELECT id FROM check_in_activities WHERE program_id = $1 AND reminder_hour = $5 AND is_active)"
    )
    return await _ids(own, where, program_id, after, count, day, hour)


async def _ids(
    own: asyncpg.Connection, where: str, program_id: UUID, after: UUID | None, count: int, *more: Any
) -> list[UUID]:
    records = await own.fetch(
        f"{where} AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3", program_id, after, count, *more
    )
    return [record["id"] for record in records]
