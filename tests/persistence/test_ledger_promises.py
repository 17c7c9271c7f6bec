"""What the database itself refuses, whatever a program tells it: found in its catalog, and tried on real rows."""

from typing import Final

import asyncpg
import pytest

from domain.kernel import Row
from persistence.leaderboards.tables import StandingTable
from persistence.tables import TABLES
from tests.persistence import catalog
from tests.persistence.catalog import Reference, Unique
from tests.persistence.filling import Filled

FACTS: Final = sorted(TABLES[kind].name for kind in TABLES if kind.is_fact)
# A key names its program itself, so its hash is looked up, and unique, across programs.
UNIQUE_ACROSS_PROGRAMS: Final = {("api_keys", ("secret_hash",))}
# For every CHECK what breaks it, and it alone, on any row of its table.
BREAKS: Final = {
    "activities_points": "points_taken_back = points_earned + 1, reversed_at = now()",
    "activities_reversed": "points_earned = 1, points_taken_back = 1, reversed_at = NULL",
    "api_keys_hash": "secret_hash = 'short'",
    "campaign_budgets_not_negative": "points = -1",
    "challenge_completions_amounts": "score = -1",
    "challenge_completions_rewarded": "rewarded_at = NULL, points = 5",
    "challenge_progress_completed": "completed_at = CASE WHEN completed_at IS NULL THEN now() END",
    "challenge_progress_rounds": "rewarded = completed + 1",
    "challenge_sets_version": "version = 0",
    "chance_grants_chances": "chances = 0",
    "check_in_activities_code": "code = ''",
    "check_in_activities_cycle": "cycle_days = 0",
    "check_in_activities_hour": "reminder_hour = 24",
    "check_in_activities_ladder": "ladder = '[]'",
    "check_in_activities_window": "starts_at = now(), ends_at = now()",
    "check_ins_cost": "cost = 5, made_up_for = NULL",
    "check_ins_numbers": "length = 0",
    "check_ins_spending": "cost = 5, transaction_id = NULL",
    "claims_amounts": "points = 0",
    "claims_closed": "closed_at = CASE WHEN closed_at IS NULL THEN now() END",
    "claims_held": "due_at = CASE WHEN due_at IS NULL THEN now() END",
    "deal_groups_ended": "ended_at = CASE WHEN ended_at IS NULL THEN now() END",
    "deal_groups_seats": "points = 0",
    "deal_seats_ended": "redemption_id = CASE WHEN redemption_id IS NULL THEN gen_random_uuid() END",
    "draws_kind": "ticket = CASE WHEN ticket IS NULL THEN 1 END",
    "draws_paid": "payment = 'POINTS', transaction_id = NULL",
    "draws_point": "point = total",
    "earning_counts_not_negative": "times = -1",
    "flash_sale_items_bounds": "stock = -1",
    "flash_sale_reminders_wanted": "minutes = -1",
    "flash_sale_stocks_never_oversold": "held = total + 1",
    "flash_sales_times": "ends_at = starts_at",
    "grants_points": "points = -1",
    "group_deal_stocks_are_whole": "units = 0, held = 1",
    "group_deals_bounds": "size = 1",
    "holds_captured": "captured = amount + 1, state = 'CAPTURED'",
    "holds_state": "captured = 1, state = 'HELD'",
    "leaderboard_awards_paid": "paid_at = CASE WHEN paid_at IS NULL THEN now() END",
    "leaderboard_awards_points": "points = -1",
    "leaderboard_periods_span": "ends_at = starts_at",
    "leaderboard_places_order": "place = 0",
    "leaderboards_bounds": "size = 0",
    "leaderboards_campaign": "starts_at = CASE WHEN starts_at IS NULL THEN now() END",
    "leaderboards_code": "code = ''",
    "leaderboards_scope": "store_id = CASE WHEN store_id IS NULL THEN gen_random_uuid() END",
    "lot_draws_amount": "amount = 0",
    "lots_closed_when_empty": "remaining = 0, held = 0, state = 'ACTIVE'",
    "lots_remaining": "remaining = amount + 1, state = 'ACTIVE'",
    "lotteries_hashes": "seed_hash = CASE WHEN seed_hash IS NULL THEN 'x' END",
    "lotteries_points": "points = 0",
    "lotteries_weights": "prizes = '[{\"weight\": 0}]'",
    "lotteries_whole": "guarantee_every = 5, guarantee_rank = NULL",
    "lottery_runs_closed": "closed_by = CASE WHEN closed_by IS NULL THEN 'x' END",
    "lottery_runs_counts": "draws = -1",
    "lottery_seeds_seed": "seed = 'short'",
    "lottery_standings_counts": "wins = tickets + 1",
    "lottery_tickets_paid": "payment = 'POINTS', transaction_id = NULL",
    "make_up_card_entries_cards": "cards = 0",
    "make_up_card_entries_reason": "reason = CASE WHEN reason IS NULL THEN 'x' END",
    "make_up_cards_bounds": "cards = -1",
    "member_badges_completion": "completion_id = CASE WHEN completion_id IS NULL THEN gen_random_uuid() END",
    "member_badges_reason": "reason = CASE WHEN reason IS NULL THEN 'x' END",
    "member_badges_revoked": "revoked_reason = 'x', revoked_at = NULL",
    "member_identities_hashed": "digest = 'li@example.com'",
    "offset_policies_bounds": "step = 0",
    "offset_policies_one_a_program": "id = gen_random_uuid()",
    "point_transactions_amount": "amount = 0",
    "point_transactions_available_after": "available_after = -1",
    "points_accounts_debt_is_paid_first": "available = 1, debt = 1",
    "points_accounts_lifetime": "lifetime_spent = -1",
    "points_accounts_not_negative": "available = -1, debt = 0",
    "points_accounts_purchases": "spend_minor = -1",
    "points_accounts_tier_in_force": "earned_tier_id = NULL, manual_tier_id = NULL, tier_id = id",
    "points_offsets_amounts": "points = 0",
    "prize_stocks_left": '"left" = -1',
    "programs_challenge_version": "challenge_version = -1",
    "programs_own_themselves": "id = gen_random_uuid()",
    "programs_rule_version": "rule_version = 0",
    "programs_sign_up_points": "sign_up_points = -1",
    "purchases_amounts": "offset_minor = amount_minor - freight_minor + 1",
    "purchases_discounts": "freight_discount_minor = discount_minor + 1",
    "purchases_points": "points_clawed = points_earned + 1",
    "purchases_refunded": "refunded_minor = amount_minor + 1",
    "quiz_attempts_amounts": "number = 0",
    "quiz_attempts_in_time": "milliseconds = CASE WHEN milliseconds IS NULL THEN 5 END",
    "quiz_attempts_unanswered": "answered_at = NULL, score = 1",
    "quiz_standings_amounts": "score = -1",
    "quizzes_bounds": "seconds = 0",
    "redemptions_amounts": "quantity = 0",
    "redemptions_closed": "state = 'PLACED', closed_at = now()",
    "redemptions_counts": "returned = fulfilled + 1",
    "redemptions_origin": "origin_id = CASE WHEN origin_id IS NULL THEN gen_random_uuid() END",
    "redemptions_spending": "transaction_id = NULL",
    "redemptions_unpaid": "due_at = now(), state = 'PAID'",
    "referral_paces_not_negative": "friends = -1",
    "referral_policies_bounds": "window_days = 0",
    "referral_policies_one_a_program": "id = gen_random_uuid()",
    "referrals_ended": "state = 'BOUND', ended_at = now()",
    "referrals_held": "review = 'HELD', ended_at = now()",
    "referrals_of_two": "referrer_id = referee_id",
    "referrals_purchase": "state = 'BOUND', purchase_id = id",
    "referrals_qualified": "purchase_id = NULL, qualified_at = now()",
    "referrals_rejected": "state = 'REJECTED', reason = NULL",
    "refunds_amounts": "cash_minor = -1",
    "refunds_points": "points_due = points_due + 1",
    "reward_stocks_left": '"left" = -1',
    "rewards_points": "points = 0",
    "segments_code": "code = ''",
    "segments_criteria": "criteria = '[]'",
    "share_visits_hashed": "digest = 'visitor'",
    "shares_not_negative": "visitors = -1",
    "shares_pay_once": "points = 1, rewarded_at = NULL",
    "shortfalls_owed": "remaining = 1, outcome = 'WRITTEN_OFF'",
    "shortfalls_remaining": "remaining = amount + 1, outcome = 'DEBT'",
    "standings_score": "score = 0",
    "stock_holds_quantity": "quantity = 0",
    "streaks_longest": "longest = length - 1",
    "streaks_made_up": "made_up = 32",
    "streaks_run": "length = 0",
    "tiers_multiplier": "multiplier_bp = 0",
    "tiers_threshold": "keep_threshold = -1",
    "trade_allowances_points": "points = -1",
    "trade_rules_capped": "effect = 'CAPPED', points_max = NULL",
    "trade_rules_place": "store_id = id, group_id = id",
    "voucher_codes_ordinal": "ordinal = 0",
    "voucher_pools_are_whole": "supply = 'STOCK', \"left\" = 1, stocked = 0",
    "voucher_pools_counts": "given = -1",
    "vouchers_discount": "discount_minor = -1",
    "vouchers_locked": "state = 'LOCKED', locked_until = NULL",
    "vouchers_used": "state = 'USED', used_at = NULL",
}
NOT_NEGATIVE: Final = ("available", "pending", "held", "debt", "lifetime_earned", "qualifying_points", "sequence")


