"""The relay: which events it has counted, and how far it is with each program."""

import importlib

from tortoise import migrations
from tortoise.migrations import operations as ops
from uuid import uuid4
from tortoise import fields

_promises = importlib.import_module("persistence.migrations.0002_promises")
STEPS = (
    _promises.root_steps("relays"),
    # What is still to be counted is found at once, however much has been.
    (
        "CREATE INDEX outbox_to_relay ON outbox (program_id, id) WHERE relayed_at IS NULL",
        "DROP INDEX outbox_to_relay",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("tessera", "0008_flash_sales")]

    operations = [
        ops.CreateModel(
            name="RelayTable",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("program_id", fields.UUIDField()),
                ("version", fields.BigIntField(db_default=0)),
            ],
            options={
                "table": "relays",
                "app": "tessera",
                "pk_attr": "id",
                "table_description": "How far a program's events are delivered; the id is the program's, and its lock makes one the relay.",
            },
            bases=["Model"],
        ),
        ops.AlterModelOptions(
            name="OutboxTable",
            options={
                "table": "outbox",
                "app": "tessera",
                "pk_attr": "id",
                "table_description": "Events that happened, in the order of their ids.",
            },
        ),
        ops.AddField(
            model_name="OutboxTable",
            name="relayed_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.RunSQL([forward for forward, _ in STEPS], reverse_sql=[backward for _, backward in reversed(STEPS)]),
    ]
