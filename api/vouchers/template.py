"""Voucher templates: the terms of vouchers, and how they are set."""

from datetime import datetime
from typing import Final, Self
from uuid import UUID

import strawberry

from api import access, connections, ids, inputs, moneys, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.inputs import MoneyInput
from api.moneys import Money
from domain.access import Scope
from domain.stores import Channel
from domain.vouchers import template as templates
from domain.vouchers.template import VoucherScope, VoucherTerms
from persistence import vouchers as stored

shapes.named(templates.VoucherKind, templates.ReturnTerms, templates.RefundTerms)

_WRITES: Final = access.staff(Scope.REWARDS_WRITE)


def _store_ids(parent: strawberry.Parent[VoucherScope]) -> list[strawberry.ID]:
    return [ids.encode("Store", store_id) for store_id in parent.store_ids]


def _cap(parent: strawberry.Parent[VoucherTerms], info: Info) -> Money | None:
    return None if parent.cap_minor is None else shapes.as_shape(Money, moneys.of(parent.cap_minor, info))


@shapes.shape(name="VoucherScope")
class Covered:
    """What a voucher covers and where: lines of these products or categories, at these stores, in these channels.

    An empty list asks nothing.
    """

    product_ids: list[str]
    categories: list[str]
    store_ids: list[strawberry.ID] = strawberry.field(resolver=_store_ids)
    channels: list[Channel]


@shapes.shape(name="VoucherTerms")
class Terms:
    """What a voucher gives, for what, from when and how long.

    It is good from `startsAt` until before `endsAt`; with `days`, from its issue, but not before `startsAt`, to the
    midnight of the program's time zone that ends so many days later, but not beyond `endsAt`. Vouchers are used
    together only if all are combinable, one of each stack group.
    """

    kind: templates.VoucherKind
    amount: Money = moneys.field("amount_minor", description="What AMOUNT_OFF takes off.")
    percent_bp: scalars.BasisPoints = strawberry.field(description="What PERCENT_OFF takes off.")
    cap: Money | None = strawberry.field(resolver=_cap, description="The most that is taken off.")
    minimum: Money = moneys.field("minimum_minor", description="What must be bought of what it covers.")
    scope: Covered
    starts_at: datetime | None
    ends_at: datetime | None
    days: int | None = strawberry.field(description="0: until the end of the day on which it begins.")
    is_combinable: bool
    stack_group: str
    lock_minutes: int = strawberry.field(description="How long it is locked for a purchase, unless told otherwise.")
    return_terms: templates.ReturnTerms
    return_days: int
    refund_terms: templates.RefundTerms


@shapes.shape(templates.VoucherTemplate)
class VoucherTemplate(shapes.Node):
    """A kind of voucher. Its terms never change: what a member was given stays what it was."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    description: str | None
    terms: Terms
    limit_per_member: int | None
    is_active: bool = strawberry.field(description="Whether more are issued.")


@shapes.shape()
class VoucherTemplateQueries:
    """What can be asked about voucher templates."""

    @access.field(access.staff(Scope.PROGRAM_READ))
    async def voucher_templates(
        self, info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
    ) -> Connection[VoucherTemplate]:
        """Templates of the program, the oldest first."""
        part = connections.asked(info.context, stored.TEMPLATE_KEYSET, first, after)
        found = await stored.templates(info.context.caller.program_id, part)
        return connections.page(found, stored.TEMPLATE_KEYSET, part)


@shapes.given("VoucherScopeInput")
class VoucherScopeInput:
    """What a voucher covers and where; what is left out is not asked."""

    product_ids: list[str] = inputs.bounded(templates.SCOPE_MAX, default_factory=list)
    categories: list[str] = inputs.bounded(templates.SCOPE_MAX, default_factory=list)
    store_ids: list[strawberry.ID] = inputs.bounded(templates.SCOPE_MAX, default_factory=list)
    channels: list[Channel] = inputs.bounded(len(Channel), default_factory=list)

    def scope(self) -> VoucherScope:
        """The scope for the domain. Refuses what is no id of a store."""
        return VoucherScope(
            product_ids=tuple(self.product_ids),
            categories=tuple(self.categories),
            store_ids=tuple(_required(self.store_ids)),
            channels=tuple(self.channels),
        )


def _required(store_ids: list[strawberry.ID]) -> list[UUID]:
    return [ids.require("Store", store_id, "terms.scope.storeIds") for store_id in store_ids]


@shapes.given("VoucherTermsInput")
class VoucherTermsInput:
    """The terms of a voucher: `amount` for AMOUNT_OFF, `percentBp` for PERCENT_OFF, `cap` for it and FREE_SHIPPING."""

    kind: templates.VoucherKind
    amount: MoneyInput | None = None
    percent_bp: scalars.BasisPoints | None = None
    cap: MoneyInput | None = None
    minimum: MoneyInput | None = None
    scope: VoucherScopeInput | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    days: int | None = strawberry.field(
        default=None,
        description="0 to 3,650 after the day on which it begins, which is that of its issue or of `startsAt`.",
    )
    is_combinable: bool = False
    stack_group: str = "voucher"
    lock_minutes: int = 15
    return_terms: templates.ReturnTerms = templates.ReturnTerms.EXTEND
    return_days: int = 7
    refund_terms: templates.RefundTerms = templates.RefundTerms.KEEP

    def terms(self, context: Context) -> VoucherTerms:
        """The terms for the domain. Refuses malformed ids and another currency than the program's."""

        def minor(told: MoneyInput | None, field: str) -> int | None:
            return None if told is None else told.minor(context, f"terms.{field}")

        return VoucherTerms(
            kind=self.kind,
            amount_minor=minor(self.amount, "amount") or 0,
            percent_bp=self.percent_bp or 0,
            cap_minor=minor(self.cap, "cap"),
            minimum_minor=minor(self.minimum, "minimum") or 0,
            scope=templates.EVERYTHING if self.scope is None else self.scope.scope(),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            days=self.days,
            is_combinable=self.is_combinable,
            stack_group=self.stack_group,
            lock_minutes=self.lock_minutes,
            return_terms=self.return_terms,
            return_days=self.return_days,
            refund_terms=self.refund_terms,
        )


