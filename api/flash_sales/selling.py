"""What can be asked about flash sales, and what the shop and its members do with them."""

from datetime import datetime
from typing import Final, Self

import strawberry

from api import access, connections, ids, inputs, payloads, shapes
from api.connections import Connection
from api.context import Context, Info
from api.flash_sales import inputs as told
from api.flash_sales.claim import Claim
from api.flash_sales.sale import FlashSale
from api.members import Member
from domain.access import Scope
from domain.flash_sales import claiming, reminders, sale
from domain.flash_sales.rounds import Phase
from domain.rewards.stock import SoldOut
from persistence import flash_sales as stored
from persistence import rows

_PUBLIC: Final = access.everyone(Scope.PROGRAM_READ)
_WRITES: Final = access.staff(Scope.REWARDS_WRITE)
_COUNTER: Final = access.staff_or_member(Scope.REDEMPTIONS_WRITE)
_TILL: Final = access.staff(Scope.REDEMPTIONS_WRITE)
_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_WRITE)


@shapes.shape()
class FlashSaleQueries:
    """What can be asked about flash sales."""

    @access.field(_PUBLIC)
    async def flash_sales(
        self,
        info: Info,
        *,
        is_active: bool | None = None,
        is_current: bool = True,
        first: int = connections.FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[FlashSale]:
        """Flash sales that are on or to come (with `isCurrent: false` those that are over too), the latest first.

        Whoever is not staff sees those that are active.
        """
        context = info.context
        part = connections.asked(context, stored.NEWEST, first, after)
        if is_active is False and not context.caller.is_staff:
            return connections.page([], stored.NEWEST, part)
        which = stored.Filter(is_active=is_active if context.caller.is_staff else True, is_current=is_current)
        found = await stored.page(context.caller.program_id, which, context.now, part)
        return connections.page(found, stored.NEWEST, part)

    @access.field(_PUBLIC)
    async def flash_sale(
        self,
        info: Info,
        id: strawberry.ID | None = None,  # noqa: A002
        code: str | None = None,
    ) -> FlashSale | None:
        """A flash sale by its id or its code; null if there is none. Whoever is not staff sees one that is active."""
        return shapes.as_shape(FlashSale, await find(info.context, id, code))


async def find(context: Context, id: strawberry.ID | None = None, code: str | None = None) -> sale.FlashSale | None:  # noqa: A002
    """The sale that is named, as far as the caller sees it; None if there is none."""
    if code is not None:
        by_code = await rows.by_keys(sale.FlashSale, context.caller.program_id, "code", [code])
        found = by_code.get(code)
    else:
        key = ids.find("FlashSale", id)
        found = None if key is None else await context.loaders.row(sale.FlashSale, key)
    is_shown = found is not None and (found.is_active or context.caller.is_staff)
    return found if is_shown else None


@shapes.shape()
class FlashSaleSavePayload(payloads.KeyedPayload):
    """The sale as it is now."""

    flash_sale: FlashSale | None = None

    @classmethod
    def of(cls, saved: sale.FlashSale) -> Self:
        """The payload of a sale."""
        return cls(flash_sale=shapes.shown(saved))


@shapes.shape()
class _ClaimPayload(payloads.KeyedPayload):
    claim: Claim | None = None
    member: Member | None = None

    @classmethod
    def of(cls, claimed: claiming.Claimed) -> Self:
        """The payload of a claim."""
        return cls(claim=shapes.shown(claimed.claim), member=shapes.shown(claimed.account))


@shapes.shape()
class FlashSaleClaimPayload(_ClaimPayload):
    """The claim, and the member after it."""


@shapes.shape()
class FlashSaleClaimPayPayload(_ClaimPayload):
    """The claim with its redemption, and the member after it."""

    is_repeat: bool = payloads.repeat("this payment was told")

    @classmethod
    def of(cls, claimed: claiming.Claimed) -> Self:
        """The payload of a payment."""
        payload = super().of(claimed)
        payload.is_repeat = claimed.is_repeat
        return payload


@shapes.shape()
class FlashSaleClaimReleasePayload(_ClaimPayload):
    """The claim that was given up, and the member after it."""


@shapes.shape()
class FlashSaleRemindPayload(payloads.KeyedPayload):
    """When the member will be told, and the member."""

    minutes: int | None = strawberry.field(default=None, description="Null if it is not to be told any more.")
    member: Member | None = None

    @classmethod
    def of(cls, reminded: reminders.Reminded) -> Self:
        """The payload of a reminder."""
        reminder = reminded.reminder
        return cls(minutes=reminder.minutes if reminder.is_wanted else None, member=shapes.shown(reminded.account))


@shapes.shape()
class FlashSaleMutations:
    """What can be done with flash sales."""

    @access.field(_WRITES)
    async def flash_sale_save(self, info: Info, input: told.FlashSaleSaveInput) -> FlashSaleSavePayload:  # noqa: A002
        """Make a flash sale, or edit it as a whole. While a round is on, nothing is taken away that was promised."""
        return await payloads.run(info, input, FlashSaleSavePayload)

    @access.field(_COUNTER)
    async def flash_sale_claim(self, info: Info, input: told.FlashSaleClaimInput) -> FlashSaleClaimPayload:  # noqa: A002
        """Claim a unit: it is the member's at once for points alone, and is held until its money is paid otherwise."""
        return await payloads.answered(FlashSaleClaimPayload, _claimed(info, input))

    @access.field(_TILL)
    async def flash_sale_claim_pay(
        self,
        info: Info,
        input: told.FlashSaleClaimPayInput,  # noqa: A002
    ) -> FlashSaleClaimPayPayload:
        """Say that the money of a claim was paid, in time: it is confirmed. Refuses another amount than is due."""
        return await payloads.run(info, input, FlashSaleClaimPayPayload)

    @access.field(_COUNTER)
    async def flash_sale_claim_release(
        self,
        info: Info,
        input: told.FlashSaleClaimReleaseInput,  # noqa: A002
    ) -> FlashSaleClaimReleasePayload:
        """Give up a claim that is not paid: its points and its unit are there again."""
        return await payloads.run(info, input, FlashSaleClaimReleasePayload)

    @access.field(_PERSONAL)
    async def flash_sale_remind(self, info: Info, input: told.FlashSaleRemindInput) -> FlashSaleRemindPayload:  # noqa: A002
        """Ask to be told before each round of a sale, or no longer. Again changes nothing."""
        return await payloads.run(info, input, FlashSaleRemindPayload)


async def _claimed(info: Info, given: told.FlashSaleClaimInput) -> FlashSaleClaimPayload:
    """Claim, unless the gate knows already that nothing is left. Whoever finds nothing left shuts it."""
    context = info.context
    inputs.check(context, given)
    command = given.command(context)
    gates, program_id = context.backend.gates, context.caller.program_id
    if await gates.turns_away(
        program_id, command.item_id, actor=context.caller.actor, idempotency_key=given.idempotency_key
    ):
        raise SoldOut(requested=1, left=0)
    try:
        outcome = await context.execute(command, given.idempotency_key)
    except sale.RoundSoldOut as refusal:
        if refusal.details["phase"] == Phase.OPEN:
            until = datetime.fromisoformat(str(refusal.details["ends_at"]))
            await gates.shut(program_id, command.item_id, until=until, now=context.backend.now())
        raise
    payload = FlashSaleClaimPayload.of(outcome.result)
    payload.is_replay = outcome.is_replay
    return payload
