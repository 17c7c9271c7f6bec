"""What each metric counts: a statement of the facts that a member's score is the sum of.

Each answers `member_id, at, id, amount` for the members `$2` of the program `$1`: an amount that counts in the window
in which `at` lies, the smaller `id` first at the same instant. No window begins before `$11`. Amounts are what still
counts: a refund does not come with a time of its own, it lowers what it takes back. A further metric is a member of
`BoardMetric` and a statement here; one whose score is no sum answers one row a member and window, of which it says
`of_starts_at` and `of_ends_at`.
"""

from typing import Final

from domain.leaderboards.board import BoardMetric
from persistence import referrals

# Lots that earnings opened, once they are available (L3), less what was taken back of what earned them. A clawback
# takes the points of a purchase in the order in which they became available; what it could not take counts too (K1),
# and what a debt takes later does not count again. Expiry takes nothing that was not earned.
_POINTS_EARNED: Final = """
    WITH moves AS (
        SELECT id, member_id, kind, amount, source_type, source_id, reverses FROM point_transactions
        WHERE program_id = $1 AND member_id = ANY($2::uuid[]) AND kind IN ('EARN', 'ACTIVATE', 'REVERSE')
    ), taken AS (
        SELECT earning.source_id, sum(back.amount) AS amount FROM (
            SELECT reverses, -amount AS amount FROM moves WHERE kind = 'REVERSE' AND source_type <> 'SHORTFALL'
            UNION ALL
            SELECT reverses, amount FROM shortfalls WHERE program_id = $1 AND member_id = ANY($2::uuid[])
        ) AS back JOIN moves AS earning ON earning.id = back.reverses GROUP BY earning.source_id
    ), earned AS (
        SELECT lots.member_id, lots.source_id, lots.available_at AS at, lots.id,
            coalesce(activation.amount, lots.amount) AS amount
        FROM lots JOIN moves AS earning ON earning.id = lots.transaction_id AND earning.kind = 'EARN'
        LEFT JOIN moves AS activation ON activation.kind = 'ACTIVATE' AND activation.source_id = lots.id
        WHERE lots.program_id = $1 AND lots.member_id = ANY($2::uuid[]) AND lots.state NOT IN ('PENDING', 'CANCELLED')
            AND (lots.available_at >= $11 OR lots.source_id IN (SELECT source_id FROM taken))
    )
    SELECT member_id, at, id, greatest(0, least(earned.amount,
        sum(earned.amount) OVER (PARTITION BY source_id ORDER BY at, id) - coalesce(taken.amount, 0))) AS amount
    FROM earned LEFT JOIN taken USING (source_id)
"""
# What was paid in money for lines that earn, less what was refunded of them, as it counts for tiers (K1).
_SPEND: Final = """
    SELECT member_id, occurred_at AS at, id, (
        SELECT coalesce(sum((line->>'amount_minor')::bigint - (line->>'offset_minor')::bigint - coalesce((
            SELECT sum((back->>'amount_minor')::bigint - (back->>'offset_minor')::bigint)
            FROM refunds CROSS JOIN jsonb_array_elements(refunds.lines) AS back
            WHERE refunds.program_id = $1 AND refunds.purchase_id = purchases.id
            AND purchases.refunded_minor > 0 AND back->'number' = line->'number'
        ), 0)), 0)
        FROM jsonb_array_elements(purchases.lines) AS line WHERE (line->>'earns')::boolean
    ) AS amount FROM purchases WHERE program_id = $1 AND member_id = ANY($2::uuid[]) AND occurred_at >= $11
"""
_PURCHASES: Final = f"SELECT member_id, at, id, sign(amount)::bigint AS amount FROM ({_SPEND}) AS spent"
# What waits for a clock is rewarded by itself, as for whoever reads it. An order that is refunded takes the friend
# back, in the window in which it had counted (R3).
_REFERRALS: Final = f"""
    SELECT referrer_id AS member_id, rewards_at AS at, id, 1::bigint AS amount FROM referrals
    WHERE program_id = $1 AND referrer_id = ANY($2::uuid[]) AND rewards_at >= $11
    AND {referrals.SQL_TO_REWARD} AND (state = 'REWARDED' OR rewards_at <= clock_timestamp())
"""
_CHALLENGE_SCORE: Final = """
    SELECT member_id, occurred_at AS at, id, score::bigint AS amount FROM challenge_completions
    WHERE program_id = $1 AND member_id = ANY($2::uuid[]) AND undone_at IS NULL AND score > 0 AND occurred_at >= $11
"""
# The longest run of each member and window, of any check-in activity, the one that was there first. A day is of the
# window that its noon is in; a day that was made up later counts in its own window, at the window's last moment.
_CHECK_IN_STREAK: Final = """
    SELECT DISTINCT ON (member_id, of_starts_at, of_ends_at) member_id, at, id, amount, of_starts_at, of_ends_at FROM (
        SELECT member_id, starts_at AS of_starts_at, ends_at AS of_ends_at, count(*)::bigint AS amount,
            max(at) AS at, (array_agg(id ORDER BY day DESC))[1] AS id
        FROM (
            SELECT *, day - row_number() OVER (
                PARTITION BY member_id, activity_id, starts_at, ends_at ORDER BY day)::integer AS island
            FROM (
                SELECT member_id, activity_id, check_ins.id, day, starts_at, ends_at,
                    greatest(starts_at, least(occurred_at, ends_at - interval '1 microsecond')) AS at
                FROM check_ins JOIN programs ON programs.id = check_ins.program_id
                JOIN (SELECT DISTINCT starts_at, ends_at FROM windows) AS stretches
                    ON (day + time '12:00') AT TIME ZONE programs.time_zone >= starts_at
                    AND (day + time '12:00') AT TIME ZONE programs.time_zone < ends_at
                WHERE check_ins.program_id = $1 AND member_id = ANY($2::uuid[])
                    AND day >= ($11::timestamptz AT TIME ZONE 'UTC')::date - 1
            ) AS signed
        ) AS numbered GROUP BY member_id, activity_id, starts_at, ends_at, island
    ) AS runs ORDER BY member_id, of_starts_at, of_ends_at, amount DESC, at, id
"""


def _in_any_window(facts: str) -> str:
    """Facts that count in whatever window they lie in."""
    return f"SELECT *, NULL::timestamptz AS of_starts_at, NULL::timestamptz AS of_ends_at FROM ({facts}) AS counted"


FACTS: Final = {
    BoardMetric.POINTS_EARNED: _in_any_window(_POINTS_EARNED),
    BoardMetric.SPEND: _in_any_window(_SPEND),
    BoardMetric.PURCHASES: _in_any_window(_PURCHASES),
    BoardMetric.CHECK_IN_STREAK: _CHECK_IN_STREAK,
    BoardMetric.REFERRALS: _in_any_window(_REFERRALS),
    BoardMetric.CHALLENGE_SCORE: _in_any_window(_CHALLENGE_SCORE),
}
