"""Making and editing leaderboards."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain import checks, prizes
from domain.kernel import FAMILY, Command, Decision, NotFound, Row, State, Want
from domain.leaderboards import board as boards
from domain.leaderboards.board import (
    BoardMetric,
    BoardScope,
    BoardWindow,
    Leaderboard,
    LeaderboardClock,
    LeaderboardCodeTaken,
    LeaderboardInvalid,
    LeaderboardLimitReached,
    LeaderboardSaved,
    PrizeRange,
)
from domain.programs import Program
from domain.segments import Segment
from domain.stores import Store
from domain.tiers.tier import Tier

# Which input goes with which scope, and what it names.
_SCOPED: Final[dict[BoardScope, tuple[str, type[Row]]]] = {
    BoardScope.STORE: ("storeId", Store),
    BoardScope.TIER: ("tierId", Tier),
    BoardScope.SEGMENT: ("segmentId", Segment),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLeaderboard(Command[Leaderboard]):
    """Make a board. It counts from the start of the period that is running.

    Refuses `LeaderboardCodeTaken`, `LeaderboardInvalid`, `LeaderboardLimitReached`, and prizes that cannot be given.
    """

    code: str
    name: str
    metric: BoardMetric
    window: BoardWindow
    scope: BoardScope = BoardScope.PROGRAM
    store_id: UUID | None = None
    tier_id: UUID | None = None
    segment_id: UUID | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    size: int = boards.SIZE_DEFAULT
    settle_minutes: int = boards.SETTLE_MINUTES_DEFAULT
    prizes: tuple[PrizeRange, ...] = ()
    masks_names: bool = True

    def decide(self, state: State) -> Decision[Leaderboard]:
        code = checks.text("code", self.code, length_max=boards.CODE_MAX)
        if state.find_by(Leaderboard, "code", code) is not None:
            raise LeaderboardCodeTaken(field=("code",), given=code)
        self._check_scope(state)
        self._check_window()
        _require_room(state)
        board = Leaderboard(
            id=state.new_id(),
            program_id=state.program_id,
            code=code,
            name=checks.text("name", self.name),
            metric=self.metric,
            window=self.window,
            scope=self.scope,
            store_id=self.store_id,
            tier_id=self.tier_id,
            segment_id=self.segment_id,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            size=_size(self.size),
            settle_minutes=_settle_minutes(self.settle_minutes),
            prizes=_checked_prizes(state, self.prizes),
            masks_names=self.masks_names,
            created_at=state.now,
        )
        _require_end(board)
        period = boards.first_period(board, state.now, state.get(Program, state.program_id).time_zone)
        clock = LeaderboardClock(
            id=board.id,
            program_id=board.program_id,
            open_since=period.starts_at,
            due_at=boards.due_at(board, period),
        )
        return Decision(board, save=(board, clock), events=(LeaderboardSaved(leaderboard_id=board.id),))

    def _check_scope(self, state: State) -> None:
        told = {"storeId": self.store_id, "tierId": self.tier_id, "segmentId": self.segment_id}
        asked, kind = _SCOPED.get(self.scope, ("", None))
        for name, key in told.items():
            if (key is not None) != (name == asked):
                needs = "needs" if name == asked else "has no"
                raise LeaderboardInvalid(field=(name,), why=f"the scope {self.scope} {needs} {name}")
        key = told.get(asked)
        if kind is None or key is None:
            return
        found: Row = state.get(kind, key)
        if isinstance(found, Segment) and not found.is_open:
            raise NotFound(field=("segmentId",), kind="Segment", key=found.code)

    def _check_window(self) -> None:
        is_campaign = self.window is BoardWindow.CAMPAIGN
        for name, at in (("startsAt", self.starts_at), ("endsAt", self.ends_at)):
            if (at is not None) != is_campaign:
                needs = "needs" if is_campaign else "has no"
                raise LeaderboardInvalid(field=(name,), why=f"the window {self.window} {needs} {name}")
        if self.starts_at is None or self.ends_at is None:
            return
        if not self.starts_at < self.ends_at <= self.starts_at + timedelta(days=boards.CAMPAIGN_DAYS_MAX):
            why = f"a campaign ends after it starts, at most {boards.CAMPAIGN_DAYS_MAX} days later"
            raise LeaderboardInvalid(field=("endsAt",), why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateLeaderboard(Command[Leaderboard]):
    """Change what may be changed of a board; what is not told stays. Periods that are closed stay as they are.

    A board that is switched on again begins with the period that is running then.
    """

    leaderboard_id: UUID
    name: str | None = None
    size: int | None = None
    settle_minutes: int | None = None
    prizes: tuple[PrizeRange, ...] | None = None
    masks_names: bool | None = None
    is_active: bool | None = None

    def decide(self, state: State) -> Decision[Leaderboard]:
        before = state.change(Leaderboard, self.leaderboard_id)
        board = replace(before, **self._told(state))  # type: ignore[arg-type]
        if board == before:
            return Decision(board)
        _require_end(board)
        clock = state.get(LeaderboardClock, board.id)
        zone_name = state.get(Program, state.program_id).time_zone
        since = clock.open_since
        if board.is_active and not before.is_active:
            _require_room(state)
            since = max(since, boards.first_period(board, state.now, zone_name).starts_at)
        period = next(boards.open_periods(board, replace(clock, open_since=since), since, zone_name), None)
        due = None if period is None else boards.due_at(board, period)
        clock = replace(clock, open_since=since, due_at=due)
        return Decision(board, save=(board, clock), events=(LeaderboardSaved(leaderboard_id=board.id),))

    def _told(self, state: State) -> dict[str, object]:
        told = {
            "name": None if self.name is None else checks.text("name", self.name),
            "size": None if self.size is None else _size(self.size),
            "settle_minutes": None if self.settle_minutes is None else _settle_minutes(self.settle_minutes),
            "prizes": None if self.prizes is None else _checked_prizes(state, self.prizes),
            "masks_names": self.masks_names,
            "is_active": self.is_active,
        }
        return {name: value for name, value in told.items() if value is not None}


def _require_end(board: Leaderboard) -> None:
    """Refuses prizes that would be promised and never given: they are given when a period is closed."""
    if board.prizes and board.window is BoardWindow.ALL_TIME:
        why = "a board of all time has no end, at which prizes are given; a CAMPAIGN has one"
        raise LeaderboardInvalid(field=("prizes",), why=why)


def _require_room(state: State) -> None:
    state.need(Want(Leaderboard, state.program_id, FAMILY))
    if len(state.all(Leaderboard, of=state.program_id)) >= boards.LEADERBOARDS_MAX:
        raise LeaderboardLimitReached(leaderboards_max=boards.LEADERBOARDS_MAX)


def _size(size: int) -> int:
    return checks.number("size", size, minimum=1, maximum=boards.SIZE_MAX)


def _settle_minutes(minutes: int) -> int:
    return checks.number("settleMinutes", minutes, minimum=0, maximum=boards.SETTLE_MINUTES_MAX)


def _checked_prizes(state: State, told: Sequence[PrizeRange]) -> tuple[PrizeRange, ...]:
    """Ranges of places in their order. Refuses what overlaps, and prizes that cannot be given."""
    checks.at_most("prizes", told, boards.PRIZES_MAX)
    found = sorted(enumerate(told), key=lambda one: one[1].first)
    before = 0
    for number, each in found:
        with checks.below("prizes", str(number)):
            checks.number("first", each.first, minimum=1, maximum=boards.SIZE_MAX)
            checks.number("last", each.last, minimum=each.first, maximum=boards.SIZE_MAX)
            if each.first <= before:
                raise LeaderboardInvalid(field=("first",), why=f"two prizes are for the place {each.first}")
            before = each.last
            prizes.check(state, "prize", each.prize)
    return tuple(each for _, each in found)
