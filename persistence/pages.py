"""Pages of rows by keyset: what follows a place in an order, of one list or of the lists of many parents at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from domain.kernel import Row
from persistence import rows
from persistence.tables import TABLES

AnyRow = TypeVar("AnyRow", bound=Row)
Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Keyset:
    """A total order of a kind's rows: by columns, the last of which is unique, all upwards or all downwards."""

    columns: tuple[str, ...]
    types: tuple[type, ...] = (UUID,)
    is_descending: bool = False

    def place(self, row: Row) -> Place:
        """Where a row stands."""
        return tuple(getattr(row, column) for column in self.columns)

    def sql_order(self, alias: str = "") -> str:
        """What follows ORDER BY, of an alias if one is told."""
        direction = " DESC" if self.is_descending else ""
        of = f"{alias}." if alias else ""
        return ", ".join(f'{of}"{column}"{direction}' for column in self.columns)

    def sql_after(self, kind: type[Row], number: int) -> str:
        """The condition for rows after a place, whose values are the parameters from `number` on."""
        types = TABLES[kind].sql_types
        columns = ", ".join(f'"{column}"' for column in self.columns)
        values = ", ".join(f"${number + index}::{types[column]}" for index, column in enumerate(self.columns))
        return f"({columns}) {'<' if self.is_descending else '>'} ({values})"


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of a list: at most `count` rows, those after a place."""

    count: int
    after: Place | None = None


async def select(kind: type[AnyRow], keyset: Keyset, part: Slice, where: str, arguments: Sequence[Any]) -> list[AnyRow]:
    """A page of the rows of a program; `where` leads with it, and its parameters are the `arguments`."""
    told = list(arguments)
    if part.after is not None:
        where = f"{where} AND {keyset.sql_after(kind, len(told) + 1)}"
        told.extend(part.after)
    told.append(part.count)
    return await rows.select(kind, f"{where} ORDER BY {keyset.sql_order()} LIMIT ${len(told)}", *told)


async def of_parents(
    kind: type[AnyRow],
    keyset: Keyset,
    part: Slice,
    program_id: UUID,
    parent: str,
    keys: Sequence[UUID],
    *,
    which: str = "true",
) -> dict[UUID, list[AnyRow]]:
    """The same page of each parent's list, in one statement; `parent` is the column with the parent's id.

    `which` says what else a row must be to be in the list.
    """
    table = TABLES[kind]
    after = "" if part.after is None else f"AND {keyset.sql_after(kind, 4)}"
    records = await rows.fetch(
        f"SELECT page.* FROM unnest($2::uuid[]) AS parents (key) CROSS JOIN LATERAL ("
        f"SELECT {table.sql_columns} FROM {table.name}"
        f' WHERE program_id = $1 AND "{parent}" = parents.key AND {which} {after}'
        f" ORDER BY {keyset.sql_order()} LIMIT $3) AS page",
        program_id,
        list(keys),
        part.count,
        *(part.after or ()),
    )
    found: dict[UUID, list[AnyRow]] = defaultdict(list)
    for record in records:
        row: AnyRow = table.decode(record)  # type: ignore[assignment]
        found[getattr(row, parent)].append(row)
    return found
