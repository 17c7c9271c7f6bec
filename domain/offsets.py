"""Points as money at checkout (S31): how many may be used, what they are worth, and the hold that keeps them (C1)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from domain import calendars, checks, members, money, stores, trade
from domain.kernel import FAMILY, Command, Decision, Event, Refusal, Row, State, Want
from domain.members import MemberRef
from domain.points.account import Hold, PointsAccount
from domain.points.posting import Posting, open_posting, wants_to_draw
from domain.stores import Channel
from domain.trade import Redeemable, TradeRule

QUOTE_MINUTES_MAX: Final = 60 * 24
LEAVES_MAX: Final = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPolicy(Row):
    """How points are used as money in a program; its id is the program's. What a point is worth, the program says.

    An order takes at most `points_max` points, and no more than `percent_bp` of its goods; in steps of
    `step`, from `minimum` on; and at least `leaves_minor` is left to be paid in money.
    """

    is_configuration: ClassVar[bool] = True

    is_active: bool = True
    points_max: int | None = None
    percent_bp: int = money.BASIS
    step: int = 1
    minimum: int = 1
    leaves_minor: int = 0
    quote_minutes: int = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsOffset(Row):
    """Points held as money for one order. The hold says whether they are held, captured, released or lapsed.

    Its id is that of the quote, which is so taken up once. Where the quote told the order's number, its store
    or its channel, they are those of no other order.
    """

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    hold_id: UUID
    points: int
    amount_minor: int
    # Of the order they were quoted for; another order does not get them.
    fingerprint: str
    reference: str | None = None
    store_id: UUID | None = None
    channel: Channel | None = None
    purchase_id: UUID | None = None
    held_at: datetime
    lapses_at: datetime

    @property
    def is_open(self) -> bool:
        return self.purchase_id is None


class OffsetNotAllowed(Refusal):
    """So many points cannot be used for the order. Details: `points`, `points_max`, `minimum`, `step`."""

    code = "OFFSET_NOT_ALLOWED"
    text = "{points} points cannot be used for this order: none, or from {minimum} to {points_max} in steps of {step}."


class OffsetImpossible(OffsetNotAllowed):
    """Like `OffsetNotAllowed`, where the order takes no points at all."""

    code = "OFFSET_NOT_ALLOWED"
    text = "{points} points cannot be used for this order: it takes none."


class OffsetChanged(Refusal):
    """The points are worth another amount now than was quoted. Details: `expected`, `given`, in minor units."""

    code = "OFFSET_CHANGED"
    text = "The points are worth {expected} minor units now; {given} were quoted."


class QuoteExpired(Refusal):
    """The time of the quote is over. Details: `expired_at`."""

    code = "QUOTE_EXPIRED"
    text = "The quote was good until {expired_at}; ask for a new one."


class OrderChanged(Refusal):
    """The order is not the one that was quoted. Details: `what` of it is another: cart, reference, store or channel."""

    code = "ORDER_CHANGED"
    text = "The order is not the one that the points were quoted for: its {what} is another."


class QuoteUsed(Refusal):
    """The points of the quote were held before. Details: `held_at`."""

    code = "QUOTE_USED"
    text = "The points of this quote were held at {held_at}; ask for a new one."


class OffsetUnknown(Refusal):
    """The member holds no such points. Details: `points_offset`."""

    code = "NOT_FOUND"
    text = "There is no PointsOffset {points_offset!r} of this member that is open."


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetHeld(Event):
    """A member set points aside as money for an order."""

    offset_id: UUID
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPolicySaved(Event):
    """How points are used as money changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What points are used for, in minor units: the goods after vouchers, and all that is to be paid."""

    goods_minor: int
    payable_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offsetting:
    """What decides how many points an order takes: policy, what a point is worth, what the member has, and where."""

    policy: OffsetPolicy
    point_value_bp: int
    available: int
    # What rules for redeeming where the order is placed leave for today.
    redeemable: Redeemable = trade.ANY_NUMBER

    def worth(self, points: int) -> int:
        """What points are worth in minor units, rounded down (C1)."""
        return money.floor_ratio(points, self.point_value_bp, money.BASIS)

    def points_max(self, bill: Bill) -> int:
        """The most points that an order takes; 0 if it takes none (C1)."""
        policy, value_bp = self.policy, self.point_value_bp
        if not policy.is_active or not value_bp:
            return 0
        bounds = [
            self.available,
            money.floor_ratio(bill.goods_minor, policy.percent_bp, value_bp),
            money.floor_ratio(max(0, bill.payable_minor - policy.leaves_minor), money.BASIS, value_bp),
        ]
        bounds.extend(bound for bound in (policy.points_max, self.redeemable.points) if bound is not None)
        most = min(bounds)
        most -= most % policy.step
        return most if most >= policy.minimum and self.worth(most) else 0

    def checked(self, points: int, bill: Bill) -> int:
        """What legal points are worth. Refuses `RedeemingRefused` and `OffsetNotAllowed`; none is always legal."""
        if points and self.redeemable.refusal is not None:
            raise self.redeemable.refusal
        most, policy = self.points_max(bill), self.policy
        is_legal = policy.minimum <= points <= most and points % policy.step == 0 and self.worth(points) > 0
        if points and not is_legal:
            refusal = OffsetNotAllowed if most else OffsetImpossible
            raise refusal(field=("points",), points=points, points_max=most, minimum=policy.minimum, step=policy.step)
        return self.worth(points)


def policy_of(state: State) -> OffsetPolicy:
    """The program's policy; one without bounds if it has set none."""
    return state.find(OffsetPolicy, state.program_id) or default_policy(state.program_id)


