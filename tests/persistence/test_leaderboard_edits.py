"""Who is on a board and with what: pending points, exclusion, scopes, and boards that are made or edited later."""

from dataclasses import replace
from datetime import timedelta

from domain.enrollments import EnrollMember
from domain.leaderboards.board import BoardScope, BoardWindow
from domain.leaderboards.commands import UpdateLeaderboard
from domain.leaderboards.participation import ExcludeFromLeaderboards
from domain.members import Profile
from domain.points.commands import TransferPoints
from domain.policies import PendingKind, PendingPolicy
from domain.profiles import UpdateMember
from domain.programs import ProgramSettings, UpdateProgram
from domain.segments import Criteria, SaveSegment
from domain.stores import CreateStore
from domain.tiers.tier import CreateTier
from persistence import clock
from tests.persistence import engines
from tests.persistence.boards import Arena, expected
from tests.persistence.boards_life import check, lead


async def test_l3_pending_points_rank_once_they_are_available_in_that_window(arena: Arena) -> None:
    later = PendingPolicy(PendingKind.ON_EVENT)
    await arena.shop.run(UpdateProgram(settings=ProgramSettings(pending=later)))
    day, ever = await arena.board(BoardWindow.DAY), await arena.board()
    member = await arena.shop.enroll()
    bought = engines.buy(member, "o-1")
    at = clock.now() - timedelta(days=3)
    purchase = (await arena.shop.run(replace(bought, occurred_at=at))).purchase
    await arena.settle()
    assert await arena.shown(await arena.which(ever)) == []
    await arena.shop.run(engines.confirm(purchase.id))
    await arena.settle()
    for board in (day, ever):
        (found,) = await arena.shown(await arena.which(board))
        assert (found.score, found.reached_at > at + timedelta(days=2)) == (100, True)


async def test_b1_adjustments_and_transfers_count_for_nobody(arena: Arena) -> None:
    board = await arena.board()
    one, other = await arena.shop.enroll(), await arena.shop.enroll()
    await arena.shop.run(engines.adjust(one, 500))
    await arena.shop.run(TransferPoints(sender=engines.ref(one), recipient=engines.ref(other), points=100))
    await arena.settle()
    assert await arena.shown(await arena.which(board)) == []


async def test_l8_what_a_clawback_cannot_take_counts_no_more_and_its_debt_only_once(arena: Arena) -> None:
    board = await arena.board()
    member = await arena.shop.enroll()
    purchase = (await arena.shop.run(engines.buy(member, "o-1"))).purchase
    await arena.shop.run(engines.adjust(member, -80))
    await arena.shop.run(engines.refund(purchase.id))
    await arena.settle()
    assert await arena.shown(await arena.which(board)) == []
    await arena.shop.run(engines.buy(member, "o-2"))
    await arena.settle()
    (found,) = await arena.shown(await arena.which(board))
    assert found.score == 100


async def test_b3_whoever_is_excluded_leaves_every_board_and_comes_back(arena: Arena) -> None:
    life, made = await lead(arena, 200, members=20)
    out = (await arena.shown(await arena.which(made[3])))[0].member_id
    await arena.shop.run(ExcludeFromLeaderboards(member=engines.ref(out), is_excluded=True, reason="test"))
    await arena.settle()
    await check(arena, made, without=(out,))
    await life.lead(arena.shop, 100)
    await arena.settle()
    await check(arena, made, without=(out,))
    await arena.shop.run(ExcludeFromLeaderboards(member=engines.ref(out), is_excluded=False, reason="test"))
    await arena.settle()
    await check(arena, made)


async def test_boards_of_a_store_a_tier_and_a_segment(arena: Arena) -> None:
    shop = arena.shop
    store = await shop.run(CreateStore(code="s", name="River"))
    tier = await shop.run(CreateTier(name="Gold", rank=1, threshold=300))
    segment = await shop.run(SaveSegment(code="vip", name="VIP", criteria=Criteria(tags=("vip",))))
    of_store, plain, tagged = [
        (await shop.run(EnrollMember(profile=Profile(external_id=engines.key(), **profile), **told))).member.id
        for profile, told in (({}, {"store_id": store.id}), ({}, {}), ({"tags": ("vip",)}, {}))
    ]
    made = [
        await arena.board(scope=BoardScope.STORE, store_id=store.id),
        await arena.board(scope=BoardScope.TIER, tier_id=tier.id),
        await arena.board(scope=BoardScope.SEGMENT, segment_id=segment.id),
    ]
    for member, yuan in ((of_store, 10), (plain, 300), (tagged, 20)):
        await shop.run(engines.buy(member, engines.key(), yuan * 100))
    await arena.settle()
    found = [[each.member_id for each in await arena.shown(await arena.which(board))] for board in made]
    assert found == [[of_store], [plain], [tagged]]
    # Who moves into a segment, or whose segment is edited, is counted from then on.
    await shop.run(UpdateMember(member=engines.ref(of_store), profile=Profile(tags=("vip",))))
    await arena.settle()
    assert [each.member_id for each in await arena.shown(await arena.which(made[2]))] == [tagged, of_store]
    await shop.run(SaveSegment(code="vip", name="VIP", criteria=Criteria(without_tags=("vip",))))
    await arena.settle()
    assert [each.member_id for each in await arena.shown(await arena.which(made[2]))] == [plain]


async def test_an_edit_counts_its_own_board_anew_and_leaves_the_others(arena: Arena) -> None:
    """Of the others only those are counted to whom something happened beside it."""
    _, made = await lead(arena, 300)
    edited, other = made[3], made[5]
    whose = (await arena.shown(await arena.which(other)))[0].member_id
    sql = "UPDATE standings SET score = score + 1 WHERE leaderboard_id = ANY($1::uuid[]) AND member_id <> $2"
    await arena.own.execute(sql, [edited.id, other.id], whose)
    await arena.shop.run(UpdateLeaderboard(leaderboard_id=edited.id, name="Another"))
    await arena.shop.run(engines.buy(whose, engines.key()))
    await arena.settle()
    books = await engines.books(arena.own, arena.shop.program_id)
    period = await arena.which(edited)
    assert await arena.shown(period) == expected(books, edited, period.period)
    period = await arena.which(other)
    wanted = {each.member_id: each.score for each in expected(books, other, period.period)}
    assert {each.member_id: each.score for each in await arena.shown(period)} == {
        member_id: score + (member_id != whose) for member_id, score in wanted.items()
    }


async def test_a_board_counts_what_happened_before_it_was_made(arena: Arena) -> None:
    """As soon as it is delivered, in both stores."""
    member = await arena.shop.enroll()
    await arena.shop.run(engines.buy(member, engines.key()))
    await arena.settle()
    board = await arena.board(BoardWindow.MONTH)
    while await arena.relay.step():
        pass
    assert [each.score for each in await arena.shown(await arena.which(board))] == [100]
