"""Progress is what a plain recomputation over the facts says, whatever happened in whichever order."""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain import calendars
from domain.activities import Activity
from domain.challenges.challenge import Challenge, Recurrence, Step, StepKind, UndoPolicy
from domain.challenges.progress import ChallengeCompletion, ChallengeMark, ChallengeProgress
from domain.earning.rules import Conditions
from domain.kernel import Refusal
from domain.points.account import PointTransaction, TransactionKind
from domain.purchases.paying import Line
from domain.purchases.purchase import Purchase
from domain.purchases.refund import Refund
from tests.domain.goals import Goals, acts, buys, spends
from tests.domain.shop import SHANGHAI

CATEGORIES: Final = ("tea", "cups")
TEA: Final = Conditions(categories=("tea",))
DAYS: Final = 6
REWARD: Final = 10

deeds = st.lists(
    st.tuples(
        st.sampled_from(("buy", "buy", "buy", "act", "act", "refund", "refund", "reverse", "wait")),
        st.integers(0, 5_000),
        st.integers(0, 3),
    ),
    max_size=25,
)


def furnished(policy: UndoPolicy) -> Goals:
    """A shop with challenges of every recurrence, whose points are all that there are."""
    goals = Goals(rules=(), categories=CATEGORIES)
    told: dict[str, tuple[tuple[Step, ...], dict[str, Any]]] = {
        "once": ((buys(2, qualifying_points=3), acts("share", qualifying_points=5)), {"qualifying_points": 7}),
        "daily": ((acts("share", 2),), {"recurrence": Recurrence.DAILY}),
        "weekly": ((spends(4_000, when=TEA), buys(1, minimum_minor=1_000)), {"recurrence": Recurrence.WEEKLY}),
        "monthly": ((spends(6_000), acts("review")), {"recurrence": Recurrence.MONTHLY}),
        "again": ((spends(2_500, qualifying_points=2),), {"recurrence": Recurrence.REPEATABLE, "rounds_max": 4}),
    }
    for code, (steps, more) in told.items():
        # What is told late happened before the challenge was saved.
        begun = goals.now - timedelta(days=60)
        goals.challenge(code, *steps, points=REWARD, undo_policy=policy, starts_at=begun, **more)
    return goals


def live(goals: Goals, member: UUID, told: Iterable[tuple[str, int, int]]) -> None:
    """Do all of it; what is refused changes nothing."""
    for deed, amount, number in told:
        try:
            do(goals, member, deed, amount, number)
        except Refusal:
            continue


def do(goals: Goals, member: UUID, deed: str, amount: int, number: int) -> None:
    at = goals.now - timedelta(days=number)
    match deed:
        case "buy":
            line = Line(amount_minor=amount, category=CATEGORIES[number % 2], quantity=number + 1)
            goals.buy(member, amount + 100, lines=(line, Line(amount_minor=100)), occurred_at=at)
        case "act":
            goals.act(member, ("share", "review")[amount % 2], occurred_at=at)
        case "refund":
            bought = goals.state.rows(Purchase)
            goals.refund(bought[amount % len(bought)], amount if number else None) if bought else None
        case "reverse":
            done = goals.state.rows(Activity)
            if done:
                goals.reverse(type("Done", (), {"activity": done[amount % len(done)]})())  # type: ignore[arg-type]
        case _:
            goals.later(hours=amount % (24 * DAYS))


# The plain recomputation: by hand, from purchases, refunds and activities alone.


def paid_of(goals: Goals, purchase: Purchase, *, category: str | None = None) -> int:
    gone: dict[int, int] = {}
    for refund in goals.state.all(Refund, of=purchase.id):
        for line in refund.lines:
            gone[line.number] = gone.get(line.number, 0) + line.amount_minor
    return sum(
        line.amount_minor - gone.get(line.number, 0)
        for line in purchase.lines
        if category is None or line.category == category
    )


def counted(goals: Goals, step: Step, days: set[date]) -> int:
    """What a step counts on these local days."""
    total = 0
    if step.kind is StepKind.ACTIVITY:
        return sum(
            row.type == step.activity_type
            and row.reversed_at is None
            and calendars.local_date(row.occurred_at, SHANGHAI) in days
            for row in goals.state.rows(Activity)
        )
    for purchase in goals.state.rows(Purchase):
        if calendars.local_date(purchase.occurred_at, SHANGHAI) not in days:
            continue
        paid = paid_of(goals, purchase, category=step.when.categories[0] if step.when.categories else None)
        if paid > 0 and paid >= step.minimum_minor:
            total += paid if step.kind is StepKind.SPEND else 1
    return total


def days_of(challenge: Challenge, starts_on: date | None) -> set[date]:
    first = starts_on or date(2025, 12, 1)
    count = {Recurrence.DAILY: 1, Recurrence.WEEKLY: 7, Recurrence.MONTHLY: 31}.get(challenge.recurrence, 200)
    days = {first + timedelta(days=number) for number in range(count)}
    return {day for day in days if challenge.recurrence is not Recurrence.MONTHLY or day.month == first.month}


