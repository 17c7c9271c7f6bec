"""Draws and tickets: what is shown of one, and how anybody verifies it."""

from datetime import datetime
from typing import Any, Final

import strawberry

from api import access, ids, scalars, shapes
from api.context import Info
from api.lotteries.lottery import Lottery, revealed
from api.members import Member
from api.redemptions import Redemption
from api.vouchers.voucher import Voucher
from domain import chances, members
from domain.access import Scope
from domain.lotteries import draw as draws
from domain.lotteries import lottery as lotteries
from domain.lotteries import verifying
from domain.redemptions import redemption
from domain.vouchers import voucher
from persistence import lotteries as stored

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_READ)


def _theirs(resolver: Any, *, description: str) -> Any:
    """A field of a draw that its member and the shop see, and nobody else."""

    def resolve(parent: strawberry.Parent[draws.Draw], info: Info) -> Any:
        caller = info.context.caller
        is_another = caller.is_member and caller.id != parent.member_id
        return None if is_another or not access.permits(_PERSONAL, caller) else resolver(parent, info)

    return strawberry.field(resolver=resolve, description=description)


def _drawn(parent: strawberry.Parent[draws.Draw]) -> str:
    return parent.drawn


def _prize(parent: strawberry.Parent[draws.Draw]) -> str:
    return parent.prize


def _found(info: Info, kind: Any, key: Any) -> Any:
    return None if key is None else info.context.loaders.row(kind, key)


@shapes.shape(draws.Draw)
class Draw(shapes.Node):
    """One play of an instant lottery, or one winning ticket. All from which it can be reckoned again is public.

    HMAC-SHA256 of `clientSeed:nonce` under the seed makes the `point` from 0 to below `total`: of an instant lottery,
    the sum of the weights at the places `among`, from 1, in its table; of a ticketed one, how many tickets there were,
    and the ticket with the number one above the point won.
    """

    lottery: Lottery = shapes.linked(lotteries.Lottery, "lottery_id")
    number: scalars.Points = strawberry.field(description="1, 2, 3, … within the lottery.")
    client_seed: str
    nonce: str = strawberry.field(description="Which nobody else has in the lottery, and which names nobody.")
    among: list[int] = strawberry.field(description="Places of the table; empty for tickets.")
    total: scalars.Points
    point: scalars.Points
    drawn_code: str = strawberry.field(resolver=_drawn, description="The code of the prize that the point falls on.")
    prize_code: str = strawberry.field(
        resolver=_prize, description="The code of the prize that was won: that, or the fallback."
    )
    is_guaranteed: bool
    ticket: scalars.Points | None = strawberry.field(description="The number of the ticket that won.")
    payment: chances.Payment | None = strawberry.field(description="What it was paid with; null for tickets.")
    points: scalars.Points = strawberry.field(description="What it cost.")
    points_won: scalars.Points
    chances_won: int
    drawn_at: datetime
    member: Member | None = _theirs(
        lambda parent, info: info.context.loaders.row(members.Member, parent.member_id),
        description="Shown to the member and to the shop.",
    )
    voucher: Voucher | None = _theirs(
        lambda parent, info: _found(info, voucher.Voucher, parent.voucher_id),
        description="That was won; shown to the member and to the shop.",
    )
    redemption: Redemption | None = _theirs(
        lambda parent, info: _found(info, redemption.Redemption, parent.redemption_id),
        description="Of the item that was won; shown to the member and to the shop.",
    )
    owed: str | None = access.guarded(_STAFF, "owed", description="Why a winning ticket's prize is still to be given.")
    actor: str = access.guarded(_STAFF, "actor", description="Who drew.")


@shapes.shape()
class LotteryTicket:
    """A ticket of a ticketed lottery."""

    lottery: Lottery = shapes.linked(lotteries.Lottery, "lottery_id")
    number: scalars.Points
    payment: chances.Payment
    points: scalars.Points
    taken_at: datetime


@shapes.shape()
class DrawVerification:
    """A draw reckoned again from what was published. Before the lottery is closed and its seed told, each is null."""

    draw: Draw
    message: str = strawberry.field(description="What was signed: `clientSeed:nonce`.")
    seed: str | None
    is_seed: bool | None = strawberry.field(description="Whether the seed's hash is the one that was published.")
    is_table: bool | None = strawberry.field(description="Whether the table's hash is the one that was published.")
    is_point: bool | None = strawberry.field(description="Whether the message makes the point.")
    is_prize: bool | None = strawberry.field(description="Whether the point makes the prize, or names the ticket.")
    is_genuine: bool | None = strawberry.field(description="Whether all of it agrees.")
    skipped: list[scalars.Points] = strawberry.field(
        description="Tickets passed over just before this one, which could win no more; the first hundred."
    )


@shapes.shape()
class DrawQueries:
    """What can be asked about draws."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def draw_verify(self, info: Info, id: strawberry.ID) -> DrawVerification | None:  # noqa: A002
        """Reckon a draw again, for anybody; null if there is none. `examples/` has programs that need nothing of us."""
        key = ids.find("Draw", id)
        found = None if key is None else await info.context.loaders.row(draws.Draw, key)
        if found is None:
            return None
        lottery = await info.context.loaders.row(lotteries.Lottery, found.lottery_id)
        assert lottery is not None, "a draw is of a lottery"
        seed = await revealed(info, lottery)
        before = None
        if seed is not None and lottery.is_ticketed:
            before = await stored.before(info.context.caller.program_id, bytes.fromhex(seed), found)
        return shapes.as_shape(DrawVerification, verifying.verified(lottery, found, seed, before))
