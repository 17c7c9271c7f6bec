"""A member's points account and the rows that explain it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.kernel import Refusal, Row


class TransactionKind(StrEnum):
    """What a point transaction does (L1). The sign of its amount is the member's view."""

    EARN = "EARN"  # points are credited, pending or at once available
    ACTIVATE = "ACTIVATE"  # pending points become available
    CANCEL = "CANCEL"  # pending points are taken back before they were available
    REDEEM = "REDEEM"  # points are spent
    REFUND = "REFUND"  # spent points come back
    REVERSE = "REVERSE"  # earned points are taken back
    EXPIRE = "EXPIRE"  # points are over
    ADJUST = "ADJUST"  # staff corrects by hand, with a reason
    TRANSFER_OUT = "TRANSFER_OUT"  # points go to another member
    TRANSFER_IN = "TRANSFER_IN"  # points come from another member
    HOLD = "HOLD"  # available points are set aside
    CAPTURE = "CAPTURE"  # held points are spent
    RELEASE = "RELEASE"  # held points are available again


class PointType(StrEnum):
    """What kind of points a transaction moves."""

    SPENDABLE = "SPENDABLE"


class SourceType(StrEnum):
    """What a transaction is about; with the id and the rule it is a business key, unique for ever (L11)."""

    PURCHASE = "PURCHASE"
    REFUND = "REFUND"
    REDEMPTION = "REDEMPTION"
    SIGN_UP = "SIGN_UP"  # the id is the member's
    ADJUSTMENT = "ADJUSTMENT"
    TRANSFER = "TRANSFER"
    HOLD = "HOLD"
    LOT = "LOT"
    ACTIVITY = "ACTIVITY"
    GRANT = "GRANT"  # what the program's rules gave for an occasion of its own
    DRAW = "DRAW"  # a draw, or tickets, of a lottery
    PRIZE = "PRIZE"  # won, or given for an achievement; the id is that of what it was won in
    CHECK_IN = "CHECK_IN"  # a missed day that was made up for points
    SHORTFALL = "SHORTFALL"


class AccountStatus(StrEnum):
    """Whether an account moves."""

    ACTIVE = "ACTIVE"
    FROZEN = "FROZEN"  # neither earns nor spends; the clock and refunds still act on it


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsAccount(Row):
    """What a member has. Its id is the member's, and its row guards every row of the member (L12).

    All figures are points: `available` may be spent now; `pending` is earned and not yet usable;
    `held` is set aside; `debt` is owed. `available > 0` and `debt > 0` never meet (L2).
    """

    status: AccountStatus = AccountStatus.ACTIVE
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    # Every point ever earned; those spent (refunds of spending taken off); those expired.
    lifetime_earned: int = 0
    lifetime_spent: int = 0
    lifetime_expired: int = 0
    # Earned and never spent: what tiers are reached by (K1). A refund of a purchase lowers it.
    qualifying_points: int = 0
    # What was paid for goods in minor units and how many purchases there were, refunds taken off; and the last of them.
    spend_minor: int = 0
    purchases: int = 0
    last_purchase_at: datetime | None = None
    # The tier in force, and since when: the one that staff set by hand while there is one, else the one earned.
    tier_id: UUID | None = None
    tier_since: datetime | None = None
    # The tier earned by the metric, and the first instants without it, or without its grace (K2, K3); None for never.
    earned_tier_id: UUID | None = None
    tier_valid_until: datetime | None = None
    tier_grace_until: datetime | None = None
    # The tier that staff set, and until when (K4); None for ever.
    manual_tier_id: UUID | None = None
    manual_tier_until: datetime | None = None
    # The referral by which the member came, until it has qualified or is over: nobody else's purchase asks for one.
    referral_id: UUID | None = None
    # How many transactions the account has; the next one's `sequence` is one more.
    sequence: int = 0
    # When lots that expire by inactivity do: moved on by every earning and spending.
    idle_expires_at: datetime | None = None
    # No lot activates or expires, no hold lapses and no tier ends before this; None if nothing waits for a clock.
    due_at: datetime | None = None
    enrolled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTransaction(Row):
    """One append-only signed row of the ledger (L1). A correction is a further row that names what it reverses."""

    is_fact: ClassVar[bool] = True

    member_id: UUID
    # 1, 2, 3, … within the account, without a gap: the order in which the ledger is replayed.
    sequence: int
    point_type: PointType = PointType.SPENDABLE
    kind: TransactionKind
    amount: int
    available_after: int
    source_type: SourceType
    source_id: UUID
    # The earning rule's code, which makes the business key of an EARN whole; empty for other kinds.
    rule: str = ""
    rule_version: int | None = None
    reverses: UUID | None = None
    reason: str | None = None
    idempotency_key: str | None = None
    actor: str
    occurred_at: datetime
    recorded_at: datetime


