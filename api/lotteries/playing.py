"""What is done with lotteries: made, published and closed by the shop, played by its members."""

from typing import Final, Self

from api import access, payloads, scalars, shapes
from api.context import Info
from api.lotteries import inputs as told
from api.lotteries.draw import Draw
from api.lotteries.lottery import Lottery
from api.members import Member
from domain.access import Scope
from domain.chances import Chanced
from domain.lotteries import draw as draws
from domain.lotteries import lottery as lotteries
from domain.lotteries import saving, tickets

_WRITES: Final = access.staff(Scope.REWARDS_WRITE)
_PLAYS: Final = access.staff_or_member(Scope.REDEMPTIONS_WRITE)


@shapes.shape()
class _LotteryPayload(payloads.KeyedPayload):
    lottery: Lottery | None = None

    @classmethod
    def of(cls, result: lotteries.Lottery | saving.Ended) -> Self:
        """The payload of a lottery."""
        return cls(lottery=shapes.shown(result.lottery if isinstance(result, saving.Ended) else result))


@shapes.shape()
class LotterySavePayload(_LotteryPayload):
    """The draft as it is now."""


@shapes.shape()
class LotteryPublishPayload(_LotteryPayload):
    """The lottery, with its hashes."""


@shapes.shape()
class LotteryClosePayload(_LotteryPayload):
    """The lottery, with its seed."""


@shapes.shape()
class LotteryDrawPayload(payloads.KeyedPayload):
    """What was drawn, and the member after it."""

    draw: Draw | None = None
    member: Member | None = None

    @classmethod
    def of(cls, drawn: draws.Drawn) -> Self:
        """The payload of a draw."""
        return cls(draw=shapes.shown(drawn.draw), member=shapes.shown(drawn.account))


@shapes.shape()
class LotteryTicketsTakePayload(payloads.KeyedPayload):
    """The tickets that were taken, numbered from `first` on, and the member after it."""

    first: scalars.Points | None = None
    count: int | None = None
    member: Member | None = None

    @classmethod
    def of(cls, taken: tickets.Taken) -> Self:
        """The payload of tickets."""
        return cls(first=scalars.Points(taken.first), count=taken.count, member=shapes.shown(taken.account))


@shapes.shape()
class LotteryChanceGrantPayload(payloads.KeyedPayload):
    """How many chances the member has in the lottery now, those that draws won apart, and the member."""

    chances: int | None = None
    member: Member | None = None

    @classmethod
    def of(cls, granted: Chanced) -> Self:
        """The payload of chances."""
        return cls(chances=granted.standing.chances, member=shapes.shown(granted.account))


@shapes.shape()
class LotteryMutations:
    """What can be done with lotteries."""

    @access.field(_WRITES)
    async def lottery_save(self, info: Info, input: told.LotterySaveInput) -> LotterySavePayload:  # noqa: A002
        """Make a draft of a lottery, or put this in place of it. What is published no longer changes."""
        return await payloads.run(info, input, LotterySavePayload)

    @access.field(_WRITES)
    async def lottery_publish(self, info: Info, input: told.LotteryPublishInput) -> LotteryPublishPayload:  # noqa: A002
        """Publish a draft: a secret seed is made, and the hashes of seed and table hold the shop to both."""
        return await payloads.run(info, input, LotteryPublishPayload)

    @access.field(_WRITES)
    async def lottery_close(self, info: Info, input: told.LotteryCloseInput) -> LotteryClosePayload:  # noqa: A002
        """Close an instant lottery: nothing can be drawn any more, and its seed is told."""
        return await payloads.run(info, input, LotteryClosePayload)

    @access.field(_PLAYS)
    async def lottery_draw(self, info: Info, input: told.LotteryDrawInput) -> LotteryDrawPayload:  # noqa: A002
        """Draw once: chances first, then points. Whatever is refused has cost nothing."""
        return await payloads.run(info, input, LotteryDrawPayload)

    @access.field(_PLAYS)
    async def lottery_tickets_take(
        self,
        info: Info,
        input: told.LotteryTicketsTakeInput,  # noqa: A002
    ) -> LotteryTicketsTakePayload:
        """Take tickets of a ticketed lottery: chances first, then points; all or none."""
        return await payloads.run(info, input, LotteryTicketsTakePayload)

    @access.field(access.staff(Scope.POINTS_ADJUST))
    async def lottery_chance_grant(
        self,
        info: Info,
        input: told.LotteryChanceGrantInput,  # noqa: A002
    ) -> LotteryChanceGrantPayload:
        """Give a member chances, which it uses before points."""
        return await payloads.run(info, input, LotteryChanceGrantPayload)
