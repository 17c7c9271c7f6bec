"""Looking at members again after tiers or their policy changed: who has more rises, and what one has stays (K3)."""

from datetime import date
from typing import Any
from uuid import UUID

from domain.points.tiers import ReviewTier
from domain.policies import Downgrade, TierMetric, TierPolicy, TierWindow
from domain.tiers.standing import TierReached
from tests.domain.tiers.club import Club

LIFETIME = TierPolicy()
YEAR = TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL)


def silver(policy: TierPolicy, yuan: int = 150, **told: Any) -> tuple[Club, UUID]:
    club = Club(policy, **told)
    member = club.enroll()
    club.buy(member, yuan * 100)
    return club, member


def test_every_change_of_tiers_and_of_their_policy_is_a_new_version_of_the_ladder() -> None:
    club = Club(YEAR, thresholds={"Silver": 100})
    assert club.program.ladder_version == 2
    club.edit_tier("Silver", threshold=90)
    assert club.program.ladder_version == 3
    club.update(name="Other", tier_policy=YEAR)
    assert club.program.ladder_version == 3
    club.update(tier_policy=LIFETIME)
    assert club.program.ladder_version == 4


def test_a_member_whose_metric_is_enough_now_rises() -> None:
    club, member = silver(YEAR)
    club.edit_tier("Gold", threshold=150)
    assert club.tier(member) == "Silver"
    club.review(member)
    assert club.days(member)[-1] == ("REACHED", "Gold", "2026-03-10")
    reached = TierReached(member_id=member, tier_id=club.tiers["Gold"], tier_id_before=club.tiers["Silver"])
    assert (club.events, club.last_day(member)) == ((reached,), date(2027, 12, 31))
    club.review(member)
    assert club.decision.save == (), "looked at again, nothing changes"


def test_k3_a_member_keeps_what_it_has_until_that_expires() -> None:
    club, member = silver(YEAR)
    club.edit_tier("Silver", threshold=200)
    club.review(member)
    assert (club.tier(member), club.decision.save) == ("Silver", ())
    club.go(2027, 6, 1)
    club.buy(member, 19_900)
    club.go(2028, 1, 1)
    club.settle(member)
    assert club.tier(member) is None


def test_a_policy_with_an_end_gives_tiers_one_that_begins_today() -> None:
    club, member = silver(LIFETIME)
    club.go(2027, 5, 1)
    club.update(tier_policy=YEAR)
    club.review(member)
    assert club.days(member)[-1] == ("REVIEWED", "Silver", "2027-05-01")
    assert club.last_day(member) == date(2028, 12, 31)
    assert club.account(member).due_at == club.account(member).tier_valid_until


def test_a_policy_without_an_end_takes_it_from_tiers_and_ends_their_grace() -> None:
    club, member = silver(TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL, grace_days=30))
    club.go(2028, 1, 2)
    club.settle(member)
    assert club.last_day_of_grace(member) == date(2028, 1, 30)
    club.update(tier_policy=LIFETIME)
    club.review(member)
    account = club.account(member)
    assert (account.tier_valid_until, account.tier_grace_until, club.tier(member)) == (None, None, "Silver")
    club.go(2040, 1, 1)
    club.settle(member)
    assert (club.tier(member), club.account(member).due_at) == ("Silver", None)


def test_another_policy_with_an_end_leaves_the_end_that_was_promised() -> None:
    club, member = silver(YEAR)
    club.update(tier_policy=TierPolicy(window=TierWindow.ROLLING, months=1, downgrade=Downgrade.FULL))
    club.review(member)
    assert (club.last_day(member), club.decision.save) == (date(2027, 12, 31), ())


def test_another_metric_may_raise_members_and_lowers_none_before_the_end() -> None:
    club, member = silver(YEAR)
    club.update(tier_policy=TierPolicy(metric=TierMetric.NET_SPEND, window=TierWindow.CALENDAR_YEAR))
    club.review(member)
    assert club.tier(member) == "Platinum", "15,000 fen"
    club.update(tier_policy=TierPolicy(metric=TierMetric.PURCHASES, window=TierWindow.CALENDAR_YEAR))
    club.review(member)
    assert club.tier(member) == "Platinum"


def test_a_new_tier_is_reached_by_who_has_enough_and_one_that_needs_nothing_by_all() -> None:
    club, member = silver(YEAR, thresholds={"Gold": 300})
    nobody = club.enroll()
    more = Club(YEAR, thresholds={"Member": 0})
    assert (club.tier(member), club.tier(nobody)) == (None, None)
    club.edit_tier("Gold", threshold=0)
    for each in (member, nobody):
        club.review(each)
        assert (club.tier(each), club.last_day(each)) == ("Gold", None)
    assert more.tier(more.enroll()) == "Member"


def test_a_tier_that_needs_nothing_any_more_has_no_end_any_more() -> None:
    club, member = silver(YEAR)
    club.edit_tier("Silver", threshold=0)
    club.review(member)
    assert (club.steps(member)[-1], club.last_day(member)) == (("REVIEWED", "Silver"), None)


def test_a_review_lets_the_clock_catch_up_and_keeps_what_it_did() -> None:
    club, member = silver(YEAR)
    club.go(2028, 1, 1)
    club.run(ReviewTier(member_id=member))
    assert club.steps(member) == [("REACHED", "Silver"), ("LOST", None)]
    assert club.account(member).due_at is None


def test_a_review_beneath_a_tier_set_by_hand_raises_the_earned_one() -> None:
    club, member = silver(YEAR)
    club.set_tier(member, "Platinum", date(2026, 6, 30))
    club.edit_tier("Gold", threshold=150)
    club.review(member)
    assert (club.tier(member), club.name_of(club.account(member).earned_tier_id)) == ("Platinum", "Gold")
