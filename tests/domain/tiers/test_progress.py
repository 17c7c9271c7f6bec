"""Where a member stands: what it has, what the next tier needs, what keeps this one, and what is coming (K4)."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from domain.points import reading
from domain.points.tiering import years_of
from domain.policies import Downgrade, PendingKind, PendingPolicy, TierMetric, TierPolicy, TierWindow
from domain.tiers.standing import TierProgress
from domain.tiers.windows import Days
from tests.domain.tiers.club import Club


def year(downgrade: Downgrade = Downgrade.FULL, **told: Any) -> TierPolicy:
    return TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=downgrade, **told)


def shown(club: Club, member: UUID) -> dict[str, Any]:
    """The progress, with tiers by name and what says nothing left out."""
    progress = club.progress(member)
    assert progress.metric_kind is club.program.tier_policy.metric
    told = {
        "metric": progress.metric,
        "tier": None if progress.tier is None else progress.tier.name,
        "next": None if progress.next_tier is None else progress.next_tier.name,
        "gap": progress.gap,
        "keep": progress.keep_gap,
        "until": None if progress.valid_until is None else str(club.day_of(progress.valid_until)),
        "grace": None if progress.grace_until is None else str(club.day_of(progress.grace_until)),
        "projected": None if progress.projected_tier is None else progress.projected_tier.name,
        "by hand": progress.is_set_by_hand,
    }
    return {name: value for name, value in told.items() if value is not None and value is not False}


def test_k4_progress_through_every_phase_of_a_tier() -> None:
    club = Club(year(grace_days=30), day=date(2025, 6, 1), keep={"Gold": 250})
    member = club.enroll()
    assert shown(club, member) == {"metric": 0, "next": "Silver", "gap": 100, "keep": 0}
    club.buy(member, 4_000)
    assert shown(club, member) == {"metric": 40, "next": "Silver", "gap": 60, "keep": 0}
    club.buy(member, 30_000)
    # In the window in which it was reached, that of the next year is empty.
    expected = {"metric": 340, "tier": "Gold", "next": "Platinum", "gap": 660, "keep": 250, "until": "2027-01-01"}
    assert shown(club, member) == expected
    club.go(2026, 2, 1)
    assert shown(club, member) == {**expected, "metric": 0, "gap": 1_000}
    club.buy(member, 12_000)
    expected = {**expected, "metric": 120, "gap": 880, "keep": 130, "projected": "Silver"}
    assert shown(club, member) == expected
    club.go(2027, 1, 3)
    expected = {**expected, "metric": 0, "gap": 1_000, "grace": "2027-01-31"}
    assert shown(club, member) == expected, "whether or not the clock was"
    club.settle(member)
    assert shown(club, member) == expected
    club.buy(member, 2_000)
    assert shown(club, member) == {**expected, "metric": 20, "gap": 980, "keep": 110}
    club.buy(member, 11_000)
    assert shown(club, member) == {
        "metric": 130,
        "tier": "Gold",
        "next": "Platinum",
        "gap": 870,
        "keep": 120,
        "until": "2028-01-01",
        "projected": "Silver",
    }
    club.go(2028, 3, 1)
    assert shown(club, member) == {
        "metric": 0,
        "tier": "Silver",
        "next": "Gold",
        "gap": 300,
        "keep": 100,
        "until": "2029-01-01",
    }


def test_k4_the_highest_tier_has_none_after_it() -> None:
    club = Club(year())
    member = club.enroll()
    club.buy(member, 250_000)
    assert shown(club, member) == {
        "metric": 2_500,
        "tier": "Platinum",
        "gap": 0,
        "keep": 1_000,
        "until": "2028-01-01",
    }


def test_k4_a_tier_for_life_has_nothing_to_keep() -> None:
    club = Club(TierPolicy())
    member = club.enroll()
    club.buy(member, 15_000)
    assert shown(club, member) == {
        "metric": 150,
        "tier": "Silver",
        "next": "Gold",
        "gap": 150,
        "keep": 0,
        "projected": "Silver",
    }
    assert club.progress(member).window == Days(None, date(2026, 3, 10))


@pytest.mark.parametrize(
    ("downgrade", "keep", "projected"),
    [(Downgrade.NONE, 0, "Gold"), (Downgrade.ONE_LEVEL, 300, "Silver"), (Downgrade.FULL, 300, None)],
)
def test_k4_what_is_projected_is_what_the_clock_will_do(downgrade: Downgrade, keep: int, projected: str | None) -> None:
    for grace_days in (0, 30):
        club = Club(year(downgrade, grace_days=grace_days))
        member = club.enroll()
        club.buy(member, 30_000)
        progress = club.progress(member)
        assert progress.keep_gap == keep
        assert (None if progress.projected_tier is None else progress.projected_tier.name) == projected
        club.go(2028, 2, 1)
        club.settle(member)
        assert club.tier(member) == projected


def test_k4_progress_counts_in_the_metric_of_the_program() -> None:
    for metric, counted in ((TierMetric.NET_SPEND, 12_300), (TierMetric.PURCHASES, 1)):
        club = Club(year(metric=metric), thresholds={"Silver": 20_000})
        member = club.enroll()
        club.buy(member, 12_300)
        progress = club.progress(member)
        assert (progress.metric, progress.gap, progress.metric_kind) == (counted, 20_000 - counted, metric)


def test_k4_progress_in_each_window_knows_its_days() -> None:
    for policy, window in (
        (year(), Days(date(2026, 1, 1), date(2026, 12, 31))),
        (TierPolicy(window=TierWindow.ROLLING, months=3), Days(date(2025, 12, 11), date(2026, 3, 10))),
        (TierPolicy(window=TierWindow.ANNIVERSARY), Days(date(2026, 3, 10), date(2027, 3, 9))),
    ):
        club = Club(policy)
        assert club.progress(club.enroll()).window == window


def test_k4_a_tier_set_by_hand_is_shown_and_what_is_earned_goes_on() -> None:
    club = Club(year())
    member = club.enroll()
    club.buy(member, 15_000)
    club.set_tier(member, "Platinum", date(2026, 6, 30))
    assert shown(club, member) == {
        "metric": 150,
        "tier": "Platinum",
        "gap": 0,
        "until": "2026-07-01",
        "projected": "Silver",
        "by hand": True,
    }
    club.go(2026, 7, 1)
    assert shown(club, member) == {
        "metric": 150,
        "tier": "Silver",
        "next": "Gold",
        "gap": 150,
        "keep": 100,
        "until": "2028-01-01",
    }


def test_k4_progress_under_a_tier_set_by_hand_is_about_that_tier() -> None:
    """Silver by hand, whatever is earned: nothing keeps it, Gold is next, and what is earned follows it."""
    club = Club(year())
    member = club.enroll()
    club.set_tier(member, "Silver", date(2026, 11, 30))
    silver = {"metric": 0, "tier": "Silver", "next": "Gold", "gap": 300, "until": "2026-12-01", "by hand": True}
    assert shown(club, member) == silver
    club.buy(member, 12_000)
    assert shown(club, member) == {**silver, "metric": 120, "gap": 180, "projected": "Silver"}
    club.buy(member, 30_000)
    assert shown(club, member) == {**silver, "metric": 420, "gap": 0, "projected": "Gold"}, "Gold waits"
    club.set_tier(member, "Gold", date(2026, 11, 30))
    gold = {**silver, "metric": 420, "tier": "Gold", "next": "Platinum", "gap": 580, "projected": "Gold"}
    assert shown(club, member) == gold
    club.end_set_tier(member)
    assert club.tier(member) == "Gold"


@pytest.mark.parametrize("grace_days", [0, 30, 366])
@pytest.mark.parametrize("downgrade", list(Downgrade))
@pytest.mark.parametrize(
    "until", [date(2026, 11, 30), date(2027, 12, 31), date(2028, 1, 10), date(2029, 6, 30), date(2033, 1, 1)]
)
def test_k4_what_is_projected_after_a_tier_set_by_hand_is_what_the_clock_will_do(
    grace_days: int, downgrade: Downgrade, until: date
) -> None:
    club = Club(year(downgrade, grace_days=grace_days))
    member = club.enroll()
    club.buy(member, 150_000)
    club.set_tier(member, "Silver", until)
    projected = club.progress(member).projected_tier
    club.go(until.year, until.month, until.day)
    club.later(days=1)
    club.settle(member)
    assert club.tier(member) == (None if projected is None else projected.name)


def test_k4_a_program_without_tiers_has_a_metric_only() -> None:
    club = Club(year(), thresholds={})
    member = club.enroll()
    club.buy(member, 15_000)
    assert club.progress(member) == TierProgress(
        metric=150,
        metric_kind=TierMetric.QUALIFYING_POINTS,
        window=Days(date(2026, 1, 1), date(2026, 12, 31)),
        tier=None,
        is_set_by_hand=False,
        next_tier=None,
        gap=0,
        keep_gap=0,
        valid_until=None,
        grace_until=None,
        projected_tier=None,
    )


# What a read needs.


def test_a_read_shows_a_tier_that_pending_points_reach_before_the_clock_has_come() -> None:
    club = Club(year(), gifts={"Silver": 50}, pending=PendingPolicy(PendingKind.AFTER, days=7))
    member = club.enroll()
    club.buy(member, 10_000)
    club.later(days=8)
    read = reading.settled(club.ledger(member), club.program, club.ladder, club.now)
    assert (club.name_of(read.account.tier_id), read.account.available) == ("Silver", 100), "the gift comes later"
    assert club.progress(member).metric == 100
    club.settle(member)
    assert (club.tier(member), club.account(member).available) == ("Silver", 150)


def test_a_read_shows_a_lost_tier_that_pending_points_give_back() -> None:
    club = Club(year(), day=date(2025, 6, 1), keep={"Gold": 250})
    member = club.enroll()
    club.buy(member, 30_000)
    club.update(pending=PendingPolicy(PendingKind.AFTER, days=14))
    club.go(2026, 12, 25)
    club.buy(member, 25_000)
    club.go(2027, 1, 2)
    club.settle(member)
    assert (club.tier(member), club.progress(member).tier) == (None, None)
    club.go(2027, 1, 9)
    progress = club.progress(member)
    assert (progress.tier and progress.tier.name, progress.valid_until) == ("Gold", club.local(2028, 1, 1))


def test_the_years_that_decide_are_those_of_the_windows_and_of_what_is_pending() -> None:
    club = Club(year(), day=date(2024, 6, 1))
    member = club.enroll()
    club.buy(member, 30_000)
    account, program = club.account(member), club.program
    told = {
        (2024, 6, 2): range(2024, 2025),
        (2025, 6, 1): range(2025, 2026),
        (2028, 6, 1): range(2025, 2029),
    }
    for (on_year, month, day), expected in told.items():
        assert years_of(program, account, club.noon(on_year, month, day)) == expected
    pending = [club.noon(2023, 12, 31)]
    assert years_of(program, account, club.noon(2025, 6, 1), pending) == range(2023, 2026)
    rolling = club.update(tier_policy=TierPolicy(window=TierWindow.ROLLING, months=24))
    assert years_of(rolling, account, club.noon(2024, 6, 2)) == range(2022, 2025)
    assert years_of(club.update(tier_policy=TierPolicy()), account, club.now) == range(0)