class LotState(StrEnum):
    """Where a lot is in its life (L2)."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    EXHAUSTED = "EXHAUSTED"  # every point is used
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"  # taken back while it was pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot(Row):
    """Points credited together, which become available and expire together (L2).

    `remaining` counts what is neither spent nor over, `held` of which are set aside by holds.
    """

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    # The transaction that opened the lot, and what that was about.
    transaction_id: UUID
    source_type: SourceType
    source_id: UUID
    amount: int
    remaining: int
    held: int = 0
    state: LotState
    # None while PENDING: the shop will say when (L3, ON_EVENT).
    available_at: datetime | None
    # None: never, or by inactivity.
    expires_at: datetime | None = None
    expires_when_idle: bool = False
    earned_at: datetime

    @property
    def is_open(self) -> bool:
        return self.state in (LotState.PENDING, LotState.ACTIVE)

    @property
    def free(self) -> int:
        """Points of the lot that may be drawn: those an ACTIVE lot has beside its holds."""
        return self.remaining - self.held if self.state is LotState.ACTIVE else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LotDraw(Row):
    """Which lot a transaction took how many points from; negative when it gave them back (L4)."""

    is_fact: ClassVar[bool] = True
    parent: ClassVar[str | None] = "transaction_id"

    transaction_id: UUID
    lot_id: UUID
    amount: int


class HoldState(StrEnum):
    """Where a hold is in its life (L10)."""

    HELD = "HELD"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"
    LAPSED = "LAPSED"  # released by the clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Row):
    """Points set aside until they are captured, released, or the hold lapses (L10)."""

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    # The HOLD transaction, whose draws say which lots the points are in.
    transaction_id: UUID
    amount: int
    captured: int = 0
    state: HoldState = HoldState.HELD
    reference: str | None = None
    held_at: datetime
    lapses_at: datetime

    @property
    def is_open(self) -> bool:
        return self.state is HoldState.HELD


class ShortfallOutcome(StrEnum):
    """What became of points that a clawback could not take (L8)."""

    DEBT = "DEBT"
    WRITTEN_OFF = "WRITTEN_OFF"
    DEDUCTED = "DEDUCTED"  # from the money of the refund


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall(Row):
    """Points a clawback should have taken and could not; `remaining` is what of a DEBT is still owed (L8)."""

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    source_type: SourceType
    source_id: UUID
    # The earning that was reversed.
    reverses: UUID
    outcome: ShortfallOutcome
    amount: int
    remaining: int
    occurred_at: datetime
    recorded_at: datetime

    @property
    def is_open(self) -> bool:
        return self.remaining > 0


class InsufficientPoints(Refusal):
    """Fewer points are available than required. Details: `required`, `available`."""

    code = "INSUFFICIENT_POINTS"
    text = "This needs {required} points; {available} are available."


class DebtOutstanding(Refusal):
    """The member owes points; spending waits until earnings have paid them (L8). Details: `debt`."""

    code = "DEBT_OUTSTANDING"
    text = "The member owes {debt} points; points can be spent again when earnings have paid them."


class MemberFrozen(Refusal):
    """The member is frozen and neither earns nor spends."""

    code = "MEMBER_FROZEN"
    text = "The member is frozen and neither earns nor spends points."


class PointsOverflow(Refusal):
    """An account would hold more points than a JSON reader keeps exactly. Details: `points_max`."""

    code = "POINTS_OVERFLOW"
    text = "An account holds at most {points_max} points."


class HoldNotOpen(Refusal):
    """A hold was captured, released or has lapsed already. Details: `state`."""

    code = "HOLD_NOT_OPEN"
    text = "The hold is {state} and can be neither captured nor released."
