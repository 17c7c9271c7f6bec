"""What counts for a challenge, for whom, when, and what completing it gives at once."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from domain.audiences import Audience
from domain.challenges.badges import BadgeAwarded
from domain.challenges.challenge import (
    ChallengeAdvanced,
    ChallengeCompleted,
    ChallengeRewarded,
    ProfileField,
    Recurrence,
    Step,
    StepKind,
)
from domain.challenges.progress import ChallengeProgress
from domain.earning.rules import Anniversary, Cap, Conditions, EarningRule, Period, Trigger
from domain.kernel import Command, Decision, State
from domain.points.account import PointsAccount
from domain.points.posting import open_posting
from domain.purchases.paying import Line
from domain.schedules import Schedule
from tests.domain.goals import Goals, acts, buys, gives, spends
from tests.domain.shop import fixed, local


@pytest.fixture
def goals() -> Goals:
    """A shop without rules of its own, so that every point is a challenge's."""
    return Goals(rules=())


def available(goals: Goals, member: UUID) -> int:
    return goals.account(member).available


def test_s20_following_and_leaving_a_message_is_five_points_once(goals: Goals) -> None:
    goals.challenge("follow", acts("follow"), acts("message"), points=5)
    member = goals.enroll()
    goals.act(member, "follow")
    assert (available(goals, member), goals.counts(member, "follow")) == (0, (1, 0))
    goals.act(member, "message")
    assert (available(goals, member), goals.stands(member, "follow")) == (5, (1, 1))
    goals.act(member, "follow")
    goals.act(member, "message")
    assert (available(goals, member), goals.stands(member, "follow")) == (5, (1, 1))


def test_the_same_activity_told_twice_counts_once(goals: Goals) -> None:
    goals.challenge("booking", acts("booking", 2), points=10)
    member = goals.enroll()
    goals.act(member, "booking", external_id="b-1")
    goals.act(member, "booking", external_id="b-1")
    assert goals.counts(member, "booking") == (1,)


def test_purchases_are_counted_and_what_is_paid_for_goods_is_summed(goals: Goals) -> None:
    goals.challenge("three", buys(3), points=30)
    goals.challenge("rich", spends(20_000), points=20)
    member = goals.enroll()
    goals.buy(member, 9_000, freight_minor=1_000)
    goals.buy(member, 11_999)
    assert (goals.counts(member, "three"), goals.counts(member, "rich")) == ((2,), (19_999,))
    goals.buy(member, 1)
    assert goals.stands(member, "three") == goals.stands(member, "rich") == (1, 1)
    assert available(goals, member) == 50


def test_s22_a_purchase_of_nothing_is_none(goals: Goals) -> None:
    goals.challenge("first", buys(), points=1)
    member = goals.enroll()
    goals.buy(member, 500, lines=(Line(amount_minor=500, earns=False),))
    assert goals.counts(member, "first") is None


def test_a_step_has_the_conditions_of_rules() -> None:
    goals = Goals(rules=(), categories=("tea", "cups"))
    store = goals.store()
    when = Conditions(categories=("tea",), stores=(store.id,), quantity_min=2)
    goals.challenge("tea", spends(10_000, when=when, minimum_minor=1_000), points=7)
    member = goals.enroll()
    told = (Line(amount_minor=3_000, category="tea", quantity=2), Line(amount_minor=9_000, category="cups"))
    goals.buy(member, 12_000, lines=told)
    assert goals.counts(member, "tea") is None, "it was at no store"
    goals.buy(member, 12_000, lines=told, store_id=store.id)
    assert goals.counts(member, "tea") == (3_000,)
    goals.buy(member, 999, lines=(Line(amount_minor=999, category="tea", quantity=2),), store_id=store.id)
    goals.buy(member, 5_000, lines=(Line(amount_minor=5_000, category="tea"),), store_id=store.id)
    assert goals.counts(member, "tea") == (3_000,), "too little, and too few"


