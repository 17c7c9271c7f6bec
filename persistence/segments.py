"""Segments."""

from typing import Final
from uuid import UUID

from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from domain import segments
from persistence import pages, rows
from persistence.tables import describes


@describes(segments.Segment, is_open="archived_at IS NULL")
class SegmentTable(Model):
    id = fields.UUIDField(primary_key=True)
    program_id = fields.UUIDField()
    code = fields.TextField()
    name = fields.TextField()
    criteria: fields.JSONField[object] = fields.JSONField()
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        table = "segments"
        unique_together = (("program_id", "code"), ("program_id", "id"))
        constraints = (
            CheckConstraint(check="length(code) BETWEEN 1 AND 50", name="segments_code"),
            CheckConstraint(check="jsonb_typeof(criteria) = 'object'", name="segments_criteria"),
        )


KEYSET: Final = pages.Keyset(("id",))


async def open_ones(program_id: UUID) -> list[segments.Segment]:
    """Every segment of a program that is not archived, the oldest first; at most `SEGMENTS_MAX`."""
    return await rows.select(segments.Segment, "program_id = $1 AND archived_at IS NULL ORDER BY id", program_id)


async def page(program_id: UUID, part: pages.Slice, *, is_archived: bool | None = None) -> list[segments.Segment]:
    """Segments of a program, the oldest first; all of them, or those that are or are not archived."""
    where = "program_id = $1"
    if is_archived is not None:
        where = f"{where} AND archived_at IS {'NOT NULL' if is_archived else 'NULL'}"
    return await pages.select(segments.Segment, KEYSET, part, where, (program_id,))
