"""A rule's own policies: what cannot be one rule's, and points that expire before they can be spent (L3, L5)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from domain.checks import NumberInvalid
from domain.earning import checking
from domain.earning.effects import RuleInvalid
from domain.earning.rules import Trigger
from domain.kernel import Refusal
from domain.policies import ExpiryKind, ExpiryPolicy, PendingKind, PendingPolicy, PolicyInvalid
from tests.domain.earning.saving import KNOWN, contradicts, refused
from tests.domain.shop import fixed, local


def test_l3_only_a_purchase_waits_for_an_event() -> None:
    on_event = PendingPolicy(PendingKind.ON_EVENT)
    assert checking.check_rule(fixed(1, pending=on_event), {}, KNOWN).pending == on_event
    assert contradicts(fixed(1, pending=on_event, trigger=Trigger.CHECK_IN)) == (
        "pending",
        "only the points of a purchase can wait until an order is received.",
    )


def test_l5_a_rule_has_no_expiry_by_inactivity_of_its_own() -> None:
    assert contradicts(fixed(1, expiry=ExpiryPolicy(ExpiryKind.INACTIVITY, count=90))) == (
        "expiry",
        "a member is inactive as a whole: expiry by inactivity is a setting of the program, not of a rule.",
    )


@pytest.mark.parametrize(
    ("told", "kind", "field", "message"),
    [
        (
            {"pending": PendingPolicy(PendingKind.AFTER)},
            PolicyInvalid,
            "pending",
            "A policy of kind AFTER needs a number of days.",
        ),
        (
            {"pending": PendingPolicy(PendingKind.ON_DATE)},
            PolicyInvalid,
            "pending",
            "A policy of kind ON_DATE needs a date.",
        ),
        (
            {"pending": PendingPolicy(PendingKind.AFTER, days=0)},
            NumberInvalid,
            "pending.days",
            "pending.days must be from 1 to 3650; it is 0.",
        ),
        (
            {"expiry": ExpiryPolicy(ExpiryKind.DAYS)},
            PolicyInvalid,
            "expiry",
            "A policy of kind DAYS needs a count.",
        ),
        (
            {"expiry": ExpiryPolicy(ExpiryKind.FIXED_DATE)},
            PolicyInvalid,
            "expiry",
            "A policy of kind FIXED_DATE needs a date.",
        ),
        (
            {"expiry": ExpiryPolicy(ExpiryKind.END_OF_MONTH, count=121)},
            NumberInvalid,
            "expiry.count",
            "expiry.count must be from 0 to 120; it is 121.",
        ),
    ],
)
def test_policies_of_a_rule_are_checked_like_those_of_the_program(
    told: dict[str, Any], kind: type[Refusal], field: str, message: str
) -> None:
    found = refused(fixed(1, **told), kind)
    assert (found.field, found.message) == ((field,), message)


# Spent before they expire.


AT_100, IN_10 = PendingPolicy(PendingKind.AFTER, days=100), ExpiryPolicy(ExpiryKind.DAYS, count=10)
LAST_YEAR = ExpiryPolicy(ExpiryKind.FIXED_DATE, on_date=date(2025, 12, 31))
MONTH = ExpiryPolicy(ExpiryKind.END_OF_MONTH, count=0)
FROM_MARCH = {"starts_at": local("2026-03-01")}


@pytest.mark.parametrize(
    ("told", "known", "field", "first"),
    [
        ({"expiry": LAST_YEAR}, {}, "expiry", "2026-01-15"),
        ({"expiry": LAST_YEAR, "starts_at": local("2025-01-01")}, {}, "expiry", "2026-01-15"),
        ({"expiry": replace(LAST_YEAR, on_date=date(2026, 2, 28)), **FROM_MARCH}, {}, "expiry", "2026-03-01"),
        ({"expiry": IN_10, "pending": AT_100}, {}, "expiry", "2026-01-15"),
        ({"expiry": IN_10, "pending": replace(AT_100, days=11)}, {}, "expiry", "2026-01-15"),
        ({"expiry": IN_10}, {"pending": AT_100}, "expiry", "2026-01-15"),
        ({"pending": AT_100}, {"expiry": IN_10}, "pending", "2026-01-15"),
        ({"expiry": MONTH, "pending": replace(AT_100, days=31)}, {}, "expiry", "2026-01-15"),
        (
            {"expiry": MONTH, "pending": replace(AT_100, days=17), "ends_at": local("2026-02-01")},
            {},
            "expiry",
            "2026-01-15",
        ),
        (
            {
                "expiry": replace(LAST_YEAR, on_date=date(2026, 4, 30)),
                "pending": PendingPolicy(PendingKind.ON_DATE, on_date=date(2026, 5, 1)),
                "ends_at": local("2026-04-01"),
            },
            {},
            "expiry",
            "2026-01-15",
        ),
    ],
)
def test_l3_l5_points_that_can_never_be_spent_are_refused(
    told: dict[str, Any], known: dict[str, Any], field: str, first: str
) -> None:
    with pytest.raises(RuleInvalid) as found:
        checking.check_rule(fixed(1, **told), {}, replace(KNOWN, **known))
    assert found.value.field == (field,)
    assert found.value.details["why"] == (
        f"points that it gives from {first} on would expire before they can be spent, so it can never give any."
    )


@pytest.mark.parametrize(
    "told",
    [
        {"expiry": replace(LAST_YEAR, on_date=date(2026, 1, 15))},
        {"expiry": LAST_YEAR, "ends_at": local("2026-01-15 06:00")},
        {"expiry": IN_10, "pending": replace(AT_100, days=10)},
        {"expiry": MONTH, "pending": replace(AT_100, days=30)},
        {"expiry": IN_10, "pending": PendingPolicy(PendingKind.ON_EVENT)},
        {"pending": AT_100},
        {"expiry": ExpiryPolicy(ExpiryKind.END_OF_YEAR, count=0), "pending": AT_100},
    ],
)
def test_l3_l5_points_that_can_be_spent_for_a_moment_are_kept(told: dict[str, Any]) -> None:
    """So are those of a rule that staff ends, as they were."""
    rule = fixed(1, **told)
    assert checking.check_rule(rule, {}, KNOWN) == rule
