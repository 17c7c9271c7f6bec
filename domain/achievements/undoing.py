"""What takes progress with challenges back: refunds, reversals, and a profile that was filled and is not any more."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from domain import calendars
from domain.challenges import challenge_sets, progress
from domain.challenges.badges import BadgeRevoked, MemberBadge, badge_id
from domain.challenges.challenge import Challenge, ChallengeUndone, Step, StepKind, UndoPolicy
from domain.challenges.challenge_sets import Ready
from domain.challenges.progress import ChallengeCompletion, ChallengeMark, ChallengeProgress
from domain.earning import evaluation
from domain.earning.facts import Occasion
from domain.earning.grants import Grant
from domain.earning.rule_sets import EarningRules
from domain.earning.rules import Trigger
from domain.kernel import FAMILY, State, Want
from domain.members import Member
from domain.points.account import AccountStatus, SourceType
from domain.points.book import Source
from domain.points.posting import Posting, shortfall_outcome, wants_to_draw
from domain.points.qualifying import Qualified
from domain.programs import Program
from domain.redemptions.redemption import Redemption, RedemptionClosed, state_of
from domain.values import changed
from domain.vouchers.commands import as_of
from domain.vouchers.voucher import Voucher, VoucherChanged, VoucherState

# Vouchers that are nobody's any more.
_SPENT: Final = frozenset({VoucherState.USED, VoucherState.EXPIRED, VoucherState.VOID})
# What is said of a prize that is taken back.
_REASON: Final = "the challenge was undone"


def lessen(posting: Posting, source_id: UUID, rest: Occasion | None = None) -> None:
    """Take off what a purchase or activity counted for challenges: all of it, or what its rest counts no longer.

    A rest counts for no step that the whole did not count for.
    """
    if not posting.program.challenge_version:
        return
    state = posting.state
    counted = _sums(state.all(ChallengeMark, of=source_id))
    state.need(*(Want(ChallengeProgress, key, is_locked=True) for key in counted))
    fallen: list[_Fallen] = []
    for key, amounts in counted.items():
        row = state.get(ChallengeProgress, key)
        ready, challenge = _definition(posting, row)
        kept = tuple(_remaining(ready, challenge, place, rest) if amount else 0 for place, amount in enumerate(amounts))
        less = tuple(after - before for before, after in zip(amounts, kept, strict=True))
        if any(less):
            fallen.append(_Fallen(challenge, posting.count(challenge, row, less, source_id, state.now)))
    _fall(posting, fallen)


def _sums(marks: Sequence[ChallengeMark]) -> Mapping[UUID, tuple[int, ...]]:
    """What something counts for each progress now, all its marks together."""
    sums: dict[UUID, tuple[int, ...]] = {}
    for mark in marks:
        before = sums.get(mark.progress_id, (0,) * len(mark.amounts))
        sums[mark.progress_id] = tuple(map(sum, zip(before, mark.amounts, strict=True)))
    return sums


def _definition(posting: Posting, row: ChallengeProgress) -> tuple[Ready, Challenge]:
    """A challenge as it stands; one that was removed as it was when the member's progress was last touched."""
    ready = posting.challenges
    if ready is None or row.challenge_id not in ready.by_id:
        ready = challenge_sets.ready(challenge_sets.of_version(posting.state, row.version))
    return ready, ready.by_id[row.challenge_id]


def _remaining(ready: Ready, challenge: Challenge, place: int, rest: Occasion | None) -> int:
    """What the rest of a purchase still counts for a step."""
    if rest is None:
        return 0
    found = evaluation.remaining(ready.candidates[challenge.id, place], rest)
    if found is None:
        return 0
    return found.paid_minor if challenge.steps[place].kind is StepKind.SPEND else 1


class _Fallen(NamedTuple):
    """Progress that has become less."""

    challenge: Challenge
    row: ChallengeProgress

    def stands(self, completion: ChallengeCompletion) -> bool:
        """Whether the counts still complete what was completed, as far as that matters to the challenge."""
        challenge, place = self.challenge, completion.step - 1
        if challenge.undo_policy is UndoPolicy.KEEP:
            return True
        if not completion.step:
            return completion.round <= progress.rounds(challenge, self.row.counts)
        step, count = challenge.steps[place], self.row.counts[place]
        return completion.round <= progress.rounds_of(step, count, challenge.rounds_max)