def test_the_filled_database_has_rows_of_every_kind(filled: Filled) -> None:
    assert {kind.__name__ for kind, rows in filled.rows.items() if not rows} == set()


@pytest.mark.parametrize("table", FACTS)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET program_id = program_id",
        "UPDATE {} SET program_id = program_id WHERE false",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
    ],
)
async def test_l1_facts_are_never_changed(scratch: asyncpg.Connection, table: str, statement: str) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="are facts: they are appended, never changed"):
        await scratch.execute(statement.format(table))


async def test_l1_every_kind_that_is_a_fact_is_guarded_and_no_other(scratch: asyncpg.Connection) -> None:
    assert sorted(await catalog.fact_tables(scratch)) == FACTS
    assert FACTS == [
        "challenge_marks",
        "challenge_sets",
        "chance_grants",
        "check_ins",
        "draws",
        "earning_rules",
        "grants",
        "leaderboard_periods",
        "leaderboard_places",
        "lot_draws",
        "lottery_seeds",
        "lottery_tickets",
        "make_up_card_entries",
        "member_identities",
        "point_transactions",
        "qualifying_entries",
        "share_visits",
        "tier_changes",
        "voucher_codes",
    ]


async def test_l1_facts_do_not_go_with_what_they_refer_to(scratch: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="are facts"):
        await scratch.execute("TRUNCATE programs CASCADE")


