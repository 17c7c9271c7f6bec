"""Enrollment: a person becomes a member, with an account and, if the program gives one, a sign-up bonus (S1, S2)."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain import checks, grants, identities, members, stores
from domain.achievements import undoing
from domain.earning.rules import Trigger
from domain.identities import Identity
from domain.kernel import FAMILY, Command, Decision, Event, Refusal, State, Want
from domain.members import Member, Profile
from domain.points.account import PointsAccount
from domain.points.posting import Posting
from domain.points.qualifying import Qualified
from domain.programs import Program
from domain.referrals import binding
from domain.referrals import code as referral_codes
from domain.referrals import policy as policies
from domain.stores import Channel
from domain.tiers.tier import Tier


class MemberKeyMissing(Refusal):
    """A member is enrolled with nothing by which the shop could name it again."""

    code = "MEMBER_KEY_MISSING"
    text = "A member needs at least one of externalId, phone, cardNumber and email."


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberEnrolled(Event):
    """A member joined; `points` is the sign-up bonus."""

    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """A new member with its account."""

    member: Member
    account: PointsAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollMember(Command[Enrollment]):
    """Enroll a member. Refuses malformed fields, keys that are taken, and a closed or unknown store.

    With the code of a member who brought it, or of a share, it is bound to that member (R1): refuses what
    `BindReferral` does. Who moves in from another system joined before: `enrolled_at` is when, now if it is not told.
    """

    profile: Profile
    channel: Channel = Channel.ONLINE
    store_id: UUID | None = None
    enrolled_at: datetime | None = None
    referral_code: str | None = None
    identified: tuple[Identity, ...] = ()

    def decide(self, state: State) -> Decision[Enrollment]:
        state.need(Want(Program, state.program_id), Want(Tier, state.program_id, FAMILY), *self._key_wants())
        program = state.get(Program, state.program_id)
        told = members.checked(self.profile, program, state.now)
        if not any(key in told for key in Member.keys):
            raise MemberKeyMissing(field=("externalId",))
        members.refuse_taken_keys(state, told, None)
        stores.open_store(state, self.store_id)
        enrolled_at = checks.past("enrolledAt", self.enrolled_at, state.now)
        member = Member(
            id=state.new_id(),
            program_id=state.program_id,
            channel=self.channel,
            store_id=self.store_id,
            enrolled_at=enrolled_at,
        )
        member = replace(member, **told)  # type: ignore[arg-type]
        account = PointsAccount(id=member.id, program_id=state.program_id, enrolled_at=enrolled_at)
        posting = Posting(state, account)
        posting.member = member
        # The lowest tier may need nothing.
        posting.qualify(Qualified(), enrolled_at)
        grant = posting.give(Trigger.ENROLLMENT, "enrollment", enrolled_at)
        today = grants.give_today(posting, member)
        undoing.look_at_profile(posting, member)
        bound = self._bound(posting)
        rows = posting.close()
        return Decision(
            Enrollment(member=member, account=posting.account),
            save=(member, *rows, *bound.save),
            events=(
                MemberEnrolled(member_id=member.id, points=0 if grant is None else grant.points),
                *today,
                *bound.events,
                *posting.events,
            ),
        )

    def _bound(self, posting: Posting) -> binding.Joined:
        """What comes of whoever brought the member, and what the member is identified by."""
        if self.referral_code is None:
            return binding.Joined(save=identities.noted(posting.state, posting.account.id, self.identified, ()))
        policies.require_open(posting.state)
        code = referral_codes.find(posting.state, "referralCode", self.referral_code)
        posting.state.need(*binding.wants_to_bind(code, None))
        return binding.bind(posting, code, self.identified)

    def _key_wants(self) -> tuple[Want, ...]:
        """The keys as they are given; one that is malformed is refused before it is looked up again."""
        given = ((key, getattr(self.profile, key)) for key in ("external_id", "phone"))
        return tuple(Want(Member, value, key) for key, value in given if value is not None)
