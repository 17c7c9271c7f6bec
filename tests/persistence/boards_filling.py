"""One of every kind of leaderboards, for the database that has rows of every kind."""

from datetime import datetime, timedelta
from uuid import UUID

from domain.leaderboards.board import BoardMetric, BoardWindow, Leaderboard, LeaderboardClock, PrizeRange
from domain.leaderboards.closing import (
    CloseLeaderboardPeriod,
    LeaderboardAward,
    LeaderboardPeriod,
    LeaderboardPlace,
    PayLeaderboardAward,
)
from domain.leaderboards.commands import CreateLeaderboard
from domain.leaderboards.participation import ExcludeFromLeaderboards, LeaderboardParticipation
from domain.leaderboards.standing import Standing
from domain.prizes import Prize, PrizeKind
from persistence import connection
from persistence.leaderboards import counting
from tests.persistence import engines
from tests.persistence.engines import Shop

NEW_KINDS = (
    LeaderboardParticipation,
    Leaderboard,
    LeaderboardClock,
    LeaderboardPeriod,
    LeaderboardPlace,
    LeaderboardAward,
)


async def furnish(shop: Shop, url: str, member_id: UUID, now: datetime) -> None:
    """A board, and a campaign that is over, closed, and paid."""
    prizes = (PrizeRange(first=1, last=3, prize=Prize(kind=PrizeKind.POINTS, points=7)),)
    told = {"name": "Best", "metric": BoardMetric.SPEND, "prizes": prizes}
    await shop.run(CreateLeaderboard(code="month", window=BoardWindow.MONTH, **told))
    span = {"starts_at": now - timedelta(days=9), "ends_at": now - timedelta(days=2)}
    board = await shop.run(CreateLeaderboard(code="feast", window=BoardWindow.CAMPAIGN, **told, **span))
    await shop.run(ExcludeFromLeaderboards(member=engines.ref(member_id), is_excluded=False, reason="was wrong"))
    standing = Standing(member_id=member_id, score=7, reached_at=span["starts_at"])
    closing = CloseLeaderboardPeriod(leaderboard_id=board.id, starts_at=span["starts_at"], standings=(standing,))
    await shop.run(closing)
    own = await connection.connect(connection.parse_url(url))
    (award,) = await engines.rows(own, LeaderboardAward, shop.program_id)
    await shop.run(PayLeaderboardAward(award_id=award.id))
    # What a relay would count.
    async with own.transaction():
        async for _ in counting.count_all(own, await counting.open_boards(own, shop.program_id, now)):
            pass
    await own.close()
