"""Saving challenges and badges: what is refused, with its field; what is fixed once it has begun; versions."""

from datetime import timedelta
from typing import Any

import pytest

from domain.achievements.editing import SaveBadge
from domain.audiences import Audience
from domain.challenges.challenge import (
    BADGES_MAX,
    CHALLENGES_MAX,
    Badge,
    BadgeUnknown,
    ChallengeInvalid,
    ChallengesEdited,
    ChallengeUnknown,
    Difficulty,
    ProfileField,
    Recurrence,
    Step,
    StepKind,
)
from domain.checks import NumberInvalid, PointsInvalid, TextInvalid, TooMany
from domain.earning.rules import Conditions, Ordinal
from domain.kernel import NotFound, Refusal
from domain.prizes import PrizeInvalid
from domain.programs import CategoryOfChallenge
from domain.references import ReferenceUnknown
from domain.rewards.reward import UrlInvalid
from domain.schedules import Schedule
from domain.segments import ArchiveSegment, Criteria, SaveSegment, SegmentInUse
from domain.vouchers.pool import Supply
from tests.domain.goals import Goals, acts, buys, gives, spends
from tests.domain.memory import PROGRAM_ID
from tests.domain.shop import local


@pytest.fixture
def goals() -> Goals:
    return Goals(rules=(), categories=("tea",))


def test_each_edit_is_a_version_and_what_stays_the_same_is_none(goals: Goals) -> None:
    assert goals.program.challenge_version == 0
    first = goals.challenge("one", buys(1), points=1)
    assert (first.version, first.starts_at, goals.program.challenge_version) == (1, goals.now, 1)
    assert goals.events == (ChallengesEdited(version=1),)
    goals.later(days=1)
    assert goals.challenge("one", buys(1), points=1) == first
    assert (goals.events, goals.program.challenge_version) == ((), 1)
    second = goals.challenge("one", buys(1), points=2, difficulty=Difficulty.HARD)
    assert (second.id, second.version, second.score) == (first.id, 2, 3)
    goals.badge("patron")
    assert [(each.code, each.version) for each in goals.challenge_set().challenges] == [("one", 2)]
    assert [(each.code, each.version) for each in goals.challenge_set().badges] == [("patron", 3)]


BAD_STEPS: dict[str, tuple[Step, type[Refusal], tuple[str, ...]]] = {
    "no type": (Step(kind=StepKind.ACTIVITY), ChallengeInvalid, ("activityType",)),
    "a type of a purchase": (buys(1, activity_type="x"), ChallengeInvalid, ("activityType",)),
    "no target": (buys(0), NumberInvalid, ("target",)),
    "too many times": (buys(10_001), NumberInvalid, ("target",)),
    "a minimum of a share": (acts("share", minimum_minor=1), ChallengeInvalid, ("conditions",)),
    "its own audience": (
        buys(1, when=Conditions(audience=Audience(tags=("vip",)))),
        ChallengeInvalid,
        ("conditions.audience",),
    ),
    "an unknown category": (
        buys(1, when=Conditions(categories=("cups",))),
        ReferenceUnknown,
        ("conditions.categories",),
    ),
    "an unknown store": (
        buys(1, when=Conditions(stores=(PROGRAM_ID,))),
        ReferenceUnknown,
        ("conditions.storeIds",),
    ),
    "a number of nothing": (
        acts("share", when=Conditions(ordinal=Ordinal(number=1))),
        ChallengeInvalid,
        ("conditions",),
    ),
    "fields of a purchase": (buys(1, fields=(ProfileField.NAME,)), ChallengeInvalid, ("fields",)),
    "no fields": (Step(kind=StepKind.PROFILE), ChallengeInvalid, ("fields",)),
    "conditions on a profile": (
        Step(kind=StepKind.PROFILE, fields=(ProfileField.NAME,), minimum_minor=1),
        ChallengeInvalid,
        ("conditions",),
    ),
    "negative growth": (buys(1, qualifying_points=-1), PointsInvalid, ("qualifyingPoints",)),
}


@pytest.mark.parametrize("bad", BAD_STEPS)
def test_a_step_that_could_never_count_is_refused_at_its_place(goals: Goals, bad: str) -> None:
    step, kind, field = BAD_STEPS[bad]
    with pytest.raises(kind) as refused:
        goals.challenge("bad", buys(1), step)
    assert refused.value.field == ("steps", "1", *field)