def test_conditions_on_days_and_on_the_member(goals: Goals) -> None:
    goals.challenge("thursday", buys(when=Conditions(schedule=Schedule(weekdays=(4,)))), points=1)
    goals.challenge("birthday", buys(when=Conditions(anniversary=Anniversary.BIRTHDAY_MONTH)), points=1)
    member = goals.join(birthday=goals.now.date().replace(year=1990))
    goals.buy(member, 100)  # a Thursday in January
    assert goals.stands(member, "thursday") == goals.stands(member, "birthday") == (1, 1)
    other = goals.enroll()
    goals.later(days=1)
    goals.buy(other, 100)
    assert goals.stands(other, "thursday") == goals.stands(other, "birthday") == (0, 0)


def test_whom_it_is_for_is_asked_as_the_member_was_before(goals: Goals) -> None:
    goals.challenge("vip", buys(2), points=9, audience=Audience(tags=("vip",)))
    member, other = goals.tagged(0, "vip"), goals.enroll()
    goals.buy(member, 100)
    goals.buy(other, 100)
    assert (goals.counts(member, "vip"), goals.counts(other, "vip")) == ((1,), None)


def test_it_counts_from_its_start_until_before_its_end_by_business_time(goals: Goals) -> None:
    starts, ends = local("2026-02-01 00:00"), local("2026-03-01 00:00")
    goals.challenge("february", buys(9), starts_at=starts, ends_at=ends)
    member = goals.enroll()
    goals.buy(member, 100)
    goals.now = local("2026-03-02 12:00")
    for at in (starts - timedelta(seconds=1), starts, ends - timedelta(seconds=1), ends):
        goals.buy(member, 100, occurred_at=at)
    assert goals.counts(member, "february") == (2,)