@pytest.mark.parametrize("table", ["members", "points_accounts", "lots", "programs", "rewards"])
async def test_what_is_referred_to_is_not_deleted(scratch: asyncpg.Connection, table: str) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await scratch.execute(f"DELETE FROM {table}")


async def without_triggers(scratch: asyncpg.Connection) -> None:
    """Only constraints of rows, not of references and facts, hold from here on in this transaction."""
    await scratch.execute("SET LOCAL session_replication_role = replica")


async def test_every_check_has_an_example_here(scratch: asyncpg.Connection) -> None:
    assert set(await catalog.checks(scratch)) == set(BREAKS)


async def test_every_check_of_the_models_is_in_the_database(scratch: asyncpg.Connection) -> None:
    """Tortoise's migrations take a model's constraints into their state without writing them."""
    models = [*(table.model for table in TABLES.values()), StandingTable]
    told = {constraint.name for model in models for constraint in model._meta.constraints}
    indexes = {unique.name for unique in await catalog.uniques(scratch)}
    assert told - indexes == set(await catalog.checks(scratch))
    assert told & indexes == {"point_transactions_earn_once"}


@pytest.mark.parametrize("name", sorted(BREAKS))
async def test_every_check_refuses(scratch: asyncpg.Connection, name: str) -> None:
    await without_triggers(scratch)
    table = (await catalog.checks(scratch))[name]
    # In a database that forgot the others, so that it is this one that refuses.
    for other, its_table in (await catalog.checks(scratch)).items():
        if its_table == table and other != name:
            await scratch.execute(f"ALTER TABLE {table} DROP CONSTRAINT {other}")
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await scratch.execute(f"UPDATE {table} SET {BREAKS[name]} WHERE id = (SELECT min(id::text)::uuid FROM {table})")
    assert refused.value.constraint_name == name


