"""A database with rows of every kind: a simulated life, and beside it what no simulation makes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from domain import access, members, segments, stores
from domain.enrollments import EnrollMember
from domain.kernel import Row
from domain.lotteries.ending import EndLottery
from persistence import connection, duties
from persistence.registry import KIND_ORDER
from tests.domain import simulation
from tests.domain.memory import PROGRAM_ID, START
from tests.persistence import boards_filling, deals, engines, fairs, friends, goals, malls, selling, sign_ins

COUNT: Final = 1500
SEED: Final = 20260117


@dataclass(frozen=True, slots=True)
class Filled:
    """Every row of the database, by kind; they are all of one program."""

    rows: dict[type[Row], tuple[Row, ...]]


class Clock:
    """The clock of the life."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


async def fill(url: str) -> Filled:
    """Lead a life in the database."""
    clock = Clock()
    engine = engines.make(url, now=clock)
    await engine.start()
    try:
        shop = engines.Shop(engine, PROGRAM_ID)
        await _live(shop, clock)
        member_id = await _make_the_rest(shop)
        for feature in (malls, selling, sign_ins, goals, friends, deals):
            await feature.furnish(shop, member_id)
        await fairs.furnish(shop, member_id, clock.now)
        over = await fairs.raffle_that_ends(shop, member_id, clock.now + timedelta(minutes=1))
        clock.now += timedelta(minutes=1)
        await shop.run(EndLottery(lottery_id=over, step=1))
        await boards_filling.furnish(shop, url, member_id, clock.now)
        await _begin_duties(url)
    finally:
        await engine.stop()
    return await read(url)


async def _begin_duties(url: str) -> None:
    own = await connection.connect(connection.parse_url(url))
    await duties.ensure(own, START)
    await own.close()


async def read(url: str, kinds: Iterable[type[Row]] = KIND_ORDER) -> Filled:
    """Every row of the program, or those of some kinds."""
    own = await connection.connect(connection.parse_url(url))
    try:
        books = await engines.books(own, PROGRAM_ID, kinds)
        return Filled({kind: books.of(kind) for kind in kinds})
    finally:
        await own.close()


async def _live(shop: engines.Shop, clock: Clock) -> None:
    steps = simulation.commands(SEED, COUNT)
    step = next(steps)
    for _ in range(1, COUNT):
        clock.now = step.now
        told = shop.submit(step.command, actor=step.actor, key=step.idempotency_key)
        (answer,) = await engines.all_answers([told])
        step = steps.send(answer if isinstance(answer, Exception) else answer.result)


async def _make_the_rest(shop: engines.Shop) -> UUID:
    told = members.Profile(
        external_id="whole",
        phone="+8613800138000",
        card_number="C-1",
        email="li@example.com",
        name="李雷",
        birthday=date(1990, 2, 28),
        gender=members.Gender.OTHER,
        attributes={"colour": "red", "size": 7, "is_new": True, "none": None},
        tags=("vip", "茶"),
        consents=(members.Consent(purpose="mail", is_granted=True, version="1", at=START),),
    )
    enrolled = await shop.run(EnrollMember(profile=told))
    scopes = (access.Scope.MEMBERS_READ, access.Scope.POINTS_WRITE)
    kind = access.KeyKind.SECRET
    await shop.run(access.CreateApiKey(name="till", kind=kind, secret_hash="a" * 64, hint="aaaa", scopes=scopes))
    await shop.run(
        access.CreateOperator(email="lin@example.com", name="Lin", password_hash="none", role=access.Role.CLERK)
    )
    own = members.Gender.FEMALE, members.Gender.OTHER
    asked = segments.Criteria(tags=("vip",), genders=own, channels=(stores.Channel.PHONE,), birthday_months=(2, 12))
    await shop.run(segments.SaveSegment(code="whole", name="李", criteria=asked))
    await shop.run(segments.SaveSegment(code="archived", name="No one", criteria=segments.Criteria(age_min=18)))
    await shop.run(segments.ArchiveSegment(code="archived"))
    member, until = engines.ref(enrolled.member.id), START + timedelta(days=30)
    await shop.run(access.OpenMemberSession(member=member, token_hash="b" * 64, expires_at=until))
    return enrolled.member.id
