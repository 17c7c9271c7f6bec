"""A program's terms for referrals and shares: window, minimum, rewards of both sides, caps, what is looked into."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final
from uuid import UUID

from domain import checks, prizes
from domain.earning.rules import Cap, CapPolicy, EarningKind, EarningRule, Period, Trigger
from domain.kernel import Command, Decision, Event, Refusal, Row, State
from domain.policies import PendingKind, PendingPolicy
from domain.prizes import Prize, PrizeKind

DAYS_MAX: Final = 365
REFUND_DAYS_MAX: Final = 180
TIMES_MAX: Final = 100_000
VISITORS_NEEDED_MAX: Final = 100
GIFT_MAX: Final = 10**9
LINK_MAX: Final = 200
CODE_PLACE: Final = "{code}"
# The gifts of the policy, by the codes under which ledger and caps know them.
REFERRER_GIFT: Final = "referral-gift"
REFEREE_GIFT: Final = "referred-gift"
SALE_GIFT: Final = "share-sale-gift"
SHARE_GIFT: Final = "share-gift"
_CAPPED: Final = (Period.DAY, Period.MONTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralPolicy(Row):
    """How referrals and shares are rewarded in a program; its id is the program's. Without one, nothing is taken.

    A friend must qualify within `window_days` local days of being bound: with the first order of which at least
    `minimum_minor` is paid for goods. What is given waits for `refund_days` after that order. `caps`, of a day and a
    month, bound what a referrer is given. A share pays `share_points` once `share_visitors` different people have
    come, at most `share_daily_max` times a day, and `sale_points` for each friend who came by it and qualifies.
    A referrer of more than `hourly_max` friends in an hour is looked into, and so is a friend at the same address
    where `reviews_address`; else that is refused. `link` is where links lead, with `{code}` in it.
    """

    is_configuration: ClassVar[bool] = True

    is_active: bool = True
    window_days: int = 30
    minimum_minor: int = 0
    refund_days: int = 7
    referrer_points: int = 0
    referee_points: int = 0
    referrer_pool_id: UUID | None = None
    referee_pool_id: UUID | None = None
    caps: tuple[Cap, ...] = ()
    cap_policy: CapPolicy = CapPolicy.REDUCE
    share_points: int = 5
    share_visitors: int = 1
    share_daily_max: int = 5
    sale_points: int = 5
    hourly_max: int = 20
    reviews_address: bool = False
    link: str | None = None

    @property
    def threshold_minor(self) -> int:
        """What must be paid for goods at least: what costs nothing is no paid order (R3)."""
        return max(1, self.minimum_minor)

    @property
    def gives_for_friends(self) -> bool:
        """Whether a friend who qualifies brings anything to anybody by the policy itself."""
        pools = (self.referrer_pool_id, self.referee_pool_id)
        points = (self.referrer_points, self.referee_points, self.sale_points)
        return any(points) or any(pool is not None for pool in pools)

    def referrer_gifts(self, *, is_shared: bool) -> tuple[EarningRule, ...]:
        """What the policy gives to whoever brought a friend, as rules like any other."""
        gift = _gift(REFERRER_GIFT, Trigger.REFERRAL, self.referrer_points)
        capped = tuple(replace(rule, caps=self.caps, cap_policy=self.cap_policy) for rule in gift)
        return (*capped, *(_gift(SALE_GIFT, Trigger.REFERRAL, self.sale_points) if is_shared else ()))

    def referee_gifts(self) -> tuple[EarningRule, ...]:
        """What the policy gives to the friend."""
        return _gift(REFEREE_GIFT, Trigger.REFERRED, self.referee_points)

    def share_gifts(self) -> tuple[EarningRule, ...]:
        """What the policy gives for a share that was visited."""
        cap = Cap(period=Period.DAY, times=self.share_daily_max)
        return tuple(replace(rule, caps=(cap,)) for rule in _gift(SHARE_GIFT, Trigger.SHARE, self.share_points))

    def link_to(self, code: str) -> str | None:
        """The link that carries a code; None if the program has set none."""
        return None if self.link is None else self.link.replace(CODE_PLACE, code)


def _gift(code: str, trigger: Trigger, points: int) -> tuple[EarningRule, ...]:
    if not points:
        return ()
    # At once as far as the rule goes: a referral says itself from when on its points are available.
    pending = PendingPolicy(PendingKind.IMMEDIATE)
    return (EarningRule(code=code, kind=EarningKind.FIXED, points=points, trigger=trigger, pending=pending),)


class ReferralPolicyInvalid(Refusal):
    """A policy contradicts itself. Details: `why`."""

    code = "REFERRAL_POLICY_INVALID"
    text = "The policy cannot be so: {why}."


class ReferralsClosed(Refusal):
    """The program takes no referrals: it has no policy for them, or one that is not active."""

    code = "REFERRALS_CLOSED"
    text = "The program takes no new referrals and shares; staff opens them with referralPolicySave."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralPolicySaved(Event):
    """The terms for referrals and shares changed."""


def policy_of(state: State) -> ReferralPolicy:
    """The program's policy. One that has none gives nothing, and takes no new referrals."""
    return state.find(ReferralPolicy, state.program_id) or default_policy(state.program_id)


