"""What PostgreSQL's own catalog says of the tables."""

from typing import NamedTuple

import asyncpg

_TABLES = "c.relnamespace = 'public'::regnamespace AND c.relname <> 'tortoise_migrations'"


class Reference(NamedTuple):
    """A foreign key."""

    name: str
    table: str
    columns: tuple[str, ...]
    referred: str
    referred_columns: tuple[str, ...]


class Unique(NamedTuple):
    """A unique index that is not the primary key; `predicate` is empty if it is about all rows."""

    name: str
    table: str
    columns: tuple[str, ...]
    predicate: str


async def references(own: asyncpg.Connection) -> list[Reference]:
    """Every foreign key."""
    found = await own.fetch(
        f"""
        SELECT k.conname, c.relname, {_names("k.conrelid", "k.conkey")}, k.confrelid::regclass::text,
            {_names("k.confrelid", "k.confkey")}
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.contype = 'f' AND {_TABLES} ORDER BY 2, 1
        """
    )
    return [Reference(name, table, tuple(own_), referred, tuple(its)) for name, table, own_, referred, its in found]


async def uniques(own: asyncpg.Connection) -> list[Unique]:
    """Every unique index but primary keys."""
    found = await own.fetch(
        f"""
        SELECT i.indexrelid::regclass::text, c.relname, {_names("i.indrelid", "i.indkey::int2[]")},
            coalesce(pg_get_expr(i.indpred, i.indrelid), '')
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        WHERE i.indisunique AND NOT i.indisprimary AND {_TABLES} ORDER BY 2, 1
        """
    )
    return [Unique(name, table, tuple(columns), predicate) for name, table, columns, predicate in found]


async def checks(own: asyncpg.Connection) -> dict[str, str]:
    """The table of every CHECK, by its name."""
    found = await own.fetch(
        f"""
        SELECT k.conname, c.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE k.contype = 'c' AND {_TABLES}
        """
    )
    return {name: table for name, table in found}  # noqa: C416 - a record is no pair to the type checker


async def columns(own: asyncpg.Connection) -> dict[tuple[str, str], tuple[str, bool]]:
    """Each column's type, and whether it may be null, by table and name."""
    found = await own.fetch(
        f"""
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND {_TABLES}
        """
    )
    return {(table, column): (kind, is_null) for table, column, kind, is_null in found}


async def fact_tables(own: asyncpg.Connection) -> set[str]:
    """Tables with the trigger that refuses changes."""
    found = await own.fetch(
        """
        SELECT t.tgrelid::regclass::text FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE p.proname = 'refuse_change_of_facts'
        """
    )
    return {table for (table,) in found}


def _names(table: str, numbers: str) -> str:
    return (
        f"ARRAY(SELECT a.attname::text FROM unnest({numbers}) WITH ORDINALITY AS n(number, place)"
        f" JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = n.number ORDER BY n.place)"
    )
