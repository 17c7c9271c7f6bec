"""Each stored kind and its table: the columns come from the domain's dataclass, the types from the model.

Every statement the engine runs is generated here; what writes is made once a kind, what loads as it is asked.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import Any, get_type_hints

from tortoise.models import MetaInfo, Model

from domain.kernel import FAMILY, Row, Want
from domain.values import open_kind
from persistence import codec

# The PostgreSQL type of a column, by the Tortoise field that describes it.
_SQL_TYPES = {
    "UUIDField": "uuid",
    "TextField": "text",
    "CharField": "text",
    "CharEnumFieldInstance": "text",
    "IntField": "integer",
    "BigIntField": "bigint",
    "BooleanField": "boolean",
    "DatetimeField": "timestamptz",
    "DateField": "date",
    "JSONField": "jsonb",
}

Record = Iterable[Any]


@dataclass(frozen=True)
class Table:
    """How one kind is read and written. `sql_*` take the program's id first where they read."""

    kind: type[Row]
    model: type[Model]
    columns: tuple[str, ...]
    sql_types: dict[str, str]
    is_open: str | None
    encode: Callable[[Row], tuple[Any, ...]]
    decode: Callable[[Record], Row]

    @cached_property
    def name(self) -> str:
        return str(_described(self.model).db_table)

    @cached_property
    def sql_columns(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)

    def sql_load(self, index: str | None, *, is_locked: bool) -> str:
        """Rows of a program by id, by parent or by a unique key, locked in the order of ids if asked."""
        is_open = f" AND {self.is_open}" if index == FAMILY and self.is_open else ""
        lock = _lock("kept") if is_locked else ""
        return f'SELECT {self.sql_columns_of("kept")} {self._sql_wanted(index)}{is_open} ORDER BY kept."id"{lock}'

    def sql_load_guards(self, index: str | None) -> str:
        """The rows that guard those of this kind, locked in the order of ids."""
        assert self.kind.guard is not None
        guard = TABLES[self.kind.guard]
        return (
            f"SELECT {guard.sql_columns_of('guard')} {self._sql_wanted(index)}"
            f' JOIN {guard.name} AS guard ON guard.program_id = $1 AND guard."id" = kept."{self.kind.parent}"'
            f' ORDER BY guard."id"{_lock("guard")}'
        )

    def sql_columns_of(self, alias: str) -> str:
        return ", ".join(f'{alias}."{column}"' for column in self.columns)

    def _sql_wanted(self, index: str | None) -> str:
        # Joined key by key: for `= ANY` the planner may walk a whole program in the order of ids instead.
        column = self.column_of(index)
        return (
            f"FROM unnest($2::{self.sql_types[column]}[]) AS wanted (key)"
            f' JOIN {self.name} AS kept ON kept.program_id = $1 AND kept."{column}" = wanted.key'
        )

    def column_of(self, index: str | None) -> str:
        """The column that a way of asking compares: the id, the parent's, or a unique key."""
        if index is None:
            return "id"
        if index == FAMILY:
            assert self.kind.parent is not None
            return self.kind.parent
        return index

    @cached_property
    def sql_change(self) -> str:
        """Replace all rows of a batch that the store has, in one statement."""
        arrays = ", ".join(
            f"${number}::{self.sql_types[column]}[]" for number, column in enumerate(self.columns, start=1)
        )
        told = ", ".join(f'"{column}"' for column in self.columns)
        changes = ", ".join(
            f'"{column}" = told."{column}"' for column in self.columns if column not in ("id", "program_id")
        )
        return (
            f"UPDATE {self.name} AS kept SET {changes} FROM unnest({arrays}) AS told ({told})"
            " WHERE kept.program_id = told.program_id AND kept.id = told.id"
        )


def _lock(alias: str) -> str:
    """The lock of whoever may change a row, not its key: checks of foreign keys share the key and need not wait."""
    return f" FOR NO KEY UPDATE OF {alias}"


TABLES: dict[type[Row], Table] = {}


def describes(kind: type[Row], *, is_open: str | None = None) -> Callable[[type[Model]], type[Model]]:
    """Say that a model is the table of a kind; `is_open` is `Row.is_open` in SQL."""

    def register(model: type[Model]) -> type[Model]:
        TABLES[kind] = _table(kind, model, is_open)
        return model

    return register


def _table(kind: type[Row], model: type[Model], is_open: str | None) -> Table:
    columns = tuple(field.name for field in fields(kind))
    described = _described(model).fields_map
    sql_types = {column: _SQL_TYPES[type(described[column]).__name__] for column in columns}
    hints = get_type_hints(kind)
    return Table(
        kind=kind,
        model=model,
        columns=columns,
        sql_types=sql_types,
        is_open=is_open,
        encode=_encoder(columns, sql_types),
        decode=_decoder(kind, columns, sql_types, hints),
    )


def _described(model: type[Model]) -> MetaInfo:
    # The underscore keeps the name free for columns; Tortoise documents it as public.
    return model._meta  # noqa: SLF001


def _encoder(columns: tuple[str, ...], sql_types: dict[str, str]) -> Callable[[Row], tuple[Any, ...]]:
    values: Callable[[Row], tuple[Any, ...]] = attrgetter(*columns)
    documents = [index for index, column in enumerate(columns) if sql_types[column] == "jsonb"]
    if not documents:
        return values

    def encode(row: Row) -> tuple[Any, ...]:
        encoded = list(values(row))
        for index in documents:
            if encoded[index] is not None:
                encoded[index] = codec.dumps(encoded[index])
        return tuple(encoded)

    return encode


def _decoder(
    kind: type[Row], columns: tuple[str, ...], sql_types: dict[str, str], hints: dict[str, Any]
) -> Callable[[Record], Row]:
    """A function that makes a row of a record, compiled once a kind, for every batch reads hundreds of them."""
    names: dict[str, Any] = {"kind": kind, "open_kind": open_kind(kind), "new": object.__new__}
    sets = []
    for index, column in enumerate(columns):
        read = codec.reader(hints[column], is_document=sql_types[column] == "jsonb")
        value = f"record[{index}]"
        if read is not None:
            names[f"read_{index}"] = read
            value = f"None if {value} is None else read_{index}({value})"
        sets.append(f"made.{column} = {value}")
    exec(
        f"def decode(record):\n    made = new(open_kind); {'; '.join(sets)}; made.__class__ = kind\n    return made",
        names,
    )
    decode: Callable[[Record], Row] = names["decode"]
    return decode


def transposed(table: Table, rows: Iterable[Row]) -> list[list[Any]]:
    """The columns of many rows, as the arrays that `Table.sql_change` takes."""
    return [list(column) for column in zip(*map(table.encode, rows), strict=True)]


def column_of(want: Want) -> str:
    """The column by which a want is answered."""
    return TABLES[want.kind].column_of(want.by)
