"""What is given for a tier: once for each member, tier and window, also after down and up again (K5)."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from domain.audiences import Audience
from domain.campaigns import EditRules
from domain.earning.rules import ONE_POINT_A_UNIT, Conditions, EarningKind, EarningRule, Trigger
from domain.policies import (
    Downgrade,
    ExpiryKind,
    ExpiryPolicy,
    PendingKind,
    PendingPolicy,
    TierMetric,
    TierPolicy,
    TierWindow,
)
from tests.domain.tiers.club import Club

YEAR = TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL)
# A tier ends after ten days, so that a member goes down and up within one window.
SHORT = TierPolicy(window=TierWindow.CALENDAR_YEAR, validity_days=10, downgrade=Downgrade.FULL)


def up(club: Club, member: UUID, yuan: int = 100) -> Any:
    return club.buy(member, yuan * 100).purchase


def down(club: Club, member: UUID, purchase: Any) -> None:
    """Refund what the tier was reached by, and let the tier end."""
    club.refund(purchase)
    club.later(days=11)
    club.settle(member)
    assert club.tier(member) is None


def test_k5_the_gift_comes_with_the_tier_as_a_grant_that_says_what_for() -> None:
    club = Club(YEAR, gifts={"Silver": 50})
    member = club.enroll()
    up(club, member)
    assert club.history(member) == [("EARN", 100), ("EARN", 50)]
    (grant,) = club.grants(member)
    assert (grant.trigger, grant.points, grant.occurred_at) == (Trigger.TIER_REACHED, 50, club.now)
    assert grant.occasion == f"{club.tiers['Silver']} 2026-01-01"
    assert [item.rule for item in grant.earned] == ["tier-upgrade-gift"]
    assert grant.facts.tier_id == club.tiers["Silver"]
    club.replay(member)


def test_k5_down_and_up_within_a_window_gives_nothing_more() -> None:
    club = Club(SHORT, gifts={"Silver": 50})
    member = club.enroll()
    down(club, member, up(club, member))
    up(club, member)
    assert (club.tier(member), club.gifts(member)) == ("Silver", [50])
    assert [cause for cause, _ in club.steps(member)] == ["REACHED", "LOST", "REACHED"]


def test_k5_in_a_later_window_the_gift_is_given_again() -> None:
    club = Club(YEAR, gifts={"Silver": 50})
    member = club.enroll()
    up(club, member)
    club.go(2028, 1, 1)
    up(club, member)
    assert club.days(member)[1:] == [("LOST", None, "2028-01-01"), ("REACHED", "Silver", "2028-01-01")]
    assert club.gifts(member) == [50, 50]


def test_k5_a_tier_that_is_kept_gives_nothing() -> None:
    club = Club(YEAR, gifts={"Silver": 50})
    member = club.enroll()
    for year in (2026, 2027, 2028):
        club.go(year, 6, 1)
        up(club, member)
    assert [cause for cause, _ in club.steps(member)] == ["REACHED", "KEPT"]
    assert club.gifts(member) == [50]


@pytest.mark.parametrize(
    ("policy", "again", "gifts"),
    [
        (TierPolicy(window=TierWindow.LIFETIME, validity_days=10, downgrade=Downgrade.FULL), (2031, 1, 1), [50]),
        (
            TierPolicy(window=TierWindow.ROLLING, months=6, validity_days=10, downgrade=Downgrade.FULL),
            (2026, 9, 9),
            [50],
        ),
        (
            TierPolicy(window=TierWindow.ROLLING, months=6, validity_days=10, downgrade=Downgrade.FULL),
            (2026, 9, 10),
            [50, 50],
        ),
        (
            TierPolicy(window=TierWindow.ANNIVERSARY, validity_days=10, downgrade=Downgrade.FULL),
            (2027, 3, 9),
            [50],
        ),
        (
            TierPolicy(window=TierWindow.ANNIVERSARY, validity_days=10, downgrade=Downgrade.FULL),
            (2027, 3, 10),
            [50, 50],
        ),
    ],
)
def test_k5_every_window_has_its_gift(policy: TierPolicy, again: tuple[int, int, int], gifts: list[int]) -> None:
    club = Club(policy, gifts={"Silver": 50})
    member = club.enroll()
    down(club, member, up(club, member))
    club.go(*again)
    up(club, member)
    assert (club.tier(member), club.gifts(member)) == ("Silver", gifts)


def test_k5_each_tier_has_a_gift_of_its_own_and_those_that_are_skipped_give_none() -> None:
    club = Club(YEAR, gifts={"Silver": 10, "Gold": 20, "Platinum": 40})
    member = club.enroll()
    up(club, member, 120)
    up(club, member, 200)
    assert club.gifts(member) == [10, 20]
    other = club.enroll()
    up(club, other, 500)
    assert (club.tier(other), club.gifts(other)) == ("Gold", [20])


def test_k5_points_of_a_gift_may_reach_the_next_tier_and_its_gift() -> None:
    club = Club(YEAR, gifts={"Silver": 200, "Gold": 690, "Platinum": 5})
    member = club.enroll()
    up(club, member, 110)
    assert club.steps(member) == [("REACHED", "Silver"), ("REACHED", "Gold"), ("REACHED", "Platinum")]
    assert club.gifts(member) == [200, 690, 5]
    assert (club.account(member).qualifying_points, club.account(member).available) == (1_005, 1_005)
    club.replay(member)


def test_k5_the_gift_pays_what_is_owed_first() -> None:
    club = Club(YEAR, gifts={"Silver": 50})
    member = club.enroll()
    first = up(club, member, 90)
    club.spend(member, 90)
    club.refund(first)
    assert club.figures(member) == (0, 0, 0, 90)
    up(club, member, 100)
    assert club.figures(member) == (60, 0, 0, 0)
    club.replay(member)


def test_k5_rules_for_reaching_a_tier_give_beside_its_benefits_and_only_for_their_tiers() -> None:
    club = Club(YEAR, gifts={"Silver": 50})
    rule = EarningRule(
        code="golden",
        kind=EarningKind.FIXED,
        points=7,
        trigger=Trigger.TIER_REACHED,
        when=Conditions(audience=Audience(tiers=(club.tiers["Gold"],))),
    )
    club.run(EditRules(rules=(*ONE_POINT_A_UNIT, rule)))
    member = club.enroll()
    up(club, member)
    assert club.gifts(member) == [50]
    up(club, member, 200)
    assert club.gifts(member) == [50, 7]


def test_k5_a_gift_for_a_tier_told_late_is_of_the_time_at_which_it_was_reached() -> None:
    club = Club(YEAR, day=date(2026, 1, 2), gifts={"Silver": 50}, expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=30))
    member = club.enroll()
    club.buy(member, 10_000, occurred_at=club.noon(2025, 12, 30))
    (gift,) = club.grants(member)
    assert (gift.occasion.split()[1], gift.occurred_at) == ("2025-01-01", club.noon(2025, 12, 30))
    assert {lot.expires_at for lot in club.lots(member)} == {club.local(2026, 1, 30)}


def test_k5_a_gift_that_is_over_by_the_time_it_is_given_is_never_spent() -> None:
    expiry = ExpiryPolicy(kind=ExpiryKind.END_OF_YEAR, count=0)
    club = Club(YEAR, day=date(2026, 1, 2), gifts={"Silver": 50}, expiry=expiry)
    member = club.enroll()
    club.buy(member, 10_000, occurred_at=club.noon(2025, 12, 30))
    assert (club.figures(member), club.account(member).lifetime_expired) == ((0, 0, 0, 0), 150)
    assert (club.tier(member), club.account(member).due_at) == ("Silver", club.account(member).tier_valid_until)
    club.replay(member)


def test_k5_a_gift_that_waits_counts_when_it_is_available() -> None:
    # By purchases, a tier is reached at once though points wait.
    policy = TierPolicy(metric=TierMetric.PURCHASES, window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL)
    club = Club(policy, thresholds={"Silver": 1, "Gold": 2}, gifts={"Silver": 250})
    club.update(pending=PendingPolicy(PendingKind.AFTER, days=7))
    member = club.enroll()
    up(club, member)
    assert (club.tier(member), club.figures(member), club.account(member).qualifying_points) == (
        "Silver",
        (0, 350, 0, 0),
        0,
    )
    club.later(days=7)
    club.settle(member)
    assert (club.figures(member), club.account(member).qualifying_points) == ((350, 0, 0, 0), 350)


def test_k5_a_gift_waits_from_the_time_at_which_the_tier_was_reached() -> None:
    club = Club(YEAR, gifts={"Silver": 250})
    club.update(pending=PendingPolicy(PendingKind.AFTER, days=7))
    member = club.enroll()
    up(club, member)
    club.later(days=7)
    club.settle(member)
    assert (club.tier(member), club.figures(member)) == ("Gold", (350, 0, 0, 0)), "reached when it was bought"


def test_k5_a_tier_set_by_hand_gives_nothing_and_one_that_is_earned_beneath_it_does() -> None:
    club = Club(YEAR, gifts={"Silver": 50, "Gold": 90})
    member = club.enroll()
    club.set_tier(member, "Gold", date(2026, 6, 30))
    assert club.gifts(member) == []
    up(club, member)
    assert (club.tier(member), club.gifts(member)) == ("Gold", [50])
    club.go(2026, 7, 1)
    club.settle(member)
    assert (club.tier(member), club.gifts(member)) == ("Silver", [50])


def test_k5_whose_lowest_tier_needs_nothing_has_its_gift_with_the_enrollment() -> None:
    club = Club(YEAR, thresholds={"Member": 0, "Silver": 100}, gifts={"Member": 30})
    member = club.enroll()
    assert (club.tier(member), club.figures(member), club.gifts(member)) == ("Member", (30, 0, 0, 0), [30])
    club.replay(member)


def test_k5_a_review_gives_what_reaching_gives_once() -> None:
    club = Club(YEAR, gifts={"Silver": 50})
    member = club.enroll()
    up(club, member, 60)
    club.edit_tier("Silver", threshold=60)
    club.review(member)
    club.review(member)
    assert (club.steps(member), club.gifts(member)) == ([("REACHED", "Silver")], [50])
