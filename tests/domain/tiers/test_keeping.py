"""Keeping and losing a tier: only at its expiry, by the program's policy, with grace and warnings (K3)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.points.posting import AccountSettled
from domain.policies import (
    Downgrade,
    TierPolicy,
    TierWindow,
)
from domain.tiers.standing import TierInGrace, TierKept, TierLost
from tests.domain.tiers.club import Club, golden, year

# At expiry.


@pytest.mark.parametrize(
    ("downgrade", "yuan", "step", "last"),
    [
        (Downgrade.FULL, 300, ("KEPT", "Gold"), date(2027, 12, 31)),
        (Downgrade.FULL, 299, ("LOST", "Silver"), date(2027, 12, 31)),
        (Downgrade.FULL, 100, ("LOST", "Silver"), date(2027, 12, 31)),
        (Downgrade.FULL, 99, ("LOST", None), None),
        (Downgrade.FULL, 0, ("LOST", None), None),
        (Downgrade.ONE_LEVEL, 300, ("KEPT", "Gold"), date(2027, 12, 31)),
        (Downgrade.ONE_LEVEL, 299, ("LOST", "Silver"), date(2027, 12, 31)),
        (Downgrade.ONE_LEVEL, 0, ("LOST", "Silver"), date(2027, 12, 31)),
        (Downgrade.NONE, 300, ("KEPT", "Gold"), date(2027, 12, 31)),
        (Downgrade.NONE, 0, ("STAYED", "Gold"), date(2027, 12, 31)),
    ],
)
def test_k3_what_becomes_of_a_tier_at_its_expiry(
    downgrade: Downgrade, yuan: int, step: tuple[str, str | None], last: date | None
) -> None:
    club, member = golden(year(downgrade))
    club.go(2026, 12, 31)
    if yuan:
        club.buy(member, yuan * 100)
    assert (club.tier(member), len(club.changes(member))) == ("Gold", 1), "nothing before the end"
    club.now = club.local(2027, 1, 1)
    club.settle(member)
    assert (club.steps(member)[-1], club.last_day(member)) == (step, last)
    change = club.changes(member)[-1]
    assert (change.metric, change.occurred_at, change.actor) == (yuan, club.now, "till")
    assert change.valid_until == club.account(member).tier_valid_until


def test_k3_a_tier_lasts_to_the_last_instant_of_its_last_day() -> None:
    club, member = golden(year())
    ends_at = datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert club.account(member).tier_valid_until == ends_at
    club.now = ends_at - timedelta(microseconds=1)
    club.settle(member)
    assert (club.tier(member), club.decision.save) == ("Gold", ())
    club.now = ends_at
    club.settle(member)
    assert club.tier(member) is None
    assert club.events == (
        AccountSettled(member_id=member, transactions=0),
        TierLost(member_id=member, tier_id=None, tier_id_before=club.tiers["Gold"]),
    )


def test_k3_a_purchase_at_the_last_instant_keeps_the_tier_and_one_at_the_first_of_the_next_day_does_not() -> None:
    for late_us, step in ((-1, ("KEPT", "Gold")), (0, ("LOST", None))):
        club, member = golden(year())
        club.now = club.local(2027, 1, 1) + timedelta(microseconds=late_us)
        club.buy(member, 30_000)
        club.go(2027, 1, 1)
        club.settle(member)
        assert step in club.steps(member)


def test_k3_a_member_who_falls_by_one_level_has_the_lower_tier_for_one_window() -> None:
    club = Club(year(Downgrade.ONE_LEVEL), day=date(2025, 6, 1))
    member = club.enroll()
    club.buy(member, 100_000)
    club.go(2030, 6, 1)
    club.settle(member)
    assert club.days(member) == [
        ("REACHED", "Platinum", "2025-06-01"),
        ("LOST", "Gold", "2027-01-01"),
        ("LOST", "Silver", "2028-01-01"),
        ("LOST", None, "2029-01-01"),
    ]
    assert club.account(member).due_at is None


def test_k3_a_member_who_falls_the_whole_way_stands_where_its_last_window_ends() -> None:
    club = Club(year(), day=date(2025, 6, 1))
    member = club.enroll()
    club.buy(member, 100_000)
    club.go(2026, 6, 1)
    club.buy(member, 40_000)
    club.go(2027, 1, 1)
    club.settle(member)
    assert (club.tier(member), club.last_day(member)) == ("Gold", date(2027, 12, 31))
    change = club.changes(member)[-1]
    assert (change.cause, change.metric, change.tier_id_before) == ("LOST", 400, club.tiers["Platinum"])


def test_k3_a_tier_that_was_lost_is_reached_again_like_any_other() -> None:
    club, member = golden(year())
    club.go(2027, 2, 1)
    club.buy(member, 30_000)
    assert club.days(member)[1:] == [("LOST", None, "2027-01-01"), ("REACHED", "Gold", "2027-02-01")]
    assert club.last_day(member) == date(2028, 12, 31)


def test_k3_what_is_reached_in_a_window_lasts_through_the_next_though_more_is_earned() -> None:
    club, member = golden(year())
    club.go(2025, 12, 1)
    club.buy(member, 30_000)
    assert club.last_day(member) == date(2026, 12, 31)
    club.go(2026, 2, 1)
    club.buy(member, 30_000)
    assert (club.last_day(member), club.progress(member).keep_gap) == (date(2026, 12, 31), 0)


@pytest.mark.parametrize(
    ("keep", "yuan", "step"),
    [
        (200, 199, ("LOST", "Silver")),
        (200, 200, ("KEPT", "Gold")),
        (500, 499, ("LOST", "Silver")),
        (500, 500, ("KEPT", "Gold")),
        (0, 0, ("KEPT", "Gold")),
    ],
)
def test_k3_the_keep_threshold_may_be_lower_or_higher_than_that_to_reach(
    keep: int, yuan: int, step: tuple[str, str]
) -> None:
    club, member = golden(year(), keep={"Silver": 0 if keep == 0 else None, "Gold": keep, "Platinum": 1_000})  # type: ignore[dict-item]
    club.go(2026, 6, 1)
    if yuan:
        club.buy(member, yuan * 100)
    club.go(2027, 1, 1)
    club.settle(member)
    assert club.steps(member)[-1] == step


def test_k3_who_falls_is_left_with_a_tier_that_its_metric_would_have_kept() -> None:
    """Silver is reached with 100 and kept with 50: who falls from Gold with 60 stands where a Silver member would."""
    club, member = golden(year(), keep={"Silver": 50})
    club.go(2026, 6, 1)
    club.buy(member, 6_000)
    club.go(2027, 1, 1)
    club.settle(member)
    assert club.steps(member)[-1] == ("LOST", "Silver")


def test_k3_a_tier_that_needs_nothing_never_expires() -> None:
    club = Club(year(), thresholds={"Member": 0, "Silver": 100})
    member = club.enroll()
    assert (club.steps(member), club.last_day(member)) == ([("REACHED", "Member")], None)
    assert club.account(member).due_at is None
    club.buy(member, 10_000)
    club.go(2040, 1, 1)
    club.settle(member)
    assert club.steps(member) == [("REACHED", "Member"), ("REACHED", "Silver"), ("LOST", "Member")]
    assert (club.last_day(member), club.account(member).due_at) == (None, None)


def test_k3_a_tier_that_is_reached_by_nothing_and_kept_by_something_does_expire() -> None:
    club = Club(year(), thresholds={"Guest": 0, "Silver": 100}, keep={"Guest": 50})
    member = club.enroll()
    assert club.last_day(member) == date(2027, 12, 31)
    club.go(2028, 1, 1)
    club.settle(member)
    assert club.steps(member)[-1] == ("LOST", None)


def test_k3_a_tier_for_life_is_lost_with_what_was_refunded_once_its_days_are_over() -> None:
    club = Club(TierPolicy(validity_days=30, downgrade=Downgrade.FULL))
    member = club.enroll()
    purchase = club.buy(member, 30_000).purchase
    club.refund(purchase, 15_000)
    assert club.tier(member) == "Gold"
    club.later(days=31)
    club.settle(member)
    assert club.tier(member) == "Silver"


def test_k3_a_rolling_tier_is_kept_by_the_months_before_its_end() -> None:
    policy = TierPolicy(window=TierWindow.ROLLING, months=6, downgrade=Downgrade.FULL)
    for bought, expected in ((date(2026, 3, 10), None), (date(2026, 3, 11), "Gold")):
        club = Club(policy)
        member = club.enroll()
        club.buy(member, 30_000)
        club.go(bought.year, bought.month, bought.day)
        club.buy(member, 30_000)
        assert club.last_day(member) == date(2026, 9, 10)
        club.now = club.local(2026, 9, 11)
        club.settle(member)
        assert club.tier(member) == expected, bought


# Grace.


def test_k3_benefits_stay_in_grace_and_the_tier_is_lost_at_its_end() -> None:
    club, member = golden(year(grace_days=30))
    club.now = club.local(2027, 1, 1)
    club.settle(member)
    account = club.account(member)
    assert (club.tier(member), club.last_day(member), club.last_day_of_grace(member)) == (
        "Gold",
        date(2026, 12, 31),
        date(2027, 1, 30),
    )
    assert account.due_at == account.tier_grace_until
    assert club.events[1:] == (
        TierInGrace(member_id=member, tier_id=club.tiers["Gold"], gap=300, until=club.local(2027, 1, 31)),
    )
    club.now = club.local(2027, 1, 31) - timedelta(microseconds=1)
    bought = club.buy(member, 10_000).purchase
    assert bought.tier_id == club.tiers["Gold"]
    club.now = club.local(2027, 1, 31)
    club.settle(member)
    assert club.days(member)[1:] == [("GRACE", "Gold", "2027-01-01"), ("LOST", "Silver", "2027-01-31")]
    assert (club.last_day(member), club.last_day_of_grace(member)) == (date(2027, 12, 31), None)


@pytest.mark.parametrize("day", [1, 15, 30])
def test_k3_reaching_the_keep_threshold_in_grace_renews_at_once(day: int) -> None:
    club, member = golden(year(grace_days=30))
    club.go(2026, 12, 1)
    club.buy(member, 20_000)
    club.go(2027, 1, 1)
    club.settle(member)
    club.go(2027, 1, day)
    club.buy(member, 9_900)
    assert club.last_day_of_grace(member) == date(2027, 1, 30)
    club.buy(member, 100)
    assert club.steps(member)[-1] == ("KEPT", "Gold")
    assert (club.last_day(member), club.last_day_of_grace(member)) == (date(2027, 12, 31), None)
    kept = TierKept(member_id=member, tier_id=club.tiers["Gold"], valid_until=club.local(2028, 1, 1))
    assert club.events[-1] == kept


def test_k3_the_last_instant_of_grace_still_renews() -> None:
    for late_us, expected in ((-1, ("KEPT", "Gold")), (0, ("REACHED", "Gold"))):
        club, member = golden(year(grace_days=30))
        club.now = club.local(2027, 1, 31) + timedelta(microseconds=late_us)
        club.buy(member, 30_000)
        assert club.steps(member)[-1] == expected
        assert ("LOST", None) in club.steps(member) or late_us < 0
        last = date(2027, 12, 31) if late_us < 0 else date(2028, 12, 31)
        assert club.last_day(member) == last


def test_k3_a_purchase_of_the_old_year_told_in_grace_counts_with_those_of_the_grace() -> None:
    club, member = golden(year(grace_days=30))
    club.go(2027, 1, 3)
    club.buy(member, 15_000)
    club.go(2027, 1, 5)
    club.buy(member, 15_000, occurred_at=club.noon(2026, 12, 30))
    assert club.steps(member)[-1] == ("KEPT", "Gold")


def test_k3_a_higher_tier_is_reached_in_grace_by_its_own_window() -> None:
    club, member = golden(year(grace_days=30))
    club.go(2027, 1, 10)
    club.buy(member, 100_000)
    assert club.days(member)[-1] == ("REACHED", "Platinum", "2027-01-10")
    assert (club.last_day(member), club.last_day_of_grace(member)) == (date(2028, 12, 31), None)


def test_k3_no_grace_is_given_where_no_tier_is_taken_away() -> None:
    club, member = golden(year(Downgrade.NONE, grace_days=30))
    club.go(2027, 1, 1)
    club.settle(member)
    assert club.steps(member)[1:] == [("STAYED", "Gold")]
    assert club.last_day_of_grace(member) is None


@pytest.mark.parametrize("downgrade", [Downgrade.FULL, Downgrade.ONE_LEVEL])
def test_k3_what_a_long_grace_leaves_is_not_over_already(downgrade: Downgrade) -> None:
    policy = TierPolicy(window=TierWindow.LIFETIME, validity_days=10, grace_days=100, downgrade=downgrade)
    club = Club(policy, keep={"Silver": 100, "Gold": 900, "Platinum": 1_000})
    member = club.enroll()
    club.buy(member, 30_000)
    club.go(2026, 12, 31)
    club.settle(member)
    # To the 20th of March, in grace to the 28th of June; then the validities of ten days go on.
    told = club.days(member)
    assert told[:3] == [
        ("REACHED", "Gold", "2026-03-10"),
        ("GRACE", "Gold", "2026-03-21"),
        ("LOST", "Silver", "2026-06-29"),
    ]
    assert {step for step, _, _ in told[3:]} == {"KEPT"}
    days = [day for _, _, day in told]
    assert days == sorted(days)
    assert told[3] == ("KEPT", "Silver", "2026-07-09")
