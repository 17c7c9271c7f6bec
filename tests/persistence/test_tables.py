"""Every kind and its table: the same columns and types, in an order that the foreign keys allow, read as written."""

import types
from dataclasses import fields
from datetime import date, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import asyncpg
import pytest
from tortoise import fields as columns
from tortoise.fields.base import Field
from tortoise.fields.data import CharEnumFieldInstance

from domain.kernel import FAMILY, Row
from persistence.journal import _copy
from persistence.registry import KIND_ORDER
from persistence.tables import TABLES, transposed
from tests.persistence import catalog, subclasses
from tests.persistence.filling import Filled
from tests.persistence.random_rows import Source

KINDS = sorted(KIND_ORDER, key=lambda kind: KIND_ORDER[kind])
FIELDS: dict[Any, tuple[type[Field[Any]], ...]] = {
    UUID: (columns.UUIDField,),
    str: (columns.TextField, columns.CharField),
    int: (columns.IntField, columns.BigIntField),
    bool: (columns.BooleanField,),
    datetime: (columns.DatetimeField,),
    date: (columns.DateField,),
}
ROWS_A_KIND = 60


def _split(hint: Any) -> tuple[Any, bool]:
    """A hint without None, and whether None was in it."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = [argument for argument in get_args(hint) if argument is not types.NoneType]
        assert len(inner) == 1, hint
        return inner[0], True
    return hint, False


def test_every_kind_has_a_table() -> None:
    assert set(subclasses.of(Row)) == set(TABLES) == set(KIND_ORDER)


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_has_the_columns_of_the_kind(kind: type[Row]) -> None:
    described = TABLES[kind].model._meta.fields_map
    assert list(described) == [field.name for field in fields(kind)] == list(TABLES[kind].columns)
    for name, hint in get_type_hints(kind).items():
        if name in described:
            _compare(described[name], *_split(hint))


def _compare(field: Field[Any], hint: Any, may_be_none: bool) -> None:
    assert field.null == may_be_none, field.model_field_name
    assert field.pk == (field.model_field_name == "id")
    if isinstance(hint, type) and issubclass(hint, Enum):
        assert isinstance(field, CharEnumFieldInstance)
        assert field.enum_type is hint
        assert max(len(str(member.value)) for member in hint) <= field.max_length
    elif hint in FIELDS:
        assert type(field) in FIELDS[hint], field.model_field_name
    else:
        assert type(field) is columns.JSONField, field.model_field_name


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_says_of_itself_names_its_columns(kind: type[Row]) -> None:
    names = set(TABLES[kind].columns)
    assert set(kind.keys) <= names
    assert kind.parent is None or kind.parent in names
    assert kind.guard is None or (kind.parent is not None and kind.guard in TABLES)
    # A row that closes leaves its family, and SQL must say so too; who has no family has no need.
    closes = kind.is_open is not Row.is_open
    assert closes == (TABLES[kind].is_open is not None)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.keys])
async def test_every_key_is_unique_in_the_database(kind: type[Row], scratch: asyncpg.Connection) -> None:
    table = TABLES[kind].name
    unique = {key.columns for key in await catalog.uniques(scratch) if key.table == table and not key.predicate}
    for key in kind.keys:
        assert {("program_id", key), (key,)} & unique


async def test_a_referred_table_comes_before_the_referring(scratch: asyncpg.Connection) -> None:
    places = {TABLES[kind].name: place for kind, place in KIND_ORDER.items()}
    # Written by the worker and the relay alone, and never in one transaction with a kind.
    places |= {"duties": len(places), "relays": len(places), "standings": len(places)}
    references = await catalog.references(scratch)
    assert len(references) > 20
    late = [reference for reference in references if places[reference.table] <= places[reference.referred]]
    assert late == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.guard])
def test_a_guard_is_locked_before_its_family(kind: type[Row]) -> None:
    assert kind.guard is not None
    assert KIND_ORDER[kind.guard] < KIND_ORDER[kind]


async def _lay_bare(scratch: asyncpg.Connection) -> None:
    """Take away every promise but the types of columns, so that any row goes in."""
    await scratch.execute("SET LOCAL session_replication_role = replica")
    for name, table in (await catalog.checks(scratch)).items():
        await scratch.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")


async def _read(scratch: asyncpg.Connection, kind: type[Row], rows: list[Row]) -> list[Row]:
    table = TABLES[kind]
    found = []
    for row in rows:
        (record,) = await scratch.fetch(table.sql_load(None, is_locked=True), row.program_id, [row.id])
        found.append(table.decode(record))
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_rows_are_read_as_they_were_written(kind: type[Row], scratch: asyncpg.Connection) -> None:
    await _lay_bare(scratch)
    table, source = TABLES[kind], Source(KIND_ORDER[kind])
    rows: list[Row] = [source.row(kind) for _ in range(ROWS_A_KIND)]
    await _copy(scratch, table.name, table.columns, map(table.encode, rows))
    assert await _read(scratch, kind, rows) == rows
    if kind.is_fact:
        return
    changed = [source.row(kind, id=row.id, program_id=row.program_id) for row in rows]
    status = await scratch.execute(table.sql_change, *transposed(table, changed))
    assert status == f"UPDATE {ROWS_A_KIND}"
    assert await _read(scratch, kind, changed) == changed


@pytest.mark.parametrize("kind", [kind for kind in KINDS if TABLES[kind].is_open])
async def test_sql_agrees_with_the_domain_on_what_is_open(kind: type[Row], scratch: asyncpg.Connection) -> None:
    await _lay_bare(scratch)
    table, source = TABLES[kind], Source(KIND_ORDER[kind])
    assert kind.parent is not None
    one = source.row(kind)
    told = {"program_id": one.program_id, kind.parent: getattr(one, kind.parent)}
    rows: list[Row] = [source.row(kind, **told) for _ in range(ROWS_A_KIND)]
    await _copy(scratch, table.name, table.columns, map(table.encode, rows))
    records = await scratch.fetch(table.sql_load(FAMILY, is_locked=False), one.program_id, [getattr(one, kind.parent)])
    still_open = {row.id for row in rows if row.is_open}
    assert 0 < len(still_open) < ROWS_A_KIND
    assert {table.decode(record).id for record in records} == still_open


@pytest.mark.parametrize("kind", KINDS)
async def test_the_rows_of_a_real_life_are_written_again_as_they_were(
    kind: type[Row], scratch: asyncpg.Connection, filled: Filled
) -> None:
    table, rows = TABLES[kind], list(filled.rows[kind])
    if not kind.is_fact:
        assert await scratch.execute(table.sql_change, *transposed(table, rows)) == f"UPDATE {len(rows)}"
    assert await _read(scratch, kind, rows[:50]) == rows[:50]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.is_fact])
async def test_a_change_stays_within_the_program(kind: type[Row], scratch: asyncpg.Connection, filled: Filled) -> None:
    """A row told under another program is changed in none."""
    table, row = TABLES[kind], filled.rows[kind][0]
    forged = Source(1).row(kind, id=row.id)
    assert await scratch.execute(table.sql_change, *transposed(table, [forged])) == "UPDATE 0"
    assert await scratch.fetch(table.sql_load(None, is_locked=True), forged.program_id, [row.id]) == []
