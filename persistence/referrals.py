"""Referrals, the codes and shares by which friends come, and who came by which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain.earning import rules
from domain.referrals import code, policy, referral, sharing
from persistence import pages, rows
from persistence.tables import describes


@describes(policy.ReferralPolicy)
class ReferralPolicyTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    is_active = fields.BooleanField()
    window_days = fields.IntField()
    minimum_minor = fields.BigIntField()
    refund_days = fields.IntField()
    referrer_points = fields.BigIntField()
    referee_points = fields.BigIntField()
    referrer_pool_id = fields.UUIDField(null=True)
    referee_pool_id = fields.UUIDField(null=True)
    caps: fields.JSONField[object] = fields.JSONField()
    cap_policy = fields.CharEnumField(rules.CapPolicy, max_length=30)
    share_points = fields.BigIntField()
    share_visitors = fields.IntField()
    share_daily_max = fields.IntField()
    sale_points = fields.BigIntField()
    hourly_max = fields.IntField()
    reviews_address = fields.BooleanField()
    link = fields.TextField(null=True)

    class Meta:
        table = "referral_policies"
        constraints = (
            CheckConstraint(check="program_id = id", name="referral_policies_one_a_program"),
            CheckConstraint(
                check="window_days > 0 AND minimum_minor >= 0 AND refund_days >= 0 AND referrer_points >= 0"
                " AND referee_points >= 0 AND share_points >= 0 AND sale_points >= 0",
                name="referral_policies_bounds",
            ),
        )


@describes(code.ReferralCode)
class ReferralCodeTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    code = fields.TextField()
    made_at = fields.DatetimeField()

    class Meta:
        table = "referral_codes"
        unique_together = (("program_id", "code"),)


@describes(code.ReferralPace)
class ReferralPaceTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    hour_at = fields.DatetimeField(null=True)
    friends = fields.IntField()
    day = fields.DateField(null=True)
    shares = fields.IntField()

    class Meta:
        table = "referral_paces"
        unique_together = (("program_id", "member_id"),)
        constraints = (CheckConstraint(check="friends >= 0 AND shares >= 0", name="referral_paces_not_negative"),)


@describes(sharing.Share)
class ShareTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    kind = fields.CharEnumField(sharing.ShareKind, max_length=30)
    target = fields.TextField()
    shared_on = fields.DateField()
    visitors = fields.IntField()
    rewarded_at = fields.DatetimeField(null=True)
    points = fields.BigIntField()
    limited_by = fields.TextField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "shares"
        # What is shared again on the same day is the same share.
        unique_together = (("program_id", "id"), ("program_id", "member_id", "shared_on", "kind", "target"))
        indexes = (Index(fields=("program_id", "member_id", "created_at", "id"), name="shares_member"),)
        constraints = (
            CheckConstraint(check="visitors >= 0 AND points >= 0", name="shares_not_negative"),
            CheckConstraint(check="points = 0 OR rewarded_at IS NOT NULL", name="shares_pay_once"),
        )


@describes(sharing.ShareVisit)
class ShareVisitTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    share_id = fields.UUIDField()
    digest = fields.TextField()
    visited_at = fields.DatetimeField()

    class Meta:
        table = "share_visits"
        # Every visitor counts once.
        unique_together = (("program_id", "share_id", "digest"),)
        constraints = (CheckConstraint(check="digest ~ '^[0-9a-f]{64}$'", name="share_visits_hashed"),)


@describes(referral.Referral)
class ReferralTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    referrer_id = fields.UUIDField()
    referee_id = fields.UUIDField()
    share_id = fields.UUIDField(null=True)
    state = fields.CharEnumField(referral.ReferralState, max_length=30)
    review = fields.CharEnumField(referral.ReviewState, max_length=30, null=True)
    signals: fields.JSONField[object] = fields.JSONField()
    reason = fields.CharEnumField(referral.RejectReason, max_length=30, null=True)
    note = fields.TextField(null=True)
    reviewer = fields.TextField(null=True)
    bound_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    purchase_id = fields.UUIDField(null=True)
    minimum_minor = fields.BigIntField()
    qualified_at = fields.DatetimeField(null=True)
    rewards_at = fields.DatetimeField(null=True)
    referrer_reward: fields.JSONField[object] = fields.JSONField(null=True)
    referee_reward: fields.JSONField[object] = fields.JSONField(null=True)
    due_at = fields.DatetimeField(null=True)
    ended_at = fields.DatetimeField(null=True)
    actor = fields.TextField()

    class Meta:
        table = "referrals"
        # A member is brought once, and an order qualifies one referral.
        unique_together = (("program_id", "id"), ("program_id", "referee_id"), ("program_id", "purchase_id"))
        indexes = (
            Index(fields=("program_id", "referrer_id", "id"), name="referrals_referrer"),
            # What waits for the clock.
            Index(fields=("program_id", "due_at"), name="referrals_due"),
            # What a leaderboard counts.
            Index(fields=("program_id", "rewards_at"), name="referrals_rewards"),
        )
        constraints = (
            CheckConstraint(check="referrer_id <> referee_id", name="referrals_of_two"),
            CheckConstraint(
                check="(state IN ('QUALIFIED', 'REWARDED', 'CLAWED_BACK') AND purchase_id IS NOT NULL)"
                " OR (state IN ('BOUND', 'EXPIRED') AND purchase_id IS NULL) OR state = 'REJECTED'",
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
            # Nothing is given while staff has not decided.
            CheckConstraint(
                check="review <> 'HELD' OR (ended_at IS NULL AND referrer_reward IS NULL AND referee_reward IS NULL)",
                name="referrals_held",
            ),
        )


KEYSET: Final = pages.Keyset(("id",), is_descending=True)
SHARE_KEYSET: Final = pages.Keyset(("created_at", "id"), (datetime, UUID), is_descending=True)

# Referrals that are rewarded once `rewards_at` is past, whether or not the worker was there.
SQL_TO_REWARD: Final = "(state = 'REWARDED' OR (state = 'QUALIFIED' AND review IS DISTINCT FROM 'HELD'))"
# Those that are rewarded as of $2: `rewards_at` says when each was.
SQL_REWARDED: Final = f"program_id = $1 AND {SQL_TO_REWARD} AND rewards_at <= $2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which referrals: every condition that is told."""

    state: referral.ReferralState | None = None
    review: referral.ReviewState | None = None
    referrer_id: UUID | None = None
    referee_id: UUID | None = None


