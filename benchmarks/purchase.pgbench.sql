-- What recording one purchase takes, as statements of one transaction. `program` comes from -D.
\set n random(0, 1999)
\set order random(1, 9000000000000000000)
BEGIN;
SELECT gen_random_uuid() AS receipt, uuidv7() AS purchase, uuidv7() AS transaction \gset
SELECT count(*) AS receipts FROM receipts WHERE id = :receipt \gset
SELECT id AS member FROM members WHERE program_id = :program AND external_id = 'm' || :n \gset
SELECT count(*) AS purchases FROM purchases WHERE program_id = :program AND external_id = 'pgbench-' || :order \gset
SELECT available + 199 AS available, sequence + 1 AS sequence FROM points_accounts WHERE program_id = :program AND id = :member FOR UPDATE \gset
UPDATE points_accounts SET available = :available, lifetime_earned = lifetime_earned + 199, qualifying_points = qualifying_points + 199, spend_minor = spend_minor + 19990, purchases = purchases + 1, last_purchase_at = now(), sequence = :sequence WHERE program_id = :program AND id = :member;
INSERT INTO point_transactions (id, program_id, member_id, sequence, point_type, kind, amount, available_after, source_type, source_id, rule, rule_version, idempotency_key, actor, occurred_at, recorded_at) VALUES (:transaction, :program, :member, :sequence, 'SPENDABLE', 'EARN', 199, :available, 'PURCHASE', :purchase, 'base', 1, 'pgbench-' || :order, 'bench', now(), now());
INSERT INTO lots (id, program_id, member_id, transaction_id, source_type, source_id, amount, remaining, held, state, available_at, expires_when_idle, earned_at) VALUES (uuidv7(), :program, :member, :transaction, 'PURCHASE', :purchase, 199, 199, 0, 'ACTIVE', now(), false, now());
INSERT INTO purchases (id, program_id, member_id, external_id, channel, amount_minor, freight_minor, offset_minor, lines, voucher_ids, discount_minor, freight_discount_minor, points_spent, rule_version, multiplier_bp, discount_bp, earned, points_earned, earning_id, refunded_minor, points_clawed, points_returned, occurred_at, recorded_at, actor) VALUES (:purchase, :program, :member, 'pgbench-' || :order, 'ONLINE', 19990, 0, 0, '[{"number": 1, "product_id": null, "name": null, "category": null, "quantity": 1, "amount_minor": 19990, "earns": true, "offset_minor": 0, "points": 0, "discount_minor": 0}]', '[]', 0, 0, 0, 1, 10000, 0, '[{"rule": "base", "points": 199, "requested": 199, "limited_by": null}]', 199, :transaction, 0, 0, 0, now(), now(), 'bench');
INSERT INTO qualifying_entries (id, program_id, member_id, year_id, day, points, spend_minor, purchases) VALUES (uuidv7(), :program, :member, :member, current_date, 199, 19990, 1);
INSERT INTO receipts (id, program_id, actor, idempotency_key, command, input_hash, result, recorded_at) VALUES (:receipt, :program, 'bench', 'pgbench-' || :order, 'RecordPurchase', '\x0000000000000000000000000000000000000000000000000000000000000000', '{"purchase": "01a20225-130e-7000-bfab-173564ea0003", "account": "01a20225-130e-7000-bfab-173564ea0003", "is_repeat": false}', now());
INSERT INTO outbox (id, program_id, name, member_id, body, recorded_at) VALUES (uuidv7(), :program, 'PurchaseRecorded', :member, '{"member_id": "01a20225-130e-7000-bfab-173564ea0003", "purchase_id": "01a20225-130e-7000-bfab-173564ea0003", "points": 199}', now());
COMMIT;