def _fall(posting: Posting, fallen: Sequence[_Fallen]) -> None:
    """Undo what the counts complete no longer, the last first (L8)."""
    undone = {
        each.row.id: [completion for completion in posting.completions(each.row) if not each.stands(completion)]
        for each in _with_completions(posting, fallen)
    }
    _need_rewards(posting, [completion for found in undone.values() for completion in found])
    for _, row in fallen:
        if not undone.get(row.id):
            continue
        for completion in undone[row.id]:
            row = _undo_step(posting, row, completion) if completion.step else _undo_round(posting, row, completion)  # noqa: PLW2901 - each step leaves another row
        standing = [found for found in posting.completions(row) if not found.step]
        posting.keep(changed(row, completed_at=standing[0].occurred_at if standing else None))


def _with_completions(posting: Posting, fallen: Sequence[_Fallen]) -> Sequence[_Fallen]:
    """Those of which anything was completed, loaded in one round."""
    found = [each for each in fallen if each.row.completed or any(each.row.reached)]
    posting.state.need(*(Want(ChallengeCompletion, each.row.id, FAMILY) for each in found))
    return found


def _need_rewards(posting: Posting, undone: Sequence[ChallengeCompletion]) -> None:
    """Ask at once for all that is to be taken back."""
    wants: list[Want] = []
    for completion in undone:
        badge = None if completion.badge is None else badge_id(completion.member_id, completion.badge)
        told = (
            (Grant, completion.grant_id),
            (MemberBadge, badge),
            (Voucher, completion.voucher_id),
            (Redemption, completion.redemption_id),
        )
        wants.extend(Want(kind, key, is_locked=True) for kind, key in told if key is not None)
    if any(completion.points for completion in undone):
        wants.extend(wants_to_draw(posting.state, posting.account.id))
    state = posting.state
    state.need(*wants)
    grants = [state.get(Grant, completion.grant_id) for completion in undone if completion.grant_id is not None]
    versions = sorted({grant.rule_version for grant in grants})
    state.need(*(Want(EarningRules, version, "version") for version in versions))
    rooms = [posting.wants_of_room(grant.earned, grant.rule_version, _occasion_of(posting, grant)) for grant in grants]
    state.need(*(want for room in rooms for want in room))


def _occasion_of(posting: Posting, grant: Grant) -> Occasion:
    time_zone = grant.facts.time_zone or posting.program.time_zone
    return Occasion(trigger=Trigger.CHALLENGE, occurred_at=grant.occurred_at, time_zone=time_zone)


def _undo_step(posting: Posting, row: ChallengeProgress, completion: ChallengeCompletion) -> ChallengeProgress:
    place = completion.step - 1
    row = changed(row, reached=(*row.reached[:place], row.reached[place] - 1, *row.reached[place + 1 :]))
    _close(posting, row, completion)
    return row


def _undo_round(posting: Posting, row: ChallengeProgress, completion: ChallengeCompletion) -> ChallengeProgress:
    was_rewarded = completion.rewarded_at is not None
    row = changed(row, completed=row.completed - 1, rewarded=row.rewarded - was_rewarded)
    _close(posting, row, completion)
    if completion.grant_id is not None:
        _take_back(posting, completion, completion.grant_id)
    if completion.badge is not None:
        _take_badge(posting, completion, completion.badge)
    _take_prize(posting, completion)
    posting.events.append(
        ChallengeUndone(
            member_id=row.member_id, challenge=row.challenge, round=completion.round, points=completion.points
        )
    )
    return row


def _close(posting: Posting, row: ChallengeProgress, completion: ChallengeCompletion) -> None:
    """Let a completion stand no longer, nor what it counted for tiers, on the day on which it did."""
    posting.keep(row, changed(completion, undone_at=posting.state.now))
    points = min(completion.qualifying_points, posting.account.qualifying_points)
    if points:
        posting.qualify(Qualified(points=-points), completion.occurred_at)


