"""Stores."""

from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from domain import stores
from persistence import pages
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


KEYSET: Final = pages.Keyset(("id",))


async def page(program_id: UUID, part: pages.Slice) -> list[stores.Store]:
    """Stores of a program, the oldest first."""
    return await pages.select(stores.Store, KEYSET, part, "program_id = $1", (program_id,))
