"""How referrals end: by the clock, or because staff has looked at them (R1, R2)."""

from dataclasses import dataclass
from uuid import UUID

from domain import checks
from domain.kernel import Command, Decision, Row, State, Want
from domain.points.account import PointsAccount
from domain.points.posting import open_posting
from domain.programs import Program
from domain.referrals import policy as policies
from domain.referrals import qualifying, rewarding
from domain.referrals.referral import (
    Referral,
    ReferralNotOpen,
    ReferralState,
    RejectReason,
    ReviewState,
    told,
)
from domain.values import changed

# What staff may still say no to: what has given something, or may yet.
_DENIABLE = frozenset({ReferralState.BOUND, ReferralState.QUALIFIED, ReferralState.REWARDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A referral after the clock or staff looked at it. `is_repeat`: nothing had to be done."""

    referral: Referral
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleReferral(Command[Decided]):
    """Let the clock catch up on a referral: it expires, or is rewarded and its vouchers are given. Else nothing."""

    referral_id: UUID

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """The referral, whose friend's account is locked with it."""
        return Want(Program, program_id), Want(Referral, self.referral_id, is_locked=True)

    def decide(self, state: State) -> Decision[Decided]:
        referral = state.get(Referral, self.referral_id)
        match referral.state_at(state.now):
            case referral.state:
                return Decision(Decided(referral=referral, is_repeat=True))
            case ReferralState.EXPIRED:
                posting = open_posting(state, referral.referee_id)
                expired, rows = qualifying.end(posting, changed(referral, state=ReferralState.EXPIRED))
                events = (told(expired), *posting.events)
                return Decision(Decided(referral=expired), save=(*rows, expired), events=events)
            case _:
                return _rewarded(state, referral)


def _rewarded(state: State, referral: Referral) -> Decision[Decided]:
    """The points became available by themselves; vouchers are given now."""
    rewards = (referral.referrer_reward, referral.referee_reward)
    sides = (referral.referrer_id, referral.referee_id)
    promised = [side for side, reward in zip(sides, rewards, strict=True) if reward is not None and reward.pool_id]
    state.need(*(Want(PointsAccount, side, is_locked=True) for side in promised))
    rewarded = changed(referral, state=ReferralState.REWARDED, due_at=None, ended_at=referral.rewards_at)
    saved: list[Row] = []
    for name, side, reward in zip(("referrer_reward", "referee_reward"), sides, rewards, strict=True):
        if side in promised:
            posting = open_posting(state, side)
            handed, rows = rewarding.hand_voucher(posting, reward)
            rewarded = changed(rewarded, **{name: handed})
            saved.extend((*posting.close(), *rows))
    return Decision(Decided(referral=rewarded), save=(*saved, rewarded), events=(told(rewarded),))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReferral(Command[Decided]):
    """Staff decides about a referral, and says why: one that is held is approved, or any is denied (R2).

    What is approved after its order is given then, available when the order stands. What is denied gives back what it
    gave, in the order of L8. The same told again changes nothing. Refuses `ReferralNotOpen` for what is over or was
    decided otherwise, and a frozen referrer or friend when something is to be given.
    """

    referral_id: UUID
    is_approved: bool
    reason: str

    def decide(self, state: State) -> Decision[Decided]:
        reason = checks.reason(self.reason)
        referral = state.get(Referral, self.referral_id)
        asked = ReviewState.APPROVED if self.is_approved else ReviewState.DENIED
        if referral.review is asked:
            return Decision(Decided(referral=referral, is_repeat=True))
        is_held = referral.review is ReviewState.HELD
        now = referral.state_at(state.now)
        if now not in _DENIABLE or (self.is_approved and not is_held):
            raise ReferralNotOpen(state=now)
        decided = changed(referral, review=asked, note=reason, reviewer=state.actor)
        if not self.is_approved:
            return _denied(state, decided)
        if referral.state is ReferralState.BOUND:
            return Decision(Decided(referral=decided), save=(decided,), events=(told(decided),))
        return _approved(state, decided)


def _denied(state: State, referral: Referral) -> Decision[Decided]:
    state.need(*rewarding.wants_to_take_back(referral))
    posting = open_posting(state, referral.referee_id)
    denied = changed(referral, state=ReferralState.REJECTED, reason=RejectReason.DENIED)
    denied = qualifying.over(denied, state.now)
    outcome = qualifying.take_back(posting, denied, None)
    qualifying.let_go(posting, denied)
    rows = posting.close()
    (saved,) = (row for row in outcome.save if isinstance(row, Referral))
    return Decision(Decided(referral=saved), save=(*rows, *outcome.save), events=(*outcome.events, *posting.events))


def _approved(state: State, referral: Referral) -> Decision[Decided]:
    """What had qualified while it was held is given now."""
    state.need(*rewarding.wants_to_reward(referral))
    referrer, referee = open_posting(state, referral.referrer_id), open_posting(state, referral.referee_id)
    referrer.require_active()
    referee.require_active()
    referral = changed(referral, due_at=referral.rewards_at)
    referral = rewarding.reward_both(referrer, referee, referral, policies.policy_of(state))
    rows = (*referrer.close(), *referee.close())
    events = (told(referral), *referrer.events, *referee.events)
    return Decision(Decided(referral=referral), save=(*rows, referral), events=events)
