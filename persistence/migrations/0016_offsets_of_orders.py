"""Points as money: what the quote told of the order that they are held for."""

import importlib

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from domain.stores import Channel

_promises = importlib.import_module("persistence.migrations.0002_promises")
_FORWARD, _BACKWARD = _promises.reference_steps("points_offsets", "store_id", "stores", "id")


class Migration(migrations.Migration):
    dependencies = [("tessera", "0015_group_deals")]

    operations = [
        ops.AddField(model_name="PointsOffsetTable", name="reference", field=fields.TextField(null=True, unique=False)),
        ops.AddField(model_name="PointsOffsetTable", name="store_id", field=fields.UUIDField(null=True)),
        ops.AddField(
            model_name="PointsOffsetTable",
            name="channel",
            field=fields.CharEnumField(
                description="ONLINE: ONLINE\nPHONE: PHONE\nIN_STORE: IN_STORE",
                enum_type=Channel,
                max_length=30,
                null=True,
            ),
        ),
        ops.RunSQL(_FORWARD, reverse_sql=_BACKWARD),
    ]
