"""Shares: a member passes a page, a reward or a campaign on, and who comes by it is counted once (S18, R3)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import calendars, checks, identities, members
from domain.earning import rule_sets
from domain.earning.rules import Trigger
from domain.identities import Identity, IdentityKind
from domain.kernel import Command, Decision, Event, Refusal, Row, State, Want, derived_id
from domain.members import MemberRef
from domain.points.account import AccountStatus, PointsAccount
from domain.points.posting import Posting, open_posting
from domain.programs import Program
from domain.referrals import code as referral_codes
from domain.referrals import policy as policies
from domain.referrals.code import ReferralCode, ReferralPace
from domain.referrals.policy import ReferralPolicy
from domain.rewards.reward import Reward
from domain.values import changed

SHARES_A_DAY_MAX: Final = 100
# Beyond so many nobody is counted: a share pays once, and long before.
VISITORS_MAX: Final = 1000
# So many devices are learnt from visits of one's own: they must not use up the room for what the shop sees.
OWN_DEVICES_MAX: Final = 20


class ShareKind(StrEnum):
    """What is shared."""

    PAGE = "PAGE"  # a page of the shop: the target is its path, or what the storefront calls it
    REWARD = "REWARD"  # a reward of the mall, by its code
    CAMPAIGN = "CAMPAIGN"  # a campaign, by its code


@dataclass(frozen=True, slots=True, kw_only=True)
class Share(Row):
    """Something that a member shared on a local day. It pays once, when enough different people have come."""

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    kind: ShareKind
    target: str
    shared_on: date
    visitors: int = 0
    # When enough had come, and what that gave; `limited_by` if a cap left less.
    rewarded_at: datetime | None = None
    points: int = 0
    limited_by: str | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareVisit(Row):
    """That somebody came by a share; who it was is a hash. The id follows from both, so that it counts once.

    A device is one, and so is the member who was signed in on it, if one was: a visit may leave two of these.
    """

    is_fact: ClassVar[bool] = True

    share_id: UUID
    digest: str
    visited_at: datetime


class ShareTargetUnknown(Refusal):
    """What is to be shared is not there. Details: `kind`, `target`."""

    code = "SHARE_TARGET_UNKNOWN"
    text = "This program has no {kind} with the code {target!r} to be shared."


class SharesExhausted(Refusal):
    """The member has shared as often today as anybody may. Details: `limit`."""

    code = "SHARE_LIMIT_REACHED"
    text = "A member shares at most {limit} different things a day."


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareCreated(Event):
    """A member shared something."""

    share_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareRewarded(Event):
    """Enough different people came by a share; `points` is what that gave."""

    share_id: UUID
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """A share and its code. `is_repeat`: the member had shared the same today."""

    share: Share
    code: ReferralCode
    account: PointsAccount
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Visited:
    """A share after a visit. `is_counted`: it was somebody new, and not the member itself."""

    share: Share
    is_counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateShare(Command[Shared]):
    """Share something; the same on the same local day is one share.

    Refuses `ReferralsClosed`, a malformed target, an unknown or frozen member, `ShareTargetUnknown` and, beyond 100 a
    day, `SharesExhausted`.
    """

    member: MemberRef
    kind: ShareKind
    target: str

    def decide(self, state: State) -> Decision[Shared]:
        policies.require_open(state)
        target = checks.text("target", self.target)
        posting = open_posting(state, members.resolve(state, self.member))
        posting.require_active()
        member_id = posting.account.id
        today = calendars.local_date(state.now, posting.program.time_zone)
        share_id = derived_id(member_id, f"share|{today}|{self.kind}|{target}")
        state.need(
            Want(Share, share_id, is_locked=True),
            Want(ReferralCode, share_id),
            Want(ReferralPace, member_id, is_locked=True),
        )
        kept = state.find(Share, share_id)
        if kept is not None:
            code = state.get(ReferralCode, share_id)
            return Decision(Shared(share=kept, code=code, account=posting.account, is_repeat=True))
        _require_target(state, posting.program, self.kind, target)
        pace = referral_codes.pace_of(state, member_id).share_on(today)
        if pace.shares > SHARES_A_DAY_MAX:
            raise SharesExhausted(limit=SHARES_A_DAY_MAX)
        share = Share(
            id=share_id,
            program_id=state.program_id,
            member_id=member_id,
            kind=self.kind,
            target=target,
            shared_on=today,
            created_at=state.now,
        )
        code = referral_codes.made(state, share_id, member_id)
        return Decision(
            Shared(share=share, code=code, account=posting.account),
            save=(pace, share, code),
            events=(ShareCreated(member_id=member_id, share_id=share_id),),
        )


def _require_target(state: State, program: Program, kind: ShareKind, target: str) -> None:
    is_known = True
    if kind is ShareKind.REWARD:
        is_known = state.find_by(Reward, "code", target) is not None
    elif kind is ShareKind.CAMPAIGN:
        campaigns = rule_sets.of_version(state, program.rule_version).campaigns
        is_known = any(campaign.code == target for campaign in campaigns)
    if not is_known:
        raise ShareTargetUnknown(field=("target",), kind=kind, target=target)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitShare(Command[Visited]):
    """Somebody came by a share. Each visitor counts once, and the member who shared not at all.

    A member who is signed in counts once on whatever device, and a device once, whoever is signed in on it. A device on
    which the member who shared is signed in is its own from then on, as long as no more than 20 are known of it.

    When enough have come, the share pays, once, within the cap of a local day; not to who is frozen. Refuses
    `ReferralCodeUnknown`, and a member whom no key names.
    """

    code: str
    visitor: Identity
    member: MemberRef | None = None

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """What says which share it is."""
        return Want(Program, program_id), Want(ReferralPolicy, program_id), *referral_codes.wants(self.code)

    def decide(self, state: State) -> Decision[Visited]:
        code = referral_codes.find(state, "code", self.code)
        if code.share_id is None:
            raise referral_codes.unknown("code", self.code)
        member_id = None if self.member is None else members.resolve(state, self.member)
        visits = self._visits(state, code.share_id, member_id)
        state.need(
            Want(PointsAccount, code.member_id, is_locked=True),
            Want(identities.MemberIdentity, identities.identity_id(code.member_id, self.visitor), is_locked=True),
            Want(Share, code.share_id, is_locked=True),
            *(Want(ShareVisit, visit.id, is_locked=True) for visit in visits),
        )
        share = state.get(Share, code.share_id)
        if member_id == share.member_id:
            return Decision(Visited(share=share, is_counted=False), save=self._own_device(state, share.member_id))
        if share.visitors >= VISITORS_MAX or identities.is_known(state, share.member_id, self.visitor):
            return Decision(Visited(share=share, is_counted=False))
        fresh = tuple(visit for visit in visits if state.find(ShareVisit, visit.id) is None)
        if len(fresh) < len(visits):
            # It is somebody who has come before: by the one of both names it is known by the other from now on.
            return Decision(Visited(share=share, is_counted=False), save=fresh)
        return self._counted(state, share, fresh)

    def _counted(self, state: State, share: Share, visits: tuple[ShareVisit, ...]) -> Decision[Visited]:
        """What comes of somebody new."""
        share = changed(share, visitors=share.visitors + 1)
        policy = policies.policy_of(state)
        is_due = share.rewarded_at is None and share.visitors >= policy.share_visitors and policy.is_active
        posting = open_posting(state, share.member_id)
        if not is_due or posting.account.status is AccountStatus.FROZEN:
            return Decision(Visited(share=share, is_counted=True), save=(share, *visits))
        share = _paid(posting, share, policy)
        rows = posting.close()
        rewarded = ShareRewarded(member_id=share.member_id, share_id=share.id, points=share.points)
        return Decision(
            Visited(share=share, is_counted=True),
            save=(*rows, share, *visits),
            events=(rewarded, *posting.events),
        )

    def _visits(self, state: State, share_id: UUID, member_id: UUID | None) -> tuple[ShareVisit, ...]:
        """The visit of the device, and that of the member who is signed in on it."""
        digests = [self.visitor.digest]
        if member_id is not None:
            digests.append(identities.digest(state.identity_key, state.program_id, "MEMBER", str(member_id)))
        return tuple(
            ShareVisit(
                id=derived_id(share_id, digest),
                program_id=state.program_id,
                share_id=share_id,
                digest=digest,
                visited_at=state.now,
            )
            for digest in digests
        )

    def _own_device(self, state: State, member_id: UUID) -> tuple[Row, ...]:
        """What remembers that the member was seen with the device, so that it is its own when nobody is signed in."""
        state.need(*identities.wants_of(member_id))
        known = identities.of_member(state, member_id)
        devices = sum(kind is IdentityKind.DEVICE for kind, _ in known)
        return identities.noted(state, member_id, (self.visitor,), known) if devices < OWN_DEVICES_MAX else ()


def _paid(posting: Posting, share: Share, policy: ReferralPolicy) -> Share:
    now = posting.state.now
    grant = posting.give(Trigger.SHARE, str(share.id), now, gifts=policy.share_gifts())
    if grant is None:
        return changed(share, rewarded_at=now)
    limit = next((item.limited_by for item in grant.earned if item.limited_by is not None), None)
    return changed(share, rewarded_at=now, points=grant.points, limited_by=limit)
