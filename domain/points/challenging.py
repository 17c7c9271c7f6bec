"""Challenges on one account: what an occasion counts, what that completes, and what completing gives.

Progress is advanced in the commit of what advances it. A program without challenges pays for none of this.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Final
from uuid import UUID

from domain.challenges import badges, challenge_sets, progress
from domain.challenges.badges import BadgeAwarded, BadgeOrigin, MemberBadge
from domain.challenges.challenge import Challenge, ChallengeAdvanced, ChallengeCompleted, ChallengeRewarded, Step
from domain.challenges.challenge_sets import Met, Ready
from domain.challenges.progress import ChallengeCompletion, ChallengeMark, ChallengeProgress
from domain.earning.facts import Facts, Occasion
from domain.earning.grants import Given
from domain.earning.rules import EarningKind, EarningRule, Trigger
from domain.kernel import FAMILY, AnyRow, Row, Want
from domain.points.account import SourceType, TransactionKind
from domain.points.book import Source
from domain.points.qualifying import Qualified
from domain.points.settling import SettlingBook
from domain.values import changed

# Under what the points of a challenge's own reward stand in the ledger.
REWARD_RULE: Final = "challenge-reward"


class ChallengingBook(SettlingBook):
    """A book on which whatever earns also advances challenges."""

    @cached_property
    def challenges(self) -> Ready | None:
        """The program's challenges of now, made ready; None if it has none."""
        version = self.program.challenge_version
        return challenge_sets.ready(challenge_sets.of_version(self.state, version)) if version else None

    def awaits(self, trigger: Trigger) -> bool:
        """Whether a challenge waits for such an occasion."""
        return self.challenges is not None and trigger in self.challenges.awaits

    def earn(
        self,
        occasion: Occasion,
        facts: Facts,
        source: Source,
        *,
        gifts: Sequence[EarningRule] = (),
        room: int | None = None,
        not_before: datetime | None = None,
    ) -> Given:
        """Credit what rules give for an occasion, and count it for the challenges that wait for it."""
        # Whom a challenge is for is asked of the member as it was before.
        met: Met = self._met(occasion, facts) if self.program.challenge_version else {}
        given = super().earn(occasion, facts, source, gifts=gifts, room=room, not_before=not_before)
        if met:
            self._advance(met, occasion, source)
        return given

    def _met(self, occasion: Occasion, facts: Facts) -> Met:
        ready = self.challenges
        if ready is None or not self.awaits(occasion.trigger):
            return {}
        needs = ready.rules.needs[occasion.trigger]
        if not needs <= self.rules.needs[occasion.trigger]:
            facts = self.facts_for(needs, occasion.trigger, occasion.occurred_at)
        return ready.met(occasion, facts)

    def _advance(self, met: Met, occasion: Occasion, source: Source) -> None:
        """Count an occasion for the challenges that were open before it."""
        assert self.challenges is not None, "what is met is of a challenge"
        day = occasion.local.date()
        chosen = [self.challenges.by_code[code] for code in met]
        # What earned nothing for an occasion of the program's own is kept nowhere else, and may be told again.
        may_be_told_again = source.type is SourceType.GRANT and self.member is None
        marks = (Want(ChallengeMark, source.id, FAMILY),) if may_be_told_again else ()
        self.need_progress(chosen, day, *marks, *self._wants_of_badges(chosen))
        if may_be_told_again and self.state.all(ChallengeMark, of=source.id):
            return
        unlocked = [challenge for challenge in chosen if self.is_unlocked(challenge, day)]
        for challenge in unlocked:
            amounts = tuple(met[challenge.code].get(place, 0) for place in range(len(challenge.steps)))
            self.count(challenge, self.progress_of(challenge, day), amounts, source.id, occasion.occurred_at)

    def _wants_of_badges(self, chosen: Sequence[Challenge]) -> Iterable[Want]:
        """The badges that these challenges may give by themselves."""
        codes = {challenge.reward.badge for challenge in chosen if challenge.is_automatic}
        keys = (badges.badge_id(self.account.id, code) for code in sorted(filter(None, codes)))
        return (Want(MemberBadge, key, is_locked=True) for key in keys)

    # Where the member is.

    def need_progress(self, chosen: Sequence[Challenge], day: date, *more: Want) -> None:
        """Ask at once for the member's progress with challenges, and with those that they require; and for `more`."""
        if self.member is None:
            wanted = {challenge.code: challenge for challenge in chosen}
            for challenge in chosen:
                wanted |= {required.code: required for required in self._required(challenge)}
            keys = [self._progress_id(challenge, day) for challenge in wanted.values()]
            self.state.need(*(Want(ChallengeProgress, key, is_locked=True) for key in keys), *more)

    def is_unlocked(self, challenge: Challenge, day: date) -> bool:
        """Whether all that a challenge requires is completed, each in its own period of that day."""
        return not self.locked_by(challenge, day)

    def locked_by(self, challenge: Challenge, day: date) -> Sequence[Challenge]:
        """What is still to be completed before a challenge can be, each in its own period of that day."""
        return [
            required
            for required in self._required(challenge)
            if not progress.is_completed(self.known(ChallengeProgress, self._progress_id(required, day)))
        ]

    def _required(self, challenge: Challenge) -> Sequence[Challenge]:
        assert self.challenges is not None, "a challenge is of a set"
        codes = set(challenge.requires)
        return [other for other in self.challenges.by_id.values() if other.code in codes]

    def _progress_id(self, challenge: Challenge, day: date) -> UUID:
        return progress.progress_id(self.account.id, challenge.id, progress.starts_on(challenge, day))

    def known(self, kind: type[AnyRow], key: UUID) -> AnyRow | None:
        """A row of the member as this posting leaves it; nothing is stored yet of who is being enrolled."""
        saved = self._saved.get(key)
        if isinstance(saved, kind):
            return saved
        return None if self.member is not None else self.state.find(kind, key)

    def progress_of(self, challenge: Challenge, day: date) -> ChallengeProgress:
        """The member's progress in the period of a local date, begun if it was not."""
        found = self.known(ChallengeProgress, self._progress_id(challenge, day))
        return found or ChallengeProgress(
            id=self._progress_id(challenge, day),
            program_id=self.account.program_id,
            member_id=self.account.id,
            challenge_id=challenge.id,
            challenge=challenge.code,
            starts_on=progress.starts_on(challenge, day),
            version=self.program.challenge_version,
            counts=(0,) * len(challenge.steps),
            reached=(0,) * len(challenge.steps),
            begun_at=self.state.now,
            changed_at=self.state.now,
        )

    def completions(self, row: ChallengeProgress) -> Sequence[ChallengeCompletion]:
        """The completions that stand, the last first."""
        kept = {found.id: found for found in self.state.all(ChallengeCompletion, of=row.id)}
        kept |= {found.id: found for found in self._saved.values() if isinstance(found, ChallengeCompletion)}
        standing = [found for found in kept.values() if found.progress_id == row.id and found.is_open]
        return sorted(standing, key=lambda found: -found.number)

    def keep(self, *rows: Row) -> None:
        """Keep rows of the member, to be saved with the posting."""
        self._saved.update({row.id: row for row in rows})

    # Going on.

    def count(
        self, challenge: Challenge, row: ChallengeProgress, amounts: tuple[int, ...], source_id: UUID, at: datetime
    ) -> ChallengeProgress:
        """Add what a purchase, activity or grant counts, or take it off, and see what that completes."""
        self.mark(row, amounts, source_id)
        counts = tuple(count + amount for count, amount in zip(row.counts, amounts, strict=True))
        return self.come_to(challenge, row, counts, at)

    def mark(self, row: ChallengeProgress, amounts: tuple[int, ...], source_id: UUID) -> None:
        """Keep what something counted, so that exactly that can be taken off again."""
        mark = ChallengeMark(
            id=self.state.new_id(),
            program_id=self.account.program_id,
            member_id=self.account.id,
            progress_id=row.id,
            source_id=source_id,
            amounts=amounts,
            recorded_at=self.state.now,
        )
        self.keep(mark)

    def come_to(
        self, challenge: Challenge, row: ChallengeProgress, counts: tuple[int, ...], at: datetime
    ) -> ChallengeProgress:
        """The progress with other counts, and everything done that they complete."""
        assert min(counts) >= 0, "no more is taken off than was counted"
        row = changed(row, counts=counts, version=self.program.challenge_version, changed_at=self.state.now)
        self.keep(row)
        targets = tuple(step.target for step in challenge.steps)
        self.events.append(
            ChallengeAdvanced(member_id=row.member_id, challenge=row.challenge, counts=counts, targets=targets)
        )
        for place, step in enumerate(challenge.steps):
            row = self._reach(challenge, row, place, step, at)
        while row.completed < progress.rounds(challenge, counts):
            row = self._complete(challenge, row, at)
        return row

    def _reach(
        self, challenge: Challenge, row: ChallengeProgress, place: int, step: Step, at: datetime
    ) -> ChallengeProgress:
        """Raise what a step of a growth plan raises, for each time that it is reached (S10)."""
        if not step.qualifying_points:
            return row
        while row.reached[place] < progress.rounds_of(step, row.counts[place], challenge.rounds_max):
            reached = row.reached[place] + 1
            row = self._keep_completion(
                changed(row, reached=(*row.reached[:place], reached, *row.reached[place + 1 :])),
                at,
                step=place + 1,
                round=reached,
                qualifying_points=step.qualifying_points,
            )[0]
        return row

    def _complete(self, challenge: Challenge, row: ChallengeProgress, at: datetime) -> ChallengeProgress:
        row, completion = self._keep_completion(
            changed(row, completed=row.completed + 1, completed_at=at),
            at,
            step=0,
            round=row.completed + 1,
            score=challenge.score,
            qualifying_points=challenge.qualifying_points,
        )
        told = ChallengeCompleted(
            member_id=row.member_id,
            challenge=row.challenge,
            round=completion.round,
            is_automatic=challenge.is_automatic,
        )
        self.events.append(told)
        return self.reward(challenge, row, completion, at)[0] if challenge.is_automatic else row

    def _keep_completion(
        self,
        row: ChallengeProgress,
        at: datetime,
        *,
        step: int,
        round: int,  # noqa: A002 - the word of the challenge
        qualifying_points: int,
        score: int = 0,
    ) -> tuple[ChallengeProgress, ChallengeCompletion]:
        row = changed(row, made=row.made + 1)
        completion = ChallengeCompletion(
            id=progress.completion_id(row, row.made),
            program_id=row.program_id,
            member_id=row.member_id,
            progress_id=row.id,
            challenge=row.challenge,
            number=row.made,
            step=step,
            round=round,
            score=score,
            qualifying_points=qualifying_points,
            version=self.program.challenge_version,
            occurred_at=at,
            recorded_at=self.state.now,
        )
        self.keep(row, completion)
        if qualifying_points:
            self.qualify(Qualified(points=qualifying_points), at)
        return row, completion

    # What completing gives.

    def reward(
        self, challenge: Challenge, row: ChallengeProgress, completion: ChallengeCompletion, at: datetime
    ) -> tuple[ChallengeProgress, ChallengeCompletion]:
        """Give what a challenge promises for one round: points by the rules, and a badge."""
        occasion, gifts = f"{row.challenge}:{completion.id}", gifts_of(challenge)
        # Under the account's lock nobody else can have made this completion.
        grant = self.give(Trigger.CHALLENGE, occasion, at, gifts=gifts, is_new=True)
        completion = changed(completion, rewarded_at=self.state.now)
        if grant is not None:
            earning_id = next(
                (
                    transaction.id
                    for transaction in self.transactions
                    if transaction.source_id == grant.id and transaction.kind is TransactionKind.EARN
                ),
                None,
            )
            completion = changed(completion, grant_id=grant.id, points=grant.points, earning_id=earning_id)
        badge = challenge.reward.badge
        if badge is not None and self.award_badge(badge, BadgeOrigin.CHALLENGE, completion.id):
            completion = changed(completion, badge=badge)
        row = changed(row, rewarded=row.rewarded + 1)
        self.keep(row, completion)
        self.events.append(
            ChallengeRewarded(
                member_id=row.member_id,
                challenge=row.challenge,
                round=completion.round,
                points=completion.points,
                badge=completion.badge,
            )
        )
        return row, completion

    def award_badge(self, code: str, origin: BadgeOrigin, completion_id: UUID | None = None) -> bool:
        """Give a badge, unless the member has it, or staff took it away."""
        key = badges.badge_id(self.account.id, code)
        before = self.known(MemberBadge, key)
        if before is not None and (before.revoked_at is None or before.revoked_reason is not None):
            return False
        self.put_badge(
            MemberBadge(
                id=key,
                program_id=self.account.program_id,
                member_id=self.account.id,
                badge=code,
                origin=origin,
                completion_id=completion_id,
                awarded_at=self.state.now,
                awarded_by=self.state.actor,
            )
        )
        return True

    def put_badge(self, badge: MemberBadge) -> None:
        """Keep a badge that the member is given now."""
        self.keep(badge)
        self.events.append(BadgeAwarded(member_id=badge.member_id, badge=badge.badge))

    def unlock_badges(self) -> None:
        """Give the badges that the points earned in this posting unlock (S32)."""
        earned = sum(row.amount for row in self.transactions if row.kind is TransactionKind.EARN)
        if not earned or self.challenges is None:
            return
        after = self.account.lifetime_earned
        reached = [code for points, code in self.challenges.levels if after - earned < points <= after]
        if reached and self.member is None:
            keys = [badges.badge_id(self.account.id, code) for code in reached]
            self.state.need(*(Want(MemberBadge, key, is_locked=True) for key in keys))
        for code in reached:
            self.award_badge(code, BadgeOrigin.POINTS)


def gifts_of(challenge: Challenge) -> tuple[EarningRule, ...]:
    """The points of a challenge as a rule like any other."""
    points = challenge.reward.points
    if not points:
        return ()
    return (EarningRule(code=REWARD_RULE, kind=EarningKind.FIXED, points=points, trigger=Trigger.CHALLENGE),)
