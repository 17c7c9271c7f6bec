"""The real server on a port of its own, with one mutation more: one that does nothing, to measure the rest against."""

import sys

import strawberry

from api import access, payloads, schema, serve, settings, shapes
from api.context import Info
from domain.access import Scope


@shapes.given()
class NothingInput:
    """As much input as a purchase has."""

    member: str
    external_id: str
    amount: str
    idempotency_key: str


@shapes.shape()
class NothingPayload(payloads.Payload):
    """Nothing was done."""

    is_done: bool = True


@strawberry.type
class BenchMutation(schema.Mutation):
    """Every mutation of the product, and one that does nothing."""

    @access.field(access.staff(Scope.PURCHASES_WRITE))
    async def nothing(self, info: Info, input: NothingInput) -> NothingPayload:  # noqa: A002, ARG002
        """Do nothing, after all that every request goes through."""
        return NothingPayload()


def contract() -> strawberry.Schema:
    """The product's schema with the mutation that does nothing."""
    return schema.build(mutation=BenchMutation)


if __name__ == "__main__":
    sys.exit(serve.run(settings.load(), contract))
