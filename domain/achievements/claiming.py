"""Claiming what a completed challenge promises: points by the rules, a badge, and a prize."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from domain import calendars, members, prizes
from domain.achievements import checking, undoing
from domain.achievements.editing import set_in_force
from domain.challenges import challenge_sets, progress
from domain.challenges.challenge import Challenge, ChallengeUnknown, StepKind
from domain.challenges.progress import (
    ChallengeClaimed,
    ChallengeCompletion,
    ChallengeLocked,
    ChallengeNotCompleted,
    ChallengeProgress,
)
from domain.earning.effects import CODE_MAX
from domain.kernel import Command, Decision, Event, Row, State
from domain.members import Member, MemberRef
from domain.points.account import PointsAccount, SourceType
from domain.points.book import Source
from domain.points.posting import Posting, open_posting


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A member's progress after claiming, with what was given: how many rounds, and the points of them."""

    progress: ChallengeProgress
    account: PointsAccount
    rounds: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimChallenge(Command[Claimed]):
    """Give a member what its completed rounds of a challenge promise, each once.

    `day` is a local day of the period, today if it is not told. What is given is what was promised when the round was
    completed. Refuses unknown or frozen members, `ChallengeUnknown`, `ChallengeLocked`, `ChallengeNotCompleted`,
    `ChallengeClaimed`, and a prize that has run out.
    """

    member: MemberRef
    code: str
    day: date | None = None

    def decide(self, state: State) -> Decision[Claimed]:
        posting = open_posting(state, members.resolve(state, self.member))
        posting.require_active()
        challenge = self._challenge(state, posting)
        day = self.day or calendars.local_date(state.now, posting.program.time_zone)
        posting.need_progress([challenge], day)
        if any(step.kind is StepKind.PROFILE for step in challenge.steps):
            undoing.look_at_profile(posting, state.get(Member, posting.account.id))
        row = posting.progress_of(challenge, day)
        if row.completed <= row.rewarded:
            raise _nothing_to_claim(challenge, row, posting.locked_by(challenge, day))
        waiting = [found for found in posting.completions(row) if not found.step and found.rewarded_at is None]
        gifts = _Gifts(posting)
        for completion in reversed(waiting):
            row = gifts.give(row, completion)
        rows = posting.close()
        claimed = Claimed(progress=row, account=posting.account, rounds=len(waiting), points=gifts.points)
        return Decision(claimed, save=(*rows, *gifts.save), events=(*posting.events, *gifts.events))

    def _challenge(self, state: State, posting: Posting) -> Challenge:
        code = self.code.strip()
        for challenge in set_in_force(state, posting.program).challenges:
            if challenge.code == code:
                return challenge
        raise ChallengeUnknown(field=("code",), challenge=code[:CODE_MAX])


def _nothing_to_claim(
    challenge: Challenge, row: ChallengeProgress, locked_by: Sequence[Challenge]
) -> ChallengeClaimed | ChallengeLocked | ChallengeNotCompleted:
    if row.rewarded >= challenge.rounds_max:
        return ChallengeClaimed(field=("code",), challenge=challenge.code, rounds=row.rewarded)
    if locked_by:
        requires = ", ".join(required.code for required in locked_by)
        return ChallengeLocked(field=("code",), challenge=challenge.code, requires=requires)
    missing = progress.steps_missing(challenge, row.counts, row.completed)
    return ChallengeNotCompleted(field=("code",), challenge=challenge.code, steps_missing=missing)


class _Gifts:
    """What one claim gives, round by round."""

    def __init__(self, posting: Posting) -> None:
        self.posting = posting
        self.points = 0
        self.save: tuple[Row, ...] = ()
        self.events: tuple[Event, ...] = ()

    def give(self, row: ChallengeProgress, completion: ChallengeCompletion) -> ChallengeProgress:
        """Give one round what was promised when it was completed."""
        posting = self.posting
        version = challenge_sets.of_version(posting.state, completion.version)
        promised = challenge_sets.ready(version).by_id[row.challenge_id]
        row, completion = posting.reward(promised, row, completion, posting.state.now)
        self.points += completion.points
        prize = checking.prize_of(promised.reward)
        if prize is not None:
            won = prizes.give(posting, prize, Source(SourceType.PRIZE, completion.id))
            self.save += won.save
            self.events += won.events
            voucher, redemption = won.voucher, won.redemption
            posting.keep(
                replace(
                    completion,
                    voucher_id=None if voucher is None else voucher.id,
                    redemption_id=None if redemption is None else redemption.id,
                )
            )
        return row
