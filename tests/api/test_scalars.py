"""Scalars accept what they describe, and nothing else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from api import ids, scalars
from domain import money
from tests.api.shops import global_id

CURRENCIES = ("CNY", "JPY", "KWD")


def parse(kind: object, value: Any) -> Any:
    """What a scalar makes of a value from a client."""
    reader = scalars.SCALARS[kind].parse_value
    assert reader is not None
    return reader(value)


@pytest.mark.parametrize("value", [0, 1, -1, 2**53 - 1, -(2**53 - 1)])
def test_points_are_integers_that_json_keeps(value: int) -> None:
    """Within ±(2^53 − 1)."""
    assert parse(scalars.Points, value) == value


@pytest.mark.parametrize("value", [2**53, -(2**53), 1.0, "1", True, False, None, [], {}, float("inf")])
def test_other_values_are_no_points(value: object) -> None:
    """No floats, strings, truth values, nor what a reader would round."""
    with pytest.raises(ValueError, match="Points must be"):
        parse(scalars.Points, value)


@pytest.mark.parametrize("value", ["0", "199.90", "-1", "0.001", "123456789012345.1234567890"])
def test_decimals_are_strings(value: str) -> None:
    """Exactly as they are written."""
    assert str(parse(Decimal, value)) == value


@pytest.mark.parametrize(
    ("value", "written"), [("199.90", "199.90"), ("0E-12", "0.000000000000"), ("1E+3", "1000"), ("-0.5", "-0.5")]
)
def test_decimals_are_written_as_digits(value: str, written: str) -> None:
    """Never with an exponent."""
    write = scalars.SCALARS[Decimal].serialize
    assert write is not None
    assert write(Decimal(value)) == written


@pytest.mark.parametrize(
    "value", ["", " 1", "1 ", "+1", ".5", "1.", "1e3", "0x1", "NaN", "Infinity", "1_000", "1,5", "١", 1, 1.5]
)
def test_other_values_are_no_decimals(value: object) -> None:
    """No numbers, no exponents, no other digits."""
    with pytest.raises(ValueError, match="must be a string of digits"):
        parse(Decimal, value)


@pytest.mark.parametrize(
    ("value", "has"),
    [("99999999999999999999", "20 and 0"), ("-" + "9" * 16, "16 and 0"), ("1." + "0" * 11, "1 and 11")],
)
def test_decimals_of_too_many_digits_are_told_how_many_they_may_have(value: str, has: str) -> None:
    """They are strings of digits: what is wrong is their size."""
    with pytest.raises(ValueError, match=f"at most 15 digits before the point and 10 after it; this one has {has}"):
        parse(Decimal, value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-05-01T12:00:00Z", datetime(2026, 5, 1, 12, tzinfo=UTC)),
        ("2026-05-01t12:00:00z", datetime(2026, 5, 1, 12, tzinfo=UTC)),
        ("2026-05-01T20:00:00+08:00", datetime(2026, 5, 1, 12, tzinfo=UTC)),
        ("2026-05-01T12:00:00.123456Z", datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)),
        ("2026-05-01T12:00:00.123456789Z", datetime(2026, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_instants_have_a_zone(value: str, expected: datetime) -> None:
    """And are read as the instant they are."""
    assert parse(datetime, value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "2026-05-01T12:00:00",
        "2026-05-01 12:00:00Z",
        "2026-05-01",
        "2026-05-01T12:00Z",
        "2026-05-01T12:00:00+0800",
        "2026-05-01T24:00:00Z",
        "2026-02-30T12:00:00Z",
        "2026-05-01T12:00:00+99:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1799-12-31T00:00:00Z",
        "2026-W18-5T12:00:00Z",
        "20260501T120000Z",
        "٢٠٢٦-05-01T12:00:00Z",
        "",
        0,
        1777636800,
        None,
    ],
)
def test_other_values_are_no_instants(value: object) -> None:
    """A naive time above all."""
    with pytest.raises(ValueError, match="RFC 3339 with its zone"):
        parse(datetime, value)


def test_instants_are_shown_in_utc() -> None:
    """With Z."""
    write = scalars.SCALARS[datetime].serialize
    assert write is not None
    assert write(datetime.fromisoformat("2026-05-01T20:00:00+08:00")) == "2026-05-01T12:00:00Z"
    assert write(datetime(2026, 5, 1, 12, 0, 0, 5, tzinfo=UTC)) == "2026-05-01T12:00:00.000005Z"


@pytest.mark.parametrize("value", ["2026-05-01", "1800-01-01", "2999-12-31", "2024-02-29"])
def test_dates_are_days(value: str) -> None:
    """As they are written."""
    assert parse(date, value) == date.fromisoformat(value)


@pytest.mark.parametrize("value", ["20260501", "2026-5-1", "2026-02-29", "1799-12-31", "3000-01-01", "", 5, None])
def test_other_values_are_no_dates(value: object) -> None:
    """Nor is what no calendar has."""
    with pytest.raises(ValueError, match="A Date must be"):
        parse(date, value)


@pytest.mark.parametrize("value", [[], "x", 1, None, True])
def test_json_values_are_objects(value: object) -> None:
    """Names and values."""
    with pytest.raises(ValueError, match="must be an object"):
        parse(scalars.JSONObject, value)
    assert parse(scalars.JSONObject, {"a": [1]}) == {"a": [1]}


@given(some.integers(0, money.AMOUNT_MINOR_MAX), some.sampled_from(CURRENCIES))
def test_money_comes_back_as_it_went(minor: int, currency: str) -> None:
    """From minor units to major ones and back, exactly, with all the decimals of the currency."""
    amount = money.major_units(minor, currency)
    assert -amount.as_tuple().exponent == money.decimals(currency)  # type: ignore[operator]
    assert money.minor_units("amount", parse(Decimal, str(amount)), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"), [("0.001", "CNY"), ("0.1", "JPY"), ("0.0001", "KWD"), ("1.990001", "USD")]
)
def test_amounts_have_no_more_decimals_than_their_currency(amount: str, currency: str) -> None:
    """Zeros at the end are no decimals."""
    with pytest.raises(money.AmountTooPrecise):
        money.minor_units("amount", Decimal(amount), currency)
    assert money.minor_units("amount", Decimal("5.0000000"), currency) == 5 * 10 ** money.decimals(currency)


@given(some.text(max_size=120))
def test_no_text_breaks_the_reader_of_ids(text: str) -> None:
    """It is an id, or it is none."""
    decoded = ids.decode(text)
    assert decoded is None or ids.encode(*decoded)


def test_ids_are_of_one_kind() -> None:
    """An id of something else is none."""
    store = global_id("Store")
    assert ids.find("Store", store) is not None
    assert ids.find("Tier", store) is None
    assert ids.find("Store", None) is None
