"""Stores in the API."""

from datetime import date, timedelta
from typing import Annotated, Any, Final, Self

import strawberry

from api import access, connections, ids, inputs, moneys, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.errors import ApiError, ErrorCode
from api.moneys import Money
from domain import calendars, stores
from domain.access import Scope
from persistence import stores as stored

shapes.named(stores.Channel, stores.StoreGroupKind)

DAYS_MAX: Final = 366


@shapes.shape(stores.StoreGroup)
class StoreGroup(shapes.Node):
    """Stores that belong together: a chain, or a franchisee's."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    kind: stores.StoreGroupKind


@shapes.shape()
class StoreFigures:
    """What was done at a store: purchases by when they happened, redemptions by when they were placed, vouchers by when
    they were used. Cancelled and lapsed redemptions are not counted.
    """

    purchases: int
    amount: Money = moneys.field("amount_minor", description="Of all purchases, before refunds.")
    refunded: Money = moneys.field("refunded_minor", description="What of them was refunded so far.")
    points_earned: scalars.Points
    points_spent: scalars.Points = strawberry.field(description="Used as money.")
    redemptions: int
    points_redeemed: scalars.Points
    vouchers_used: int
    discount: Money = moneys.field("discount_minor", description="What the vouchers took off.")


async def _figures(
    parent: strawberry.Parent[stores.Store],
    info: Info,
    since: Annotated[date, strawberry.argument(name="from")],
    until: Annotated[date, strawberry.argument(name="to")],
) -> Any:
    context = info.context
    if not timedelta(0) <= until - since < timedelta(days=DAYS_MAX):
        raise ApiError(f"from and to are at most {DAYS_MAX} days, in this order.", ErrorCode.BAD_USER_INPUT)
    zone = (await context.loaders.program()).time_zone
    span = stored.Span(parent.id, calendars.start_of(since, zone), calendars.end_of(until, zone))
    return await context.loaders.keyed(stored.figures, span)


@shapes.shape(stores.Store)
class Store(shapes.Node):
    """A store, physical or online. A closed one takes no purchases."""

    code: str = strawberry.field(description="The shop's own name for it, unique in the program.")
    name: str
    group: StoreGroup | None = shapes.linked(stores.StoreGroup, "group_id")
    is_closed: bool
    figures: StoreFigures = access.resolved_by(
        access.staff(Scope.MEMBERS_READ),
        _figures,
        description="What was done there on these days of the program's calendar, both inclusive.",
    )


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

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def store_groups(
        self, info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
    ) -> Connection[StoreGroup]:
        """Groups of stores of the program, the oldest first."""
        part = connections.asked(info.context, stored.KEYSET, first, after)
        found = await stored.groups(info.context.caller.program_id, part)
        return connections.page(found, stored.KEYSET, part)


@shapes.given()
class StoreCreateInput(inputs.RepeatableInput):
    """A store to open. `code` has at most 50 characters and is unique in the program."""

    code: str
    name: str
    group_id: strawberry.ID | None = None

    def command(self, _: Context) -> stores.CreateStore:
        """The command for the domain. Refuses an id that is none of a group."""
        group_id = ids.optional("StoreGroup", self.group_id, "groupId")
        return stores.CreateStore(code=self.code, name=self.name, group_id=group_id)


@shapes.given()
class StoreGroupCreateInput(inputs.RepeatableInput):
    """A group of stores to name. `code` has at most 50 characters and is unique in the program."""

    code: str
    name: str
    kind: stores.StoreGroupKind = stores.StoreGroupKind.CHAIN

    def command(self, _: Context) -> stores.CreateStoreGroup:
        """The command for the domain."""
        return stores.CreateStoreGroup(code=self.code, name=self.name, kind=self.kind)


@shapes.given()
class StoreUpdateInput(inputs.RepeatableInput):
    """What to change of a store; what is left out stays."""

    store_id: strawberry.ID
    name: str | None = None
    group_id: strawberry.ID | None = None
    is_closed: bool | None = None

    def command(self, _: Context) -> stores.UpdateStore:
        """The command for the domain. Refuses malformed ids."""
        return stores.UpdateStore(
            store_id=ids.require("Store", self.store_id, "storeId"),
            name=self.name,
            group_id=ids.optional("StoreGroup", self.group_id, "groupId"),
            is_closed=self.is_closed,
        )


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
class StoreGroupCreatePayload(payloads.KeyedPayload):
    """The new group."""

    group: StoreGroup | None = None

    @classmethod
    def of(cls, group: stores.StoreGroup) -> Self:
        """The payload of a group."""
        return cls(group=shapes.shown(group))


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

    @access.field(access.staff(Scope.PROGRAM_WRITE))
    async def store_group_create(self, info: Info, input: StoreGroupCreateInput) -> StoreGroupCreatePayload:  # noqa: A002
        """Name a group of stores. Refuses a code that is taken."""
        return await payloads.run(info, input, StoreGroupCreatePayload)
