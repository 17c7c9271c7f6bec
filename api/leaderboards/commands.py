"""Making and editing leaderboards, and how members take part in them."""

from datetime import datetime
from typing import Any, Final, Self

import strawberry

from api import access, ids, inputs, payloads, shapes
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.leaderboards.board import Leaderboard
from api.members import Member
from api.prizes import PrizeInput
from domain import checks, members
from domain.access import Scope
from domain.leaderboards import board, commands, participation

_WRITES: Final = access.staff(Scope.PROGRAM_WRITE)


@shapes.given()
class LeaderboardPrizesInput:
    """A prize for each of the places `first` to `last`."""

    first: int
    last: int
    prize: PrizeInput

    def range(self) -> board.PrizeRange:
        """The range for the domain. Refuses malformed ids."""
        return board.PrizeRange(first=self.first, last=self.last, prize=self.prize.prize())


def _ranges(given: list[LeaderboardPrizesInput] | None) -> Any:
    return None if given is None else checks.each("prizes", given, LeaderboardPrizesInput.range)


@shapes.given()
class LeaderboardCreateInput(inputs.RepeatableInput):
    """A leaderboard. `storeId`, `tierId` or `segmentId` goes with its scope, `startsAt` and `endsAt` with CAMPAIGN.

    It shows `size` places (100, at most 1,000), and closes a period `settleMinutes` (60, at most 30 days) after its
    end.
    """

    code: str
    name: str
    metric: board.BoardMetric
    window: board.BoardWindow
    scope: board.BoardScope = board.BoardScope.PROGRAM
    store_id: strawberry.ID | None = None
    tier_id: strawberry.ID | None = None
    segment_id: strawberry.ID | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    size: int = board.SIZE_DEFAULT
    settle_minutes: int = board.SETTLE_MINUTES_DEFAULT
    prizes: list[LeaderboardPrizesInput] | None = inputs.bounded(board.PRIZES_MAX, default=None)
    masks_names: bool = True

    def command(self, _: Context) -> commands.CreateLeaderboard:
        """The command for the domain. Refuses malformed ids."""
        return commands.CreateLeaderboard(
            code=self.code,
            name=self.name,
            metric=self.metric,
            window=self.window,
            scope=self.scope,
            store_id=ids.optional("Store", self.store_id, "storeId"),
            tier_id=ids.optional("Tier", self.tier_id, "tierId"),
            segment_id=ids.optional("Segment", self.segment_id, "segmentId"),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            size=self.size,
            settle_minutes=self.settle_minutes,
            prizes=_ranges(self.prizes) or (),
            masks_names=self.masks_names,
        )


@shapes.given()
class LeaderboardUpdateInput(inputs.RepeatableInput):
    """What to change of a leaderboard; what is left out stays. `prizes` replaces all of them."""

    leaderboard_id: strawberry.ID
    name: str | None = None
    size: int | None = None
    settle_minutes: int | None = None
    prizes: list[LeaderboardPrizesInput] | None = inputs.bounded(board.PRIZES_MAX, default=None)
    masks_names: bool | None = None
    is_active: bool | None = None

    def command(self, _: Context) -> commands.UpdateLeaderboard:
        """The command for the domain. Refuses malformed ids."""
        return commands.UpdateLeaderboard(
            leaderboard_id=ids.require("Leaderboard", self.leaderboard_id, "leaderboardId"),
            name=self.name,
            size=self.size,
            settle_minutes=self.settle_minutes,
            prizes=_ranges(self.prizes),
            masks_names=self.masks_names,
            is_active=self.is_active,
        )


@shapes.given()
class LeaderboardVisibilitySetInput(inputs.RepeatableInput):
    """Whether others see a member's name on leaderboards. A member need not say whom."""

    member: MemberRefInput | None = None
    is_visible: bool

    def command(self, context: Context) -> participation.ShowOnLeaderboards:
        """The command for the domain."""
        return participation.ShowOnLeaderboards(member=inputs.member(context, self.member), is_shown=self.is_visible)


@shapes.given()
class LeaderboardExclusionSetInput(inputs.RepeatableInput):
    """Whether a member is taken off all leaderboards, and why."""

    member: MemberRefInput
    is_excluded: bool
    reason: str

    def command(self, _: Context) -> participation.ExcludeFromLeaderboards:
        """The command for the domain."""
        return participation.ExcludeFromLeaderboards(
            member=self.member.ref(), is_excluded=self.is_excluded, reason=self.reason
        )


@shapes.shape()
class _LeaderboardPayload(payloads.KeyedPayload):
    leaderboard: Leaderboard | None = None

    @classmethod
    def of(cls, made: board.Leaderboard) -> Self:
        """The payload of a board."""
        return cls(leaderboard=shapes.shown(made))


@shapes.shape()
class LeaderboardCreatePayload(_LeaderboardPayload):
    """The new leaderboard."""


@shapes.shape()
class LeaderboardUpdatePayload(_LeaderboardPayload):
    """The leaderboard as it is now."""


@shapes.shape()
class _ParticipationPayload(payloads.KeyedPayload):
    member: Member | None = None

    @classmethod
    def of(cls, member: members.Member) -> Self:
        """The payload of a member."""
        return cls(member=shapes.shown(member))


@shapes.shape()
class LeaderboardVisibilitySetPayload(_ParticipationPayload):
    """Whom others see on leaderboards from now on, or no longer."""


@shapes.shape()
class LeaderboardExclusionSetPayload(_ParticipationPayload):
    """Who is on no leaderboard from now on, or is again."""


@shapes.shape()
class LeaderboardMutations:
    """What can be done with leaderboards."""

    @access.field(_WRITES)
    async def leaderboard_create(self, info: Info, input: LeaderboardCreateInput) -> LeaderboardCreatePayload:  # noqa: A002
        """Make a leaderboard. It counts from the start of the period that is running."""
        return await payloads.run(info, input, LeaderboardCreatePayload)

    @access.field(_WRITES)
    async def leaderboard_update(self, info: Info, input: LeaderboardUpdateInput) -> LeaderboardUpdatePayload:  # noqa: A002
        """Change a leaderboard, or switch it off or on. Closed periods stay as they are."""
        return await payloads.run(info, input, LeaderboardUpdatePayload)

    @access.field(access.staff_or_member(Scope.MEMBERS_WRITE))
    async def leaderboard_visibility_set(
        self,
        info: Info,
        input: LeaderboardVisibilitySetInput,  # noqa: A002
    ) -> LeaderboardVisibilitySetPayload:
        """Let others see a member's name on leaderboards, or no longer; it keeps its place either way."""
        return await payloads.run(info, input, LeaderboardVisibilitySetPayload)

    @access.field(access.staff(Scope.MEMBERS_WRITE))
    async def leaderboard_exclusion_set(
        self,
        info: Info,
        input: LeaderboardExclusionSetInput,  # noqa: A002
    ) -> LeaderboardExclusionSetPayload:
        """Take a member off all leaderboards, or put it back. Its place, and what that wins, is the next one's."""
        return await payloads.run(info, input, LeaderboardExclusionSetPayload)
