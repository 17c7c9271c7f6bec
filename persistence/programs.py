"""Programs."""

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import programs
from persistence.tables import describes


@describes(programs.Program)
class ProgramTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    name = fields.TextField()
    currency_code = fields.CharField(max_length=3)
    time_zone = fields.TextField()
    rule_version = fields.IntField()
    sign_up_points = fields.BigIntField()
    pending: fields.JSONField[object] = fields.JSONField()
    expiry: fields.JSONField[object] = fields.JSONField()
    shortfall_policy = fields.CharEnumField(programs.ShortfallPolicy, max_length=30)
    return_policy = fields.CharEnumField(programs.ReturnPolicy, max_length=30)
    replacement_days = fields.IntField()
    hold_minutes = fields.IntField()
    point_value_bp = fields.BigIntField()
    tier_policy: fields.JSONField[object] = fields.JSONField()
    prize_value_max_minor = fields.BigIntField()
    ladder_version = fields.IntField()
    challenge_version = fields.IntField()
    categories: fields.JSONField[object] = fields.JSONField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "programs"
        constraints = (
            CheckConstraint(check="program_id = id", name="programs_own_themselves"),
            CheckConstraint(check="sign_up_points >= 0", name="programs_sign_up_points"),
            CheckConstraint(check="rule_version >= 1", name="programs_rule_version"),
            CheckConstraint(check="challenge_version >= 0", name="programs_challenge_version"),
        )
