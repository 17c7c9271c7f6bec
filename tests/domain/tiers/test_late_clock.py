"""A late clock: tiers, points and gifts come to the same as if it had been punctual (K2, K3)."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.kernel import Refusal
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
from tests.domain.tiers.club import Club, golden, year


def test_k3_a_clock_that_missed_several_windows_goes_through_each_of_them() -> None:
    club = Club(year(Downgrade.ONE_LEVEL, grace_days=31), day=date(2022, 6, 1))
    member = club.enroll()
    club.buy(member, 100_000)
    club.go(2027, 6, 1)
    club.settle(member)
    assert club.days(member) == [
        ("REACHED", "Platinum", "2022-06-01"),
        ("GRACE", "Platinum", "2024-01-01"),
        ("LOST", "Gold", "2024-02-01"),
        ("GRACE", "Gold", "2025-01-01"),
        ("LOST", "Silver", "2025-02-01"),
        ("GRACE", "Silver", "2026-01-01"),
        ("LOST", None, "2026-02-01"),
    ]
    assert {change.recorded_at for change in club.changes(member)[1:]} == {club.now}


def test_k3_pending_points_keep_a_tier_if_they_are_available_in_time_however_late_the_clock_is() -> None:
    for days, steps in (
        (10, [("REACHED", "Gold"), ("GRACE", "Gold"), ("KEPT", "Gold")]),
        (40, [("REACHED", "Gold"), ("GRACE", "Gold"), ("LOST", None), ("KEPT", "Gold")]),
    ):
        club, member = golden(year(grace_days=31))
        club.go(2026, 12, 25)
        club.update(pending=PendingPolicy(PendingKind.AFTER, days=days))
        club.buy(member, 30_000)
        club.go(2027, 6, 1)
        club.settle(member)
        assert club.steps(member) == steps


def test_k3_pending_points_of_the_old_year_give_a_lost_tier_back_when_they_are_available() -> None:
    club, member = golden(year(), gifts={"Gold": 5})
    club.update(pending=PendingPolicy(PendingKind.AFTER, days=14))
    club.go(2026, 12, 25)
    club.buy(member, 30_000)
    club.go(2027, 1, 9)
    club.settle(member)
    assert [step for step, _, _ in club.days(member)] == ["REACHED", "LOST", "KEPT"]
    assert (club.tier(member), club.last_day(member), club.gifts(member)) == ("Gold", date(2027, 12, 31), [5])


def test_k3_what_a_late_clock_gives_on_the_way_waits_and_expires_as_if_it_had_been_punctual() -> None:
    """Silver is reached on the 9th of April by points of the 10th and 20th of March; its gift waits for five days and
    puts off what expires by inactivity from the 29th of April to the 19th of May."""
    club = Club(
        TierPolicy(window=TierWindow.ROLLING, months=12, downgrade=Downgrade.FULL),
        gifts={"Silver": 20},
        pending=PendingPolicy(PendingKind.AFTER, days=30),
        expiry=ExpiryPolicy(kind=ExpiryKind.INACTIVITY, count=40),
    )
    member = club.enroll()
    club.buy(member, 6_000)
    club.update(pending=PendingPolicy(PendingKind.AFTER, days=5))
    club.go(2026, 3, 20)
    club.buy(member, 5_000)
    club.go(2026, 12, 1)
    club.settle(member)
    assert [(row.kind, row.amount, str(club.day_of(row.occurred_at))) for row in club.transactions(member)] == [
        ("EARN", 60, "2026-03-10"),
        ("EARN", 50, "2026-03-20"),
        ("ACTIVATE", 50, "2026-03-25"),
        ("ACTIVATE", 60, "2026-04-09"),
        ("EARN", 20, "2026-04-09"),
        ("ACTIVATE", 20, "2026-04-14"),
        ("EXPIRE", -60, "2026-05-20"),
        ("EXPIRE", -50, "2026-05-20"),
        ("EXPIRE", -20, "2026-05-20"),
    ]
    assert club.days(member) == [("REACHED", "Silver", "2026-04-09")]
    club.replay(member)


WINDOWS = st.one_of(
    st.builds(TierPolicy, window=st.sampled_from([TierWindow.CALENDAR_YEAR, TierWindow.ANNIVERSARY])),
    st.builds(TierPolicy, window=st.just(TierWindow.ROLLING), months=st.integers(1, 4)),
    st.builds(TierPolicy, window=st.just(TierWindow.LIFETIME), validity_days=st.integers(5, 90)),
    st.builds(TierPolicy, window=st.sampled_from(TierWindow), months=st.just(2), validity_days=st.integers(5, 90)),
)


@st.composite
def tier_policies(draw: st.DrawFn) -> TierPolicy:
    base = draw(WINDOWS)
    return TierPolicy(
        metric=draw(st.sampled_from(TierMetric)),
        window=base.window,
        months=base.months,
        validity_days=base.validity_days,
        downgrade=draw(st.sampled_from(Downgrade)),
        grace_days=draw(st.sampled_from([0, 1, 20, 70])),
    )


HISTORIES = st.lists(
    st.tuples(
        st.sampled_from(["buy", "buy", "buy", "buy late", "refund", "spend", "set", "end"]),
        st.integers(1, 60),
        st.sampled_from([0, 0, 1, 5, 20, 90, 300]),
    ),
    max_size=8,
)
THRESHOLDS = {
    TierMetric.QUALIFYING_POINTS: {"Silver": 40, "Gold": 90, "Platinum": 160},
    TierMetric.NET_SPEND: {"Silver": 4_000, "Gold": 9_000, "Platinum": 16_000},
    TierMetric.PURCHASES: {"Silver": 1, "Gold": 3, "Platinum": 5},
}


class Walk:
    """One member's random life. `settles` lets the clock act every day, not only when a command comes."""

    def __init__(
        self, policy: TierPolicy, pending: PendingPolicy, expiry: ExpiryPolicy, keep_percent: int, *, settles: bool
    ) -> None:
        thresholds = THRESHOLDS[policy.metric]
        self.club = Club(
            policy,
            day=date(2025, 11, 3),
            thresholds=thresholds,
            keep={name: needed * keep_percent // 100 for name, needed in thresholds.items()},
            gifts={"Silver": 5, "Gold": 60},
            pending=pending,
            expiry=expiry,
        )
        self.member = self.club.enroll()
        self.settles = settles
        self.purchases: list[Any] = []

    def live(self, steps: list[tuple[str, int, int]]) -> None:
        for what, number, days in [*steps, ("settle", 0, 500)]:
            for _ in range(days):
                self.club.later(days=1)
                if self.settles:
                    self.settle_punctually()
            try:
                self.do(what, number)
            except Refusal:
                continue
        self.club.settle(self.member)

    def settle_punctually(self) -> None:
        """Settle at each time at which something is due, and not only at noon."""
        club, now = self.club, self.club.now
        while (due_at := club.account(self.member).due_at) is not None and due_at <= now:
            club.now = due_at
            club.settle(self.member)
        club.now = now

    def do(self, what: str, number: int) -> None:
        club, member = self.club, self.member
        match what:
            case "buy":
                self.purchases.append(club.buy(member, number * 100).purchase)
            case "buy late":
                self.purchases.append(
                    club.buy(member, number * 100, occurred_at=club.now - timedelta(days=number)).purchase
                )
            case "refund" if self.purchases:
                club.refund(self.purchases[number % len(self.purchases)], number * 50)
            case "spend":
                club.spend(member, number)
            case "set":
                name = ("Silver", "Gold", "Platinum")[number % 3]
                club.set_tier(member, name, club.day_of(club.now) + timedelta(days=number))
            case "end":
                club.end_set_tier(member)
            case _:
                club.settle(member)

    def story(self) -> list[tuple[Any, ...]]:
        steps = [
            (change.cause, self.club.name_of(change.tier_id), change.metric, change.valid_until, change.occurred_at)
            for change in self.club.changes(self.member)
        ]
        rows = self.club.transactions(self.member)
        return [*steps, *((row.kind, row.amount, row.available_after, row.occurred_at) for row in rows)]


@settings(max_examples=200 if settings.get_current_profile_name() == "ci" else 2_000)
@given(
    tier_policies(),
    st.sampled_from([PendingPolicy(), PendingPolicy(PendingKind.AFTER, days=25)]),
    st.sampled_from([ExpiryPolicy(kind=kind, count=40) for kind in (ExpiryKind.DAYS, ExpiryKind.INACTIVITY)]),
    st.sampled_from([0, 60, 100, 150]),
    HISTORIES,
)
def test_k3_a_late_clock_comes_to_the_same_end_as_a_punctual_one(
    policy: TierPolicy,
    pending: PendingPolicy,
    expiry: ExpiryPolicy,
    keep_percent: int,
    steps: list[tuple[str, int, int]],
) -> None:
    punctual = Walk(policy, pending, expiry, keep_percent, settles=True)
    late = Walk(policy, pending, expiry, keep_percent, settles=False)
    punctual.live(steps)
    late.live(steps)
    assert late.story() == punctual.story()
    assert late.club.figures(late.member) == punctual.club.figures(punctual.member)
    assert late.club.gifts(late.member) == punctual.club.gifts(punctual.member)
    late.club.replay(late.member)
