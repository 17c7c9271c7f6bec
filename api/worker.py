"""The worker: turns the clock into commands. Any number may run; each duty is one worker's at a time.

Everything it does goes through the engine as a command with an idempotency key made of what it is about, so that a
worker that is killed half way, or two that follow each other, do nothing twice. Nothing that counts waits for it: a
lot that has expired and a tier that has ended are over for every command and every read, however late the worker is.
"""

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg

from domain import calendars, duties
from domain.check_ins.reminding import RemindOfStreak
from domain.duties import Duty, Work
from domain.earning.rule_sets import EarningRules
from domain.flash_sales.ending import LapseClaim
from domain.flash_sales.reminders import TellOfFlashSale
from domain.grants import GrantBirthday, GrantMemberDay
from domain.group_deals.ending import LapseDealGroup
from domain.kernel import Command, Outcome
from domain.leaderboards.closing import PayLeaderboardAward
from domain.lotteries.ending import EndLottery
from domain.points.commands import SettleAccount
from domain.points.reminders import RemindOfExpiry
from domain.points.tiers import ReviewTier, WarnOfTier
from domain.programs import Program
from domain.redemptions.ending import LapseRedemption
from domain.referrals.settling import SettleReferral
from domain.vouchers.commands import SettleVoucher
from persistence import clock, connection, rows
from persistence import duties as stored
from persistence import tiers as stored_tiers
from persistence.duties import Claim
from persistence.engine import DISCONNECTED, Engine, EngineStopped, QueueFull, Unavailable
from persistence.leaderboards import closing

logger = logging.getLogger("tessera.worker")

ACTOR: Final = "worker"
# So many subjects are done under one claim, and so many of them are with the engine at once: enough that its next
# batch is always there, and few enough that whoever else asks does not wait behind them.
BATCH_MAX: Final = 8192
UNDER_WAY_MAX: Final = 1536
_ANSWERED_TOGETHER: Final = 512
IDLE_SECONDS: Final = 1.0
LOST_SECONDS: Final = 2.0
# Programs that were founded meanwhile are looked for so often.
_ENSURE_SECONDS: Final = 5.0
# Rows on which settling failed are left aside by this worker, so that they keep nobody else waiting.
_ASIDE_MAX: Final = 1000
# So many winners of a lottery are drawn under one claim.
LOTTERY_STEPS: Final = 50


class About(NamedTuple):
    """A command about a member or what is a member's, and its idempotency key."""

    subject_id: UUID
    command: Command[Any]
    key: str


