"""Codes by which members bring others: each has one of its own, and one for each share."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from domain import codes, members
from domain.kernel import Command, Decision, Event, Row, State, Want
from domain.members import MemberRef
from domain.points.account import PointsAccount
from domain.points.posting import open_posting
from domain.referrals import policy as policies
from domain.referrals.referral import ReferralCodeUnknown
from domain.values import changed

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralCode(Row):
    """A code and whose it is. The id is the member's for its own code, and the share's for that of a share."""

    # It never changes: whoever is bound by it reads it without a lock, and then locks both members in order.
    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    member_id: UUID
    code: str
    made_at: datetime

    @property
    def share_id(self) -> UUID | None:
        """The share it is for; None for the member's own."""
        return None if self.id == self.member_id else self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralPace(Row):
    """How fast a member brings friends and shares: so many friends since `hour_at`, so many shares on `day`."""

    parent: ClassVar[str | None] = "member_id"
    guard: ClassVar[type[Row] | None] = PointsAccount

    member_id: UUID
    hour_at: datetime | None = None
    friends: int = 0
    day: date | None = None
    shares: int = 0

    def friend_at(self, now: datetime) -> "ReferralPace":
        """The pace with one friend more; an hour begins with the first of its friends."""
        if self.hour_at is None or self.hour_at + _HOUR <= now:
            return changed(self, hour_at=now, friends=1)
        return changed(self, friends=self.friends + 1)

    def share_on(self, day: date) -> "ReferralPace":
        """The pace with one share more on a local day."""
        return changed(self, day=day, shares=self.shares + 1 if self.day == day else 1)


def pace_of(state: State, member_id: UUID) -> ReferralPace:
    """A member's pace. Its account is locked."""
    kept = state.find(ReferralPace, member_id)
    return kept or ReferralPace(id=member_id, program_id=state.program_id, member_id=member_id)


def find(state: State, name: str, given: str) -> ReferralCode:
    """Whose code a text is. Refuses `ReferralCodeUnknown`, naming the field."""
    told = codes.find(given)
    code = None if told is None else state.find_by(ReferralCode, "code", told)
    if code is None:
        raise unknown(name, given)
    return code


def unknown(name: str, given: str) -> ReferralCodeUnknown:
    """The refusal of what is no code."""
    return ReferralCodeUnknown(field=(name,), given=given[: codes.CODE_MAX])


def wants(given: str) -> tuple[Want, ...]:
    """What finds a code."""
    told = codes.find(given)
    return () if told is None else (Want(ReferralCode, told, "code"),)


def made(state: State, code_id: UUID, member_id: UUID) -> ReferralCode:
    """A new code."""
    return ReferralCode(
        id=code_id,
        program_id=state.program_id,
        member_id=member_id,
        code=codes.made(state.new_seed()),
        made_at=state.now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralCodeMade(Event):
    """A member has a code to bring friends with."""

    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOf:
    """A member's own code. `is_repeat`: it had one before."""

    code: ReferralCode
    account: PointsAccount
    is_repeat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeReferralCode(Command[CodeOf]):
    """Give a member its code, or say which it has.

    Refuses an unknown member; and where it has none yet, `ReferralsClosed` and a frozen member.
    """

    member: MemberRef

    def decide(self, state: State) -> Decision[CodeOf]:
        posting = open_posting(state, members.resolve(state, self.member))
        account = posting.account
        kept = state.find(ReferralCode, account.id)
        if kept is not None:
            return Decision(CodeOf(code=kept, account=account, is_repeat=True))
        policies.require_open(state)
        posting.require_active()
        code = made(state, account.id, account.id)
        happened = ReferralCodeMade(member_id=account.id, code=code.code)
        return Decision(CodeOf(code=code, account=account), save=(code,), events=(happened,))
