"""Keys, operators and member sessions. Of every secret only a hash is kept."""

from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import access
from persistence import pages, rows
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


KEY_KEYSET: Final = pages.Keyset(("id",))
OPERATOR_KEYSET: Final = pages.Keyset(("id",))


async def find_key(program_id: UUID, secret_hash: str) -> access.ApiKey | None:
    """The key with this hash, revoked or not."""
    return await rows.first(access.ApiKey, "program_id = $1 AND secret_hash = $2", program_id, secret_hash)


async def find_operator(program_id: UUID, email: str) -> access.Operator | None:
    """The operator with this e-mail address, in lower case."""
    return await rows.first(access.Operator, "program_id = $1 AND email = $2", program_id, email)


async def find_session(program_id: UUID, token_hash: str) -> access.MemberSession | None:
    """The session whose refresh token has this hash, expired or not."""
    return await rows.first(access.MemberSession, "program_id = $1 AND token_hash = $2", program_id, token_hash)


async def keys(program_id: UUID, part: pages.Slice) -> list[access.ApiKey]:
    """Keys of a program, the oldest first."""
    return await pages.select(access.ApiKey, KEY_KEYSET, part, "program_id = $1", (program_id,))


async def operators(program_id: UUID, part: pages.Slice) -> list[access.Operator]:
    """Operators of a program, the oldest first."""
    return await pages.select(access.Operator, OPERATOR_KEYSET, part, "program_id = $1", (program_id,))