BAD: dict[str, tuple[dict[str, Any], type[Refusal], tuple[str, ...]]] = {
    "rounds of once": ({"rounds_max": 2}, ChallengeInvalid, ("roundsMax",)),
    "one round": ({"recurrence": Recurrence.REPEATABLE}, NumberInvalid, ("roundsMax",)),
    "too many rounds": ({"recurrence": Recurrence.REPEATABLE, "rounds_max": 101}, NumberInvalid, ("roundsMax",)),
    "a window that ends before": ({"ends_at": local("2025-01-01")}, ChallengeInvalid, ("endsAt",)),
    "an unknown tier": ({"audience": Audience(tiers=(PROGRAM_ID,))}, ReferenceUnknown, ("audience.tierIds",)),
    "an unknown segment": ({"audience": Audience(segments=("x",))}, ReferenceUnknown, ("audience.segments",)),
    "unknown before": ({"requires": ("other",)}, ChallengeInvalid, ("requires",)),
    "itself before": ({"requires": ("bad",)}, ChallengeInvalid, ("requires",)),
    "an unknown badge": ({"reward": gives(badge="x")}, BadgeUnknown, ("reward", "badge")),
    "negative points": ({"reward": gives(-1)}, PointsInvalid, ("reward", "points")),
    "two prizes": (
        {"reward": gives(pool_id=PROGRAM_ID, reward_id=PROGRAM_ID), "is_automatic": False},
        ChallengeInvalid,
        ("reward", "prize"),
    ),
    "an unknown pool": ({"reward": gives(pool_id=PROGRAM_ID), "is_automatic": False}, NotFound, ("reward",)),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_contradicts_itself_is_refused_with_its_field(goals: Goals, bad: str) -> None:
    told, kind, field = BAD[bad]
    with pytest.raises(kind) as refused:
        goals.challenge("bad", buys(1), **told)
    assert refused.value.field == (field or None)
    assert not goals.program.challenge_version


def test_it_needs_a_step_and_has_at_most_ten(goals: Goals) -> None:
    with pytest.raises(ChallengeInvalid, match="at least one step"):
        goals.challenge("bad")
    with pytest.raises(TooMany):
        goals.challenge("bad", *(buys(1) for _ in range(11)))


def test_a_profile_is_filled_once(goals: Goals) -> None:
    step = Step(kind=StepKind.PROFILE, fields=(ProfileField.NAME,))
    with pytest.raises(ChallengeInvalid, match="cannot recur"):
        goals.challenge("bad", step, recurrence=Recurrence.DAILY)


def test_a_schedule_without_a_day_in_the_window_is_refused(goals: Goals) -> None:
    step = buys(1, when=Conditions(schedule=Schedule(dates=("2027-01-01",))))
    with pytest.raises(Refusal) as refused:
        goals.challenge("bad", step, ends_at=goals.now + timedelta(days=30))
    assert refused.value.field == ("steps", "0", "conditions.schedule")


def test_no_circle_of_challenges_that_wait_for_each_other(goals: Goals) -> None:
    goals.challenge("a", buys(1))
    goals.challenge("b", buys(1), requires=("a",))
    with pytest.raises(ChallengeInvalid, match="nobody could ever complete it") as refused:
        goals.challenge("a", buys(1), requires=("b",))
    assert refused.value.field == ("requires",)
    with pytest.raises(ChallengeInvalid, match="while 'b' requires it"):
        goals.remove("a")
    goals.remove("b")
    goals.remove("a")
    with pytest.raises(ChallengeUnknown):
        goals.remove("a")


def test_what_counts_is_fixed_once_it_has_begun(goals: Goals) -> None:
    goals.challenge("open", buys(2), points=1)
    soon = goals.now + timedelta(days=1)
    goals.challenge("soon", buys(2), starts_at=soon)
    goals.challenge("soon", spends(500), starts_at=soon, recurrence=Recurrence.DAILY)
    goals.challenge("open", buys(2), points=5, ends_at=soon)
    for field, told in (
        ("steps", {"steps": (buys(3),)}),
        ("recurrence", {"recurrence": Recurrence.DAILY}),
        ("startsAt", {"starts_at": soon}),
    ):
        steps = told.pop("steps", (buys(2),))
        with pytest.raises(ChallengeInvalid, match="has begun") as refused:
            goals.challenge("open", *steps, **told)  # type: ignore[arg-type]
        assert refused.value.field == (field,)
    goals.later(days=1)
    with pytest.raises(ChallengeInvalid, match="has begun"):
        goals.challenge("soon", buys(2), starts_at=soon)


def test_rounds_may_become_more_and_never_fewer(goals: Goals) -> None:
    goals.challenge("again", buys(1), points=1, recurrence=Recurrence.REPEATABLE, rounds_max=3)
    goals.challenge("again", buys(1), points=1, recurrence=Recurrence.REPEATABLE, rounds_max=4)
    with pytest.raises(ChallengeInvalid, match="fewer than 4"):
        goals.challenge("again", buys(1), points=1, recurrence=Recurrence.REPEATABLE, rounds_max=3)


def test_codes_that_members_bring_are_no_prize(goals: Goals) -> None:
    pool = goals.pool(supply=Supply.BROUGHT)
    with pytest.raises(PrizeInvalid):
        goals.challenge("bad", buys(1), reward=gives(pool_id=pool.id), is_automatic=False)


def test_what_a_challenge_names_cannot_be_taken_away(goals: Goals) -> None:
    goals.run(SaveSegment(code="regulars", name="Regulars", criteria=Criteria(tags=("vip",))))
    step = buys(1, when=Conditions(categories=("tea",)))
    goals.challenge("named", step, audience=Audience(segments=("regulars",)))
    with pytest.raises(CategoryOfChallenge) as category:
        goals.update(categories=("cups",))
    assert category.value.details == {"category": "tea", "challenge": "named"}
    with pytest.raises(SegmentInUse) as segment:
        goals.run(ArchiveSegment(code="regulars"))
    assert segment.value.details["what"] == "challenge"


def test_there_are_not_too_many(goals: Goals) -> None:
    for number in range(CHALLENGES_MAX):
        goals.challenge(f"c{number}", buys(1))
    with pytest.raises(TooMany):
        goals.challenge("more", buys(1))
    for number in range(BADGES_MAX):
        goals.badge(f"b{number}")
    with pytest.raises(TooMany):
        goals.badge("more")


def test_a_badge_s_picture_is_at_an_https_address(goals: Goals) -> None:
    with pytest.raises(UrlInvalid) as refused:
        goals.badge("bad", picture_url="http://example.com/x.png")
    assert refused.value.field == ("pictureUrl",)
    with pytest.raises(PointsInvalid):
        goals.badge("bad", unlock_points=0)
    with pytest.raises(TextInvalid):
        goals.run(SaveBadge(badge=Badge(code="bad", name=" ")))
