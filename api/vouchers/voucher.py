"""Vouchers of members: what is shown of one, and what happens to it outside of purchases."""

from datetime import datetime
from typing import Final, Self

import strawberry

from api import access, connections, ids, inputs, moneys, payloads, segments, shapes
from api.connections import Connection
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.members import Member, MemberFilterInput, which_members
from api.moneys import Money
from api.purchases.purchase import Purchase
from api.redemptions import Redemption
from api.stores import Store
from api.vouchers.pool import VoucherPool
from api.vouchers.template import VoucherTemplate
from domain import checks, codes, members, stores
from domain.access import Scope
from domain.purchases import purchase as recording
from domain.redemptions import redemption as taking
from domain.stores import Channel
from domain.vouchers import commands
from domain.vouchers import pool as pools
from domain.vouchers import template as templates
from domain.vouchers import voucher as vouching
from persistence import members as stored_members
from persistence import vouchers as stored

shapes.named(vouching.VoucherState, vouching.VoucherOrigin)

ISSUED_MAX: Final = 500

_STAFF: Final = access.staff(Scope.MEMBERS_READ)
_PERSONAL: Final = access.staff_or_member(Scope.MEMBERS_READ)
_GIVES: Final = access.staff(Scope.REWARDS_WRITE)
_TILL: Final = access.staff_or_member(Scope.REDEMPTIONS_WRITE)
_COUNTER: Final = access.staff(Scope.REDEMPTIONS_WRITE)


def _state(parent: strawberry.Parent[vouching.Voucher], info: Info) -> vouching.VoucherState:
    return parent.state_at(info.context.now)


@shapes.shape(vouching.Voucher)
class Voucher(shapes.Node):
    """A single-use code of a member."""

    member: Member = shapes.linked(members.Member, "member_id")
    template: VoucherTemplate = shapes.linked(templates.VoucherTemplate, "template_id")
    pool: VoucherPool | None = access.resolved_by(_STAFF, shapes.linking(pools.VoucherPool, "pool_id"))
    code: str
    state: vouching.VoucherState = strawberry.field(resolver=_state)
    origin: vouching.VoucherOrigin
    redemption: Redemption | None = shapes.linked(taking.Redemption, "redemption_id")
    channel: Channel = strawberry.field(description="Where it was issued.")
    store: Store | None = shapes.linked(stores.Store, "store_id")
    starts_at: datetime
    expires_at: datetime | None = strawberry.field(description="The first instant at which it is no longer good.")
    locked_for: str | None = strawberry.field(description="The order it is locked for.")
    locked_until: datetime | None
    purchase: Purchase | None = shapes.linked(recording.Purchase, "purchase_id")
    used_at: datetime | None
    used_channel: Channel | None
    used_store: Store | None = shapes.linked(stores.Store, "used_store_id")
    discount: Money = moneys.field("discount_minor", description="What it took off.")
    reason: str | None
    issued_at: datetime
    actor: str = access.guarded(_STAFF, "actor", description="Who issued it.")


@shapes.shape()
class VoucherQueries:
    """What can be asked about vouchers."""

    @access.field(_PERSONAL)
    async def voucher(self, info: Info, code: str) -> Voucher | None:
        """The voucher with a code; null if there is none, and to a member if it is another's."""
        told = codes.find(code)
        caller = info.context.caller
        found = None if told is None else await stored.find(caller.program_id, told)
        is_anothers = found is not None and caller.is_member and found.member_id != caller.id
        return None if is_anothers else shapes.as_shape(Voucher, found)


@shapes.given()
class VoucherGrantInput(inputs.KeyedInput):
    """A voucher of a pool for a member, and why (at most 500 characters)."""

    member: MemberRefInput
    pool_id: strawberry.ID
    reason: str | None = None
    channel: Channel = Channel.ONLINE
    store_id: strawberry.ID | None = None

    def command(self, context: Context) -> commands.GrantVoucher:
        """The command for the domain. Refuses malformed ids."""
        return commands.GrantVoucher(
            member=inputs.member(context, self.member),
            pool_id=ids.require("VoucherPool", self.pool_id, "poolId"),
            reason=self.reason,
            channel=self.channel,
            store_id=ids.optional("Store", self.store_id, "storeId"),
        )


