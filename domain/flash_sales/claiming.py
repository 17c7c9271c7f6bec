"""Claiming a unit of a flash sale: window, limit, stock and points are judged and taken in one step (F1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain import audiences, calendars, members, stores, trade
from domain.claims import Claim, ClaimState, FlashSaleClaimed, FlashSaleHold
from domain.flash_sales import counters, rounds
from domain.flash_sales.rounds import Moment, Phase
from domain.flash_sales.sale import Ended, FlashSale, FlashSaleItem, FlashSaleOff, NotStarted, RoundSoldOut
from domain.kernel import FAMILY, Command, Decision, Refusal, Row, State, Want
from domain.members import MemberRef
from domain.points.account import (
    AccountStatus,
    DebtOutstanding,
    InsufficientPoints,
    Lot,
    MemberFrozen,
    PointsAccount,
    SourceType,
)
from domain.points.book import Source
from domain.points.posting import Posting, account_wants, open_posting
from domain.programs import Program
from domain.redemptions import handing
from domain.redemptions.handing import Beginning
from domain.redemptions.redemption import RedemptionOrigin
from domain.rewards.availability import LimitReached, NotInAudience, Standing
from domain.rewards.reward import Reward
from domain.rewards.standing import standing_for
from domain.stores import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A claim and the account after it. `is_repeat`: the same had been done before."""

    claim: Claim
    account: PointsAccount
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks for a unit, and when: how many of the round are left for it, and how many of it the member has."""

    standing: Standing
    moment: Moment
    left: int
    taken: int


def obstacles(sale: FlashSale, item: FlashSaleItem, asking: Asking) -> Iterator[Refusal]:
    """Everything that keeps a member from a unit, in the order in which it is told (F1).

    Frozen, switched off, over or not open yet, not for this member, stock, limit, debt, points. What everybody may be
    told comes before what only this member is, so that a gate that is shut says what would be said behind it.
    """
    account, moment = asking.standing.account, asking.moment
    if account.status is AccountStatus.FROZEN:
        yield MemberFrozen()
    yield from _closed(sale, item, moment)
    why = audiences.keeps_out(sale.audience, account.tier_id, asking.standing.tags, asking.standing.segments)
    if why is not None:
        yield NotInAudience(why=why, expected=audiences.expected(sale.audience, why))
    # Before it is open nothing can be sold out.
    if moment.is_on and moment.round is not None and not asking.left:
        yield RoundSoldOut(requested=1, left=0, phase=moment.phase, ends_at=moment.round.ends_at.isoformat())
    limit = item.limit_per_member
    if limit is not None and asking.taken >= limit:
        yield LimitReached(limit=limit, taken=asking.taken, requested=1)
    if account.debt > 0:
        yield DebtOutstanding(debt=account.debt)
    if item.points > account.available:
        yield InsufficientPoints(required=item.points, available=account.available)


def _closed(sale: FlashSale, item: FlashSaleItem, moment: Moment) -> Iterator[Refusal]:
    if not sale.is_active:
        yield FlashSaleOff(what="sale")
    if item.is_closed:
        yield FlashSaleOff(what="item")
    if moment.phase is Phase.ENDED:
        yield Ended()
    if moment.phase is Phase.UPCOMING:
        assert moment.opens_at is not None, "what is to come opens at some time"
        yield NotStarted(opens_at=moment.opens_at.isoformat())


def taken_of(claimed: Sequence[Claim], item_id: UUID, opens_at: datetime | None, now: datetime) -> int:
    """How many units of an item a member has of a round: held and sold, not those that are over (F5)."""
    return sum(
        1 for claim in claimed if claim.item_id == item_id and claim.opens_at == opens_at and not claim.has_lapsed(now)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimFlashSale(Command[Claimed]):
    """Take a unit of an item: at once for points alone, otherwise held until its cash is paid (F1, F3).

    Refuses, in this order: an unknown member or item, an unknown or closed store, then what `obstacles` finds, what the
    rules for redeeming at stores and in channels refuse, and an empty pool where it is a voucher.
    """

    member: MemberRef
    item_id: UUID
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """The member and what is offered. What a claim is paid with is loaded for those who come so far."""
        return *account_wants(self.member), Want(FlashSaleItem, self.item_id), Want(Program, program_id)

    def decide(self, state: State) -> Decision[Claimed]:
        member_id = members.resolve(state, self.member)
        state.need(Want(PointsAccount, member_id, is_locked=True), *self.wants(state.program_id)[-2:])
        posting = open_posting(state, member_id)
        item = state.get(FlashSaleItem, self.item_id)
        sale, reward = state.get(FlashSale, item.sale_id), state.get(Reward, item.reward_id)
        store = stores.open_store(state, self.store_id)
        counter, opens_at = _judged(state, posting, sale, item)
        state.need(Want(Lot, member_id, FAMILY), Want(trade.TradeRule, state.program_id, FAMILY))
        stock, rows = counter.take(is_held=item.cash_minor > 0)
        today = calendars.local_date(state.now, posting.program.time_zone)
        limited = trade.redeem(state, store, self.channel, item.points, today)
        claim = Claim(
            id=state.new_id(),
            program_id=state.program_id,
            member_id=member_id,
            sale_id=sale.id,
            item_id=item.id,
            opens_at=opens_at,
            stock_id=stock.id,
            points=item.points,
            cash_minor=item.cash_minor,
            state=ClaimState.HELD if item.cash_minor else ClaimState.CONFIRMED,
            channel=self.channel,
            store_id=self.store_id,
            claimed_at=state.now,
            actor=state.actor,
        )
        claim, made = _held(state, posting, sale, claim) if item.cash_minor else _bought(state, posting, claim, reward)
        told = FlashSaleClaimed(
            member_id=member_id, sale_id=sale.id, item_id=item.id, claim_id=claim.id, state=claim.state
        )
        moved = posting.close()
        return Decision(
            Claimed(claim=claim, account=posting.account),
            save=(*moved, *rows, *limited, *made, claim),
            events=(told, *posting.events),
        )


def _judged(state: State, posting: Posting, sale: FlashSale, item: FlashSaleItem) -> tuple[counters.Counter, datetime]:
    """The counter to take a unit from, and the round. Refuses with the first obstacle."""
    account, zone_name = posting.account, posting.program.time_zone
    moment = rounds.moment(sale, account.tier_id, state.now, zone_name)
    opens_at = None if moment.round is None else moment.round.opens_at
    counter = counters.Counter(stocks=())
    if moment.is_on and opens_at is not None:
        open_to = counters.tiers_open_to(item, moment.phase, account.tier_id)
        counter = counters.counter(state, item, opens_at, open_to)
    # What is sold out is told without a look at what each of many members has.
    is_counted = item.limit_per_member is not None and counter.left > 0
    claimed = state.all(Claim, of=account.id) if is_counted else ()
    asking = Asking(
        standing=standing_for(state, account, (sale.audience,), zone_name),
        moment=moment,
        left=counter.left,
        taken=taken_of(claimed, item.id, opens_at, state.now),
    )
    for refusal in obstacles(sale, item, asking):
        raise refusal
    assert opens_at is not None, "what is open opened at some time"
    return counter, opens_at


def _bought(state: State, posting: Posting, claim: Claim, reward: Reward) -> tuple[Claim, tuple[Row, ...]]:
    """Spend the points; the claim is a redemption at once. Refuses a pool that is empty."""
    redemption_id = state.new_id()
    transaction = posting.redeem(claim.points, Source(SourceType.REDEMPTION, redemption_id))
    beginning = Beginning(
        origin=RedemptionOrigin.FLASH_SALE,
        origin_id=claim.id,
        points=claim.points,
        transaction_id=transaction.id,
        redemption_id=redemption_id,
        channel=claim.channel,
        store_id=claim.store_id,
    )
    redemption, made = handing.begin(state, claim.member_id, reward, beginning)
    return replace(claim, redemption_id=redemption.id), made


def _held(state: State, posting: Posting, sale: FlashSale, claim: Claim) -> tuple[Claim, tuple[Row, ...]]:
    """Set the points and the unit aside until the cash is paid (F3)."""
    pay_by = state.now + timedelta(minutes=sale.pay_minutes)
    hold = posting.hold(claim.points, reference=f"claim {claim.id}", lapses_at=pay_by)
    unit = FlashSaleHold(id=claim.id, program_id=claim.program_id, stock_id=claim.stock_id, lapses_at=pay_by)
    return replace(claim, hold_id=hold.id, pay_by=pay_by, due_at=pay_by), (unit,)