def test_what_is_not_active_counts_nothing(goals: Goals) -> None:
    goals.challenge("off", buys(2), points=1)
    member = goals.enroll()
    goals.buy(member, 100)
    goals.challenge("off", buys(2), points=1, is_active=False)
    goals.buy(member, 100)
    assert goals.counts(member, "off") == (1,)
    goals.challenge("off", buys(2), points=1)
    goals.buy(member, 100)
    assert goals.stands(member, "off") == (1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn(Command[PointsAccount]):
    """An occasion of the program's own, once a day, as a sign-in is one."""

    member_id: UUID
    day: str

    def decide(self, state: State) -> Decision[PointsAccount]:
        posting = open_posting(state, self.member_id)
        posting.give(Trigger.CHECK_IN, self.day, state.now)
        return Decision(posting.account, save=posting.close(), events=tuple(posting.events))


@pytest.mark.parametrize("rules", [(), (fixed(2, "sign-in", trigger=Trigger.CHECK_IN),)])
def test_an_occasion_of_the_program_counts_once_whether_or_not_a_rule_gives_for_it(
    rules: tuple[EarningRule, ...],
) -> None:
    goals = Goals(rules=rules)
    goals.challenge("week", Step(kind=StepKind.CHECK_IN, target=2), points=3)
    member = goals.enroll()
    for day in ("2026-01-15", "2026-01-15", "2026-01-16"):
        goals.run(SignIn(member_id=member, day=day))
    assert (goals.counts(member, "week"), goals.stands(member, "week")) == ((2,), (1, 1))
    assert available(goals, member) == 3 + 2 * 2 * len(rules)


def test_events_tell_of_every_step(goals: Goals) -> None:
    goals.badge("patron")
    goals.challenge("three", buys(2), reward=gives(30, badge="patron"))
    member = goals.enroll()
    goals.buy(member, 100)
    assert ChallengeAdvanced(member_id=member, challenge="three", counts=(1,), targets=(2,)) in goals.events
    goals.buy(member, 100)
    told = [event for event in goals.events if type(event).__module__.startswith("domain.challenges")]
    assert told == [
        ChallengeAdvanced(member_id=member, challenge="three", counts=(2,), targets=(2,)),
        ChallengeCompleted(member_id=member, challenge="three", round=1, is_automatic=True),
        BadgeAwarded(member_id=member, badge="patron"),
        ChallengeRewarded(member_id=member, challenge="three", round=1, points=30, badge="patron"),
    ]
    assert goals.wears(member, "patron")


# How often.


def test_a_daily_challenge_begins_anew_at_local_midnight(goals: Goals) -> None:
    goals.challenge("daily", acts("share", 2), points=5, recurrence=Recurrence.DAILY)
    member = goals.enroll()
    goals.now = local("2026-01-15 23:59")
    goals.act(member, "share")
    goals.now = local("2026-01-16 00:00")
    goals.act(member, "share")
    assert goals.counts(member, "daily") == (1,)
    goals.act(member, "share")
    assert available(goals, member) == 5
    goals.act(member, "share", occurred_at=local("2026-01-15 12:00"))
    assert available(goals, member) == 10, "what is told late counts for its own day"


@pytest.mark.parametrize(
    "recurrence, last, first",
    [
        (Recurrence.WEEKLY, "2026-01-18 23:59", "2026-01-19 00:00"),
        (Recurrence.MONTHLY, "2026-01-31 23:59", "2026-02-01 00:00"),
    ],
)
def test_weeks_begin_on_monday_and_months_on_their_first(
    goals: Goals, recurrence: Recurrence, last: str, first: str
) -> None:
    goals.challenge("often", acts("share"), points=5, recurrence=recurrence)
    member = goals.enroll()
    goals.now = local(last)
    goals.act(member, "share")
    goals.act(member, "share")
    assert available(goals, member) == 5
    goals.now = local(first)
    goals.act(member, "share")
    assert available(goals, member) == 10


def test_a_period_is_of_the_program_s_own_zone() -> None:
    goals = Goals(rules=(), time_zone="America/New_York")
    goals.challenge("daily", acts("share"), points=5, recurrence=Recurrence.DAILY)
    member = goals.enroll()
    goals.now = local("2026-01-16 12:59")  # 23:59 of the 15th in New York
    goals.act(member, "share")
    goals.now = local("2026-01-16 13:00")
    goals.act(member, "share")
    assert available(goals, member) == 10


def test_a_repeatable_challenge_goes_on_to_its_last_round(goals: Goals) -> None:
    goals.challenge("again", spends(10_000), points=10, recurrence=Recurrence.REPEATABLE, rounds_max=3)
    member = goals.enroll()
    goals.buy(member, 25_000)
    assert (goals.stands(member, "again"), available(goals, member)) == ((2, 2), 20)
    goals.buy(member, 90_000)
    assert (goals.stands(member, "again"), available(goals, member)) == ((3, 3), 30)
    assert goals.counts(member, "again") == (115_000,)


# Chains.


def test_a_chained_challenge_opens_when_the_one_before_is_completed(goals: Goals) -> None:
    goals.challenge("first", buys(1), points=1)
    goals.challenge("second", buys(1), points=2, requires=("first",))
    goals.challenge("third", buys(1), points=4, requires=("first", "second"))
    member = goals.enroll()
    for expected in (1, 3, 7, 7):
        goals.buy(member, 100)
        assert available(goals, member) == expected


def test_a_daily_chain_is_of_one_day(goals: Goals) -> None:
    goals.challenge("open", acts("open"), recurrence=Recurrence.DAILY)
    goals.challenge("share", acts("share"), points=2, requires=("open",), recurrence=Recurrence.DAILY)
    member = goals.enroll()
    goals.act(member, "open")
    goals.act(member, "share")
    goals.later(days=1)
    goals.act(member, "share")
    assert available(goals, member) == 2
    goals.act(member, "open")
    goals.act(member, "share")
    assert available(goals, member) == 4


# Profiles.


def test_a_full_profile_is_a_challenge(goals: Goals) -> None:
    step = Step(kind=StepKind.PROFILE, fields=(ProfileField.NAME, ProfileField.BIRTHDAY), attributes=("job",))
    challenge = goals.challenge("profile", step, points=30)
    assert challenge.steps[0].target == 3
    member = goals.join(name="Li")
    assert goals.counts(member, "profile") == (1,)
    goals.tell(member, birthday=goals.now.date().replace(year=1990))
    assert (goals.counts(member, "profile"), available(goals, member)) == ((2,), 0)
    # A blank is no answer.
    goals.tell(member, attributes={"job": " "})
    assert (goals.counts(member, "profile"), available(goals, member)) == ((2,), 0)
    goals.tell(member, attributes={"job": "baker"})
    assert (goals.stands(member, "profile"), available(goals, member)) == ((1, 1), 30)
    goals.tell(member, attributes={"job": None})
    assert (goals.stands(member, "profile"), available(goals, member)) == ((0, 0), 0)
    goals.tell(member, attributes={"job": "cook"})
    assert (goals.stands(member, "profile"), available(goals, member)) == ((1, 1), 30)


def test_whoever_joins_with_a_full_profile_has_completed_it(goals: Goals) -> None:
    goals.challenge("profile", Step(kind=StepKind.PROFILE, fields=(ProfileField.PHONE,)), points=30)
    member = goals.join(phone="+8613800138000")
    assert (goals.stands(member, "profile"), available(goals, member)) == ((1, 1), 30)


def test_a_profile_that_no_challenge_asks_for_leaves_the_account_alone(goals: Goals) -> None:
    goals.challenge("buy", buys(1))
    member = goals.enroll()
    goals.tell(member, name="Li")
    assert [type(row).__name__ for row in goals.decision.save] == ["Member"]


def test_a_frozen_member_s_profile_counts_when_it_is_changed_later(goals: Goals) -> None:
    goals.challenge("profile", Step(kind=StepKind.PROFILE, fields=(ProfileField.NAME,)), points=30)
    member = goals.enroll()
    goals.freeze(member)
    goals.tell(member, name="Li")
    assert goals.counts(member, "profile") is None
    goals.freeze(member, is_frozen=False)
    goals.tell(member, name="Lin")
    assert available(goals, member) == 30


# Through the rules.


def test_completing_is_an_occasion_of_rules_too() -> None:
    bonus = fixed(7, "bonus", trigger=Trigger.CHALLENGE, caps=(Cap(period=Period.DAY, times=1),))
    goals = Goals(rules=(bonus,))
    goals.challenge("one", buys(1), points=10)
    goals.challenge("two", acts("share"))
    member = goals.enroll()
    goals.buy(member, 100)
    goals.act(member, "share")
    earned = [(row.rule, row.amount) for row in goals.transactions(member)]
    assert earned == [("bonus", 7), ("challenge-reward", 10)]
    goals.replay(member)


def test_s10_a_growth_plan_raises_qualifying_points_step_by_step(goals: Goals) -> None:
    steps = (buys(1, qualifying_points=10), acts("review", qualifying_points=20))
    goals.challenge("growth", *steps, qualifying_points=100)
    member = goals.enroll()
    goals.buy(member, 100)
    assert (goals.account(member).qualifying_points, available(goals, member)) == (10, 0)
    goals.act(member, "review")
    assert (goals.account(member).qualifying_points, available(goals, member)) == (130, 0)


def test_a_program_without_challenges_keeps_nothing_of_them() -> None:
    goals = Goals()
    member = goals.enroll()
    recorded = goals.buy(member, 100)
    assert [type(row).__name__ for row in goals.decision.save] == [
        "PointsAccount",
        "PointTransaction",
        "Lot",
        "QualifyingEntry",
        "Purchase",
    ]
    goals.refund(recorded.purchase)
    assert not goals.state.rows(ChallengeProgress)
