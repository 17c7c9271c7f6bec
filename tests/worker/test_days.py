"""What the worker does of a day: birthdays, member days, ends of tiers, reminders; each once, however late it is."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import asyncpg
import pytest

from domain import calendars
from domain.campaigns import EditRules
from domain.duties import Work
from domain.earning.rules import EarningRule, Trigger
from domain.members import MemberRef, Profile
from domain.points.tiers import SetTier
from domain.policies import (
    Downgrade,
    ExpiryKind,
    ExpiryPolicy,
    TierMetric,
    TierPolicy,
    TierWindow,
)
from domain.profiles import UpdateMember
from domain.schedules import Schedule
from domain.tiers.tier import CreateTier, Tier, TierBenefits, UpdateTier
from tests.persistence import engines
from tests.worker.clockwork import (
    World,
    buy,
    events,
    gift,
    kinds,
    members,
    open_shop,
)

pytestmark = pytest.mark.asyncio


async def test_birthdays_are_given_once_a_year_each_on_its_day(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    await shop.run(EditRules(rules=(gift("cake", Trigger.BIRTHDAY, 200),)))
    await shop.run(CreateTier(name="Gold", rank=1, threshold=0, benefits=TierBenefits(birthday_points=50)))
    (member,) = await members(shop, 1, birthday=date(1988, 3, 14))
    await members(shop, 3, birthday=date(1988, 3, 15))
    worker = await world.worker(shop.engine)
    for _ in range(400):
        await worker.run_until_idle()
        world.later(days=1)
    books = await engines.books(own, shop.program_id)
    found = [(row.rule, row.amount, _day(row.occurred_at)) for row in books.transactions(member)]
    assert found == [
        ("cake", 200, date(2026, 3, 14)),
        ("tier-birthday-gift", 50, date(2026, 3, 14)),
        ("cake", 200, date(2027, 3, 14)),
        ("tier-birthday-gift", 50, date(2027, 3, 14)),
    ]
    assert len(await events(own, "PointsGranted")) == 2 + 2 * 3


async def test_days_that_were_missed_are_made_up_for_in_order(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    await shop.run(EditRules(rules=(gift("cake", Trigger.BIRTHDAY, 200),)))
    await world.work()
    first, second = [(await members(shop, 1, birthday=date(1988, 3, day)))[0] for day in (3, 5)]
    world.later(days=6)
    await world.work()
    books = await engines.books(own, shop.program_id)
    days = [_day(books.transactions(each)[0].occurred_at) for each in (first, second)]
    assert days == [date(2026, 3, 3), date(2026, 3, 5)]


async def test_a_birthday_that_is_edited_gives_no_second_gift(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world)
    await shop.run(EditRules(rules=(gift("cake", Trigger.BIRTHDAY, 200),)))
    (member,) = await members(shop, 1, birthday=date(1988, 3, 1))
    await world.work()
    await shop.run(UpdateMember(member=engines.ref(member), profile=Profile(birthday=date(1988, 3, 20))))
    world.later(days=30)
    await world.work()
    assert await kinds(own, shop) == {"EARN": 1}


async def test_a_member_day_gives_to_everybody_once(world: World, own: asyncpg.Connection) -> None:
    """Every 8th of a month, in claims of a few members each."""
    shop = await open_shop(world)
    rule = gift("member-day", Trigger.MEMBER_DAY, 8)
    eighth = EarningRule(**{**_told(rule), "when": rule.when.__class__(schedule=Schedule(month_days=(8,)))})
    await shop.run(EditRules(rules=(eighth,)))
    who = await members(shop, 45)
    worker = await world.worker(shop.engine, batch_max=10)
    for _ in range(70):
        await worker.run_until_idle()
        world.later(days=1)
    books = await engines.books(own, shop.program_id)
    # The 8th of March, of April and of May.
    assert {books.account(each).available for each in who} == {24}
    assert books.check() == 45


@pytest.mark.parametrize("hours", [0, 1, 15, 40])
async def test_what_a_day_gives_does_not_depend_on_how_late_the_worker_is(
    world: World, own: asyncpg.Connection, hours: int
) -> None:
    """Though the rule begins at nine in the morning, and a member joins at ten, on its birthday."""
    shop = await open_shop(world)
    cake, told = gift("cake", Trigger.BIRTHDAY, 200), _told(gift("member-day", Trigger.MEMBER_DAY, 8))
    told |= {"when": cake.when.__class__(schedule=Schedule(month_days=(8,)))}
    told |= {"starts_at": datetime(2026, 3, 8, 1, tzinfo=UTC), "ends_at": datetime(2026, 3, 8, 16, tzinfo=UTC)}
    await shop.run(EditRules(rules=(cake, EarningRule(**told))))
    (before,) = await members(shop, 1, birthday=date(1988, 3, 8))
    await world.work()
    midnight, ten = datetime(2026, 3, 7, 16, tzinfo=UTC), datetime(2026, 3, 8, 2, tzinfo=UTC)
    looks_at = midnight + timedelta(hours=hours)
    if looks_at < ten:
        world.now = looks_at
        await world.work()
    world.now = ten
    (joined,) = await members(shop, 1, birthday=date(1988, 3, 8))
    world.now = max(ten, looks_at)
    await world.work()
    books = await engines.books(own, shop.program_id)
    for member, at in ((before, midnight), (joined, ten)):
        found = {(row.rule, row.amount, row.occurred_at) for row in books.transactions(member)}
        assert found == {("cake", 200, at), ("member-day", 8, at)}
    assert books.check() == 2


def _day(at: datetime) -> date:
    return calendars.local_date(at, "Asia/Shanghai")


def _told(rule: EarningRule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in EarningRule.__dataclass_fields__}


# Tiers.


YEARLY: Final = TierPolicy(
    metric=TierMetric.NET_SPEND, window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL, grace_days=10
)


async def test_k3_tiers_end_by_the_clock_and_members_are_warned_before(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world, tier_policy=YEARLY)
    silver = await shop.run(CreateTier(name="Silver", rank=1, threshold=100_000, keep_threshold=80_000))
    keeps, loses = await members(shop, 2)
    await buy(shop, [keeps, loses], 1_500)
    world.now = datetime(2027, 6, 1, 4, tzinfo=UTC)
    await buy(shop, [keeps], 800)
    await buy(shop, [loses], 300)
    world.now = datetime(2027, 11, 25, 4, tzinfo=UTC)
    for _ in range(60):
        await world.work()
        world.later(days=1)
    warnings = await events(own, "TierExpiring")
    assert [(told["days"], told["gap"], told["member_id"]) for told in warnings] == [
        (30, 50_000, str(loses)),
        (7, 50_000, str(loses)),
        (1, 50_000, str(loses)),
    ]
    books = await engines.books(own, shop.program_id)
    assert (books.account(keeps).tier_id, books.account(loses).tier_id) == (silver.id, None)
    (lost,) = await events(own, "TierLost")
    assert lost["member_id"] == str(loses)
    (grace,) = await events(own, "TierInGrace")
    assert (grace["gap"], grace["until"]) == (50_000, "2028-01-10T16:00:00+00:00")


async def test_k3_the_end_of_a_tier_set_by_hand_is_warned_of(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world, tier_policy=YEARLY)
    silver = await shop.run(CreateTier(name="Silver", rank=1, threshold=100_000))
    gold = await shop.run(CreateTier(name="Gold", rank=2, threshold=200_000))
    member, other = await members(shop, 2)
    await buy(shop, [member, other], 1_500)
    until = date(2026, 5, 15)
    await shop.run(SetTier(member=MemberRef(id=member), tier_id=gold.id, until=until, reason="guest"))
    world.now = datetime(2026, 4, 10, 4, tzinfo=UTC)
    for _ in range(40):
        await world.work()
        world.later(days=1)
    warnings = await events(own, "TierExpiring")
    assert [(told["days"], told["gap"], told["valid_until"]) for told in warnings] == [
        (days, None, "2026-05-15T16:00:00+00:00") for days in (30, 7, 1)
    ]
    assert {(told["member_id"], told["tier_id"], told["tier_id_after"]) for told in warnings} == {
        (str(member), str(gold.id), str(silver.id))
    }
    books = await engines.books(own, shop.program_id)
    assert books.account(member).tier_id == silver.id


async def test_edited_tiers_are_looked_at_for_every_member_while_the_shop_sells(
    world: World, own: asyncpg.Connection
) -> None:
    shop = await open_shop(world)
    tier: Tier = await shop.run(CreateTier(name="Silver", rank=1, threshold=1_000))
    who = await members(shop, 300)
    await buy(shop, who)
    await world.work()
    assert await own.fetchval("SELECT count(*) FROM points_accounts WHERE tier_id IS NULL") == 300
    await shop.run(UpdateTier(tier_id=tier.id, threshold=100))
    world.later(seconds=5)
    worker = await world.worker(batch_max=40)
    selling = [shop.submit(engines.buy(each, engines.key(), 100)) for each in who[:100]]
    done, answers = await asyncio.gather(worker.run_until_idle(), engines.all_answers(selling))
    assert engines.tally(answers) == {"done": 100}
    assert done[Work.TIER_REVIEW] == 300
    assert await own.fetchval("SELECT count(*) FROM points_accounts WHERE tier_id = $1", tier.id) == 300
    assert len(await events(own, "TierReached")) == 300
    world.later(seconds=5)
    assert (await (await world.worker()).run_until_idle())[Work.TIER_REVIEW] == 0


# Reminders.


async def test_s28_points_that_are_about_to_expire_are_told_of(world: World, own: asyncpg.Connection) -> None:
    shop = await open_shop(world, expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=60))
    (member,) = await members(shop, 1)
    await buy(shop, [member], 80)
    for _ in range(62):
        await world.work()
        world.later(days=1)
    told = await events(own, "PointsExpiring")
    assert [(each["days"], each["points"]) for each in told] == [(30, 80), (7, 80), (1, 80)]
    assert {each["expires_at"] for each in told} == {"2026-04-30T16:00:00+00:00"}


async def test_programs_have_their_own_days(world: World, own: asyncpg.Connection) -> None:
    """It is the 1st of March in New York half a day later than in Shanghai."""
    world.now = datetime(2026, 2, 28, 17, tzinfo=UTC)
    east, west = await open_shop(world), await open_shop(world, time_zone="America/New_York")
    for shop in (east, west):
        await shop.run(EditRules(rules=(gift("cake", Trigger.BIRTHDAY, 200),)))
        await members(shop, 1, birthday=date(1990, 3, 1))
    await world.work()
    assert (await kinds(own, east), await kinds(own, west)) == ({"EARN": 1}, {})
    world.later(hours=12)
    await world.work()
    assert (await kinds(own, east), await kinds(own, west)) == ({"EARN": 1}, {"EARN": 1})
