"""Members."""

from tortoise import fields
from tortoise.models import Model

from domain import members, stores
from persistence.tables import describes


@describes(members.Member)
class MemberTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    external_id = fields.TextField(null=True)
    phone = fields.TextField(null=True)
    card_number = fields.TextField(null=True)
    email = fields.TextField(null=True)
    name = fields.TextField(null=True)
    birthday = fields.DateField(null=True)
    gender = fields.CharEnumField(members.Gender, max_length=30, null=True)
    attributes: fields.JSONField[object] = fields.JSONField()
    tags: fields.JSONField[object] = fields.JSONField()
    consents: fields.JSONField[object] = fields.JSONField()
    channel = fields.CharEnumField(stores.Channel, max_length=30)
    store_id = fields.UUIDField(null=True)
    enrolled_at = fields.DatetimeField()

    class Meta:
        table = "members"
        unique_together = (
            ("program_id", "id"),
            ("program_id", "external_id"),
            ("program_id", "phone"),
            ("program_id", "card_number"),
            ("program_id", "email"),
        )
