"""Stores."""

from tortoise import fields
from tortoise.models import Model

from domain import stores
from persistence.tables import describes


@describes(stores.Store)
class StoreTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    is_closed = fields.BooleanField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "stores"
        unique_together = (("program_id", "code"), ("program_id", "id"))