@shapes.given()
class VouchersIssueInput:
    """Whom to give a voucher of a pool each: members of a filter, of a segment too, up to 500 a call.

    Go on with `after: endCursor` while there is one, under the same key: nobody is given two.
    """

    idempotency_key: str = strawberry.field(description="Under it, each member is given one.")
    pool_id: strawberry.ID
    filter: MemberFilterInput
    after: str | None = None
    reason: str | None = None


@shapes.given()
class VoucherClaimInput(inputs.KeyedInput):
    """What to take: a voucher of a claimable pool (`poolId`), or the one whose code was told outside (`code`).

    Exactly one of the two is told. A member leaves `member` out and takes its own.
    """

    member: MemberRefInput | None = None
    pool_id: strawberry.ID | None = None
    code: str | None = None
    channel: Channel = Channel.ONLINE
    store_id: strawberry.ID | None = None

    def command(self, context: Context) -> commands.ClaimVoucher:
        """The command for the domain. Refuses malformed ids."""
        return commands.ClaimVoucher(
            member=inputs.member(context, self.member),
            pool_id=ids.optional("VoucherPool", self.pool_id, "poolId"),
            code=self.code,
            channel=self.channel,
            store_id=ids.optional("Store", self.store_id, "storeId"),
        )


@shapes.given()
class VoucherLockInput(inputs.KeyedInput):
    """A voucher to keep for an order, named by the shop's order number, for so many minutes."""

    code: str
    reference: str
    minutes: int | None = None
    channel: Channel = Channel.ONLINE
    store_id: strawberry.ID | None = None

    def command(self, context: Context) -> commands.LockVoucher:
        """The command for the domain. Refuses an id that is none of a store."""
        return commands.LockVoucher(
            code=self.code,
            reference=self.reference,
            minutes=self.minutes,
            channel=self.channel,
            store_id=ids.optional("Store", self.store_id, "storeId"),
            member_id=context.caller.member_id,
        )


@shapes.given()
class VoucherReleaseInput(inputs.KeyedInput):
    """A locked voucher to set free."""

    code: str

    def command(self, context: Context) -> commands.ReleaseVoucher:
        """The command for the domain."""
        member_id = context.caller.member_id
        return commands.ReleaseVoucher(code=self.code, member_id=member_id)


@shapes.given()
class VoucherReturnInput(inputs.KeyedInput):
    """A used voucher whose purchase was given up, and why (at most 500 characters)."""

    voucher_id: strawberry.ID
    reason: str

    def command(self, _: Context) -> commands.ReturnVoucher:
        """The command for the domain. Refuses an id that is none of a voucher."""
        voucher_id = ids.require("Voucher", self.voucher_id, "voucherId")
        return commands.ReturnVoucher(voucher_id=voucher_id, reason=self.reason)


@shapes.given()
class VoucherVoidInput(inputs.KeyedInput):
    """A voucher to take back, and why (at most 500 characters)."""

    voucher_id: strawberry.ID
    reason: str

    def command(self, _: Context) -> commands.VoidVoucher:
        """The command for the domain. Refuses an id that is none of a voucher."""
        voucher_id = ids.require("Voucher", self.voucher_id, "voucherId")
        return commands.VoidVoucher(voucher_id=voucher_id, reason=self.reason)


@shapes.shape()
class _VoucherPayload(payloads.KeyedPayload):
    voucher: Voucher | None = None
    member: Member | None = None
    is_repeat: bool = payloads.repeat()

    @classmethod
    def of(cls, vouched: vouching.Vouched) -> Self:
        """The payload of a voucher."""
        return cls(
            voucher=shapes.shown(vouched.voucher),
            member=shapes.shown(vouched.account),
            is_repeat=vouched.is_repeat,
        )


@shapes.shape()
class VoucherGrantPayload(_VoucherPayload):
    """The new voucher, and its member."""


@shapes.shape()
class VoucherClaimPayload(_VoucherPayload):
    """The new voucher, and its member."""


@shapes.shape()
class VoucherLockPayload(_VoucherPayload):
    """The voucher, locked, and its member."""


@shapes.shape()
class VoucherReleasePayload(_VoucherPayload):
    """The voucher, free again, and its member."""


@shapes.shape()
class VoucherReturnPayload(_VoucherPayload):
    """The voucher, good again or lost by its terms, and its member."""


@shapes.shape()
class VoucherVoidPayload(_VoucherPayload):
    """The voucher, void, and its member."""


