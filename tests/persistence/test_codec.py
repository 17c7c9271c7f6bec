"""Between the domain and JSON: documents come back as they were, and the same input has the same hash."""

from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, get_type_hints
from uuid import UUID

import pytest

from domain.kernel import Command, Row
from persistence import codec, receipts
from tests.persistence import subclasses
from tests.persistence.random_rows import Source


class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    colour: Colour
    at: datetime | None
    on: date | None = None
    key: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    name: str | None
    inner: Inner | None
    inners: tuple[Inner, ...]
    colours: tuple[Colour, ...]
    days: tuple[date, ...]
    counts: tuple[int, ...]


HINTS = [Outer, Outer | None, tuple[Outer, ...], tuple[Colour, ...], tuple[str, ...], Inner]


@pytest.mark.parametrize("hint", HINTS, ids=str)
def test_documents_come_back_as_they_were(hint: Any) -> None:
    source = Source(1)
    read = codec.reader(hint, is_document=True)
    assert read is not None
    for value in [source.value(hint) for _ in range(300)]:
        if value is not None:
            assert read(codec.dumps(value)) == value


def test_a_plain_column_needs_no_reader_and_an_enumeration_one() -> None:
    assert codec.reader(int | None, is_document=False) is None
    assert codec.reader(datetime, is_document=False) is None
    read = codec.reader(Colour | None, is_document=False)
    assert read is not None
    assert read("BLUE") is Colour.BLUE
    with pytest.raises(KeyError):
        read("GREEN")


def test_times_are_told_with_their_zone_and_to_the_microsecond() -> None:
    at = datetime(2026, 1, 15, 4, 0, 0, 1, tzinfo=UTC)
    assert codec.dumps(at) == '"2026-01-15T04:00:00.000001+00:00"'
    assert codec.dumps({"on": date(2026, 2, 28)}) == '{"on":"2026-02-28"}'


def test_what_has_no_json_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        codec.dumps(object())


COMMANDS = subclasses.of(Command)


def test_the_commands_are_found() -> None:
    assert {"RecordPurchase", "RedeemReward", "EnrollMember", "CreateProgram"} <= {kind.__name__ for kind in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_l11_the_same_input_has_the_same_hash_and_any_other_has_another(command: type[Command[Any]]) -> None:
    hints = get_type_hints(command)
    for seed in range(20):
        told = {field.name: Source(seed).value(hints[field.name]) for field in fields(command)}  # type: ignore[arg-type]
        same = {field.name: Source(seed).value(hints[field.name]) for field in fields(command)}  # type: ignore[arg-type]
        digest = receipts.input_hash(command(**told))
        assert receipts.input_hash(command(**same)) == digest
        for name, value in told.items():
            other = Source(seed + 1000).value(hints[name])
            if other != value:
                assert receipts.input_hash(command(**(told | {name: other}))) != digest, name


def test_l11_two_commands_with_one_content_have_different_hashes() -> None:
    hold_id = UUID(int=1)
    from domain.points.commands import CaptureHold, ReleaseHold

    assert receipts.input_hash(CaptureHold(hold_id=hold_id)) != receipts.input_hash(ReleaseHold(hold_id=hold_id))


def test_l11_the_order_of_attributes_is_no_other_input() -> None:
    from domain.members import MemberRef, Profile
    from domain.profiles import UpdateMember

    first, second = (
        UpdateMember(member=MemberRef(id=UUID(int=1)), profile=Profile(attributes=attributes))
        for attributes in ({"a": 1, "b": None}, {"b": None, "a": 1})
    )
    assert receipts.input_hash(first) == receipts.input_hash(second)


@pytest.mark.parametrize("command", COMMANDS)
async def test_l11_every_result_can_be_told_again_from_its_receipt(command: type[Command[Any]]) -> None:
    kind = receipts.result_kind(command)
    source = Source(7)
    hints = get_type_hints(kind)
    for _ in range(20):
        rows: dict[tuple[type[Row], UUID], Row] = {}
        result = (
            source.row(kind)
            if issubclass(kind, Row)
            else kind(
                **{name: source.row(hint) if _is_row(hint) else source.value(hint) for name, hint in hints.items()}
            )
        )
        held = [result] if isinstance(result, Row) else [getattr(result, name) for name in hints]
        rows |= {(type(row), row.id): row for row in held if isinstance(row, Row)}

        async def load(wanted: type[Row], key: UUID, known: dict[tuple[type[Row], UUID], Row] = rows) -> Row:
            return known[(wanted, key)]

        assert is_dataclass(result)
        assert await receipts.restore(command, receipts.summarise(result), load) == result


def _is_row(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Row)
