"""Making a lottery: a draft that is edited as a whole, then published with its hashes, and closed in the end (D4)."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain import audiences, checks, schedules
from domain.audiences import Audience
from domain.chances import LotteryClosed, LotteryRun
from domain.kernel import Command, Decision, State, Want
from domain.lotteries import checking, fairness, table
from domain.lotteries.lottery import (
    DrawLimit,
    Lottery,
    LotteryAlreadyPublished,
    LotteryEnded,
    LotteryInvalid,
    LotteryKind,
    LotteryNotOpen,
    LotteryPrize,
    LotteryPublished,
    LotterySaved,
    LotterySeed,
    PrizeStock,
    StockOut,
    stock_id,
)
from domain.programs import Program
from domain.schedules import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveLottery(Command[Lottery]):
    """Make a draft of a lottery, or put all of this in place of the draft with its code.

    Refuses `LotteryAlreadyPublished`, `PrizeAboveCap` unless `exceeds_cap`, which only who may do so tells, and
    whatever contradicts itself, naming the field.
    """

    code: str
    name: str
    kind: LotteryKind
    rules: str
    prizes: tuple[LotteryPrize, ...]
    points: int | None = None
    free_per_day: int = 0
    limits: tuple[DrawLimit, ...] = ()
    audience: Audience = audiences.EVERYBODY
    schedule: Schedule = schedules.ALWAYS
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    stock_out: StockOut = StockOut.RENORMALISE
    fallback: str | None = None
    guarantee_every: int | None = None
    guarantee_rank: int | None = None
    wins_per_member: int = 1
    exceeds_cap: bool = False

    def decide(self, state: State) -> Decision[Lottery]:
        code = checking.code(("code",), self.code)
        found = state.find_by(Lottery, "code", code)
        before = None if found is None else state.change(Lottery, found.id)
        if before is not None and before.published_at is not None:
            raise LotteryAlreadyPublished(field=("code",), taken=code)
        told = Lottery(
            id=state.new_id() if before is None else before.id,
            program_id=state.program_id,
            code=code,
            name=self.name,
            kind=self.kind,
            rules=self.rules,
            prizes=self.prizes,
            points=self.points,
            free_per_day=self.free_per_day,
            limits=self.limits,
            audience=self.audience,
            schedule=self.schedule,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            stock_out=self.stock_out,
            fallback=self.fallback,
            guarantee_every=self.guarantee_every,
            guarantee_rank=self.guarantee_rank,
            wins_per_member=self.wins_per_member,
            created_at=state.now if before is None else before.created_at,
        )
        program = state.get(Program, state.program_id)
        lottery = checking.checked(state, program, told, exceeds_cap=self.exceeds_cap)
        return Decision(lottery, save=(lottery,), events=(LotterySaved(lottery_id=lottery.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishLottery(Command[Lottery]):
    """Publish a draft: its seed is made and both hashes are fixed, and from now on nothing of it changes (D4).

    Again changes nothing. Refuses a lottery that has ended already, and `PrizeAboveCap` when the cap was lowered since.
    """

    lottery_id: UUID

    def decide(self, state: State) -> Decision[Lottery]:
        draft = state.change(Lottery, self.lottery_id)
        if draft.published_at is not None:
            return Decision(draft)
        if draft.ends_at is not None and draft.ends_at <= state.now:
            raise LotteryInvalid(field=("lotteryId",), why=f"it ended at {draft.ends_at.isoformat()}")
        checking.require_within_cap(state.get(Program, state.program_id), draft)
        seed = state.new_seed()
        hashes = fairness.digest(seed), table.hash_of(draft)
        lottery = replace(draft, published_at=state.now, seed_hash=hashes[0], table_hash=hashes[1])
        kept = LotterySeed(id=draft.id, program_id=draft.program_id, seed=seed.hex())
        run = LotteryRun(id=draft.id, program_id=draft.program_id, published_at=state.now, due_at=draft.ends_at)
        published = LotteryPublished(lottery_id=draft.id, seed_hash=hashes[0], table_hash=hashes[1])
        return Decision(
            lottery,
            save=(lottery, kept, run, *(_stock(draft, prize) for prize in draft.prizes)),
            events=(published,),
        )


def _stock(lottery: Lottery, prize: LotteryPrize) -> PrizeStock:
    return PrizeStock(
        id=stock_id(lottery.id, prize.code),
        program_id=lottery.program_id,
        lottery_id=lottery.id,
        code=prize.code,
        left=prize.stock,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A lottery, and how it goes now."""

    lottery: Lottery
    run: LotteryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseLottery(Command[Ended]):
    """Close an instant lottery before its end, or one without an end: its seed can be read from then on (D4).

    Refuses `LotteryNotOpen` for a draft, `LotteryClosed`, and a ticketed lottery: its tickets wait for their draw.
    """

    lottery_id: UUID
    reason: str

    def decide(self, state: State) -> Decision[Ended]:
        reason = checks.reason(self.reason)
        state.need(Want(Lottery, self.lottery_id), Want(LotteryRun, self.lottery_id, is_locked=True))
        lottery = state.get(Lottery, self.lottery_id)
        run = state.find(LotteryRun, self.lottery_id)
        if run is None:
            raise LotteryNotOpen(field=("lotteryId",), why="it is not published")
        if run.closed_at is not None:
            raise LotteryClosed(closed_at=run.closed_at.isoformat())
        if lottery.is_ticketed:
            why = "its tickets wait for their draw, after which it closes by itself"
            raise LotteryNotOpen(field=("lotteryId",), why=why)
        run = closed(run, state, reason)
        return Decision(Ended(lottery=lottery, run=run), save=(run,), events=(LotteryEnded(lottery_id=run.id),))


def closed(run: LotteryRun, state: State, reason: str | None = None) -> LotteryRun:
    """A lottery in which nothing can be drawn any more."""
    return replace(run, closed_at=state.now, closed_by=state.actor, reason=reason, due_at=None)
