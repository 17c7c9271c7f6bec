"""Live answers: a subscription is a query that is answered at once, and again whenever its answer may have changed.

What is told between processes is only that something changed; every answer is read anew, and who is slow skips what
lies between two answers instead of waiting for it.
"""

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Final, TypeVar, cast

import strawberry

from api import access, inputs, shapes
from api.access import Requires
from api.context import Context, Info
from api.flash_sales import selling
from api.flash_sales.sale import FlashSale
from api.inputs import MemberRefInput
from api.leaderboards.board import Leaderboard
from api.members import Member, find_member
from domain import members
from domain.access import Scope
from domain.flash_sales import sale
from domain.kernel import Refusal
from domain.leaderboards import board
from domain.topics import Subject, topic
from persistence.leaderboards import reading

_PUBLIC: Final = access.everyone(Scope.PROGRAM_READ)
Resolver = TypeVar("Resolver", bound=Callable[..., Any])

# At most two answers a second, however much changes.
PAUSE_SECONDS: Final = 0.5
# A subscription ends after so long, so that whoever holds it shows a credential again.
LIVE_SECONDS_MAX: Final = 3600


def field(policy: Requires) -> Callable[[Resolver], Resolver]:
    """Make an async generator, which takes `info`, a subscription with a policy; its docstring is the description."""

    def decorate(resolver: Resolver) -> Resolver:
        policed: Any = strawberry.subscription(
            resolver=access.checked(policy, resolver), directives=[policy], description=inspect.getdoc(resolver)
        )
        return cast("Resolver", policed)

    return decorate


async def answers(context: Context, topics: Sequence[str]) -> AsyncGenerator[None, None]:
    """Yield when it is time for an answer: at once, then after changes of the topics, at most two a second."""
    clock = asyncio.get_running_loop().time
    ends_at = clock() + LIVE_SECONDS_MAX
    with context.backend.hub.listening(context.caller.program_id, topics) as listener:
        while clock() < ends_at:
            context.renew()
            yield
            await asyncio.sleep(PAUSE_SECONDS)
            await listener.changed()


@shapes.shape()
class LiveSubscriptions:
    """What can be listened to."""

    @field(access.staff_or_member(Scope.MEMBERS_READ))
    async def member(self, info: Info, ref: MemberRefInput | None = None) -> AsyncGenerator[Member | None, None]:
        """A member, and all that is its own: now, and whenever something of it has changed. Null if there is none.

        A member leaves `ref` out and listens to itself.
        """
        context = info.context
        found = await _wanted(context, ref)
        if found is None:
            yield None
            return
        async for _ in answers(context, (topic(Subject.MEMBER, found.id),)):
            yield shapes.as_shape(Member, await context.loaders.row(members.Member, found.id))

    @field(_PUBLIC)
    async def flash_sale(self, info: Info, code: str) -> AsyncGenerator[FlashSale | None, None]:
        """A flash sale and what is left of it: now, and as units are claimed and come back. Null if there is none.

        Whoever is not staff hears of one that is active.
        """
        context = info.context
        found = await selling.find(context, code=code)
        if found is None:
            yield None
            return
        async for _ in answers(context, (topic(Subject.FLASH_SALE, found.id),)):
            yield shapes.as_shape(FlashSale, await context.loaders.row(sale.FlashSale, found.id))

    @field(_PUBLIC)
    async def leaderboard(self, info: Info, code: str) -> AsyncGenerator[Leaderboard | None, None]:
        """A leaderboard and its standings: now, and as they change. Null if there is none."""
        context = info.context
        program_id = context.caller.program_id
        found = await reading.by_code(program_id, code)
        if found is None:
            yield None
            return
        async for _ in answers(context, (topic(Subject.LEADERBOARDS, program_id),)):
            yield shapes.as_shape(Leaderboard, await context.loaders.row(board.Leaderboard, found.id))


async def _wanted(context: Context, ref: MemberRefInput | None) -> members.Member | None:
    """The member to listen to; None if there is none, as when it is asked for."""
    try:
        wanted = inputs.member(context, ref)
    except Refusal:
        return None
    return await find_member(context, wanted)
