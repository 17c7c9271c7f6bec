"""What members are identified by, hashed."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import identities
from persistence.tables import describes


@describes(identities.MemberIdentity)
class MemberIdentityTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    member_id = fields.UUIDField()
    kind = fields.CharEnumField(identities.IdentityKind, max_length=30)
    digest = fields.TextField()
    seen_at = fields.DatetimeField()

    class Meta:
        table = "member_identities"
        unique_together = (("program_id", "member_id", "kind", "digest"),)
        # Which members were seen with one identity: what staff looks for.
        indexes = (Index(fields=("program_id", "digest"), name="member_identities_digest"),)
        # The HMAC of SHA-256 in hexadecimal digits, and never a value that somebody could read.
        constraints = (CheckConstraint(check="digest ~ '^[0-9a-f]{64}$'", name="member_identities_hashed"),)
