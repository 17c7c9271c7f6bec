from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.access import KeyKind, Role
from domain.members import Gender
from domain.points.account import (
    AccountStatus,
    HoldState,
    LotState,
    PointType,
    ShortfallOutcome,
    SourceType,
    TransactionKind,
)
from domain.programs import ReturnPolicy, ShortfallPolicy
from domain.redemptions.redemption import RedemptionState
from domain.stores import Channel
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations.constraints import CheckConstraint, UniqueConstraint


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="ApiKeyTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("name", fields.TextField(unique=False)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="PUBLISHABLE: PUBLISHABLE\nSECRET: SECRET", enum_type=KeyKind, max_length=30
                    ),
                ),
                ("secret_hash", fields.CharField(unique=True, max_length=64)),
                ("hint", fields.TextField(unique=False)),
                ("scopes", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "api_keys",
                "app": "tessera",
                "unique_together": (("program_id", "id"),),
                "constraints": [CheckConstraint(check="length(secret_hash) = 64", name="api_keys_hash")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EarningRulesTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("version", fields.IntField()),
                ("rules", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "earning_rules",
                "app": "tessera",
                "unique_together": (("program_id", "version"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="HoldTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("member_id", fields.UUIDField()),
                ("transaction_id", fields.UUIDField()),
                ("amount", fields.BigIntField()),
                ("captured", fields.BigIntField()),
                (
                    "state",
                    fields.CharEnumField(
                        description="HELD: HELD\nCAPTURED: CAPTURED\nRELEASED: RELEASED\nLAPSED: LAPSED",
                        enum_type=HoldState,
                        max_length=30,
                    ),
                ),
                ("reference", fields.TextField(null=True, unique=False)),
                ("held_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("lapses_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "holds",
                "app": "tessera",
                "constraints": [
                    CheckConstraint(check="amount > 0 AND captured >= 0 AND captured <= amount", name="holds_captured"),
                    CheckConstraint(check="(captured > 0) = (state = 'CAPTURED')", name="holds_state"),
                ],
                "indexes": [
                    PartialIndex(
                        fields=["program_id", "member_id"], name="holds_open_of_member", condition={"state": "HELD"}
                    )
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LotDrawTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("transaction_id", fields.UUIDField()),
                ("lot_id", fields.UUIDField()),
                ("amount", fields.BigIntField()),
            ],
            options={
                "table": "lot_draws",
                "app": "tessera",
                "constraints": [CheckConstraint(check="amount <> 0", name="lot_draws_amount")],
                "indexes": [Index(fields=["program_id", "transaction_id"], name="lot_draws_transaction")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LotTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("member_id", fields.UUIDField()),
                ("transaction_id", fields.UUIDField()),
                (
                    "source_type",
                    fields.CharEnumField(
                        description="PURCHASE: PURCHASE\nREFUND: REFUND\nREDEMPTION: REDEMPTION\nSIGN_UP: SIGN_UP\nADJUSTMENT: ADJUSTMENT\nTRANSFER: TRANSFER\nHOLD: HOLD\nLOT: LOT\nSHORTFALL: SHORTFALL",
                        enum_type=SourceType,
                        max_length=30,
                    ),
                ),
                ("source_id", fields.UUIDField()),
                ("amount", fields.BigIntField()),
                ("remaining", fields.BigIntField()),
                ("held", fields.BigIntField()),
                (
                    "state",
                    fields.CharEnumField(
                        description="PENDING: PENDING\nACTIVE: ACTIVE\nEXHAUSTED: EXHAUSTED\nEXPIRED: EXPIRED\nCANCELLED: CANCELLED",
                        enum_type=LotState,
                        max_length=30,
                    ),
                ),
                ("available_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("expires_when_idle", fields.BooleanField()),
                ("earned_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "lots",
                "app": "tessera",
                "unique_together": (("program_id", "id"),),
                "constraints": [
                    CheckConstraint(
                        check="amount > 0 AND held >= 0 AND remaining >= held AND remaining <= amount",
                        name="lots_remaining",
                    ),
                    CheckConstraint(
                        check="(state IN ('PENDING', 'ACTIVE')) = (remaining > 0)", name="lots_closed_when_empty"
                    ),
                ],
                "indexes": [Index(fields=["program_id", "member_id", "id"], name="lots_member")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MemberSessionTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("member_id", fields.UUIDField()),
                ("token_hash", fields.CharField(max_length=64)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "member_sessions",
                "app": "tessera",
                "unique_together": (("program_id", "token_hash"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MemberTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("external_id", fields.TextField(null=True, unique=False)),
                ("phone", fields.TextField(null=True, unique=False)),
                ("card_number", fields.TextField(null=True, unique=False)),
                ("email", fields.TextField(null=True, unique=False)),
                ("name", fields.TextField(null=True, unique=False)),
                ("birthday", fields.DateField(null=True)),
                (
                    "gender",
                    fields.CharEnumField(
                        null=True,
                        description="FEMALE: FEMALE\nMALE: MALE\nOTHER: OTHER",
                        enum_type=Gender,
                        max_length=30,
                    ),
                ),
                ("attributes", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("tags", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("consents", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "channel",
                    fields.CharEnumField(
                        description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE", enum_type=Channel, max_length=30
                    ),
                ),
                ("store_id", fields.UUIDField(null=True)),
                ("enrolled_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "members",
                "app": "tessera",
                "unique_together": (
                    ("program_id", "id"),
                    ("program_id", "external_id"),
                    ("program_id", "phone"),
                    ("program_id", "card_number"),
                    ("program_id", "email"),
                ),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OperatorTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("email", fields.TextField(unique=False)),
                ("name", fields.TextField(unique=False)),
                ("password_hash", fields.TextField(unique=False)),
                (
                    "role",
                    fields.CharEnumField(
                        description="OWNER: OWNER\nMANAGER: MANAGER\nCLERK: CLERK\nVIEWER: VIEWER",
                        enum_type=Role,
                        max_length=30,
                    ),
                ),
                ("is_disabled", fields.BooleanField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "operators",
                "app": "tessera",
                "unique_together": (("program_id", "email"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OutboxTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("name", fields.TextField(unique=False)),
                ("member_id", fields.UUIDField(null=True)),
                ("body", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("published_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "outbox",
                "app": "tessera",
                "pk_attr": "id",
                "table_description": "Events that happened, in the order of their ids, until they are published.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PointTransactionTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("member_id", fields.UUIDField()),
                ("sequence", fields.BigIntField()),
                (
                    "point_type",
                    fields.CharEnumField(description="SPENDABLE: SPENDABLE", enum_type=PointType, max_length=30),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="EARN: EARN\nACTIVATE: ACTIVATE\nCANCEL: CANCEL\nREDEEM: REDEEM\nREFUND: REFUND\nREVERSE: REVERSE\nEXPIRE: EXPIRE\nADJUST: ADJUST\nTRANSFER_OUT: TRANSFER_OUT\nTRANSFER_IN: TRANSFER_IN\nHOLD: HOLD\nCAPTURE: CAPTURE\nRELEASE: RELEASE",
                        enum_type=TransactionKind,
                        max_length=30,
                    ),
                ),
                ("amount", fields.BigIntField()),
                ("available_after", fields.BigIntField()),
                (
                    "source_type",
                    fields.CharEnumField(
                        description="PURCHASE: PURCHASE\nREFUND: REFUND\nREDEMPTION: REDEMPTION\nSIGN_UP: SIGN_UP\nADJUSTMENT: ADJUSTMENT\nTRANSFER: TRANSFER\nHOLD: HOLD\nLOT: LOT\nSHORTFALL: SHORTFALL",
                        enum_type=SourceType,
                        max_length=30,
                    ),
                ),
                ("source_id", fields.UUIDField()),
                ("rule", fields.TextField(unique=False)),
                ("rule_version", fields.IntField(null=True)),
                ("reverses", fields.UUIDField(null=True)),
                ("reason", fields.TextField(null=True, unique=False)),
                ("idempotency_key", fields.TextField(null=True, unique=False)),
                ("actor", fields.TextField(unique=False)),
                ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "point_transactions",
                "app": "tessera",
                "unique_together": (("program_id", "member_id", "sequence"), ("program_id", "id")),
                "constraints": [
                    CheckConstraint(check="amount <> 0", name="point_transactions_amount"),
                    CheckConstraint(check="available_after >= 0", name="point_transactions_available_after"),
                    UniqueConstraint(
                        fields=("program_id", "source_id", "rule"),
                        name="point_transactions_earn_once",
                        condition="kind = 'EARN'",
                    ),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PointsAccountTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                (
                    "status",
                    fields.CharEnumField(
                        description="ACTIVE: ACTIVE\nFROZEN: FROZEN", enum_type=AccountStatus, max_length=30
                    ),
                ),
                ("available", fields.BigIntField()),
                ("pending", fields.BigIntField()),
                ("held", fields.BigIntField()),
                ("debt", fields.BigIntField()),
                ("lifetime_earned", fields.BigIntField()),
                ("lifetime_spent", fields.BigIntField()),
                ("lifetime_expired", fields.BigIntField()),
                ("qualifying_points", fields.BigIntField()),
                ("tier_id", fields.UUIDField(null=True)),
                ("sequence", fields.BigIntField()),
                ("idle_expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("due_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "points_accounts",
                "app": "tessera",
                "unique_together": (("program_id", "id"),),
                "constraints": [
                    CheckConstraint(
                        check="available >= 0 AND pending >= 0 AND held >= 0 AND debt >= 0",
                        name="points_accounts_not_negative",
                    ),
                    CheckConstraint(
                        check="NOT (available > 0 AND debt > 0)", name="points_accounts_debt_is_paid_first"
                    ),
                    CheckConstraint(
                        check="lifetime_earned >= 0 AND lifetime_spent >= 0 AND lifetime_expired >= 0 AND qualifying_points >= 0 AND sequence >= 0",
                        name="points_accounts_lifetime",
                    ),
                ],
                "indexes": [Index(fields=["program_id", "due_at"], name="points_accounts_due")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ProgramTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("name", fields.TextField(unique=False)),
                ("currency_code", fields.CharField(max_length=3)),
                ("time_zone", fields.TextField(unique=False)),
                ("rules", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("rule_version", fields.IntField()),
                ("sign_up_points", fields.BigIntField()),
                ("pending", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("expiry", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "shortfall_policy",
                    fields.CharEnumField(
                        description="DEBT: DEBT\nCLAMP: CLAMP\nDEDUCT_FROM_REFUND: DEDUCT_FROM_REFUND",
                        enum_type=ShortfallPolicy,
                        max_length=30,
                    ),
                ),
                (
                    "return_policy",
                    fields.CharEnumField(
                        description="REPLACE: REPLACE\nFORFEIT: FORFEIT", enum_type=ReturnPolicy, max_length=30
                    ),
                ),
                ("replacement_days", fields.IntField()),
                ("hold_minutes", fields.IntField()),
                ("point_value_bp", fields.BigIntField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "programs",
                "app": "tessera",
                "constraints": [
                    CheckConstraint(check="program_id = id", name="programs_own_themselves"),
                    CheckConstraint(check="sign_up_points >= 0", name="programs_sign_up_points"),
                    CheckConstraint(check="rule_version >= 1", name="programs_rule_version"),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PurchaseTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("member_id", fields.UUIDField()),
                ("external_id", fields.TextField(unique=False)),
                ("store_id", fields.UUIDField(null=True)),
                (
                    "channel",
                    fields.CharEnumField(
                        description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE", enum_type=Channel, max_length=30
                    ),
                ),
                ("amount_minor", fields.BigIntField()),
                ("freight_minor", fields.BigIntField()),
                ("offset_minor", fields.BigIntField()),
                ("lines", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("points_spent", fields.BigIntField()),
                ("spending_id", fields.UUIDField(null=True)),
                ("rule_version", fields.IntField()),
                ("tier_id", fields.UUIDField(null=True)),
                ("multiplier_bp", fields.IntField()),
                ("points_earned", fields.BigIntField()),
                ("earning_id", fields.UUIDField(null=True)),
                ("refunded_minor", fields.BigIntField()),
                ("points_clawed", fields.BigIntField()),
                ("points_returned", fields.BigIntField()),
                ("confirmed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("actor", fields.TextField(unique=False)),
            ],
            options={
                "table": "purchases",
                "app": "tessera",
                "unique_together": (("program_id", "external_id"), ("program_id", "id")),
                "constraints": [
                    CheckConstraint(
                        check="amount_minor >= 0 AND freight_minor >= 0 AND offset_minor >= 0 AND freight_minor + offset_minor <= amount_minor",
                        name="purchases_amounts",
                    ),
                    CheckConstraint(
                        check="refunded_minor >= 0 AND refunded_minor <= amount_minor", name="purchases_refunded"
                    ),
                    CheckConstraint(
                        check="points_clawed >= 0 AND points_clawed <= points_earned AND points_returned >= 0 AND points_returned <= points_spent",
                        name="purchases_points",
                    ),
                ],
                "indexes": [Index(fields=["program_id", "member_id", "occurred_at", "id"], name="purchases_member")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ReceiptTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("actor", fields.TextField(unique=False)),
                ("idempotency_key", fields.TextField(unique=False)),
                ("command", fields.TextField(unique=False)),
                ("input_hash", fields.BinaryField()),
                ("result", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "receipts",
                "app": "tessera",
                "pk_attr": "id",
                "table_description": "The answer to a command that was told with an idempotency key (L11).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RedemptionTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("member_id", fields.UUIDField()),
                ("reward_id", fields.UUIDField()),
                ("quantity", fields.IntField()),
                ("points", fields.BigIntField()),
                (
                    "state",
                    fields.CharEnumField(
                        description="PLACED: PLACED\nFULFILLED: FULFILLED\nCANCELLED: CANCELLED",
                        enum_type=RedemptionState,
                        max_length=30,
                    ),
                ),
                ("transaction_id", fields.UUIDField()),
                (
                    "channel",
                    fields.CharEnumField(
                        description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE", enum_type=Channel, max_length=30
                    ),
                ),
                ("store_id", fields.UUIDField(null=True)),
                ("reason", fields.TextField(null=True, unique=False)),
                ("placed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("closed_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("actor", fields.TextField(unique=False)),
            ],
            options={
                "table": "redemptions",
                "app": "tessera",
                "constraints": [
                    CheckConstraint(check="quantity > 0 AND points > 0", name="redemptions_amounts"),
                    CheckConstraint(check="(state = 'PLACED') = (closed_at IS NULL)", name="redemptions_closed"),
                ],
                "indexes": [Index(fields=["program_id", "member_id", "id"], name="redemptions_member")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RefundTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("purchase_id", fields.UUIDField()),
                ("member_id", fields.UUIDField()),
                ("external_id", fields.TextField(unique=False)),
                ("lines", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("freight_minor", fields.BigIntField()),
                ("amount_minor", fields.BigIntField()),
                ("cash_minor", fields.BigIntField()),
                ("deducted_minor", fields.BigIntField()),
                ("points_due", fields.BigIntField()),
                ("points_cancelled", fields.BigIntField()),
                ("points_reversed", fields.BigIntField()),
                ("points_short", fields.BigIntField()),
                (
                    "short_outcome",
                    fields.CharEnumField(
                        null=True,
                        description="DEBT: DEBT\nWRITTEN_OFF: WRITTEN_OFF\nDEDUCTED: DEDUCTED",
                        enum_type=ShortfallOutcome,
                        max_length=30,
                    ),
                ),
                ("points_returned", fields.BigIntField()),
                ("points_replaced", fields.BigIntField()),
                ("points_forfeited", fields.BigIntField()),
                ("reason", fields.TextField(null=True, unique=False)),
                ("actor", fields.TextField(unique=False)),
                ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "refunds",
                "app": "tessera",
                "unique_together": (("program_id", "purchase_id", "external_id"),),
                "constraints": [
                    CheckConstraint(
                        check="amount_minor > 0 AND cash_minor >= 0 AND deducted_minor >= 0", name="refunds_amounts"
                    ),
                    CheckConstraint(
                        check="points_due = points_cancelled + points_reversed + points_short", name="refunds_points"
                    ),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RewardStockTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("left", fields.BigIntField(null=True)),
            ],
            options={
                "table": "reward_stocks",
                "app": "tessera",
                "constraints": [CheckConstraint(check='"left" >= 0', name="reward_stocks_left")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RewardTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("code", fields.TextField(unique=False)),
                ("name", fields.TextField(unique=False)),
                ("description", fields.TextField(null=True, unique=False)),
                ("points", fields.BigIntField()),
                ("limit_per_member", fields.IntField(null=True)),
                ("is_active", fields.BooleanField()),
                ("starts_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("ends_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "rewards",
                "app": "tessera",
                "unique_together": (("program_id", "code"), ("program_id", "id")),
                "constraints": [CheckConstraint(check="points > 0", name="rewards_points")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ShortfallTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("member_id", fields.UUIDField()),
                (
                    "source_type",
                    fields.CharEnumField(
                        description="PURCHASE: PURCHASE\nREFUND: REFUND\nREDEMPTION: REDEMPTION\nSIGN_UP: SIGN_UP\nADJUSTMENT: ADJUSTMENT\nTRANSFER: TRANSFER\nHOLD: HOLD\nLOT: LOT\nSHORTFALL: SHORTFALL",
                        enum_type=SourceType,
                        max_length=30,
                    ),
                ),
                ("source_id", fields.UUIDField()),
                ("reverses", fields.UUIDField()),
                (
                    "outcome",
                    fields.CharEnumField(
                        description="DEBT: DEBT\nWRITTEN_OFF: WRITTEN_OFF\nDEDUCTED: DEDUCTED",
                        enum_type=ShortfallOutcome,
                        max_length=30,
                    ),
                ),
                ("amount", fields.BigIntField()),
                ("remaining", fields.BigIntField()),
                ("occurred_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("recorded_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "shortfalls",
                "app": "tessera",
                "constraints": [
                    CheckConstraint(
                        check="amount > 0 AND remaining >= 0 AND remaining <= amount", name="shortfalls_remaining"
                    ),
                    CheckConstraint(check="remaining = 0 OR outcome = 'DEBT'", name="shortfalls_owed"),
                ],
                "indexes": [Index(fields=["program_id", "member_id"], name="shortfalls_member")],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StoreTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("code", fields.TextField(unique=False)),
                ("name", fields.TextField(unique=False)),
                ("is_closed", fields.BooleanField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "stores",
                "app": "tessera",
                "unique_together": (("program_id", "code"), ("program_id", "id")),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TierTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("name", fields.TextField(unique=False)),
                ("rank", fields.IntField()),
                ("qualifying_points", fields.BigIntField()),
                ("multiplier_bp", fields.IntField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "tiers",
                "app": "tessera",
                "unique_together": (("program_id", "rank"), ("program_id", "name"), ("program_id", "id")),
                "constraints": [
                    CheckConstraint(check="qualifying_points >= 0", name="tiers_qualifying_points"),
                    CheckConstraint(check="multiplier_bp > 0", name="tiers_multiplier"),
                ],
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
    ]
