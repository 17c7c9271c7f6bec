"""Referrals and shares: policies, codes, who brought whom, who came by which share, and hashed identities."""

import importlib
from collections.abc import Iterator

from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.earning.rules import CapPolicy
from domain.identities import IdentityKind
from domain.referrals.referral import ReferralState, RejectReason, ReviewState
from domain.referrals.sharing import ShareKind
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint

_promises = importlib.import_module("persistence.migrations.0002_promises")

TABLES = (
    ops.CreateModel(
        name="MemberIdentityTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            (
                "kind",
                fields.CharEnumField(
                    description="PHONE: PHONE\nOPENID: OPENID\nUNIONID: UNIONID\nDEVICE: DEVICE\nPAYMENT_ACCOUNT: PAYMENT_ACCOUNT\nADDRESS: ADDRESS\nNETWORK: NETWORK",
                    enum_type=IdentityKind,
                    max_length=30,
                ),
            ),
            ("digest", fields.TextField(unique=False)),
            ("seen_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "member_identities",
            "app": "tessera",
            "unique_together": (("program_id", "member_id", "kind", "digest"),),
            "constraints": [CheckConstraint(check="digest ~ '^[0-9a-f]{64}$'", name="member_identities_hashed")],
            "indexes": [Index(fields=["program_id", "digest"], name="member_identities_digest")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="ReferralCodeTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("code", fields.TextField(unique=False)),
            ("made_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "referral_codes",
            "app": "tessera",
            "unique_together": (("program_id", "code"),),
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="ReferralPaceTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            ("hour_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("friends", fields.IntField()),
            ("day", fields.DateField(null=True)),
            ("shares", fields.IntField()),
        ],
        options={
            "table": "referral_paces",
            "app": "tessera",
            "unique_together": (("program_id", "member_id"),),
            "constraints": [
                CheckConstraint(check="friends >= 0 AND shares >= 0", name="referral_paces_not_negative"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="ReferralPolicyTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("is_active", fields.BooleanField()),
            ("window_days", fields.IntField()),
            ("minimum_minor", fields.BigIntField()),
            ("refund_days", fields.IntField()),
            ("referrer_points", fields.BigIntField()),
            ("referee_points", fields.BigIntField()),
            ("referrer_pool_id", fields.UUIDField(null=True)),
            ("referee_pool_id", fields.UUIDField(null=True)),
            ("caps", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            (
                "cap_policy",
                fields.CharEnumField(description="REDUCE: REDUCE\nREJECT: REJECT", enum_type=CapPolicy, max_length=30),
            ),
            ("share_points", fields.BigIntField()),
            ("share_visitors", fields.IntField()),
            ("share_daily_max", fields.IntField()),
            ("sale_points", fields.BigIntField()),
            ("hourly_max", fields.IntField()),
            ("reviews_address", fields.BooleanField()),
            ("link", fields.TextField(null=True, unique=False)),
        ],
        options={
            "table": "referral_policies",
            "app": "tessera",
            "constraints": [
                CheckConstraint(check="program_id = id", name="referral_policies_one_a_program"),
                CheckConstraint(
                    check="window_days > 0 AND minimum_minor >= 0 AND refund_days >= 0 AND referrer_points >= 0 AND referee_points >= 0 AND share_points >= 0 AND sale_points >= 0",
                    name="referral_policies_bounds",
                ),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="ReferralTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("referrer_id", fields.UUIDField()),
            ("referee_id", fields.UUIDField()),
            ("share_id", fields.UUIDField(null=True)),
            (
                "state",
                fields.CharEnumField(
                    description="BOUND: BOUND\nQUALIFIED: QUALIFIED\nREWARDED: REWARDED\nREJECTED: REJECTED\nEXPIRED: EXPIRED\nCLAWED_BACK: CLAWED_BACK",
                    enum_type=ReferralState,
                    max_length=30,
                ),
            ),
            (
                "review",
                fields.CharEnumField(
                    null=True,
                    description="HELD: HELD\nAPPROVED: APPROVED\nDENIED: DENIED",
                    enum_type=ReviewState,
                    max_length=30,
                ),
            ),
            ("signals", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            (
                "reason",
                fields.CharEnumField(
                    null=True,
                    description="SAME_PHONE: SAME_PHONE\nSAME_OPENID: SAME_OPENID\nSAME_UNIONID: SAME_UNIONID\nSAME_DEVICE: SAME_DEVICE\nSAME_PAYMENT_ACCOUNT: SAME_PAYMENT_ACCOUNT\nSAME_ADDRESS: SAME_ADDRESS\nALREADY_BOUGHT: ALREADY_BOUGHT\nDENIED: DENIED",
                    enum_type=RejectReason,
                    max_length=30,
                ),
            ),
            ("note", fields.TextField(null=True, unique=False)),
            ("reviewer", fields.TextField(null=True, unique=False)),
            ("bound_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ("purchase_id", fields.UUIDField(null=True)),
            ("minimum_minor", fields.BigIntField()),
            ("qualified_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("rewards_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("referrer_reward", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
            ("referee_reward", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
            ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("actor", fields.TextField(unique=False)),
        ],
        options={
            "table": "referrals",
            "app": "tessera",
            "unique_together": (("program_id", "id"), ("program_id", "referee_id"), ("program_id", "purchase_id")),
            "constraints": [
                CheckConstraint(check="referrer_id <> referee_id", name="referrals_of_two"),
                CheckConstraint(
                    check="(state IN ('QUALIFIED', 'REWARDED', 'CLAWED_BACK') AND purchase_id IS NOT NULL) OR (state IN ('BOUND', 'EXPIRED') AND purchase_id IS NULL) OR state = 'REJECTED'",
                    name="referrals_purchase",
                ),
                CheckConstraint(
                    check="(purchase_id IS NULL) = (qualified_at IS NULL) AND (purchase_id IS NULL) = (rewards_at IS NULL)",
                    name="referrals_qualified",
                ),
                CheckConstraint(check="(state = 'REJECTED') = (reason IS NOT NULL)", name="referrals_rejected"),
                CheckConstraint(
                    check="(state IN ('BOUND', 'QUALIFIED')) = (ended_at IS NULL) AND (due_at IS NULL OR ended_at IS NULL)",
                    name="referrals_ended",
                ),
                CheckConstraint(
                    check="review <> 'HELD' OR (ended_at IS NULL AND referrer_reward IS NULL AND referee_reward IS NULL)",
                    name="referrals_held",
                ),
            ],
            "indexes": [
                Index(fields=["program_id", "referrer_id", "id"], name="referrals_referrer"),
                Index(fields=["program_id", "due_at"], name="referrals_due"),
                Index(fields=["program_id", "rewards_at"], name="referrals_rewards"),
            ],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="ShareTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("member_id", fields.UUIDField()),
            (
                "kind",
                fields.CharEnumField(
                    description="PAGE: PAGE\nREWARD: REWARD\nCAMPAIGN: CAMPAIGN", enum_type=ShareKind, max_length=30
                ),
            ),
            ("target", fields.TextField(unique=False)),
            ("shared_on", fields.DateField()),
            ("visitors", fields.IntField()),
            ("rewarded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ("points", fields.BigIntField()),
            ("limited_by", fields.TextField(null=True, unique=False)),
            ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "shares",
            "app": "tessera",
            "unique_together": (("program_id", "id"), ("program_id", "member_id", "shared_on", "kind", "target")),
            "constraints": [
                CheckConstraint(check="visitors >= 0 AND points >= 0", name="shares_not_negative"),
                CheckConstraint(check="points = 0 OR rewarded_at IS NOT NULL", name="shares_pay_once"),
            ],
            "indexes": [Index(fields=["program_id", "member_id", "created_at", "id"], name="shares_member")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
    ops.CreateModel(
        name="ShareVisitTable",
        fields=[
            ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
            ("program_id", fields.UUIDField()),
            ("share_id", fields.UUIDField()),
            ("digest", fields.TextField(unique=False)),
            ("visited_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
        ],
        options={
            "table": "share_visits",
            "app": "tessera",
            "unique_together": (("program_id", "share_id", "digest"),),
            "constraints": [CheckConstraint(check="digest ~ '^[0-9a-f]{64}$'", name="share_visits_hashed")],
            "pk_attr": "id",
        },
        bases=["Model"],
    ),
)

# Table, columns beside program_id, referred table, its columns beside program_id.
REFERENCES = (
    ("member_identities", "member_id", "points_accounts", "id"),
    ("referral_policies", "referrer_pool_id", "voucher_pools", "id"),
    ("referral_policies", "referee_pool_id", "voucher_pools", "id"),
    ("referral_codes", "member_id", "points_accounts", "id"),
    ("referral_paces", "member_id", "points_accounts", "id"),
    ("shares", "member_id", "points_accounts", "id"),
    ("share_visits", "share_id", "shares", "id"),
    ("referrals", "referrer_id", "points_accounts", "id"),
    ("referrals", "referee_id", "points_accounts", "id"),
    ("referrals", "share_id", "shares", "id"),
    ("referrals", "purchase_id", "purchases", "id"),
)


def _checks() -> Iterator[tuple[str, str]]:
    """The CHECKs of the new tables."""
    for operation in TABLES:
        options = operation.options or {}
        for constraint in options.get("constraints", ()):
            yield _promises.constraint_steps(options["table"], constraint)


STEPS = (
    *_checks(),
    *(_promises.reference_steps(*reference) for reference in REFERENCES),
    _promises.root_steps("referral_policies"),
    *(_promises.fact_steps(table) for table in ("member_identities", "share_visits")),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0013_challenges")]

    operations = [
        *TABLES,
        ops.AddField(
            model_name="PointsAccountTable",
            name="referral_id",
            field=fields.UUIDField(null=True),
        ),
        ops.AddField(
            model_name="PurchaseTable",
            name="referral_id",
            field=fields.UUIDField(null=True),
        ),
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
