"""Rules and the worker: a thousand rules for one purchase, and what the clock does to a hundred thousand members."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

from api.worker import Worker
from benchmarks import engine as engines
from benchmarks import shop
from domain.duties import Work
from domain.earning import evaluation, matching
from domain.earning.facts import BasisLine, Facts, Occasion
from domain.earning.rules import Campaign, Cap, Conditions, EarningKind, EarningRule, Ordinal, Period, Trigger
from domain.enrollments import EnrollMember
from domain.members import MemberRef, Profile
from domain.policies import ExpiryKind, ExpiryPolicy
from domain.programs import CreateProgram, ProgramSettings
from domain.purchases.recording import RecordPurchase
from domain.schedules import Schedule
from domain.stores import Channel
from domain.tiers.tier import CreateTier, UpdateTier
from persistence import connection, rows
from persistence.engine import Engine

RULES = 1000
EVALUATIONS = 200
MEMBERS = 100_000
_START = datetime(2026, 3, 5, 4, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rates:
    """How many members a second, and beside them the transactions a second of pgbench in the same run."""

    expiry: float
    review: float
    pgbench: float


def rules(count: int) -> list[EarningRule]:
    """So many rules that all wait for a purchase: of every kind, with every sort of condition, most in campaigns."""
    return [_rule(number) for number in range(count)]


def _rule(number: int) -> EarningRule:
    kind = (EarningKind.PER_AMOUNT, EarningKind.FIXED, EarningKind.BONUS_AT, EarningKind.MULTIPLIER)[number % 4]
    return EarningRule(
        code=f"rule-{number}",
        kind=kind,
        points=1 + number % 20,
        amount_minor=100 + number,
        multiplier_bp=11_000,
        trigger=Trigger.PURCHASE,
        when=_conditions(number),
        starts_at=_START - timedelta(days=number),
        ends_at=_START + timedelta(days=1 + number),
        campaign=f"campaign-{number % 20}" if number % 2 else None,
        caps=(Cap(period=Period.DAY, points=500),) if number % 10 == 0 else (),
        exclusive_group=f"group-{number % 50}" if kind is EarningKind.MULTIPLIER else None,
    )


def _conditions(number: int) -> Conditions:
    """One of eight sorts, so that about a third of all rules apply to the purchase."""
    sorts = (
        Conditions(),
        Conditions(channels=(Channel.ONLINE,)),
        Conditions(categories=("tea", f"category-{number}")),
        Conditions(schedule=Schedule(weekdays=(4,), from_hour=9, until_hour=21)),
        Conditions(schedule=Schedule(month_days=(8, 18, 28))),
        Conditions(products=(f"product-{number}",)),
        Conditions(ordinal=Ordinal(number=3, period=Period.MONTH, repeats=True)),
        Conditions(quantity_min=2, maximum_minor=10_000_000),
    )
    return sorts[number % len(sorts)]


def campaigns() -> list[Campaign]:
    """Twenty campaigns, half of which run."""
    return [
        Campaign(
            code=f"campaign-{number}",
            name=f"Campaign {number}",
            starts_at=_START - timedelta(days=30),
            ends_at=_START + timedelta(days=30),
            schedule=Schedule(weekdays=(4,) if number % 4 < 2 else (6, 7)),
        )
        for number in range(20)
    ]


def evaluate_ms(count: int) -> float:
    """The median time in milliseconds that `count` active rules take for one purchase of four lines, in the domain."""
    compiled = matching.compiled(rules(count), campaigns())
    lines = tuple(
        BasisLine(paid_minor=9_990, product_id=f"product-{number}", category="tea", quantity=2) for number in range(4)
    )
    occasion = Occasion(
        trigger=Trigger.PURCHASE,
        occurred_at=_START,
        time_zone="Asia/Shanghai",
        lines=lines,
        channel=Channel.ONLINE,
    )
    facts = Facts(multiplier_bp=12_000, ordinals={"LIFETIME": 7, "MONTH": 3})
    times = []
    for _ in range(EVALUATIONS):
        started = time.perf_counter()
        evaluation.evaluate(compiled, occasion, facts)
        times.append(time.perf_counter() - started)
    return median(times) * 1000


class _Clock:
    """The program's clock, which the measurement puts forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def worker() -> Rates:
    """Expire the points of a hundred thousand members, and look at all of them again after a tier was edited."""
    async with shop.opened() as place:
        await rows.fetch("ANALYZE")
        started = time.perf_counter()
        bare = await engines.by_pgbench(place, 200)
        pgbench = bare / (time.perf_counter() - started)
        async with _crowd(place) as (engine, program_id, tier_id, clock):
            expiry = await _rate(place, engine, clock, Work.SETTLE, lambda: _later(clock))
            review = await _rate(place, engine, clock, Work.TIER_REVIEW, lambda: _edit(engine, program_id, tier_id))
    return Rates(expiry, review, pgbench)


@contextlib.asynccontextmanager
async def _crowd(place: shop.Shop) -> AsyncIterator[tuple[Engine, UUID, UUID, _Clock]]:
    """A program of its own with a hundred thousand members, each with a purchase whose points expire."""
    clock = _Clock()
    engine = Engine(lambda: connection.connect(place.address), batch_max=512, queue_max=1_000_000, now=clock)
    await engine.start()
    program_id = shop.new_id()

    async def tell(commands: list[object]) -> list[object]:
        told = [engine.submit(each, program_id=program_id, actor="bench") for each in commands]  # type: ignore[arg-type]
        return [answer.result for answer in await asyncio.gather(*told)]

    settings = ProgramSettings(expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=1))
    await tell([CreateProgram(program_id=program_id, name="Crowd", currency_code="CNY", settings=settings)])
    (tier,) = await tell([CreateTier(name="Gold", rank=1, threshold=1000)])
    for first in range(0, MEMBERS, 10_000):
        names = [f"c{number}" for number in range(first, first + 10_000)]
        await tell([EnrollMember(profile=Profile(external_id=name)) for name in names])
        await tell([_purchase(name) for name in names])
    await rows.fetch("ANALYZE")
    yield engine, program_id, tier.id, clock  # type: ignore[attr-defined]
    await engine.stop()


def _purchase(name: str) -> RecordPurchase:
    return RecordPurchase(
        member=MemberRef(external_id=name), external_id=f"order-{name}", amount_minor=19_990, currency_code="CNY"
    )


async def _later(clock: _Clock) -> None:
    clock.ahead = timedelta(days=2)


async def _edit(engine: Engine, program_id: UUID, tier_id: UUID) -> None:
    await engine.execute(UpdateTier(tier_id=tier_id, threshold=100), program_id=program_id, actor="bench")


async def _rate(
    place: shop.Shop, engine: Engine, clock: _Clock, work: Work, begin: Callable[[], Awaitable[None]]
) -> float:
    """Members a second that the worker comes to for one kind of work, all of them counted."""
    address = place.address
    one = Worker(engine, lambda: connection.connect(address), now=clock)
    await one.run_until_idle()
    before = one.done[work]
    await begin()
    clock.ahead += timedelta(seconds=5)
    started = time.perf_counter()
    await one.run_until_idle()
    seconds = time.perf_counter() - started
    await one.close()
    if one.done[work] - before != MEMBERS:
        raise AssertionError(f"{MEMBERS} members should have been done: {one.done}")
    return MEMBERS / seconds