def default_policy(program_id: UUID) -> ReferralPolicy:
    """The policy of a program that has saved none: not active."""
    return ReferralPolicy(id=program_id, program_id=program_id, is_active=False)


def require_open(state: State) -> ReferralPolicy:
    """The policy of a program that takes referrals. Refuses `ReferralsClosed`."""
    policy = policy_of(state)
    if not policy.is_active:
        raise ReferralsClosed
    return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveReferralPolicy(Command[ReferralPolicy]):
    """Say how referrals and shares are rewarded, as a whole. Refuses numbers out of bounds, and what contradicts.

    What is bound keeps its window; what qualifies from now on is given by the new terms.
    """

    policy: ReferralPolicy

    def decide(self, state: State) -> Decision[ReferralPolicy]:
        known = state.find(ReferralPolicy, state.program_id)
        if known is not None:
            state.change(ReferralPolicy, state.program_id)
        policy = replace(self.policy, id=state.program_id, program_id=state.program_id)
        _check_numbers(policy)
        _check_caps(policy)
        policy = replace(policy, link=_checked_link(policy.link))
        _check_pools(state, policy)
        return Decision(policy, save=(policy,), events=(ReferralPolicySaved(),))


def _check_numbers(policy: ReferralPolicy) -> None:
    checks.number("windowDays", policy.window_days, minimum=1, maximum=DAYS_MAX)
    checks.amount("minimum", policy.minimum_minor)
    checks.number("refundDays", policy.refund_days, minimum=0, maximum=REFUND_DAYS_MAX)
    for name, points in (
        ("referrerPoints", policy.referrer_points),
        ("refereePoints", policy.referee_points),
        ("sharePoints", policy.share_points),
        ("salePoints", policy.sale_points),
    ):
        checks.points(name, points, minimum=0, maximum=GIFT_MAX)
    checks.number("shareVisitors", policy.share_visitors, minimum=1, maximum=VISITORS_NEEDED_MAX)
    checks.number("shareDailyMax", policy.share_daily_max, minimum=1, maximum=TIMES_MAX)
    checks.number("hourlyMax", policy.hourly_max, minimum=1, maximum=TIMES_MAX)


def _check_caps(policy: ReferralPolicy) -> None:
    periods = [cap.period for cap in policy.caps]
    if len(set(periods)) != len(periods) or not set(periods) <= set(_CAPPED):
        raise ReferralPolicyInvalid(field=("caps",), why="caps are of a DAY and of a MONTH, one of each at most")
    for cap in policy.caps:
        if cap.points is None and cap.times is None:
            raise ReferralPolicyInvalid(field=("caps",), why="a cap bounds points or times")
        if cap.points is not None:
            checks.points("caps.points", cap.points)
        if cap.times is not None:
            checks.number("caps.times", cap.times, minimum=1, maximum=TIMES_MAX)


def _checked_link(link: str | None) -> str | None:
    told = checks.optional_text("link", link, length_max=LINK_MAX)
    if told is not None and (told.count(CODE_PLACE) != 1 or "://" not in told or any(map(str.isspace, told))):
        why = f"a link is an address such as https://shop.example/i/{CODE_PLACE}, with {CODE_PLACE} once"
        raise ReferralPolicyInvalid(field=("link",), why=why)
    return told


def _check_pools(state: State, policy: ReferralPolicy) -> None:
    pools = {"referrerPoolId": policy.referrer_pool_id, "refereePoolId": policy.referee_pool_id}
    for name, pool_id in pools.items():
        if pool_id is not None:
            prizes.check(state, name, voucher_of(pool_id))
    if policy.referrer_pool_id is not None and policy.referrer_pool_id == policy.referee_pool_id:
        why = "referrer and friend are given vouchers of pools of their own; a template may have several"
        raise ReferralPolicyInvalid(field=("refereePoolId",), why=why)


def voucher_of(pool_id: UUID) -> Prize:
    """A voucher of a pool, as the prize that it is."""
    return Prize(kind=PrizeKind.VOUCHER, pool_id=pool_id)