@pytest.mark.parametrize("column", NOT_NEGATIVE)
async def test_l2_no_figure_of_an_account_is_negative(scratch: asyncpg.Connection, column: str) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await scratch.execute(f"UPDATE points_accounts SET {column} = -1")


async def test_every_unique_key_refuses_a_second_row(scratch: asyncpg.Connection) -> None:
    await without_triggers(scratch)
    uniques = await catalog.uniques(scratch)
    assert {unique.table for unique in uniques} >= {"members", "purchases", "refunds", "point_transactions", "rewards"}
    for unique in uniques:
        # Without their copies in other keys, so that it is this one that refuses.
        async with _undone(scratch):
            await _try_second(scratch, unique)


async def _try_second(scratch: asyncpg.Connection, unique: Unique) -> None:
    is_whole = [f'"{column}" IS NOT NULL' for column in unique.columns]
    where = " AND ".join([*is_whole, unique.predicate or "true"])
    await scratch.execute(f"CREATE TEMP TABLE copied AS SELECT * FROM {unique.table} WHERE {where} LIMIT 1")
    assert await scratch.fetchval("SELECT count(*) FROM copied") == 1, f"no row for {unique.name}"
    if "id" not in unique.columns:
        await scratch.execute("UPDATE copied SET id = gen_random_uuid()")
    await _forget_other_keys(scratch, unique)
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await scratch.execute(f"INSERT INTO {unique.table} SELECT * FROM copied")
    assert refused.value.constraint_name == unique.name


async def _forget_other_keys(scratch: asyncpg.Connection, unique: Unique) -> None:
    others = [other.name for other in await catalog.uniques(scratch) if other.table == unique.table]
    for name in (f"{unique.table}_pkey", *others):
        if name == unique.name:
            continue
        is_constraint = await scratch.fetchval("SELECT count(*) FROM pg_constraint WHERE conname = $1", name)
        drop = f"ALTER TABLE {unique.table} DROP CONSTRAINT {name} CASCADE" if is_constraint else f"DROP INDEX {name}"
        await scratch.execute(drop)


class _undone:  # noqa: N801 - reads as a word of the test
    """A savepoint that is rolled back."""

    def __init__(self, scratch: asyncpg.Connection) -> None:
        self.transaction = scratch.transaction()

    async def __aenter__(self) -> None:
        await self.transaction.start()

    async def __aexit__(self, *_: object) -> None:
        await self.transaction.rollback()


async def test_every_unique_key_leads_with_the_program(scratch: asyncpg.Connection) -> None:
    across = {(key.table, key.columns) for key in await catalog.uniques(scratch) if key.columns[0] != "program_id"}
    assert across == UNIQUE_ACROSS_PROGRAMS


async def test_every_foreign_key_stays_within_a_program(scratch: asyncpg.Connection) -> None:
    for reference in await catalog.references(scratch):
        if reference.referred == "programs":
            assert (reference.columns, reference.referred_columns) == (("program_id",), ("id",))
        else:
            assert (reference.columns[0], reference.referred_columns[0]) == ("program_id", "program_id")
            assert len(reference.columns) == len(reference.referred_columns) == 2


