"""The engine on a real PostgreSQL: batches, idempotency keys, order, and what is never loaded."""

import asyncio

import asyncpg
import pytest

from domain import enrollments, members, profiles, programs
from domain.points import commands as moves
from domain.points.account import LotDraw, PointsAccount, PointTransaction
from domain.purchases.purchase import Purchase
from domain.redemptions.ending import CancelRedemption, FulfillRedemption
from domain.redemptions.placing import RedeemReward
from domain.redemptions.redemption import Redemption
from domain.rewards.commands import UpdateReward
from persistence.engine import OVERLAP_MIN, Engine, EngineStopped, QueueFull
from persistence.receipts import IdempotencyKeyMismatch
from tests.persistence import engines
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop


async def test_commands_that_wait_together_are_committed_once(shop: Shop, own: asyncpg.Connection) -> None:
    member_id = await shop.enroll()
    batches = shop.engine.figures.batches
    answers = await engines.all_answers([shop.submit(engines.adjust(member_id, 1)) for _ in range(40)])
    assert engines.tally(answers) == {"done": 40}
    assert [answer.result.account.available for answer in answers] == list(range(1, 41))
    assert shop.engine.figures.batches == batches + 1
    transactions = "SELECT count(DISTINCT xmin::text) FROM point_transactions WHERE program_id = $1"
    assert await own.fetchval(transactions, shop.program_id) == 1


async def test_one_batch_is_of_one_program(shop: Shop, engine: Engine, own: asyncpg.Connection) -> None:
    other = await engines.open_shop(engine)
    first, second = await shop.enroll(), await other.enroll()
    batches = engine.figures.batches
    futures = [each.submit(engines.adjust(who, 1)) for _ in range(10) for each, who in ((shop, first), (other, second))]
    assert engines.tally(await engines.all_answers(futures)) == {"done": 20}
    assert engine.figures.batches == batches + 2
    assert (await engines.books(own, shop.program_id)).account(first).available == 10
    assert (await engines.books(own, other.program_id)).account(second).available == 10


async def test_a_full_queue_turns_away_and_what_waits_is_done(starting: Starting) -> None:
    async with starting(queue_max=5) as engine:
        shop = await engines.open_shop(engine)
        member_id = await shop.enroll()
        waiting = [shop.submit(engines.adjust(member_id, 1)) for _ in range(5)]
        for _ in range(3):
            with pytest.raises(QueueFull):
                shop.submit(engines.adjust(member_id, 1))
        assert engines.tally(await engines.all_answers(waiting)) == {"done": 5}
        assert engine.figures.throttled == 3
        assert (await shop.run(engines.adjust(member_id, 1))).account.available == 6


async def test_l11_the_same_key_and_input_give_the_first_result_again(shop: Shop, own: asyncpg.Connection) -> None:
    member_id = await shop.enroll()
    command = engines.buy(member_id, "o-1")
    first = await shop.outcome(command, key="once")
    again = await shop.outcome(command, key="once")
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.result == first.result
    assert (await engines.books(own, shop.program_id)).account(member_id).available == 100


async def test_l11_twenty_sends_of_one_key_at_once_are_one_purchase(
    shop: Shop, other_engine: Engine, own: asyncpg.Connection
) -> None:
    member_id = await shop.enroll()
    command = engines.buy(member_id, "o-1")
    elsewhere = shop.at(other_engine)
    sent = [each.submit(command, key="once") for _ in range(10) for each in (shop, elsewhere)]
    answers = await engines.all_answers(sent)
    assert engines.tally(answers) == {"done": 20}
    assert sum(answer.is_replay for answer in answers) == 19
    assert all(answer.result == answers[0].result for answer in answers)
    books = await engines.books(own, shop.program_id)
    assert len(books.of(Purchase)) == 1
    assert [row.amount for row in books.transactions(member_id)] == [100]


async def test_l11_the_same_key_with_other_input_is_refused(shop: Shop, own: asyncpg.Connection) -> None:
    member_id = await shop.enroll()
    await shop.run(engines.adjust(member_id, 5), key="once")
    for command in (engines.adjust(member_id, 6), engines.adjust(member_id, 5, "other"), engines.buy(member_id, "o-1")):
        with pytest.raises(IdempotencyKeyMismatch):
            await shop.run(command, key="once")
    together = [shop.submit(engines.adjust(member_id, points), key="twice") for points in (1, 2, 1)]
    assert engines.tally(await engines.all_answers(together)) == {
        "done": 2,
        "IDEMPOTENCY_KEY_PARAMETER_MISMATCH": 1,
    }
    assert [row.amount for row in (await engines.books(own, shop.program_id)).transactions(member_id)] == [5, 1]


async def test_l11_a_refused_command_does_not_burn_its_key(shop: Shop) -> None:
    member_id = await shop.enroll()
    hold = moves.HoldPoints(member=engines.ref(member_id), points=10)
    assert engines.tally(await engines.all_answers([shop.submit(hold, key="once")])) == {"INSUFFICIENT_POINTS": 1}
    await shop.run(engines.adjust(member_id, 10))
    outcome = await shop.outcome(hold, key="once")
    assert (outcome.is_replay, outcome.result.account.held) == (False, 10)


