"""Warnings of a tier that ends, with the exact gap (K3)."""

from datetime import date

from domain.policies import (
    Downgrade,
    TierPolicy,
)
from domain.tiers.standing import TierExpiring, TierLost
from tests.domain.tiers.club import Club, golden, year


def test_k3_warnings_tell_the_exact_gap_30_and_7_days_and_one_day_before() -> None:
    club, member = golden(year(), keep={"Gold": 250})
    club.go(2026, 11, 1)
    club.buy(member, 10_000)
    ends_at = club.local(2027, 1, 1)
    for day, days, gap in ((date(2026, 12, 2), 30, 150), (date(2026, 12, 25), 7, 149), (date(2026, 12, 31), 1, 148)):
        club.go(day.year, day.month, day.day)
        assert club.warn(member, days) == (
            TierExpiring(
                member_id=member,
                tier_id=club.tiers["Gold"],
                days=days,
                gap=gap,
                valid_until=ends_at,
                tier_id_after=club.tiers["Silver"],
            ),
        )
        assert club.decision.save == ()
        club.buy(member, 100)


def test_k3_a_warning_that_comes_late_tells_how_many_days_are_left() -> None:
    club, member = golden(year())
    club.go(2026, 12, 1)
    assert club.warn(member, 30) == (), "31 days are left"
    club.go(2026, 12, 5)
    (told,) = club.warn(member, 30)
    assert isinstance(told, TierExpiring)
    assert told.days == 27


def test_k3_nobody_is_warned_who_has_enough_or_has_nothing_to_lose() -> None:
    club, member = golden(year())
    club.go(2026, 12, 20)
    club.buy(member, 30_000)
    assert club.warn(member, 30) == ()
    assert club.warn(club.enroll(), 30) == ()
    for policy in (year(Downgrade.NONE), TierPolicy()):
        club, member = golden(policy)
        club.go(2026, 12, 20)
        assert club.warn(member, 30) == ()


def test_k3_who_has_a_tier_set_by_hand_is_warned_of_its_end_and_of_what_follows() -> None:
    club = Club(year(), day=date(2026, 6, 1))
    member = club.enroll()
    club.buy(member, 15_000)
    club.set_tier(member, "Platinum", date(2026, 11, 30))
    for day, days in ((date(2026, 11, 1), 30), (date(2026, 11, 24), 7), (date(2026, 11, 30), 1)):
        club.go(day.year, day.month, day.day)
        assert club.warn(member, days) == (
            TierExpiring(
                member_id=member,
                tier_id=club.tiers["Platinum"],
                days=days,
                gap=None,
                valid_until=club.local(2026, 12, 1),
                tier_id_after=club.tiers["Silver"],
            ),
        )
        assert club.decision.save == ()
    club.go(2026, 12, 1)
    club.settle(member)
    assert club.tier(member) == "Silver"


def test_k3_nobody_is_warned_of_the_end_of_a_tier_set_by_hand_that_is_earned_by_then() -> None:
    club, member = golden(year())
    club.set_tier(member, "Gold", date(2026, 11, 30))
    club.go(2026, 11, 24)
    assert club.warn(member, 7) == ()
    club.set_tier(member, "Silver", date(2026, 11, 30))
    assert club.warn(member, 7) == (), "Gold follows"
    club.set_tier(member, "Gold", date(2027, 1, 10))
    club.go(2027, 1, 5)
    (told,) = club.warn(member, 7)
    assert isinstance(told, TierExpiring)
    assert (told.days, told.tier_id_after) == (6, None), "the earned one has ended underneath by then"


def test_k3_nobody_is_warned_in_grace_or_of_what_ends_under_a_tier_set_by_hand() -> None:
    club, member = golden(year(grace_days=30))
    club.set_tier(member, "Platinum", date(2027, 1, 5))
    club.go(2026, 12, 20)
    (told,) = club.warn(member, 30)
    assert isinstance(told, TierExpiring)
    names = club.name_of(told.tier_id), club.name_of(told.tier_id_after)
    assert (names, told.gap) == (("Platinum", "Gold"), None), "of the end on the 5th of January, not of Gold's"
    club.go(2027, 1, 10)
    club.warn(member, 30)
    assert not [event for event in club.events if isinstance(event, TierExpiring)]
    assert club.steps(member)[-1] == ("SET_ENDED", "Gold")
    assert club.last_day_of_grace(member) == date(2027, 1, 30)


def test_k3_a_warning_lets_the_clock_catch_up_first() -> None:
    club, member = golden(year())
    club.go(2027, 1, 1)
    assert club.warn(member, 1) == (TierLost(member_id=member, tier_id=None, tier_id_before=club.tiers["Gold"]),)
    assert club.tier(member) is None
