"""Pools of vouchers: where they come from, and how pools are filled."""

from typing import Final, Self

import strawberry

from api import access, connections, ids, inputs, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.vouchers.template import VoucherTemplate
from domain.access import Scope
from domain.vouchers import pool as pools
from domain.vouchers import template as templates
from persistence import vouchers as stored

shapes.named(pools.Supply)

_WRITES: Final = access.staff(Scope.REWARDS_WRITE)


@shapes.shape(pools.VoucherPool)
class VoucherPool(shapes.Node):
    """A stock of vouchers of one template."""

    template: VoucherTemplate = shapes.linked(templates.VoucherTemplate, "template_id")
    name: str
    supply: pools.Supply
    left: scalars.Points | None = strawberry.field(description="How many may still be given out; null: any number.")
    stocked: scalars.Points = strawberry.field(description="How many codes were ever put in.")
    given: scalars.Points = strawberry.field(description="How many vouchers were ever given out.")
    is_claimable: bool = strawberry.field(description="Whether members take vouchers for themselves.")
    is_closed: bool


@shapes.shape()
class VoucherPoolQueries:
    """What can be asked about pools of vouchers."""

    @access.field(access.staff(Scope.PROGRAM_READ))
    async def voucher_pools(
        self,
        info: Info,
        template_id: strawberry.ID,
        first: int = connections.FIRST_DEFAULT,
        after: str | None = None,
    ) -> Connection[VoucherPool]:
        """Pools of a template, the oldest first."""
        part = connections.asked(info.context, stored.POOL_KEYSET, first, after)
        key = ids.find("VoucherTemplate", template_id)
        found = [] if key is None else await info.context.loaders.family(stored.pools, part, key)
        return connections.page(found, stored.POOL_KEYSET, part)


@shapes.given()
class VoucherPoolCreateInput(inputs.RepeatableInput):
    """A pool to open. `left` bounds codes that are made on demand; codes in stock bound themselves."""

    template_id: strawberry.ID
    name: str
    supply: pools.Supply
    left: scalars.Points | None = None
    is_claimable: bool = False

    def command(self, _: Context) -> pools.CreateVoucherPool:
        """The command for the domain. Refuses an id that is none of a template."""
        return pools.CreateVoucherPool(
            template_id=ids.require("VoucherTemplate", self.template_id, "templateId"),
            name=self.name,
            supply=self.supply,
            left=self.left,
            is_claimable=self.is_claimable,
        )


@shapes.given()
class VoucherPoolUpdateInput(inputs.RepeatableInput):
    """What to change of a pool; what is left out stays."""

    pool_id: strawberry.ID
    name: str | None = None
    left: scalars.Points | None = None
    is_claimable: bool | None = None
    is_closed: bool | None = None

    def command(self, _: Context) -> pools.UpdateVoucherPool:
        """The command for the domain. Refuses an id that is none of a pool."""
        return pools.UpdateVoucherPool(
            pool_id=ids.require("VoucherPool", self.pool_id, "poolId"),
            name=self.name,
            left=self.left,
            is_claimable=self.is_claimable,
            is_closed=self.is_closed,
        )


@shapes.given()
class VoucherCodesGenerateInput(inputs.KeyedInput):
    """How many codes to make for a pool, 1 to 1,000. For more, tell it again under other keys."""

    pool_id: strawberry.ID
    count: int

    def command(self, _: Context) -> pools.GenerateVoucherCodes:
        """The command for the domain. Refuses an id that is none of a pool."""
        return pools.GenerateVoucherCodes(pool_id=ids.require("VoucherPool", self.pool_id, "poolId"), count=self.count)


@shapes.given()
class VoucherCodesImportInput(inputs.KeyedInput):
    """Codes that were made elsewhere, of 6 to 64 capital letters, digits, hyphens and underscores."""

    pool_id: strawberry.ID
    codes: list[str] = inputs.bounded(pools.CODES_MAX)

    def command(self, _: Context) -> pools.ImportVoucherCodes:
        """The command for the domain. Refuses an id that is none of a pool."""
        pool_id = ids.require("VoucherPool", self.pool_id, "poolId")
        return pools.ImportVoucherCodes(pool_id=pool_id, codes=tuple(self.codes))


@shapes.shape()
class _PoolPayload(payloads.KeyedPayload):
    pool: VoucherPool | None = None

    @classmethod
    def of(cls, made: pools.VoucherPool) -> Self:
        """The payload of a pool."""
        return cls(pool=shapes.shown(made))


@shapes.shape()
class VoucherPoolCreatePayload(_PoolPayload):
    """The new pool."""


@shapes.shape()
class VoucherPoolUpdatePayload(_PoolPayload):
    """The pool as it is now."""


@shapes.shape()
class _CodesPayload(payloads.KeyedPayload):
    pool: VoucherPool | None = None
    added: int = strawberry.field(default=0, description="How many codes were put into the pool.")

    @classmethod
    def of(cls, stocked: pools.Stocked) -> Self:
        """The payload of a pool that was filled."""
        return cls(pool=shapes.shown(stocked.pool), added=stocked.added)


@shapes.shape()
class VoucherCodesGeneratePayload(_CodesPayload):
    """The pool with its new codes."""


@shapes.shape()
class VoucherCodesImportPayload(_CodesPayload):
    """The pool with its new codes, and those that were not put into it."""

    duplicates: list[str] = strawberry.field(
        default_factory=list, description="Known in this program before, or told twice."
    )
    malformed: list[str] = strawberry.field(default_factory=list, description="What is no code.")

    @classmethod
    def of(cls, stocked: pools.Stocked) -> Self:
        """The payload of an import."""
        return cls(
            pool=shapes.shown(stocked.pool),
            added=stocked.added,
            duplicates=list(stocked.duplicates),
            malformed=list(stocked.malformed),
        )


@shapes.shape()
class VoucherPoolMutations:
    """What can be done with pools of vouchers."""

    @access.field(_WRITES)
    async def voucher_pool_create(self, info: Info, input: VoucherPoolCreateInput) -> VoucherPoolCreatePayload:  # noqa: A002
        """Open a pool of a template."""
        return await payloads.run(info, input, VoucherPoolCreatePayload)

    @access.field(_WRITES)
    async def voucher_pool_update(self, info: Info, input: VoucherPoolUpdateInput) -> VoucherPoolUpdatePayload:  # noqa: A002
        """Rename, open or close a pool, or bound it anew."""
        return await payloads.run(info, input, VoucherPoolUpdatePayload)

    @access.field(_WRITES)
    async def voucher_codes_generate(
        self,
        info: Info,
        input: VoucherCodesGenerateInput,  # noqa: A002
    ) -> VoucherCodesGeneratePayload:
        """Put new codes into a pool's stock: unguessable, and without letters and digits that look alike."""
        return await payloads.run(info, input, VoucherCodesGeneratePayload)

    @access.field(_WRITES)
    async def voucher_codes_import(
        self,
        info: Info,
        input: VoucherCodesImportInput,  # noqa: A002
    ) -> VoucherCodesImportPayload:
        """Put codes that were made elsewhere into a pool's stock; tells which of them were not."""
        return await payloads.run(info, input, VoucherCodesImportPayload)