@shapes.given()
class VoucherTemplateCreateInput(inputs.RepeatableInput):
    """A kind of voucher. Its terms are set for good: other terms are another template."""

    code: str
    name: str
    description: str | None = None
    terms: VoucherTermsInput
    limit_per_member: int | None = None

    def command(self, context: Context) -> templates.CreateVoucherTemplate:
        """The command for the domain."""
        return templates.CreateVoucherTemplate(
            code=self.code,
            name=self.name,
            description=self.description,
            terms=self.terms.terms(context),
            limit_per_member=self.limit_per_member,
        )


@shapes.given()
class VoucherTemplateUpdateInput(inputs.RepeatableInput):
    """What to change of a template; what is left out stays, and so do its terms."""

    template_id: strawberry.ID
    name: str | None = None
    description: str | None = None
    limit_per_member: int | None = None
    is_active: bool | None = None

    def command(self, _: Context) -> templates.UpdateVoucherTemplate:
        """The command for the domain. Refuses an id that is none of a template."""
        return templates.UpdateVoucherTemplate(
            template_id=ids.require("VoucherTemplate", self.template_id, "templateId"),
            name=self.name,
            description=self.description,
            limit_per_member=self.limit_per_member,
            is_active=self.is_active,
        )


@shapes.shape()
class _TemplatePayload(payloads.KeyedPayload):
    template: VoucherTemplate | None = None

    @classmethod
    def of(cls, made: templates.VoucherTemplate) -> Self:
        """The payload of a template."""
        return cls(template=shapes.shown(made))


@shapes.shape()
class VoucherTemplateCreatePayload(_TemplatePayload):
    """The new template."""


@shapes.shape()
class VoucherTemplateUpdatePayload(_TemplatePayload):
    """The template as it is now."""


@shapes.shape()
class VoucherTemplateMutations:
    """What can be done with voucher templates."""

    @access.field(_WRITES)
    async def voucher_template_create(
        self,
        info: Info,
        input: VoucherTemplateCreateInput,  # noqa: A002
    ) -> VoucherTemplateCreatePayload:
        """Set the terms of a kind of voucher. Refuses a code that is taken and terms that lack something."""
        return await payloads.run(info, input, VoucherTemplateCreatePayload)

    @access.field(_WRITES)
    async def voucher_template_update(
        self,
        info: Info,
        input: VoucherTemplateUpdateInput,  # noqa: A002
    ) -> VoucherTemplateUpdatePayload:
        """Rename a template, bound it, or stop issuing it. What is issued stays good."""
        return await payloads.run(info, input, VoucherTemplateUpdatePayload)