@shapes.shape()
class VouchersIssuePayload(payloads.Payload):
    """How many were given a voucher, and where to go on."""

    issued: int = strawberry.field(default=0, description="Members who have one now.")
    refused: int = strawberry.field(default=0, description="Members who were refused one.")
    refusals: list[payloads.UserError] = strawberry.field(
        default_factory=list, description="Why members were refused, each reason once."
    )
    end_cursor: str | None = strawberry.field(default=None, description="Null when everybody was reached.")


@shapes.shape()
class VoucherMutations:
    """What can be done with vouchers."""

    @access.field(_GIVES)
    async def voucher_grant(self, info: Info, input: VoucherGrantInput) -> VoucherGrantPayload:  # noqa: A002
        """Give a member a voucher of a pool. Refuses a pool that is closed or empty, and what the limit does."""
        return await payloads.run(info, input, VoucherGrantPayload)

    @access.field(_GIVES)
    async def vouchers_issue(self, info: Info, input: VouchersIssueInput) -> VouchersIssuePayload:  # noqa: A002
        """Give members of a filter a voucher each, each with its own outcome."""
        return await payloads.answered(VouchersIssuePayload, _issue_all(info, input))

    @access.field(_TILL)
    async def voucher_claim(self, info: Info, input: VoucherClaimInput) -> VoucherClaimPayload:  # noqa: A002
        """Take a voucher: out of a claimable pool, or with a code that was told outside."""
        return await payloads.run(info, input, VoucherClaimPayload)

    @access.field(_TILL)
    async def voucher_lock(self, info: Info, input: VoucherLockInput) -> VoucherLockPayload:  # noqa: A002
        """Keep a voucher for an order that is being paid. For the same order again it answers the lock there is."""
        return await payloads.run(info, input, VoucherLockPayload)

    @access.field(_TILL)
    async def voucher_release(self, info: Info, input: VoucherReleaseInput) -> VoucherReleasePayload:  # noqa: A002
        """Set a locked voucher free."""
        return await payloads.run(info, input, VoucherReleasePayload)

    @access.field(_COUNTER)
    async def voucher_return(self, info: Info, input: VoucherReturnInput) -> VoucherReturnPayload:  # noqa: A002
        """Make a used voucher good again; one that has expired meanwhile by its terms."""
        return await payloads.run(info, input, VoucherReturnPayload)

    @access.field(_GIVES)
    async def voucher_void(self, info: Info, input: VoucherVoidInput) -> VoucherVoidPayload:  # noqa: A002
        """Take a voucher back that was not used."""
        return await payloads.run(info, input, VoucherVoidPayload)


async def _issue_all(info: Info, given: VouchersIssueInput) -> VouchersIssuePayload:
    """Grant to a page of members under one key each, made of the call's and the member's."""
    inputs.check(info.context, given)
    key = checks.text("idempotencyKey", given.idempotency_key, length_max=100)
    ids.require("VoucherPool", given.pool_id, "poolId")
    reached = await _reached(info, given)
    reached_ids = [ids.of(shapes.shown(member)) for member in reached.nodes]
    told = [
        VoucherGrantInput(
            idempotency_key=f"{key}:{member_id}",
            member=MemberRefInput(id=member_id),
            pool_id=given.pool_id,
            reason=given.reason,
        )
        for member_id in reached_ids
    ]
    results = await payloads.run_all(info, told, VoucherGrantPayload)
    errors = {error.code: error for result in results for error in result.user_errors}
    refused = sum(bool(result.user_errors) for result in results)
    return VouchersIssuePayload(
        issued=len(results) - refused,
        refused=refused,
        refusals=list(errors.values()),
        end_cursor=reached.page_info.end_cursor if reached.page_info.has_next_page else None,
    )


async def _reached(info: Info, given: VouchersIssueInput) -> Connection[Member]:
    """The next members of the filter; in a segment, those among the many that are looked at."""
    keyset = stored_members.KEYSET
    part = connections.slice_of(keyset, ISSUED_MAX, given.after)
    which = await which_members(info.context, given.filter, None)
    if which is not None and given.filter.segment is not None:
        return await segments.members_in(info.context, given.filter.segment, which, part)
    found = [] if which is None else await stored_members.page(info.context.caller.program_id, which, part)
    return connections.page(found, keyset, part)
