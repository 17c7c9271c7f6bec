"""Stores in the API."""

from typing import Self

import strawberry

from api import access, connections, ids, inputs, payloads, shapes
from api.connections import Connection
from api.context import Context, Info
from domain import stores
from domain.access import Scope
from persistence import stores as stored

shapes.named(stores.Channel)


@shapes.shape(stores.Store)
class Store(shapes.Node):
    """A store, physical or online. A closed one takes no purchases."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    is_closed: bool


@shapes.shape()
class StoreQueries:
    """What can be asked about stores."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def stores(
        self, info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Store]:
        """Stores of the program, the oldest first."""
        part = connections.asked(info.context, stored.KEYSET, first, after)
        found = await stored.page(info.context.caller.program_id, part)
        return connections.page(found, stored.KEYSET, part)


@shapes.given()
class StoreCreateInput(inputs.RepeatableInput):
    """A store to open. `code` has at most 50 characters and is unique in the program."""

    code: str
    name: str

    def command(self, _: Context) -> stores.CreateStore:
        """The command for the domain."""
        return stores.CreateStore(code=self.code, name=self.name)


@shapes.given()
class StoreUpdateInput(inputs.RepeatableInput):
    """What to change of a store; what is left out stays."""

    store_id: strawberry.ID
    name: str | None = None
    is_closed: bool | None = None

    def command(self, _: Context) -> stores.UpdateStore:
        """The command for the domain. Refuses an id that is none of a store."""
        store_id = ids.require("Store", self.store_id, "storeId")
        return stores.UpdateStore(store_id=store_id, name=self.name, is_closed=self.is_closed)


@shapes.shape()
class _StorePayload(payloads.KeyedPayload):
    store: Store | None = None

    @classmethod
    def of(cls, store: stores.Store) -> Self:
        """The payload of a store."""
        return cls(store=shapes.shown(store))


@shapes.shape()
class StoreCreatePayload(_StorePayload):
    """The new store."""


@shapes.shape()
class StoreUpdatePayload(_StorePayload):
    """The store as it is now."""


@shapes.shape()
class StoreMutations:
    """What can be done with stores."""

    @access.field(access.staff(Scope.PROGRAM_WRITE))
    async def store_create(self, info: Info, input: StoreCreateInput) -> StoreCreatePayload:  # noqa: A002
        """Open a store. Refuses a code that is taken."""
        return await payloads.run(info, input, StoreCreatePayload)

    @access.field(access.staff(Scope.PROGRAM_WRITE))
    async def store_update(self, info: Info, input: StoreUpdateInput) -> StoreUpdatePayload:  # noqa: A002
        """Rename a store, close it, or open it again."""
        return await payloads.run(info, input, StoreUpdatePayload)
