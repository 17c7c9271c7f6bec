"""Duties: what the clock asks of each program, and how far it is done."""

import importlib

from tortoise import migrations
from tortoise.migrations import operations as ops
from domain.duties import Work
from uuid import uuid4
from tortoise import fields
from tortoise.indexes import Index

_promises = importlib.import_module("persistence.migrations.0002_promises")
_FORWARD, _BACKWARD = _promises.root_steps("duties")


class Migration(migrations.Migration):
    dependencies = [("tessera", "0004_earning")]

    operations = [
        ops.CreateModel(
            name="DutyTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                (
                    "work",
                    fields.CharEnumField(
                        description="\n".join(f"{work}: {work}" for work in Work),
                        enum_type=Work,
                        max_length=30,
                    ),
                ),
                ("due_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("day", fields.DateField(null=True)),
                ("part", fields.IntField(db_default=0)),
                ("after", fields.UUIDField(null=True)),
                ("version", fields.IntField(null=True)),
            ],
            options={
                "table": "duties",
                "app": "tessera",
                "unique_together": (("program_id", "work"),),
                "indexes": [Index(fields=["due_at"], name="duties_due")],
                "pk_attr": "id",
                "table_description": "What the clock asks of each program.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(_FORWARD, reverse_sql=_BACKWARD),
    ]