async def test_l11_a_key_is_its_callers_own(shop: Shop, engine: Engine) -> None:
    member_id = await shop.enroll()
    command = engines.adjust(member_id, 1)
    outcomes = [await shop.outcome(command, actor=actor, key="once") for actor in ("till", "app", "till")]
    assert [outcome.is_replay for outcome in outcomes] == [False, False, True]
    assert outcomes[1].result.account.available == 2
    other = await engines.open_shop(engine)
    member_elsewhere = await other.enroll()
    assert not (await other.outcome(engines.adjust(member_elsewhere, 1), key="once")).is_replay


async def test_l11_a_key_is_kept_over_engines(shop: Shop, other_engine: Engine) -> None:
    member_id = await shop.enroll()
    first = await shop.outcome(engines.adjust(member_id, 1), key="once")
    again = await shop.at(other_engine).outcome(engines.adjust(member_id, 1), key="once")
    assert (again.is_replay, again.result.transaction) == (True, first.result.transaction)


async def test_order_commands_on_one_member_are_decided_in_the_order_told(
    starting: Starting, own: asyncpg.Connection
) -> None:
    async with starting(batch_max=7) as engine:
        shop = await engines.open_shop(engine)
        member_id = await shop.enroll()
        amounts = [5, -3] * 300
        futures = [shop.submit(engines.adjust(member_id, points, f"{n}")) for n, points in enumerate(amounts)]
        answers = await engines.all_answers(futures)
        assert engines.tally(answers) == {"done": 600}
        assert engine.figures.batches > 600 // 7
        books = await engines.books(own, shop.program_id)
        transactions = books.transactions(member_id)
        assert [row.amount for row in transactions] == amounts
        assert [row.reason for row in transactions] == [f"{number}" for number in range(600)]
        assert [answer.result.transaction.sequence for answer in answers] == list(range(1, 601))
        assert books.account(member_id).available == 600
        assert books.check() == 1


async def test_order_what_the_batch_before_makes_is_there_for_the_next(
    starting: Starting, own: asyncpg.Connection
) -> None:
    """A new row has no lock that the next batch could wait for, and that is decided while it is written."""
    async with starting(batch_max=8) as engine:
        shop = await engines.open_shop(engine)
        futures = []
        for number in range(OVERLAP_MIN * 4):
            profile = members.Profile(external_id=f"m{number}")
            futures.append(shop.submit(enrollments.EnrollMember(profile=profile)))
            named = members.MemberRef(external_id=f"m{number}")
            moved = (moves.AdjustPoints(member=named, points=points, reason="test") for points in (5, -3))
            futures.extend(map(shop.submit, moved))
        assert engines.tally(await engines.all_answers(futures)) == {"done": OVERLAP_MIN * 12}
        books = await engines.books(own, shop.program_id)
        assert {account.available for account in books.of(PointsAccount)} == {2}
        assert books.check() == OVERLAP_MIN * 4


async def test_order_a_setting_counts_from_the_next_command_on(starting: Starting) -> None:
    """Settings are read without a lock, also while the batch before is changing them."""
    async with starting(batch_max=4) as engine:
        shop = await engines.open_shop(engine)
        futures: list[asyncio.Future[object]] = []
        expected = []
        for number in range(OVERLAP_MIN * 4):
            if number % 6 == 0:
                shop.submit(programs.UpdateProgram(settings=programs.ProgramSettings(sign_up_points=number)))
            profile = members.Profile(external_id=f"m{number}")
            futures.append(shop.submit(enrollments.EnrollMember(profile=profile)))
            expected.append(number - number % 6)
        answers = await engines.all_answers(futures)
        assert [answer.result.account.available for answer in answers] == expected


async def test_order_a_key_told_again_in_the_next_batch_is_the_same_command(
    starting: Starting, own: asyncpg.Connection
) -> None:
    async with starting(batch_max=3) as engine:
        shop = await engines.open_shop(engine)
        member_id = await shop.enroll()
        futures = [shop.submit(engines.adjust(member_id, 1), key=f"{n // 4}") for n in range(OVERLAP_MIN * 4)]
        answers = await engines.all_answers(futures)
        assert engines.tally(answers) == {"done": OVERLAP_MIN * 4}
        assert sum(not answer.is_replay for answer in answers) == OVERLAP_MIN
        assert (await engines.books(own, shop.program_id)).account(member_id).available == OVERLAP_MIN


