"""Commands that are tried and not kept: the answers of commands that are, and not a trace in any table."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from tortoise import Tortoise

from domain import enrollments, members, profiles, programs, stores
from domain.kernel import Command, Decision, NotFound, NotLoaded, State, Want
from domain.points import commands as moves
from domain.points.account import InsufficientPoints, PointsAccount
from domain.purchases import recording
from domain.redemptions.placing import RedeemReward
from persistence import clock, connection, previews
from persistence.batches import Unending
from tests.persistence import engines
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop

WAIT_SECONDS_MAX = 10


@dataclass(slots=True)
class Numbers:
    """First ids, one told command after the other; a preview gets those that the next told command will get."""

    first: int = field(default_factory=lambda: engines.new_id().int)

    def following(self, _: datetime) -> int:
        self.first += 1 << 16
        return self.first

    def coming(self, _: datetime) -> int:
        return self.first + (1 << 16)


@dataclass(slots=True)
class Trial:
    """A shop whose clock stands still, and previews at its instant."""

    shop: Shop
    now: datetime

    async def preview(self, command: Command[Any], *, now: datetime | None = None) -> Any:
        told = previews.preview(command, program_id=self.shop.program_id, actor="till", now=now or self.now)
        return await asyncio.wait_for(told, WAIT_SECONDS_MAX)


@pytest_asyncio.fixture
async def trial(starting: Starting, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Trial]:
    """A shop, and the pool that previews read from."""
    now, numbers = clock.now(), Numbers()
    monkeypatch.setattr(clock.Ids, "next_first", lambda _, at: numbers.coming(at))
    async with (
        connection.open_database(database_url, pool_size=2),
        starting(engines.make(database_url, now=lambda: now, next_first_id=numbers.following)) as running,
    ):
        yield Trial(await engines.open_shop(running), now)
        await Tortoise.close_connections()


async def contents(own: asyncpg.Connection) -> dict[str, str | None]:
    """A digest of every table there is."""
    tables = await own.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    digest = 'SELECT md5(string_agg(kept::text, chr(10) ORDER BY kept::text)) FROM "{}" AS kept'
    return {name: await own.fetchval(digest.format(name)) for (name,) in tables}


async def test_a_purchase_previewed_is_the_purchase_recorded(trial: Trial, own: asyncpg.Connection) -> None:
    member_id = await trial.shop.member_with(30)
    command = recording.RecordPurchase(
        member=engines.ref(member_id), external_id="o-1", amount_minor=12_345, currency_code="CNY"
    )
    before = await contents(own)
    previewed = await trial.preview(command)
    assert await contents(own) == before
    assert (previewed.purchase.points_earned, previewed.account.available) == (123, 153)
    assert await trial.shop.run(command) == previewed


async def test_what_is_previewed_is_what_is_kept_for_every_kind_of_move(trial: Trial, own: asyncpg.Connection) -> None:
    """Rows by id, by key and by family, rows brought along, and configuration that is changed."""
    shop = trial.shop
    member_id, other_id = await shop.member_with(500), await shop.enroll("m-2")
    bought = (await shop.run(engines.buy(member_id, "o-1"))).purchase
    hold = (await shop.run(moves.HoldPoints(member=engines.ref(member_id), points=40))).hold
    reward_id = await shop.reward(points=10, stock=1)
    commands: tuple[Command[Any], ...] = (
        enrollments.EnrollMember(profile=members.Profile(external_id="m-3", phone="+8613800138000")),
        engines.adjust(member_id, -7),
        moves.TransferPoints(sender=engines.ref(member_id), recipient=members.MemberRef(external_id="m-2"), points=15),
        moves.CaptureHold(hold_id=hold.id, points=15),
        RedeemReward(member=engines.ref(other_id), reward_id=reward_id),
        engines.refund(bought.id, amount_minor=2_500),
        profiles.UpdateMember(member=engines.ref(other_id), profile=members.Profile(name="Lin")),
        programs.UpdateProgram(settings=programs.ProgramSettings(hold_minutes=20)),
    )
    for command in commands:
        before = await contents(own)
        previewed = await trial.preview(command)
        assert await contents(own) == before
        assert await shop.run(command) == previewed


async def test_a_preview_waits_for_nobody(trial: Trial, own: asyncpg.Connection) -> None:
    member_id = await trial.shop.member_with(30)
    async with own.transaction():
        await own.execute("SELECT 1 FROM points_accounts WHERE id = $1 FOR UPDATE", member_id)
        await own.execute("UPDATE points_accounts SET lifetime_spent = 3 WHERE id = $1", member_id)
        previewed = await trial.preview(engines.adjust(member_id, -10))
    # It saw what was committed.
    assert (previewed.account.available, previewed.account.lifetime_spent) == (20, 0)


async def test_nobody_waits_for_a_preview(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while it is under way, with all its rows read."""
    shop = trial.shop
    command = engines.buy(await shop.enroll(), "o-1")
    load, is_loaded, may_go_on = previews.load, asyncio.Event(), asyncio.Event()

    async def slow(*told: Any, **named: Any) -> None:
        await load(*told, **named)
        is_loaded.set()
        await may_go_on.wait()

    monkeypatch.setattr(previews, "load", slow)
    under_way = asyncio.create_task(trial.preview(command))
    await is_loaded.wait()
    assert (await asyncio.wait_for(shop.run(command), WAIT_SECONDS_MAX)).account.available == 100
    may_go_on.set()
    previewed = await under_way
    assert (previewed.account.available, previewed.is_repeat) == (100, False)


async def test_a_preview_of_a_later_instant_sees_what_is_due_by_then(trial: Trial) -> None:
    shop = trial.shop
    member_id = await shop.member_with(30)
    await shop.run(moves.HoldPoints(member=engines.ref(member_id), points=10))
    settle = moves.SettleAccount(member_id=member_id)
    for hours, held in ((0, 10), (1, 0)):
        account = await trial.preview(settle, now=trial.now + timedelta(hours=hours))
        assert (account.available, account.held) == (30 - held, held)
    assert (await shop.run(settle)).held == 10


async def test_refusals_come_through(trial: Trial, own: asyncpg.Connection) -> None:
    member_id = await trial.shop.member_with(30)
    stranger = await engines.open_shop(trial.shop.engine)
    before = await contents(own)
    with pytest.raises(InsufficientPoints) as refused:
        await trial.preview(engines.adjust(member_id, -31))
    with pytest.raises(NotFound):
        await replace(trial, shop=stranger).preview(engines.adjust(member_id, 1))
    assert refused.value.details == {"required": 31, "available": 30}
    assert await contents(own) == before
    with pytest.raises(InsufficientPoints) as told:
        await trial.shop.run(engines.adjust(member_id, -31))
    assert told.value.message == refused.value.message


@dataclass(frozen=True, slots=True, kw_only=True)
class Endless(Command[stores.Store]):
    """A decision that asks for ever for what it was given."""

    def decide(self, state: State) -> Decision[stores.Store]:
        raise NotLoaded(Want(PointsAccount, UUID(int=7), is_locked=True))


async def test_a_preview_that_asks_for_ever_is_given_up(trial: Trial) -> None:
    with pytest.raises(Unending):
        await trial.preview(Endless())
