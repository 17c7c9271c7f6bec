"""What each metric counts: a statement of the facts that a member's score is the sum of.

Each answers `member_id, at, id, amount` for the members `$2` of the program `$1`: an amount that counts in the window
in which `at` lies, the smaller `id` first at the same instant. No window begins before `$11`. Amounts are what still
counts: a refund does not come with a time of its own, it lowers what it takes back. A further metric is a member of
`BoardMetric` and a statement here; one whose score is no sum answers one row a member and window.
"""

from typing import Final

from domain.leaderboards.board import BoardMetric

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
FACTS: Final = {
    BoardMetric.POINTS_EARNED: _POINTS_EARNED,
    BoardMetric.SPEND: _SPEND,
    BoardMetric.PURCHASES: f"SELECT member_id, at, id, sign(amount)::bigint AS amount FROM ({_SPEND}) AS spent",
}
