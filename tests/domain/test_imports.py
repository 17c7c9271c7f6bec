"""Rows of other systems' exports: what each value may look like, and what is said of one that cannot be read."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import pytest

from domain import imports
from domain.imports import Columns, HeaderInvalid, Reading, RowInvalid
from domain.kernel import NotFound, Refusal
from domain.members import MemberRef
from domain.purchases.recording import RecordPurchase
from domain.stores import Channel

STORE: Final = UUID(int=7)
COLUMNS: Final = Columns(purchase_id=0, member=1, occurred_at=2, amount=3, freight=4, store=5, channel=6, currency=7)
READING: Final = Reading(
    columns=COLUMNS, width=8, currency_code="CNY", time_zone="Asia/Shanghai", stores={"SH-01": STORE}
)
ROW: Final = ("A-1", "li", "2026-03-01", "199.90", "10", "SH-01", "in_store", "CNY")
REQUIRED: Final = frozenset({"purchase_id", "member", "occurred_at", "amount"})
NAMES: Final = {"purchase_id": "order", "member": "buyer", "occurred_at": "day", "amount": "sum", "store": "shop"}


def row(**changed: str) -> RecordPurchase:
    """The row with some of its values changed."""
    return imports.purchase(
        [changed.get(name, value) for name, value in zip(Columns.__slots__, ROW, strict=True)], READING
    )


def test_a_row_is_a_purchase() -> None:
    assert row() == RecordPurchase(
        member=MemberRef(external_id="li"),
        external_id="A-1",
        amount_minor=19_990,
        currency_code="CNY",
        freight_minor=1000,
        store_id=STORE,
        channel=Channel.IN_STORE,
        occurred_at=datetime(2026, 2, 28, 16, tzinfo=UTC),
    )


def test_what_a_file_does_not_tell_or_leaves_empty_holds_for_all_rows() -> None:
    few = Columns(purchase_id=0, member=1, occurred_at=2, amount=3)
    reading = Reading(
        columns=few,
        width=4,
        currency_code="CNY",
        time_zone="Asia/Shanghai",
        stores={},
        store_id=STORE,
        channel=Channel.PHONE,
    )
    short = imports.purchase(ROW[:4], reading)
    assert (short.freight_minor, short.store_id, short.channel, short.currency_code) == (0, STORE, Channel.PHONE, "CNY")
    empty = row(freight=" ", store="", channel="", currency="")
    assert (empty.freight_minor, empty.store_id, empty.channel, empty.currency_code) == (0, None, Channel.ONLINE, "CNY")


@pytest.mark.parametrize(
    ("text", "minor"),
    [("0", 0), ("0.00", 0), ("7", 700), (" 199.9 ", 19_990), ("0.07", 7), ("12.3400", 1234), ("-5.00", -500)],
)
def test_amounts_are_exact(text: str, minor: int) -> None:
    assert row(amount=text).amount_minor == minor


@pytest.mark.parametrize(
    "text", ["", "1,234.50", "¥5", "1e3", "NaN", "1_000", "１２", "5.", ".5", "+5", "0x10", "9" * 17, "5 元"]
)
def test_an_amount_that_could_be_read_in_two_ways_is_not_read(text: str) -> None:
    with pytest.raises(RowInvalid) as invalid:
        row(amount=text)
    assert invalid.value.code == "AMOUNT_INVALID"
    assert invalid.value.message == f"The amount must be a number such as 199.90; it is {text!r}."


@pytest.mark.parametrize(("currency", "text"), [("CNY", "1.005"), ("JPY", "1.5"), ("KWD", "1.0005")])
def test_an_amount_has_no_more_decimals_than_its_currency(currency: str, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        row(amount=text, currency=currency)
    assert refused.value.code == "AMOUNT_INVALID"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01", datetime(2026, 2, 28, 16, tzinfo=UTC)),
        ("2026-03-01 09:30:00", datetime(2026, 3, 1, 1, 30, tzinfo=UTC)),
        ("2026-03-01T09:30", datetime(2026, 3, 1, 1, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00Z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T09:30:00.250+01:00", datetime(2026, 3, 1, 8, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_times_without_an_offset_are_the_programs(text: str, instant: datetime) -> None:
    assert row(occurred_at=text).occurred_at == instant


@pytest.mark.parametrize("text", ["", "01/03/2026", "2026-02-30", "2026-3-1", "0001-01-01", "yesterday", "46082"])
def test_other_times_are_not_read(text: str) -> None:
    with pytest.raises(RowInvalid) as invalid:
        row(occurred_at=text)
    assert invalid.value.code == "TIME_INVALID"


@pytest.mark.parametrize("changed", [{"member": ""}, {"member": "l\0i"}, {"purchase_id": " "}, {"member": "x" * 201}])
def test_names_have_a_length_and_no_control_characters(changed: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        row(**changed)
    assert refused.value.code == "TEXT_INVALID"


def test_stores_and_channels_are_known_ones() -> None:
    with pytest.raises(NotFound, match="There is no Store 'SH-02' in this program"):
        row(store="SH-02")
    with pytest.raises(RowInvalid) as invalid:
        row(channel="wechat")
    assert invalid.value.code == "CHANNEL_INVALID"
    assert invalid.value.message == "The channel must be one of ONLINE, PHONE, IN_STORE; it is 'wechat'."


@pytest.mark.parametrize("count", [7, 9])
def test_a_row_has_as_many_fields_as_the_header(count: int) -> None:
    with pytest.raises(RowInvalid) as invalid:
        imports.purchase((ROW * 2)[:count], READING)
    assert (invalid.value.code, invalid.value.message) == (
        "ROW_INVALID",
        f"The row has {count} fields, the header has 8.",
    )


def test_long_values_are_shown_in_part() -> None:
    with pytest.raises(RowInvalid) as invalid:
        row(amount="x" * 100_000)
    assert len(invalid.value.message) < 150


def test_columns_are_found_by_their_names_wherever_they_stand() -> None:
    found = imports.find_columns(["sum", " buyer ", "note", "\ufefforder", "day"], NAMES, required=REQUIRED)
    assert found == Columns(purchase_id=3, member=1, occurred_at=4, amount=0)


def test_a_column_that_is_missing_is_named_with_what_there_is() -> None:
    with pytest.raises(
        HeaderInvalid, match="it has no column 'day'; --occurred-at names one of 'sum', 'buyer', 'order'"
    ):
        imports.find_columns(["sum", "buyer", "order"], NAMES, required=REQUIRED)


def test_a_column_that_stands_twice_is_refused_only_where_it_is_asked_for() -> None:
    with pytest.raises(HeaderInvalid, match="the column 'sum' stands 2 times in its header"):
        imports.find_columns(["order", "buyer", "day", "sum", "sum"], NAMES, required=REQUIRED)
    assert imports.find_columns(["note", "order", "buyer", "day", "sum", "note"], NAMES, required=REQUIRED).amount == 4