class Worker:
    """Does what is due, claim by claim, through an engine, at the times of a clock."""

    def __init__(
        self,
        engine: Engine,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        now: Callable[[], datetime] = clock.now,
        batch_max: int = BATCH_MAX,
    ) -> None:
        self.done: Counter[Work] = Counter()
        self._engine = engine
        self._connect = connect
        self._now = now
        self._batch_max = batch_max
        self._own: asyncpg.Connection | None = None
        self._aside: dict[UUID, None] = {}
        self._ensured_at = 0.0

    async def run(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Do what is due while it `goes_on`. A lost database is waited for; nothing is forgotten meanwhile."""
        try:
            while goes_on():
                await self._step_or_wait()
        finally:
            await self.close()

    async def _step_or_wait(self) -> None:
        """Do a step; wait a moment if there was nothing to do, and a little longer if the database is away."""
        try:
            if not await self.step():
                await asyncio.sleep(IDLE_SECONDS)
        except (*DISCONNECTED, Unavailable, QueueFull) as fault:
            logger.warning("the worker waits: %s", type(fault).__name__)
            await self.close()
            await asyncio.sleep(LOST_SECONDS)

    async def run_until_idle(self, goes_on: Callable[[], bool] = lambda: True) -> Counter[Work]:
        """Do all that is due now, while it `goes_on`; how often it did what."""
        while goes_on() and await self.step():
            pass
        return self.done

    async def close(self) -> None:
        """End the worker's own session, and with it any claim."""
        own, self._own = self._own, None
        if own is not None:
            own.terminate()

    async def step(self) -> bool:
        """Claim one duty that is due and do a batch of it. False if nothing is due that nobody has."""
        own = await self._session()
        now = self._now()
        async with stored.claimed(own, now) as claim:
            if claim is None:
                return False
            await self._do(own, claim, now)
        return True

    async def _session(self) -> asyncpg.Connection:
        if self._own is None or self._own.is_closed():
            self._own = await self._connect()
            self._ensured_at = 0.0
        elapsed = asyncio.get_running_loop().time()
        if not self._ensured_at or elapsed - self._ensured_at > _ENSURE_SECONDS:
            await stored.ensure(self._own, self._now())
            self._ensured_at = elapsed
        return self._own

    async def _do(self, own: asyncpg.Connection, claim: Claim, now: datetime) -> None:
        duty = claim.duty
        match duty.work:
            case Work.LEADERBOARDS:
                claim.done = await self._close_boards(own, duty, now)
            case work if work in stored.DUE_IN:
                claim.done = await self._settle(own, duty, now)
            case Work.LOTTERIES:
                claim.done = await self._end_lotteries(own, duty, now)
            case Work.TIER_REVIEW:
                claim.done = await self._review(own, duty, await _program(duty), now)
            case _:
                claim.done = await self._spend_day(own, duty, await _program(duty), now)

    # What is due by a time of its own.

    async def _settle(self, own: asyncpg.Connection, duty: Duty, now: datetime) -> Duty:
        aside = tuple(self._aside)
        found = await stored.due(own, duty.work, duty.program_id, now, self._batch_max, without=aside)
        # An account that moved meanwhile is due anew, whatever it was due for before.
        told = [
            (_settling(duty.work, due.id), f"{duty.work.lower()}:{due.id}:{due.due_at.isoformat()}:{due.sequence}")
            for due in found
        ]
        before = self.done[duty.work]
        for due, answer in zip(found, await self._tell(duty, told), strict=True):
            if not isinstance(answer, Outcome) or answer.is_replay:
                self._set_aside(due.id)
        # Where nothing at all can be settled, to go on at once would be to go round in circles.
        has_more = len(found) == self._batch_max and self.done[duty.work] > before
        return duties.went_on(duty, None, now) if has_more else duties.looked(duty, now)

    # Lotteries that are over: winner by winner, then closed.

    async def _end_lotteries(self, own: asyncpg.Connection, duty: Duty, now: datetime) -> Duty:
        found = await stored.lotteries_over(
            own, duty.program_id, now, max(1, self._batch_max // LOTTERY_STEPS), without=tuple(self._aside)
        )
        before = self.done[duty.work]
        for over in found:
            steps = range(over.steps + 1, over.steps + 1 + min(over.winners + 1, LOTTERY_STEPS))
            told = [(EndLottery(lottery_id=over.id, step=step), f"lottery:{over.id}:{step}") for step in steps]
            answers = await self._tell(duty, told)
            if not any(isinstance(answer, Outcome) and not answer.is_replay for answer in answers):
                self._set_aside(over.id)
        has_more = bool(found) and self.done[duty.work] > before
        return duties.went_on(duty, None, now) if has_more else duties.looked(duty, now)

    def _set_aside(self, row_id: UUID) -> None:
        self._aside[row_id] = None
        if len(self._aside) > _ASIDE_MAX:
            self._aside.pop(next(iter(self._aside)))

    # Periods of leaderboards, each reckoned a last time, and closed while nothing more is counted.

    async def _close_boards(self, own: asyncpg.Connection, duty: Duty, now: datetime) -> Duty:
        aside = tuple(self._aside)
        found = await stored.due(own, duty.work, duty.program_id, now, self._batch_max, without=aside)
        if not found:
            return duties.looked(duty, now)
        beside = await self._connect()
        try:
            for due in found:
                async with closing.settled(beside, duty.program_id, due.id, now) as command:
                    key = f"leaderboard:{due.id}:{due.due_at.isoformat()}:{now.isoformat()}"
                    answers = [] if command is None else await self._tell(duty, [(command, key)])
                if not any(isinstance(answer, Outcome) for answer in answers):
                    self._set_aside(due.id)
        finally:
            await beside.close()
        # What is late by several periods is due again at once.
        return duties.went_on(duty, None, now)

    # Everybody, once, after tiers or their policy changed.

    async def _review(self, own: asyncpg.Connection, duty: Duty, program: Program, now: datetime) -> Duty:
        version = program.ladder_version
        if duty.version == version:
            return duties.looked(duty, now)
        found = await stored.accounts_after(own, duty.program_id, duty.after, self._batch_max)
        await self._tell(duty, [(ReviewTier(member_id=key), f"review:{key}:{version}") for key in found])
        if len(found) == self._batch_max:
            return duties.went_on(duty, found[-1], now)
        return duties.looked(duty, now, version=version)

    # What is due once a local day.

    async def _spend_day(self, own: asyncpg.Connection, duty: Duty, program: Program, now: datetime) -> Duty:
        day = duties.day_of(duty, now, program.time_zone)
        begins_at = duties.begins_at(duty, day, program.time_zone)
        if now < begins_at:
            return replace(duty, day=day, due_at=begins_at)
        subjects = {
            Work.BIRTHDAYS: self._birthdays,
            Work.MEMBER_DAYS: self._member_day,
            Work.TIER_WARNINGS: self._tiers_ending,
            Work.EXPIRY_REMINDERS: self._points_expiring,
            Work.STREAK_REMINDERS: self._streaks_ending,
        }[duty.work]
        told = await subjects(own, duty, program, day)
        await self._tell(duty, [(command, key) for _, command, key in told])
        if len(told) == self._batch_max:
            return duties.went_on(replace(duty, day=day), told[-1].subject_id, now)
        return duties.part_done(duty, day, program.time_zone, now)

    async def _birthdays(self, own: asyncpg.Connection, duty: Duty, program: Program, day: date) -> list[About]:
        if not duties.gives_on_birthdays(await _rule_set(program), await stored_tiers.ladder(program.id)):
            return []
        found = await stored.birthdays(own, program.id, day, duty.after, self._batch_max)
        return [About(key, GrantBirthday(member_id=key, day=day), f"birthday:{key}:{day.year}") for key in found]

    async def _member_day(self, own: asyncpg.Connection, duty: Duty, program: Program, day: date) -> list[About]:
        if not duties.is_member_day(await _rule_set(program), day, program.time_zone):
            return []
        found = await stored.accounts_after(own, program.id, duty.after, self._batch_max)
        return [About(key, GrantMemberDay(member_id=key, day=day), f"member-day:{key}:{day}") for key in found]

    async def _tiers_ending(self, own: asyncpg.Connection, duty: Duty, program: Program, day: date) -> list[About]:
        days, ends_at = _looking_ahead(duty, day, program)
        if ends_at <= self._now():
            # Made up for too late: it has ended, of which there is an event of its own.
            return []
        found = await stored.tiers_ending(own, program.id, ends_at, duty.after, self._batch_max)
        about = f"{ends_at.isoformat()}:{days}"
        return [About(key, WarnOfTier(member_id=key, days=days), f"tier-warning:{key}:{about}") for key in found]

    async def _points_expiring(self, own: asyncpg.Connection, duty: Duty, program: Program, day: date) -> list[About]:
        days, expires_at = _looking_ahead(duty, day, program)
        if expires_at <= self._now():
            return []
        found = await stored.points_expiring(own, program.id, expires_at, duty.after, self._batch_max)
        about = f"{expires_at.isoformat()}:{days}"
        return [
            About(key, RemindOfExpiry(member_id=key, expires_at=expires_at), f"expiry-reminder:{key}:{about}")
            for key in found
        ]

    async def _streaks_ending(self, own: asyncpg.Connection, duty: Duty, program: Program, day: date) -> list[About]:
        if day != calendars.local_date(self._now(), program.time_zone):
            # Made up for too late: that night is over.
            return []
        found = await stored.streaks_ending(own, program.id, day, duty.part, after=duty.after, count=self._batch_max)
        return [About(key, RemindOfStreak(streak_id=key, day=day), f"streak-reminder:{key}:{day}") for key in found]

    async def _tell(self, duty: Duty, told: Sequence[tuple[Command[Any], str]]) -> list[Any]:
        """Tell the engine commands, in order, and wait for the answers: outcomes, refusals and faults, logged."""
        answers = await self._answers(duty.program_id, told)
        for (command, _), answer in zip(told, answers, strict=True):
            if isinstance(answer, Unavailable | EngineStopped):
                raise answer
            if isinstance(answer, BaseException):
                logger.error("%s failed: %s", type(command).__name__, type(answer).__name__)
        self.done[duty.work] += sum(isinstance(answer, Outcome) and not answer.is_replay for answer in answers)
        return answers

    async def _answers(self, program_id: UUID, told: Sequence[tuple[Command[Any], str]]) -> list[Any]:
        answers: list[Any] = []
        waiting: deque[asyncio.Future[Outcome[Any]]] = deque()
        for command, key in told:
            if len(waiting) >= UNDER_WAY_MAX:
                first = [waiting.popleft() for _ in range(_ANSWERED_TOGETHER)]
                answers.extend(await asyncio.gather(*first, return_exceptions=True))
            waiting.append(self._engine.submit(command, program_id=program_id, actor=ACTOR, idempotency_key=key))
        return answers + await asyncio.gather(*waiting, return_exceptions=True)


def _settling(work: Work, row_id: UUID) -> Command[Any]:
    """The command that lets the clock catch up on a row."""
    match work:
        case Work.REDEMPTIONS:
            return LapseRedemption(redemption_id=row_id)
        case Work.VOUCHERS:
            return SettleVoucher(voucher_id=row_id)
        case Work.FLASH_SALE_CLAIMS:
            return LapseClaim(claim_id=row_id)
        case Work.FLASH_SALE_REMINDERS:
            return TellOfFlashSale(reminder_id=row_id)
        case Work.LEADERBOARD_AWARDS:
            return PayLeaderboardAward(award_id=row_id)
        case Work.REFERRALS:
            return SettleReferral(referral_id=row_id)
        case Work.GROUP_DEALS:
            return LapseDealGroup(group_id=row_id)
        case _:
            return SettleAccount(member_id=row_id)


async def _program(duty: Duty) -> Program:
    return (await rows.by_ids(Program, duty.program_id, [duty.program_id]))[duty.program_id]


async def _rule_set(program: Program) -> EarningRules:
    found = await rows.by_keys(EarningRules, program.id, "version", [program.rule_version])
    return found[program.rule_version]


def _looking_ahead(duty: Duty, day: date, program: Program) -> tuple[int, datetime]:
    """How many days ahead a part of a daily duty looks, and the first instant after the local day it looks at."""
    days = duties.DAYS_AHEAD[duty.work][duty.part]
    return days, calendars.start_of(calendars.add_days(day, days), program.time_zone)


@contextlib.asynccontextmanager
async def running(engine: Engine, address: connection.Address) -> AsyncIterator[Worker]:
    """A worker beside whatever the block does."""
    worker = Worker(engine, lambda: connection.connect(address))
    task = asyncio.create_task(worker.run(), name="worker")
    try:
        yield worker
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
