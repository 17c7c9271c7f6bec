"""Keys, operators and member sessions. Of every secret only a hash is kept."""

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import access
from persistence.tables import describes


@describes(access.ApiKey)
class ApiKeyTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    name = fields.TextField()
    kind = fields.CharEnumField(access.KeyKind, max_length=30)
    # The key says which program it is of, so its hash is unique across programs.
    secret_hash = fields.CharField(max_length=64, unique=True)
    hint = fields.TextField()
    scopes: fields.JSONField[object] = fields.JSONField()
    created_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_keys"
        unique_together = (("program_id", "id"),)
        constraints = (CheckConstraint(check="length(secret_hash) = 64", name="api_keys_hash"),)


@describes(access.Operator)
class OperatorTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    email = fields.TextField()
    name = fields.TextField()
    password_hash = fields.TextField()
    role = fields.CharEnumField(access.Role, max_length=30)
    is_disabled = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "operators"
        unique_together = (("program_id", "email"),)


@describes(access.MemberSession)
class MemberSessionTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    token_hash = fields.CharField(max_length=64)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()

    class Meta:
        table = "member_sessions"
        unique_together = (("program_id", "token_hash"),)