def rounds(challenge: Challenge, counts: tuple[int, ...]) -> int:
    found = 0
    while found < challenge.rounds_max and all(
        count >= (found + 1) * step.target for step, count in zip(challenge.steps, counts, strict=True)
    ):
        found += 1
    return found


def steps_reached(challenge: Challenge, counts: tuple[int, ...]) -> list[int]:
    return [
        min(challenge.rounds_max, count // step.target) if step.qualifying_points else 0
        for step, count in zip(challenge.steps, counts, strict=True)
    ]


@given(deeds)
def test_progress_is_what_the_facts_say(told: list[tuple[str, int, int]]) -> None:
    goals = furnished(UndoPolicy.TAKE_BACK)
    member = goals.enroll()
    live(goals, member, told)
    challenges = {challenge.code: challenge for challenge in goals.challenge_set().challenges}
    points = growth = 0
    for row in goals.state.rows(ChallengeProgress):
        challenge = challenges[row.challenge]
        days = days_of(challenge, row.starts_on)
        counts = tuple(counted(goals, step, days) for step in challenge.steps)
        assert row.counts == counts, challenge.code
        assert row.completed == row.rewarded == rounds(challenge, counts)
        assert list(row.reached) == steps_reached(challenge, counts)
        points += row.completed * REWARD
        growth += row.completed * challenge.qualifying_points
        growth += sum(
            reached * step.qualifying_points for reached, step in zip(row.reached, challenge.steps, strict=True)
        )
        marks = [mark.amounts for mark in goals.state.rows(ChallengeMark) if mark.progress_id == row.id]
        assert counts == tuple(map(sum, zip(*marks, strict=True)))
    begun = {(row.challenge, row.starts_on) for row in goals.state.rows(ChallengeProgress)}
    assert begun == expected_periods(goals, challenges)
    account = goals.account(member)
    # No refund is clamped: nothing of it was spent.
    assert (account.available, account.debt) == (points, 0)
    assert account.qualifying_points == points + growth
    goals.replay(member)
    check_once(goals)


def expected_periods(goals: Goals, challenges: dict[str, Challenge]) -> set[tuple[str, date | None]]:
    """Where anything ever counted."""
    found: set[tuple[str, date | None]] = set()
    happened = [(row.occurred_at, row) for row in (*goals.state.rows(Purchase), *goals.state.rows(Activity))]
    for at, row in happened:
        day = calendars.local_date(at, SHANGHAI)
        for code, challenge in challenges.items():
            first = {
                Recurrence.DAILY: day,
                Recurrence.WEEKLY: day - timedelta(days=day.weekday()),
                Recurrence.MONTHLY: day.replace(day=1),
            }.get(challenge.recurrence)
            if any(meets(step, row) for step in challenge.steps):
                found.add((code, first))
    return found


def meets(step: Step, row: Purchase | Activity) -> bool:
    if isinstance(row, Activity):
        return step.kind is StepKind.ACTIVITY and step.activity_type == row.type
    lines = [line for line in row.lines if not step.when.categories or line.category in step.when.categories]
    paid = sum(line.amount_minor for line in lines)
    return step.kind is not StepKind.ACTIVITY and paid > 0 and paid >= step.minimum_minor


def check_once(goals: Goals) -> None:
    """Each completion earned once, and each that was undone was taken back once."""
    by_grant = {row.grant_id: row for row in goals.state.rows(ChallengeCompletion) if row.grant_id is not None}
    sums: dict[UUID, list[int]] = {}
    for row in goals.state.rows(PointTransaction):
        sums.setdefault(row.source_id, []).append(row.amount)
    for grant_id, completion in by_grant.items():
        assert sum(sums[grant_id]) == (REWARD if completion.is_open else 0)
        assert sums[grant_id] == ([REWARD] if completion.is_open else [REWARD, -REWARD])


@given(deeds)
def test_what_is_kept_is_paid_once_however_often_it_falls(told: list[tuple[str, int, int]]) -> None:
    goals = furnished(UndoPolicy.KEEP)
    member = goals.enroll()
    most = dict.fromkeys((challenge.code for challenge in goals.challenge_set().challenges), 0)
    for step in told:
        live(goals, member, [step])
        for row in goals.state.rows(ChallengeProgress):
            challenge = goals.of_code(row.challenge)
            assert row.completed >= rounds(challenge, row.counts)
            most[row.challenge] = max(most[row.challenge], row.completed)
    completions = [row for row in goals.state.rows(ChallengeCompletion) if not row.step]
    assert all(row.is_open for row in completions)
    by_row: dict[UUID, list[int]] = {}
    for row in sorted(completions, key=lambda each: each.number):
        by_row.setdefault(row.progress_id, []).append(row.round)
    assert all(before + 1 == after for found in by_row.values() for before, after in pairwise(found))
    assert goals.account(member).available == REWARD * len(completions)
    assert not [row for row in goals.transactions(member) if row.kind is TransactionKind.REVERSE]
