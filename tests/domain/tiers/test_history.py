"""The history of a tier, the tier at a purchase's time, and the tier that staff set by hand (K4)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.kernel import NotFound, Refusal
from domain.members import MemberRef
from domain.points.tiers import EndSetTier, SetTier, TierEndInvalid, TierNotSet
from domain.policies import Downgrade, TierPolicy, TierWindow
from domain.tiers.standing import TierCause, TierChange, TierInGrace, TierKept, TierLost, TierReached, tier_at
from tests.domain.memory import PROGRAM_ID
from tests.domain.tiers.club import Club

YEAR = TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL)
GRACE = TierPolicy(window=TierWindow.CALENDAR_YEAR, downgrade=Downgrade.FULL, grace_days=30)
FACTORS = {"Silver": 20_000, "Gold": 30_000}


def club_of(policy: TierPolicy = YEAR, **told: Any) -> tuple[Club, UUID]:
    """A club whose Silver doubles and whose Gold trebles, with a member."""
    club = Club(policy, day=date(2025, 6, 1), **told)
    for name, factor in FACTORS.items():
        club.edit_tier(name, multiplier_bp=factor)
    return club, club.enroll()


# At a purchase's time.


def test_k4_a_purchase_is_reckoned_with_the_tier_of_its_own_time() -> None:
    club, member = club_of()
    first = club.buy(member, 30_000).purchase
    assert (first.tier_id, first.multiplier_bp, first.points_earned) == (None, 10_000, 300)
    second = club.buy(member, 100).purchase
    assert (second.tier_id, second.multiplier_bp, second.points_earned) == (club.tiers["Gold"], 30_000, 3)


def test_k4_a_purchase_told_late_is_reckoned_with_the_tier_that_the_member_had_then() -> None:
    club, member = club_of()
    club.buy(member, 10_000)
    club.go(2025, 7, 1)
    club.buy(member, 20_000)
    club.go(2027, 2, 1)
    club.settle(member)
    assert club.days(member) == [
        ("REACHED", "Silver", "2025-06-01"),
        ("REACHED", "Gold", "2025-07-01"),
        ("LOST", None, "2027-01-01"),
    ]
    told = [
        (club.noon(2025, 5, 31), None),
        (club.noon(2025, 6, 1), "Silver"),
        (club.noon(2025, 7, 1) - timedelta(microseconds=1), "Silver"),
        (club.noon(2025, 7, 1), "Gold"),
        (club.local(2026, 12, 31, 23, 59), "Gold"),
        (club.local(2027, 1, 1), None),
        (club.now, None),
    ]
    for at, expected in told:
        assert club.name_of(club.buy(member, 1, occurred_at=at).purchase.tier_id) == expected, at


def test_k4_benefits_are_stored_with_the_purchase_and_refunds_reckon_by_them() -> None:
    club, member = club_of()
    club.buy(member, 10_000)
    bought = club.buy(member, 1_000).purchase
    assert bought.points_earned == 20
    club.edit_tier("Silver", multiplier_bp=90_000)
    assert club.refund(bought, 500).refund.points_due == 10


def test_k4_the_tier_in_grace_is_in_force() -> None:
    club, member = club_of(GRACE)
    club.buy(member, 30_000)
    club.go(2027, 1, 20)
    assert club.buy(member, 100).purchase.multiplier_bp == 30_000


# The history.


def test_k4_every_step_is_appended_with_what_counted_why_and_by_whom() -> None:
    club, member = club_of(GRACE)
    reached_at = club.now
    club.buy(member, 30_000)
    club.go(2027, 3, 1)
    club.settle(member)
    reached, in_grace, lost = club.changes(member)
    assert reached == TierChange(
        id=reached.id,
        program_id=PROGRAM_ID,
        member_id=member,
        tier_id=club.tiers["Gold"],
        tier_id_before=None,
        cause=TierCause.REACHED,
        metric=300,
        valid_until=datetime(2026, 12, 31, 16, tzinfo=UTC),
        earned_tier_id=club.tiers["Gold"],
        earned_valid_until=datetime(2026, 12, 31, 16, tzinfo=UTC),
        actor="till",
        occurred_at=reached_at,
        recorded_at=reached_at,
    )
    assert (in_grace.cause, in_grace.metric, in_grace.tier_id) == (TierCause.GRACE, 0, club.tiers["Gold"])
    assert (in_grace.occurred_at, in_grace.recorded_at) == (reached.valid_until, club.now)
    assert (lost.cause, lost.tier_id, lost.tier_id_before) == (TierCause.LOST, None, club.tiers["Gold"])
    assert (lost.occurred_at, lost.valid_until) == (club.local(2027, 1, 31), None)


def step(
    number: int, day: int, before: int | None, after: int | None, cause: TierCause = TierCause.REACHED
) -> TierChange:
    at = datetime(2026, 1, day, tzinfo=UTC)
    return TierChange(
        id=UUID(int=number),
        program_id=PROGRAM_ID,
        member_id=UUID(int=99),
        tier_id=None if after is None else UUID(int=after),
        tier_id_before=None if before is None else UUID(int=before),
        cause=cause,
        metric=0,
        valid_until=None,
        actor="till",
        occurred_at=at,
        recorded_at=at,
    )


def test_k4_the_tier_at_an_instant_is_that_of_the_last_change_until_then() -> None:
    history = (step(3, 20, 2, 1), step(1, 5, None, 1), step(2, 10, 1, 2), step(4, 25, 1, 1, TierCause.KEPT))
    told = {4: None, 5: 1, 9: 1, 10: 2, 19: 2, 20: 1, 28: 1}
    for day, expected in told.items():
        found = tier_at(history, UUID(int=7), datetime(2026, 1, day, tzinfo=UTC))
        assert found == (None if expected is None else UUID(int=expected)), day
    assert tier_at((), UUID(int=7), datetime(2026, 1, 1, tzinfo=UTC)) == UUID(int=7)


def test_k4_of_two_changes_at_one_instant_the_later_one_counts() -> None:
    history = (step(2, 5, 1, 2), step(1, 5, None, 1))
    assert tier_at(history, None, datetime(2026, 1, 5, tzinfo=UTC)) == UUID(int=2)


def test_k4_a_step_that_changes_no_tier_says_nothing_of_the_tier_in_force() -> None:
    """Silver was kept on the 10th; on the 12th a purchase of the 8th is told and reaches Gold, from the 8th on."""
    history = (step(1, 1, None, 1), step(2, 10, 1, 1, TierCause.KEPT), step(3, 8, 1, 2))
    assert tier_at(history, None, datetime(2026, 1, 11, tzinfo=UTC)) == UUID(int=2)


# By hand.


def test_k4_a_tier_set_by_hand_has_a_reason_and_an_end_and_beats_the_computed_one_until_then() -> None:
    club, member = club_of()
    account = club.set_tier(member, "Gold", date(2025, 6, 30), reason="  VIP of the mall ")
    until = club.local(2025, 7, 1)
    assert (club.tier(member), account.manual_tier_until, account.due_at) == ("Gold", until, until)
    assert (account.earned_tier_id, account.tier_valid_until) == (None, None)
    (change,) = club.changes(member)
    assert (change.cause, change.reason, change.valid_until) == (TierCause.SET, "VIP of the mall", until)
    assert club.events == (TierReached(member_id=member, tier_id=club.tiers["Gold"], tier_id_before=None),)
    club.now = until - timedelta(microseconds=1)
    assert club.buy(member, 100).purchase.multiplier_bp == 30_000
    club.now = until
    club.settle(member)
    assert club.days(member)[-1] == ("SET_ENDED", None, "2025-07-01")
    assert club.account(member).manual_tier_id is None
    assert club.events[-1] == TierLost(member_id=member, tier_id=None, tier_id_before=club.tiers["Gold"])


def test_k4_the_earned_tier_moves_on_underneath_and_returns() -> None:
    club, member = club_of()
    club.set_tier(member, "Platinum", date(2025, 12, 31))
    club.buy(member, 10_000)
    club.go(2025, 7, 1)
    club.buy(member, 20_000)
    assert (club.tier(member), club.name_of(club.account(member).earned_tier_id)) == ("Platinum", "Gold")
    assert [event for event in club.events if isinstance(event, TierReached)] == []
    club.go(2026, 1, 1)
    club.settle(member)
    assert club.tier(member) == "Gold"
    assert club.last_day(member) == date(2026, 12, 31)
    lost = TierLost(member_id=member, tier_id=club.tiers["Gold"], tier_id_before=club.tiers["Platinum"])
    assert club.events[-1] == lost


def test_k4_the_history_tells_what_counted_and_what_was_earned_under_a_tier_set_by_hand() -> None:
    club, member = club_of()
    club.buy(member, 6_000)
    club.set_tier(member, "Platinum", date(2026, 1, 31))
    club.go(2025, 7, 1)
    club.buy(member, 5_000)
    club.go(2026, 2, 1)
    club.settle(member)
    in_force = [(change.cause, club.name_of(change.tier_id), change.metric) for change in club.changes(member)]
    # By the end of January, nothing counted yet in the year 2026.
    assert in_force == [("SET", "Platinum", 60), ("REACHED", "Platinum", 110), ("SET_ENDED", "Silver", 0)]
    earned = [
        (club.name_of(change.earned_tier_id_before), club.name_of(change.earned_tier_id), change.earned_valid_until)
        for change in club.changes(member)
    ]
    until = club.local(2027, 1, 1)
    assert earned == [(None, None, None), (None, "Silver", until), ("Silver", "Silver", until)]
    assert club.changes(member)[1].valid_until == club.local(2026, 2, 1)


def test_k4_the_earned_tier_ends_underneath_without_a_word_and_does_not_return() -> None:
    club, member = club_of(GRACE)
    club.buy(member, 30_000)
    club.go(2026, 6, 1)
    club.set_tier(member, "Silver", date(2027, 6, 30))
    assert club.events == (TierLost(member_id=member, tier_id=club.tiers["Silver"], tier_id_before=club.tiers["Gold"]),)
    club.go(2027, 3, 1)
    club.settle(member)
    assert [cause for cause, _ in club.steps(member)] == ["REACHED", "SET", "GRACE", "LOST"]
    told = (TierInGrace, TierKept, TierLost, TierReached)
    assert [event for event in club.events if isinstance(event, told)] == []
    assert (club.tier(member), club.account(member).earned_tier_id) == ("Silver", None)
    club.go(2027, 7, 1)
    club.settle(member)
    assert club.tier(member) is None


def test_k4_a_tier_set_by_hand_may_be_set_anew_and_ended() -> None:
    club, member = club_of()
    club.buy(member, 10_000)
    club.set_tier(member, "Gold", date(2025, 12, 31))
    account = club.set_tier(member, "Platinum", date(2025, 6, 1))
    assert account.manual_tier_until == club.local(2025, 6, 2)
    account = club.end_set_tier(member, reason="moved away")
    assert (club.tier(member), account.manual_tier_until) == ("Silver", None)
    assert club.steps(member) == [
        ("REACHED", "Silver"),
        ("SET", "Gold"),
        ("SET", "Platinum"),
        ("SET_ENDED", "Silver"),
    ]
    assert club.changes(member)[-1].reason == "moved away"


def test_k4_both_tiers_may_end_at_one_instant() -> None:
    club, member = club_of()
    club.buy(member, 30_000)
    club.set_tier(member, "Platinum", date(2026, 12, 31))
    club.go(2027, 1, 1)
    club.settle(member)
    assert (club.tier(member), club.account(member).due_at) == (None, None)
    assert [cause for cause, _ in club.steps(member)] == ["REACHED", "SET", "SET_ENDED", "LOST"]


def test_k4_purchases_told_late_see_the_tier_that_was_set_by_hand() -> None:
    club, member = club_of()
    club.set_tier(member, "Gold", date(2025, 6, 30))
    club.go(2025, 8, 1)
    bought = [club.buy(member, 100, occurred_at=club.noon(2025, month, 15)).purchase for month in (5, 6, 7)]
    assert [each.multiplier_bp for each in bought] == [10_000, 30_000, 10_000]


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"until": date(2025, 5, 31)}, TierEndInvalid),
        ({"until": date(2035, 6, 2)}, TierEndInvalid),
        ({"reason": " "}, Refusal),
        ({"tier_id": UUID(int=99)}, NotFound),
        ({"member": MemberRef(id=UUID(int=98))}, NotFound),
    ],
)
def test_a_tier_is_set_only_with_what_it_needs(told: dict[str, Any], refusal: type[Refusal]) -> None:
    club, member = club_of()
    command = {
        "member": MemberRef(id=member),
        "tier_id": club.tiers["Gold"],
        "until": date(2025, 6, 30),
        "reason": "VIP",
        **told,
    }
    with pytest.raises(refusal) as refused:
        club.run(SetTier(**command))
    if "until" in told:
        assert refused.value.details == {"until": str(told["until"])}
    assert (club.tier(member), club.changes(member)) == (None, ())
    assert club.set_tier(member, "Gold", date(2035, 6, 1)).tier_id == club.tiers["Gold"]


def test_only_a_tier_that_was_set_can_be_ended() -> None:
    club, member = club_of()
    club.buy(member, 10_000)
    with pytest.raises(TierNotSet):
        club.end_set_tier(member)
    club.set_tier(member, "Gold", date(2025, 6, 1))
    with pytest.raises(checks.TextInvalid):
        club.run(EndSetTier(member=MemberRef(id=member), reason=""))
    club.go(2025, 6, 2)
    with pytest.raises(TierNotSet):
        club.end_set_tier(member)