def _take_back(posting: Posting, completion: ChallengeCompletion, grant_id: UUID) -> None:
    """Take the points of a reward back in the order of L8; what is short goes by the program's policy, as a debt
    where money would be kept back: none is paid out for a challenge."""
    grant = posting.state.get(Grant, grant_id)
    if completion.points and completion.earning_id is not None:
        source = Source(SourceType.GRANT, grant.id)
        clawed = posting.claw_back(
            completion.points,
            source,
            earned_by=grant.id,
            reverses=completion.earning_id,
            earned_at=grant.occurred_at,
        )
        if clawed.short:
            outcome = shortfall_outcome(posting.program.shortfall_policy, has_refund=False)
            posting.fall_short(clawed.short, outcome, source, reverses=completion.earning_id)
    posting.give_back_room(grant.earned, (), grant.rule_version, _occasion_of(posting, grant))


def _take_badge(posting: Posting, completion: ChallengeCompletion, code: str) -> None:
    """Take a badge with the challenge it was given for, unless it was revoked and given again since."""
    badge = posting.known(MemberBadge, badge_id(completion.member_id, code))
    if badge is not None and badge.completion_id == completion.id and badge.revoked_at is None:
        posting.keep(changed(badge, revoked_at=posting.state.now))
        posting.events.append(BadgeRevoked(member_id=badge.member_id, badge=code))


def _take_prize(posting: Posting, completion: ChallengeCompletion) -> None:
    """Void a voucher that was not used, and cancel what was not handed out; what the member has had stays had."""
    state = posting.state
    if completion.voucher_id is not None:
        voucher = as_of(state.get(Voucher, completion.voucher_id), state.now)
        if voucher.state not in _SPENT:
            void = changed(
                voucher, state=VoucherState.VOID, reason=_REASON, due_at=None, locked_for=None, locked_until=None
            )
            posting.keep(void)
            told = VoucherChanged(member_id=void.member_id, voucher_id=void.id, state=void.state)
            posting.events.append(told)
    if completion.redemption_id is not None:
        redemption = state.get(Redemption, completion.redemption_id)
        if redemption.remaining:
            after = changed(redemption, cancelled=redemption.cancelled + redemption.remaining, reason=_REASON)
            after = changed(after, state=state_of(after), closed_at=state.now)
            posting.keep(after)
            posting.events.append(
                RedemptionClosed(member_id=after.member_id, redemption_id=after.id, state=after.state)
            )


# The profile.


def looks_at_profiles(state: State, program: Program) -> bool:
    """Whether a challenge asks for a profile."""
    version = program.challenge_version
    return bool(version and challenge_sets.ready(challenge_sets.of_version(state, version)).profiles.rules)


def look_at_profile(posting: Posting, member: Member) -> None:
    """Count what a member's profile has now for the challenges that ask for it. Nothing for who is frozen."""
    ready = posting.challenges
    if ready is None or not ready.profiles.rules or posting.account.status is AccountStatus.FROZEN:
        return
    now = posting.state.now
    facts = posting.facts_for(ready.profiles.needs[Trigger.ACTIVITY], Trigger.ACTIVITY, now)
    time_zone = posting.program.time_zone
    told: dict[str, dict[int, int]] = {}
    for code, place in ready.looking_at_profiles(now, time_zone, facts):
        told.setdefault(code, {})[place] = filled(ready.by_code[code].steps[place], member)
    day = calendars.local_date(now, time_zone)
    chosen = [ready.by_code[code] for code in told]
    posting.need_progress(chosen, day)
    fallen: list[_Fallen] = []
    for challenge in [challenge for challenge in chosen if posting.is_unlocked(challenge, day)]:
        row = posting.progress_of(challenge, day)
        counts = tuple(told[challenge.code].get(place, count) for place, count in enumerate(row.counts))
        if counts != row.counts:
            fallen.append(_Fallen(challenge, posting.come_to(challenge, row, counts, now)))
    if posting.member is None:
        _fall(posting, fallen)


def filled(step: Step, member: Member) -> int:
    """How many of the fields that a step names a member's profile has; a blank answer is none."""
    told = [*(getattr(member, field.lower()) for field in step.fields), *map(member.attributes.get, step.attributes)]
    return sum(value is not None and (not isinstance(value, str) or bool(value.strip())) for value in told)
