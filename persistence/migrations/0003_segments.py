"""Segments; and what Tortoise keeps in its state without writing it: CHECKs, and the key that ends in a program."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from orjson import loads
from tortoise.fields.data import JSON_DUMPS
from uuid import uuid4
from tortoise import fields
from tortoise.migrations.constraints import CheckConstraint

CHECKS = (
    CheckConstraint(check="length(code) BETWEEN 1 AND 50", name="segments_code"),
    CheckConstraint(check="jsonb_typeof(criteria) = 'object'", name="segments_criteria"),
)
STEPS = (
    *(
        (
            f"ALTER TABLE segments ADD CONSTRAINT {check.name} CHECK ({check.check})",
            f"ALTER TABLE segments DROP CONSTRAINT {check.name}",
        )
        for check in CHECKS
    ),
    (
        "ALTER TABLE segments ADD CONSTRAINT segments_program FOREIGN KEY (program_id) REFERENCES programs (id)",
        "ALTER TABLE segments DROP CONSTRAINT segments_program",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0002_promises")]

    operations = [
        ops.CreateModel(
            name="SegmentTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("code", fields.TextField(unique=False)),
                ("name", fields.TextField(unique=False)),
                ("criteria", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("archived_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "segments",
                "app": "tessera",
                "unique_together": (("program_id", "code"), ("program_id", "id")),
                "constraints": list(CHECKS),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