async def test_every_column_that_names_another_row_has_a_foreign_key(scratch: asyncpg.Connection) -> None:
    """`source_id` names rows of many kinds; the others are said here with why they need none."""
    named = {(reference.table, reference.columns[-1]) for reference in await catalog.references(scratch)}
    kinds: dict[str, type[Row]] = {TABLES[kind].name: kind for kind in TABLES}
    without = {
        (table, column)
        for (table, column), (kind, _) in (await catalog.columns(scratch)).items()
        if table in kinds and kind == "uuid" and column not in ("id", "program_id", "source_id")
        if (table, column) not in named
    }
    assert without == {
        # Facts of the same command, written before: what they name can be deleted by nobody.
        ("point_transactions", "reverses"),
        ("purchases", "spending_id"),
        ("purchases", "earning_id"),
        ("refunds", "member_id"),
        ("activities", "earning_id"),
        ("challenge_completions", "grant_id"),
        ("challenge_marks", "member_id"),
        # Written before the referral that they name, which nobody deletes and which names them.
        ("points_accounts", "referral_id"),
        ("purchases", "referral_id"),
        # What it names is of one kind or another, by the origin.
        ("redemptions", "origin_id"),
        # Challenges are a part of a row of theirs: of a version of them all.
        ("challenge_progress", "challenge_id"),
        # Copies of what the place's period names, and the award's place: to be found by.
        ("leaderboard_places", "leaderboard_id"),
        ("leaderboard_awards", "leaderboard_id"),
        ("leaderboard_awards", "period_id"),
        # What follows from the member and the year, and names no row.
        ("check_ins", "year_id"),
        ("qualifying_entries", "year_id"),
    }


async def _other_program(scratch: asyncpg.Connection, referred: str) -> str:
    """A copy of a row under another program. Its id."""
    await scratch.execute("SET LOCAL session_replication_role = replica")
    await scratch.execute(f"CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT * FROM {referred} LIMIT 1")
    await scratch.execute("UPDATE copied SET id = gen_random_uuid(), program_id = gen_random_uuid()")
    await scratch.execute(f"INSERT INTO {referred} SELECT * FROM copied")
    await scratch.execute("SET LOCAL session_replication_role = origin")
    return str(await scratch.fetchval("SELECT id FROM copied"))


async def test_every_foreign_key_refuses_a_row_of_another_program(scratch: asyncpg.Connection) -> None:
    tried = 0
    for reference in await catalog.references(scratch):
        if reference.referred == "programs":
            continue
        async with _undone(scratch):
            await _try_foreign(scratch, reference)
        tried += 1
    assert tried == 144


async def _try_foreign(scratch: asyncpg.Connection, reference: Reference) -> None:
    table, column = reference.table, reference.columns[1]
    foreign = await _other_program(scratch, reference.referred)
    await scratch.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for check, its_table in (await catalog.checks(scratch)).items():
        # So that it is the key that refuses, and not that another column does not agree.
        if its_table == table:
            await scratch.execute(f"ALTER TABLE {table} DROP CONSTRAINT {check}")
    if column == "id":
        # A child with the id of its parent: the foreign parent's gets a child of this program.
        await scratch.execute("DROP TABLE copied")
        await scratch.execute(f"CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT * FROM {table} LIMIT 1")
        await scratch.execute(f"UPDATE copied SET id = '{foreign}'")
        statement = f"INSERT INTO {table} SELECT * FROM copied"
    else:
        # A row that names one already, if there is: others may have good reason to name none.
        chosen = (
            f"SELECT id FROM {table} WHERE program_id <> (SELECT program_id FROM copied)"
            f" ORDER BY {column} NULLS LAST LIMIT 1"
        )
        statement = f"UPDATE {table} SET {column} = '{foreign}' WHERE id = ({chosen})"
    with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
        await scratch.execute(statement)
    assert refused.value.constraint_name == reference.name
