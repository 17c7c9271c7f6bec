"""The real server, with a claim by the usual code beside ours; with `GATE=off` it turns nobody away."""

import os
import sys
from functools import partial
from typing import Any

import strawberry

from api import access, context, ids, inputs, payloads, schema, serve, settings
from api.context import Info
from api.flash_sales.inputs import FlashSaleClaimInput
from api.flash_sales.selling import FlashSaleClaimPayload
from benchmarks import naive
from domain.access import Scope
from domain.rewards.stock import SoldOut
from persistence.flash_sale_gates import Gates


async def _claimed(info: Info, given: FlashSaleClaimInput) -> FlashSaleClaimPayload:
    inputs.check(info.context, given)
    assert given.member is not None
    assert given.member.external_id
    item_id = ids.require("FlashSaleItem", given.item_id, "itemId")
    program_id, key = info.context.caller.program_id, given.idempotency_key
    if not await naive.claim(program_id, given.member.external_id, item_id, key):
        raise SoldOut(requested=1, left=0)
    return FlashSaleClaimPayload()


@strawberry.type
class BenchMutation(schema.Mutation):
    """Every mutation of the product, and the usual way to claim."""

    @access.field(access.staff(Scope.REDEMPTIONS_WRITE))
    async def naive_claim(self, info: Info, input: FlashSaleClaimInput) -> FlashSaleClaimPayload:  # noqa: A002
        """Claim a unit in one transaction of its own, through the ORM."""
        return await payloads.answered(FlashSaleClaimPayload, _claimed(info, input))


def contract() -> strawberry.Schema:
    """The product's schema with the usual way to claim."""
    return schema.build(mutation=BenchMutation)


if __name__ == "__main__":
    if os.environ.get("GATE") == "off":
        ungated: Any = partial(Gates, None)
        context.Gates = lambda _: ungated()  # type: ignore[attr-defined,misc]
    sys.exit(serve.run(settings.load(), contract))
