"""Changing what is told of a member, and what that counts for challenges that ask for a full profile."""

from dataclasses import dataclass, replace

from domain import checks, members
from domain.achievements import undoing
from domain.kernel import FAMILY, Command, Decision, Event, Row, State, Want
from domain.members import ATTRIBUTES_MAX, CONSENTS_MAX, Consent, Member, MemberRef, MemberUpdated, Profile
from domain.points.account import PointsAccount
from domain.points.posting import open_posting
from domain.programs import Program
from domain.tiers.tier import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMember(Command[Member]):
    """Change what is told of a member's profile; what is not told stays. Refuses a key that is taken.

    Attributes are merged by name, and a null attribute is removed; tags are replaced; a consent
    replaces the earlier one of its purpose.
    """

    member: MemberRef
    profile: Profile

    def decide(self, state: State) -> Decision[Member]:
        program = state.get(Program, state.program_id)
        told = members.checked(self.profile, program, state.now)
        member = state.change(Member, members.resolve(state, self.member))
        members.refuse_taken_keys(state, told, member.id)
        if self.profile.attributes is not None:
            merged = {**member.attributes, **self.profile.attributes}
            told["attributes"] = {name: value for name, value in merged.items() if value is not None}
            checks.at_most("attributes", tuple(merged), ATTRIBUTES_MAX)
        if self.profile.consents is not None:
            told["consents"] = _merged_consents(member.consents, told["consents"])  # type: ignore[arg-type]
        member = replace(member, **told)  # type: ignore[arg-type]
        rows, events = _advanced(state, program, member)
        return Decision(member, save=(member, *rows), events=(MemberUpdated(member_id=member.id), *events))


def _advanced(state: State, program: Program, member: Member) -> tuple[tuple[Row, ...], tuple[Event, ...]]:
    """What challenges make of the profile. Where none looks at it, the member's account is left alone."""
    if not undoing.looks_at_profiles(state, program):
        return (), ()
    state.need(Want(PointsAccount, member.id, is_locked=True), Want(Tier, state.program_id, FAMILY))
    posting = open_posting(state, member.id)
    undoing.look_at_profile(posting, member)
    return posting.close(), tuple(posting.events)


def _merged_consents(before: tuple[Consent, ...], told: tuple[Consent, ...]) -> tuple[Consent, ...]:
    by_purpose = {consent.purpose: consent for consent in (*before, *told)}
    checks.at_most("consents", tuple(by_purpose), CONSENTS_MAX)
    return tuple(by_purpose.values())