async def test_stop_finishes_what_waits_and_takes_no_more(starting: Starting, own: asyncpg.Connection) -> None:
    async with starting(batch_max=5) as engine:
        shop = await engines.open_shop(engine)
        member_id = await shop.enroll()
        waiting = [shop.submit(engines.adjust(member_id, 1)) for _ in range(200)]
        await engine.stop()
        assert all(answer.done() for answer in waiting)
        with pytest.raises(EngineStopped):
            shop.submit(engines.adjust(member_id, 1))
        assert engines.tally(await engines.all_answers(waiting)) == {"done": 200}
    assert (await engines.books(own, shop.program_id)).account(member_id).available == 200


async def test_a_caller_that_went_away_disturbs_nobody(shop: Shop, own: asyncpg.Connection) -> None:
    member_id = await shop.enroll()
    futures = [shop.submit(engines.adjust(member_id, 1)) for _ in range(10)]
    for gone in futures[::2]:
        gone.cancel()
    assert engines.tally(await engines.all_answers(futures)) == {"done": 5, "CancelledError": 5}
    # Whoever hangs up is not told; the command was told, and is done.
    await shop.run(engines.adjust(member_id, 1))
    assert (await engines.books(own, shop.program_id)).account(member_id).available == 11


async def test_another_programs_rows_are_never_found(shop: Shop, engine: Engine, own: asyncpg.Connection) -> None:
    stranger = await engines.open_shop(engine)
    member_id = await shop.enroll("m-1")
    await shop.run(engines.adjust(member_id, 50))
    bought = (await shop.run(engines.buy(member_id, "o-1"))).purchase
    hold = (await shop.run(moves.HoldPoints(member=engines.ref(member_id), points=5))).hold
    reward_id = await shop.reward(points=10, stock=5)
    redeem = RedeemReward(member=engines.ref(member_id), reward_id=reward_id)
    redemption = (await shop.run(redeem)).redemption
    before = await engines.books(own, shop.program_id)
    own_member = await stranger.member_with(1000)
    commands = (
        engines.adjust(member_id, 1),
        moves.AdjustPoints(member=members.MemberRef(external_id="m-1"), points=1, reason="test"),
        moves.TransferPoints(sender=engines.ref(own_member), recipient=engines.ref(member_id), points=1),
        moves.TransferPoints(sender=engines.ref(member_id), recipient=engines.ref(own_member), points=1),
        moves.CaptureHold(hold_id=hold.id),
        moves.ReleaseHold(hold_id=hold.id),
        moves.SettleAccount(member_id=member_id),
        engines.buy(member_id, "o-1"),
        engines.confirm(bought.id),
        engines.refund(bought.id),
        RedeemReward(member=engines.ref(own_member), reward_id=reward_id),
        CancelRedemption(redemption_id=redemption.id, reason="test"),
        FulfillRedemption(redemption_id=redemption.id),
        UpdateReward(reward_id=reward_id, points=1),
        profiles.UpdateMember(member=engines.ref(member_id), profile=members.Profile(name="Mine")),
    )
    together = await engines.all_answers([stranger.submit(command) for command in commands])
    assert engines.tally(together) == {"NOT_FOUND": len(commands)}
    for command in commands:
        assert engines.tally(await engines.all_answers([stranger.submit(command)])) == {"NOT_FOUND": 1}
    assert (await engines.books(own, shop.program_id)).state.rows(PointTransaction) == before.of(PointTransaction)


async def test_figures_count(starting: Starting) -> None:
    async with starting() as engine:
        shop = await engines.open_shop(engine)
        member_id = await shop.enroll()
        for points in (5, 5, -20):
            await engines.all_answers([shop.submit(engines.adjust(member_id, points), key=f"{points}")])
        figures = engine.figures
        assert (figures.commands, figures.replays, figures.refusals, figures.faults) == (5, 1, 1, 0)
        assert (figures.batches, figures.retries, figures.isolations, figures.throttled) == (5, 0, 0, 0)
        assert (figures.batch_size.count, figures.batch_size.total, figures.batch_size.maximum) == (5, 5, 1)
        assert figures.latency_ms.count == sum(figures.latency_ms.counts) == 5


async def test_facts_and_draws_of_a_batch_are_read_back_by_the_next(shop: Shop, own: asyncpg.Connection) -> None:
    """Spending, cancelling and spending again within a batch and over batches end in the same lots."""
    member_id = await shop.member_with(30)
    reward_id = await shop.reward(points=20, stock=1)
    redeem = RedeemReward(member=engines.ref(member_id), reward_id=reward_id)
    for _ in range(5):
        redemption = (await shop.run(redeem)).redemption
        cancel = CancelRedemption(redemption_id=redemption.id, reason="test")
        assert engines.tally(await engines.all_answers([shop.submit(cancel), shop.submit(redeem)])) == {"done": 2}
        (open_one,) = [
            row
            for row in (await engines.books(own, shop.program_id)).of(Redemption)
            if row.is_open and row.closed_at is None
        ]
        await shop.run(CancelRedemption(redemption_id=open_one.id, reason="test"))
    books = await engines.books(own, shop.program_id)
    assert books.account(member_id).available == 30
    assert len(books.of(LotDraw)) == 20
    assert books.check() == 1