def default_policy(program_id: UUID) -> OffsetPolicy:
    """The policy of a program that has set none."""
    return OffsetPolicy(id=program_id, program_id=program_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetPolicyTerms:
    """What staff may set; None leaves a value as it is."""

    is_active: bool | None = None
    points_max: int | None = None
    percent_bp: int | None = None
    step: int | None = None
    minimum: int | None = None
    leaves_minor: int | None = None
    quote_minutes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOffsetPolicy(Command[OffsetPolicy]):
    """Say how points are used as money. `is_unbounded` lifts the cap of an order."""

    terms: OffsetPolicyTerms
    is_unbounded: bool = False

    def decide(self, state: State) -> Decision[OffsetPolicy]:
        names = OffsetPolicyTerms.__dataclass_fields__
        told = {name: getattr(self.terms, name) for name in names if getattr(self.terms, name) is not None}
        known = state.find(OffsetPolicy, state.program_id)
        before = default_policy(state.program_id) if known is None else state.change(OffsetPolicy, state.program_id)
        policy = replace(before, **told)
        if self.is_unbounded:
            policy = replace(policy, points_max=None)
        _check(policy)
        return Decision(policy, save=(policy,), events=(OffsetPolicySaved(),))


def _check(policy: OffsetPolicy) -> None:
    if policy.points_max is not None:
        checks.points("pointsMax", policy.points_max)
    checks.number("percentBp", policy.percent_bp, minimum=1, maximum=money.BASIS)
    checks.points("step", policy.step, maximum=10**9)
    checks.points("minimum", policy.minimum, maximum=10**9)
    checks.amount("leaves", policy.leaves_minor, maximum=LEAVES_MAX)
    checks.number("quoteMinutes", policy.quote_minutes, minimum=1, maximum=QUOTE_MINUTES_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """An offset and the account after it."""

    offset: PointsOffset
    account: PointsAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOffset(Command[Offset]):
    """Hold points as money for an order, as it was quoted (C1, L10).

    What was quoted is reckoned again: refuses `QuoteExpired`, a frozen member, `QuoteUsed`, an unknown or closed
    store, `RedeemingRefused`, `OffsetNotAllowed`, `OffsetChanged`, and what spending refuses.
    """

    quote_id: UUID
    member: MemberRef
    points: int
    amount_minor: int
    bill: Bill
    fingerprint: str
    quoted_until: datetime
    # What the quote told of the order beside its cart.
    reference: str | None = None
    store_id: UUID | None = None
    channel: Channel | None = None

    def decide(self, state: State) -> Decision[Offset]:
        checks.points("points", self.points)
        if self.quoted_until <= state.now:
            raise QuoteExpired(field=("quote",), expired_at=self.quoted_until.isoformat())
        member_id = members.resolve(state, self.member)
        state.need(
            *wants_to_draw(state, member_id),
            Want(PointsOffset, self.quote_id, is_locked=True),
            Want(TradeRule, state.program_id, FAMILY),
        )
        posting = open_posting(state, member_id)
        posting.require_active()
        before = state.find(PointsOffset, self.quote_id)
        if before is not None:
            raise QuoteUsed(field=("quote",), held_at=before.held_at.isoformat())
        amount = self._offsetting(state, posting).checked(self.points, self.bill)
        if amount != self.amount_minor:
            raise OffsetChanged(field=("quote",), expected=amount, given=self.amount_minor)
        lapses_at = state.now + timedelta(minutes=posting.program.hold_minutes)
        hold = posting.hold(self.points, reference=f"offset {self.quote_id}", lapses_at=lapses_at)
        offset = PointsOffset(
            id=self.quote_id,
            program_id=state.program_id,
            member_id=member_id,
            hold_id=hold.id,
            points=self.points,
            amount_minor=amount,
            fingerprint=self.fingerprint,
            reference=self.reference,
            store_id=self.store_id,
            channel=self.channel,
            held_at=state.now,
            lapses_at=lapses_at,
        )
        rows = posting.close()
        held = OffsetHeld(member_id=member_id, offset_id=offset.id, points=offset.points)
        return Decision(
            Offset(offset=offset, account=posting.account), save=(*rows, offset), events=(held, *posting.events)
        )

    def _offsetting(self, state: State, posting: Posting) -> Offsetting:
        account, program = posting.account, posting.program
        store = stores.open_store(state, self.store_id)
        today = calendars.local_date(state.now, program.time_zone)
        return Offsetting(
            policy=policy_of(state),
            point_value_bp=program.point_value_bp,
            available=0 if account.debt else account.available,
            redeemable=trade.redeemable(state, store, self.channel or Channel.ONLINE, today),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOffset(Command[Offset]):
    """Give up points held for an order. Refuses `OffsetUnknown`, and `HoldNotOpen` if they are not held any more."""

    offset_id: UUID
    member_id: UUID | None = None

    def decide(self, state: State) -> Decision[Offset]:
        offset = _find(state, self.offset_id, self.member_id)
        posting = open_posting(state, offset.member_id)
        posting.release(posting.find_hold(offset.hold_id))
        rows = posting.close()
        return Decision(Offset(offset=offset, account=posting.account), save=rows, events=tuple(posting.events))


def _find(state: State, offset_id: UUID, member_id: UUID | None) -> PointsOffset:
    offset = state.get(PointsOffset, offset_id)
    if member_id is not None and offset.member_id != member_id:
        raise OffsetUnknown(points_offset=str(offset_id))
    return offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What tells one order from another."""

    fingerprint: str
    reference: str
    store_id: UUID | None
    channel: Channel


def take(state: State, posting: Posting, offset_id: UUID, order: Order, purchase_id: UUID) -> tuple[Hold, PointsOffset]:
    """The hold that a purchase captures, and the offset bound to it. Refuses `OffsetUnknown` and `OrderChanged`."""
    offset = _find(state, offset_id, posting.account.id)
    if not offset.is_open:
        raise OffsetUnknown(field=("offsetId",), points_offset=str(offset_id))
    for what, quoted, told in (
        ("cart", offset.fingerprint, order.fingerprint),
        ("reference", offset.reference, order.reference),
        ("store", offset.store_id, order.store_id),
        ("channel", offset.channel, order.channel),
    ):
        if quoted is not None and quoted != told:
            raise OrderChanged(field=("offsetId",), what=what)
    return posting.find_hold(offset.hold_id), replace(offset, purchase_id=purchase_id)
