"""What Tortoise's models cannot say: keys that stay inside a program, facts that nobody edits, and a search index."""

import importlib
from collections.abc import Iterator
from typing import Any

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint

_initial = importlib.import_module("persistence.migrations.0001_initial")

# Table, columns beside program_id, referred table, its columns beside program_id.
REFERENCES = (
    ("points_accounts", "id", "members", "id"),
    ("points_accounts", "tier_id", "tiers", "id"),
    ("point_transactions", "member_id", "points_accounts", "id"),
    ("lots", "member_id", "points_accounts", "id"),
    ("lots", "transaction_id", "point_transactions", "id"),
    ("lot_draws", "transaction_id", "point_transactions", "id"),
    ("lot_draws", "lot_id", "lots", "id"),
    ("holds", "member_id", "points_accounts", "id"),
    ("holds", "transaction_id", "point_transactions", "id"),
    ("shortfalls", "member_id", "points_accounts", "id"),
    ("shortfalls", "reverses", "point_transactions", "id"),
    ("members", "store_id", "stores", "id"),
    ("purchases", "member_id", "members", "id"),
    ("purchases", "store_id", "stores", "id"),
    ("purchases", "tier_id", "tiers", "id"),
    ("refunds", "purchase_id", "purchases", "id"),
    ("reward_stocks", "id", "rewards", "id"),
    ("redemptions", "member_id", "members", "id"),
    ("redemptions", "reward_id", "rewards", "id"),
    ("redemptions", "transaction_id", "point_transactions", "id"),
    ("redemptions", "store_id", "stores", "id"),
    ("member_sessions", "member_id", "members", "id"),
)
# Everything else belongs to a program through one of these.
ROOTS = ("earning_rules", "stores", "tiers", "members", "rewards", "api_keys", "operators")
FACTS = ("point_transactions", "lot_draws", "earning_rules")

REFUSE_CHANGES = """
CREATE FUNCTION refuse_change_of_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are facts: they are appended, never changed or deleted', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def reference_steps(table: str, column: str, referred: str, key: str) -> tuple[str, str]:
    name = f"{table}_{column}_in_program"
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (program_id, {column})"
        f" REFERENCES {referred} (program_id, {key})",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )


def root_steps(table: str) -> tuple[str, str]:
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {table}_program FOREIGN KEY (program_id) REFERENCES programs (id)",
        f"ALTER TABLE {table} DROP CONSTRAINT {table}_program",
    )


def fact_steps(table: str) -> tuple[str, str]:
    return (
        f"CREATE TRIGGER {table}_are_facts BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_facts()",
        f"DROP TRIGGER {table}_are_facts ON {table}",
    )


def _constraints() -> Iterator[tuple[str, str]]:
    """What the first migration says of its models: Tortoise 1.1 keeps it in its state, and writes none of it."""
    for operation in _initial.Migration.operations:
        for constraint in operation.options.get("constraints", ()):
            yield constraint_steps(operation.options["table"], constraint)


def constraint_steps(table: str, constraint: Any) -> tuple[str, str]:
    name = constraint.name
    if isinstance(constraint, CheckConstraint):
        forward = f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({constraint.check})"
        return forward, f"ALTER TABLE {table} DROP CONSTRAINT {name}"
    columns = ", ".join(constraint.fields)
    forward = f"CREATE UNIQUE INDEX {name} ON {table} ({columns}) WHERE {constraint.condition}"
    return forward, f"DROP INDEX {name}"


STEPS = (
    *_constraints(),
    *(reference_steps(*reference) for reference in REFERENCES),
    *(root_steps(table) for table in ROOTS),
    (REFUSE_CHANGES, "DROP FUNCTION refuse_change_of_facts()"),
    *(fact_steps(table) for table in FACTS),
    # Every sale and every purchase rewrites one of these rows; room in the page keeps the rewrite in place.
    *(
        (f"ALTER TABLE {table} SET (fillfactor = 70)", f"ALTER TABLE {table} RESET (fillfactor)")
        for table in ("points_accounts", "reward_stocks")
    ),
    ("CREATE EXTENSION IF NOT EXISTS pg_trgm", "DROP EXTENSION pg_trgm"),
    ("CREATE EXTENSION IF NOT EXISTS btree_gin", "DROP EXTENSION btree_gin"),
    (
        "CREATE INDEX members_name_search ON members USING gin (program_id, name gin_trgm_ops)",
        "DROP INDEX members_name_search",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0001_initial")]

    operations = [
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
