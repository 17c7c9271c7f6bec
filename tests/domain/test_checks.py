"""What every input must be, and what is said when it is not."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain import checks
from domain.policies import ExpiryKind, ExpiryPolicy
from tests.domain.memory import START
from tests.domain.shop import Shop


def test_texts_lose_surrounding_blanks_and_keep_everything_else() -> None:
    assert checks.text("name", "  茶 house\n") == "茶 house"
    assert checks.text("name", "a\nb\tc") == "a\nb\tc"
    assert checks.optional_text("name", None) is None
    assert checks.text("name", "x" * 200) == "x" * 200


@pytest.mark.parametrize("given", ["", "   ", "x" * 201, "a\x00b", "a\x07b", "a\x7fb"])
def test_texts_are_refused(given: str) -> None:
    with pytest.raises(checks.TextInvalid) as refused:
        checks.text("name", given)
    assert refused.value.details == {"name": "name", "length": len(given.strip()), "length_max": 200}
    assert refused.value.field == ("name",)


def test_phones_are_e164() -> None:
    assert checks.phone("+8613812345678") == "+8613812345678"
    for given in (
        "13812345678",
        "+013812345678",
        "+86 138",
        "+123456",
        "+1234567890123456",
        "+86138123\uff145678",
        "+8613812345678\n",
    ):
        with pytest.raises(checks.PhoneInvalid):
            checks.phone(given)


def test_addresses_have_a_domain_which_is_kept_in_lower_case() -> None:
    assert checks.email("Li@Example.COM") == "Li@example.com"
    for given in (
        "li",
        "li@",
        "@example.com",
        "li@example",
        "l i@example.com",
        "li@@example.com",
        "x" * 190 + "@example.com",
    ):
        with pytest.raises(checks.EmailInvalid):
            checks.email(given)


def test_numbers_are_within_their_bounds_inclusive() -> None:
    assert checks.points("points", 1) == 1
    assert checks.points("points", checks.POINTS_MAX) == 2**53 - 1
    assert checks.number("days", 5, minimum=5, maximum=5) == 5
    assert checks.amount("amount", 0) == 0
    with pytest.raises(checks.PointsInvalid) as points:
        checks.points("points", 0)
    assert points.value.details == {"name": "points", "points": 0, "points_min": 1, "points_max": checks.POINTS_MAX}
    with pytest.raises(checks.NumberInvalid) as number:
        checks.number("days", 6, minimum=5, maximum=5)
    assert number.value.details == {"name": "days", "number": 6, "minimum": 5, "maximum": 5}
    with pytest.raises(checks.AmountInvalid) as amount:
        checks.amount("amount", 10**12 + 1)
    assert amount.value.details == {"name": "amount", "amount": 10**12 + 1, "minimum": 0, "maximum": 10**12}


def test_business_times_have_a_zone_and_lie_in_the_past() -> None:
    assert checks.past("occurredAt", None, START) == START
    earlier = START - timedelta(days=1)
    assert checks.past("occurredAt", earlier, START) == earlier
    assert checks.past("occurredAt", START + checks.CLOCK_SKEW_MAX, START) == START
    with pytest.raises(checks.TimeInvalid):
        checks.past("occurredAt", START + checks.CLOCK_SKEW_MAX + timedelta(microseconds=1), START)
    with pytest.raises(checks.TimeInvalid):
        checks.past("occurredAt", START.replace(tzinfo=None), START)
    shanghai = datetime(2026, 1, 15, 12, tzinfo=timezone(timedelta(hours=8)))
    assert checks.past("occurredAt", shanghai, START) == datetime(2026, 1, 15, 4, tzinfo=UTC)


def test_lists_are_bounded() -> None:
    checks.at_most("lines", [1, 2], 2)
    with pytest.raises(checks.TooMany) as refused:
        checks.at_most("lines", [1, 2, 3], 2)
    assert refused.value.details == {"name": "lines", "count": 3, "count_max": 2}


def test_a_business_time_is_not_older_than_any_calendar() -> None:
    shop = Shop(time_zone="America/New_York", expiry=ExpiryPolicy(kind=ExpiryKind.DAYS, count=1))
    with pytest.raises(checks.TimeInvalid):
        shop.buy(shop.enroll(), 100, occurred_at=datetime(1, 1, 1, tzinfo=UTC))


def test_texts_of_a_list_are_trimmed_and_each_is_kept_once_in_its_order() -> None:
    assert checks.texts("tags", (" b ", "a", "b")) == ("b", "a")
    assert checks.texts("tags", ()) == ()
    with pytest.raises(checks.TextInvalid):
        checks.texts("tags", ("a", " "))


def test_a_reason_has_at_most_500_characters() -> None:
    assert checks.reason(" broken ") == "broken"
    assert checks.reason("x" * 500) == "x" * 500
    with pytest.raises(checks.TextInvalid) as refused:
        checks.reason("x" * 501)
    assert refused.value.details == {"name": "reason", "length": 501, "length_max": 500}