async def policy_of(program_id: UUID) -> policy.ReferralPolicy:
    """The program's policy; one that is not active if it has saved none."""
    found = await rows.first(policy.ReferralPolicy, "program_id = $1", program_id)
    return found or policy.default_policy(program_id)


async def policies(program_id: UUID, _: datetime, keys: Sequence[UUID]) -> Mapping[UUID, policy.ReferralPolicy]:
    """Like `policy_of`, for whoever asks by the program's own id."""
    return dict.fromkeys(keys, await policy_of(program_id))


# A state as it is as of $2, whether or not the worker was there.
_STATE_NOW: Final = (
    "CASE WHEN due_at > $2 OR due_at IS NULL THEN state WHEN state = 'BOUND' THEN 'EXPIRED' ELSE 'REWARDED' END"
)


async def page(program_id: UUID, now: datetime, which: Filter, part: pages.Slice) -> list[referral.Referral]:
    """Referrals of a program, the latest first."""
    conditions = {
        f"{_STATE_NOW} =": which.state,
        "review =": which.review,
        "referrer_id =": which.referrer_id,
        "referee_id =": which.referee_id,
    }
    where, arguments = ["program_id = $1", "$2::timestamptz IS NOT NULL"], [program_id, now]
    for condition, value in conditions.items():
        if value is not None:
            arguments.append(value)
            where.append(f"{condition} ${len(arguments)}")
    return await pages.select(referral.Referral, KEYSET, part, " AND ".join(where), arguments)


async def of_referrers(
    program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice
) -> dict[UUID, list[referral.Referral]]:
    """The same page of what each member brought, the latest first."""
    return await pages.of_parents(referral.Referral, KEYSET, part, program_id, "referrer_id", member_ids)


async def shares_of(program_id: UUID, member_ids: Sequence[UUID], part: pages.Slice) -> dict[UUID, list[sharing.Share]]:
    """The same page of each member's shares, the latest first."""
    return await pages.of_parents(sharing.Share, SHARE_KEYSET, part, program_id, "member_id", member_ids)


async def rewarded(program_id: UUID, now: datetime, member_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """How many of the friends whom each of these members brought were rewarded until now."""
    found = await rows.fetch(
        f"SELECT referrer_id, count(*) FROM referrals WHERE {SQL_REWARDED} AND referrer_id = ANY($3) GROUP BY 1",
        program_id,
        now,
        list(member_ids),
    )
    return {member_id: count for member_id, count in found}  # noqa: C416 - a record is no pair to the type checker
