"""Templates: the terms of vouchers. They are set once, because what a member was given must not change in its hand."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import calendars, checks
from domain.kernel import Command, Decision, Event, Refusal, Row, State
from domain.money import AMOUNT_MINOR_MAX, BASIS
from domain.stores import Channel, Store

SCOPE_MAX: Final = 200
DAYS_MAX: Final = 3650
LOCK_MINUTES_MAX: Final = 60 * 24
LIMIT_MAX: Final = 1000
DESCRIPTION_MAX: Final = 2000


class VoucherKind(StrEnum):
    """What a voucher gives."""

    AMOUNT_OFF = "AMOUNT_OFF"  # `amount` off what it covers
    PERCENT_OFF = "PERCENT_OFF"  # `percent_bp` of what it covers, at most `cap`
    ITEM = "ITEM"  # one unit of what it covers for nothing, the dearest
    FREE_SHIPPING = "FREE_SHIPPING"  # freight, at most `cap`
    GIFT_CARD = "GIFT_CARD"  # the code of a card that is taken elsewhere


class ReturnTerms(StrEnum):
    """What becomes of a voucher that comes back after it has expired (C4)."""

    EXTEND = "EXTEND"  # it is good for `return_days` more
    FORFEIT = "FORFEIT"  # it is lost


class RefundTerms(StrEnum):
    """What becomes of the discount when a refund leaves less than the minimum spend (C4)."""

    KEEP = "KEEP"  # the member keeps it
    REDUCE = "REDUCE"  # the refund is less by what the rest would have cost without it


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherScope:
    """What a voucher covers and where: lines of these products or categories, at these stores, in these channels.

    What is not told is not asked.
    """

    product_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    store_ids: tuple[UUID, ...] = ()
    channels: tuple[Channel, ...] = ()

    def covers(self, product_id: str | None, category: str | None) -> bool:
        """Whether a line is covered: by its product or by its category, if either is asked for."""
        if not self.product_ids and not self.categories:
            return True
        return product_id in self.product_ids or category in self.categories


EVERYTHING: Final = VoucherScope()


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherTerms:
    """What a voucher gives, for what, from when and how long.

    It is good in `[starts_at, ends_at)`; with `days`, from its issue, but not before `starts_at`, to the local
    midnight that ends so many days later (0: that day), and never beyond `ends_at`. Vouchers are combined only
    if all of them are `is_combinable`, one of each `stack_group`.
    """

    kind: VoucherKind
    amount_minor: int = 0
    percent_bp: int = 0
    cap_minor: int | None = None
    minimum_minor: int = 0
    scope: VoucherScope = EVERYTHING
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    days: int | None = None
    is_combinable: bool = False
    stack_group: str = "voucher"
    lock_minutes: int = 15
    return_terms: ReturnTerms = ReturnTerms.EXTEND
    return_days: int = 7
    refund_terms: RefundTerms = RefundTerms.KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherTemplate(Row):
    """A kind of voucher of a program. Its terms never change; whether more are issued does."""

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    description: str | None = None
    terms: VoucherTerms
    # How many a member may be given in all, voided ones not counted; None: any number.
    limit_per_member: int | None = None
    is_active: bool = True
    created_at: datetime


class TemplateCodeTaken(Refusal):
    """Another voucher template of the program has this code. Details: `taken`."""

    code = "VOUCHER_TEMPLATE_CODE_TAKEN"
    text = "Another voucher template of this program has the code {taken!r}."


class TermsInvalid(Refusal):
    """Terms of a voucher lack what their kind needs, or contradict each other. Details: `why`."""

    code = "VOUCHER_TERMS_INVALID"
    text = "The terms of the voucher cannot be so: {why}."


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherTemplateSaved(Event):
    """A voucher template was made or edited."""

    template_id: UUID


def validity(terms: VoucherTerms, now: datetime, time_zone: str) -> tuple[datetime, datetime | None]:
    """From when to before when a voucher issued now is good (C3)."""
    starts_at = max(now, terms.starts_at or now)
    if terms.days is None:
        return starts_at, terms.ends_at
    ends_at = calendars.end_after(starts_at, terms.days, time_zone)
    return starts_at, ends_at if terms.ends_at is None else min(ends_at, terms.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateVoucherTemplate(Command[VoucherTemplate]):
    """Set the terms of a kind of voucher. Refuses a code that is taken and terms that lack something."""

    code: str
    name: str
    terms: VoucherTerms
    description: str | None = None
    limit_per_member: int | None = None

    def decide(self, state: State) -> Decision[VoucherTemplate]:
        code = checks.text("code", self.code, length_max=50)
        template = VoucherTemplate(
            id=state.new_id(),
            program_id=state.program_id,
            code=code,
            name=checks.text("name", self.name),
            description=checks.optional_text("description", self.description, length_max=DESCRIPTION_MAX),
            terms=_checked(state, self.terms),
            limit_per_member=_checked_limit(self.limit_per_member),
            created_at=state.now,
        )
        if state.find_by(VoucherTemplate, "code", code) is not None:
            raise TemplateCodeTaken(field=("code",), taken=code)
        return Decision(template, save=(template,), events=(VoucherTemplateSaved(template_id=template.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateVoucherTemplate(Command[VoucherTemplate]):
    """Rename a template, bound it, or stop issuing it; None leaves a value as it is. What is issued stays good."""

    template_id: UUID
    name: str | None = None
    description: str | None = None
    limit_per_member: int | None = None
    is_active: bool | None = None

    def decide(self, state: State) -> Decision[VoucherTemplate]:
        told = {
            "name": checks.optional_text("name", self.name),
            "description": checks.optional_text("description", self.description, length_max=DESCRIPTION_MAX),
            "limit_per_member": _checked_limit(self.limit_per_member),
            "is_active": self.is_active,
        }
        given = {name: value for name, value in told.items() if value is not None}
        template = replace(state.change(VoucherTemplate, self.template_id), **given)  # type: ignore[arg-type]
        return Decision(template, save=(template,), events=(VoucherTemplateSaved(template_id=template.id),))


def _checked_limit(limit: int | None) -> int | None:
    return None if limit is None else checks.number("limitPerMember", limit, minimum=1, maximum=LIMIT_MAX)


def _checked(state: State, terms: VoucherTerms) -> VoucherTerms:
    for part, why in _faults(terms):
        raise TermsInvalid(field=("terms", part), why=why)
    checks.amount("terms.amount", terms.amount_minor)
    checks.number("terms.percentBp", terms.percent_bp, minimum=0, maximum=BASIS)
    checks.amount("terms.minimum", terms.minimum_minor)
    if terms.cap_minor is not None:
        checks.amount("terms.cap", terms.cap_minor, minimum=1, maximum=AMOUNT_MINOR_MAX)
    if terms.days is not None:
        checks.number("terms.days", terms.days, minimum=0, maximum=DAYS_MAX)
    checks.number("terms.returnDays", terms.return_days, minimum=0, maximum=DAYS_MAX)
    checks.number("terms.lockMinutes", terms.lock_minutes, minimum=1, maximum=LOCK_MINUTES_MAX)
    group = checks.text("terms.stackGroup", terms.stack_group, length_max=50)
    return replace(terms, scope=_checked_scope(state, terms.scope), stack_group=group)


def _faults(terms: VoucherTerms) -> Iterator[tuple[str, str]]:
    """What contradicts itself: the part of the terms at fault, and why."""
    for part, kind, is_told in (
        ("amount", VoucherKind.AMOUNT_OFF, bool(terms.amount_minor)),
        ("percentBp", VoucherKind.PERCENT_OFF, bool(terms.percent_bp)),
    ):
        if terms.kind is kind and not is_told:
            yield part, f"{terms.kind} needs {part}, and more than nothing of it"
        if terms.kind is not kind and is_told:
            yield part, f"{part} is told for {kind}, not for {terms.kind}"
    if terms.cap_minor is not None and terms.kind not in (VoucherKind.PERCENT_OFF, VoucherKind.FREE_SHIPPING):
        yield "cap", f"only percentages and shipping are capped, not {terms.kind}"
    for part, at in (("startsAt", terms.starts_at), ("endsAt", terms.ends_at)):
        if at is not None and at.tzinfo is None:
            yield part, "its times have a time zone"
            return
    if terms.starts_at is not None and terms.ends_at is not None and terms.ends_at <= terms.starts_at:
        yield "endsAt", "it ends after it starts"


def _checked_scope(state: State, scope: VoucherScope) -> VoucherScope:
    for part in ("product_ids", "categories", "store_ids"):
        checks.at_most(f"terms.scope.{part}", getattr(scope, part), SCOPE_MAX)
    for store_id in scope.store_ids:
        state.get(Store, store_id)
    return VoucherScope(
        product_ids=checks.texts("terms.scope.productIds", scope.product_ids),
        categories=checks.texts("terms.scope.categories", scope.categories),
        store_ids=tuple(dict.fromkeys(scope.store_ids)),
        channels=tuple(dict.fromkeys(scope.channels)),
    )
