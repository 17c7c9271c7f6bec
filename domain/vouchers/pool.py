"""Pools: where vouchers come from. A pool makes each code when it is needed, or has codes in stock."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import checks, codes
from domain.kernel import Command, Decision, Event, Refusal, Row, State, Want
from domain.vouchers.template import VoucherTemplate

# Of one command: what a batch can write beside others.
CODES_MAX: Final = 1000
LEFT_MAX: Final = 10**9


class Supply(StrEnum):
    """Where a pool's codes come from."""

    ON_DEMAND = "ON_DEMAND"  # a code is made for each voucher, up to a number or without end
    STOCK = "STOCK"  # generated or imported beforehand, and given out in that order
    BROUGHT = "BROUGHT"  # generated or imported, told outside, and brought by whoever claims


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherPool(Row):
    """A stock of vouchers of one template. It guards itself: whoever takes the last one has locked it.

    `left` is how many may still be given out; None: any number. `stocked` counts codes ever put in,
    `given` vouchers ever given out. From an `is_claimable` pool members take for themselves.
    """

    template_id: UUID
    name: str
    supply: Supply
    left: int | None = None
    stocked: int = 0
    given: int = 0
    is_claimable: bool = False
    is_closed: bool = False
    created_at: datetime

    @property
    def is_brought(self) -> bool:
        """Whether its codes were told outside, and are brought by whoever claims."""
        return self.supply is Supply.BROUGHT

    def code_id(self, ordinal: int) -> UUID:
        """The id of the pool's `ordinal`-th code, from 1: the next one is found without looking for it."""
        return UUID(int=self.id.int + ordinal)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherCode(Row):
    """A code in stock. It never changes; whether it was given out is known by its place, or by the voucher with it."""

    is_fact: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    pool_id: UUID
    ordinal: int
    code: str


class PoolEmpty(Refusal):
    """Fewer vouchers are left in the pool than requested. Details: `requested`, `left`."""

    code = "VOUCHERS_SOLD_OUT"
    text = "{requested} requested; {left} are left in the pool of vouchers."


class PoolClosed(Refusal):
    """The pool is closed, or its template is no longer issued. Details: `pool`."""

    code = "VOUCHER_POOL_CLOSED"
    text = "No vouchers are given out of {pool!r} any more."


class SupplyMismatch(Refusal):
    """The pool's codes come another way. Details: `supply`."""

    code = "VOUCHER_SUPPLY_MISMATCH"
    text = "The codes of this pool are {supply}, so that this cannot be done with it."


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherPoolSaved(Event):
    """A pool was made, filled, opened or closed."""

    pool_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Stocked:
    """A pool with new codes: how many were added, which were known before or told twice, and which are none."""

    pool: VoucherPool
    added: int
    duplicates: tuple[str, ...] = ()
    malformed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateVoucherPool(Command[VoucherPool]):
    """Open a pool of a template. `left` bounds codes made on demand; codes in stock bound themselves."""

    template_id: UUID
    name: str
    supply: Supply
    left: int | None = None
    is_claimable: bool = False

    def decide(self, state: State) -> Decision[VoucherPool]:
        name = checks.text("name", self.name)
        template = state.get(VoucherTemplate, self.template_id)
        if self.left is not None:
            checks.number("left", self.left, minimum=0, maximum=LEFT_MAX)
            if self.supply is not Supply.ON_DEMAND:
                raise SupplyMismatch(field=("left",), supply=self.supply)
        pool = VoucherPool(
            id=state.new_id(),
            program_id=state.program_id,
            template_id=template.id,
            name=name,
            supply=self.supply,
            left=self.left if self.supply is Supply.ON_DEMAND else 0,
            is_claimable=self.is_claimable or self.supply is Supply.BROUGHT,
            created_at=state.now,
        )
        return Decision(pool, save=(pool,), events=(VoucherPoolSaved(pool_id=pool.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateVoucherPool(Command[VoucherPool]):
    """Rename, open or close a pool, or bound it anew (ON_DEMAND only); None leaves a value as it is."""

    pool_id: UUID
    name: str | None = None
    left: int | None = None
    is_claimable: bool | None = None
    is_closed: bool | None = None

    def decide(self, state: State) -> Decision[VoucherPool]:
        name = checks.optional_text("name", self.name)
        pool = state.get(VoucherPool, self.pool_id)
        if self.left is not None:
            checks.number("left", self.left, minimum=0, maximum=LEFT_MAX)
            if pool.supply is not Supply.ON_DEMAND:
                raise SupplyMismatch(field=("left",), supply=pool.supply)
        pool = replace(
            pool,
            name=name or pool.name,
            left=pool.left if self.left is None else self.left,
            is_claimable=pool.is_claimable if self.is_claimable is None else self.is_claimable,
            is_closed=pool.is_closed if self.is_closed is None else self.is_closed,
        )
        return Decision(pool, save=(pool,), events=(VoucherPoolSaved(pool_id=pool.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateVoucherCodes(Command[Stocked]):
    """Put up to 1,000 new codes into a pool's stock: unguessable, and unlike any other."""

    pool_id: UUID
    count: int

    def decide(self, state: State) -> Decision[Stocked]:
        checks.number("count", self.count, minimum=1, maximum=CODES_MAX)
        pool = _stockable(state, self.pool_id)
        made: dict[str, None] = {}
        while len(made) < self.count:
            made[codes.made(state.new_seed())] = None
        return _stocked(pool, made, (), ())


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportVoucherCodes(Command[Stocked]):
    """Put up to 1,000 codes made elsewhere into a pool's stock. Those that are known or malformed are told, not put."""

    pool_id: UUID
    codes: tuple[str, ...]

    def decide(self, state: State) -> Decision[Stocked]:
        checks.at_most("codes", self.codes, CODES_MAX)
        pool = _stockable(state, self.pool_id)
        read = [codes.find(told) for told in self.codes]
        malformed = tuple(told[: codes.CODE_MAX] for told, code in zip(self.codes, read, strict=True) if code is None)
        state.need(*(Want(VoucherCode, code, "code", is_locked=True) for code in read if code is not None))
        new: dict[str, None] = {}
        duplicates: list[str] = []
        for code in read:
            if code is None:
                continue
            if code in new or state.find_by(VoucherCode, "code", code) is not None:
                duplicates.append(code)
            else:
                new[code] = None
        return _stocked(pool, new, tuple(duplicates), malformed)


def _stockable(state: State, pool_id: UUID) -> VoucherPool:
    """A pool that has a stock. Refuses `SupplyMismatch`."""
    pool = state.get(VoucherPool, pool_id)
    if pool.supply is Supply.ON_DEMAND:
        raise SupplyMismatch(field=("poolId",), supply=pool.supply)
    return pool


def _stocked(
    pool: VoucherPool, new: Iterable[str], duplicates: tuple[str, ...], malformed: tuple[str, ...]
) -> Decision[Stocked]:
    rows = tuple(
        VoucherCode(id=pool.code_id(ordinal), program_id=pool.program_id, pool_id=pool.id, ordinal=ordinal, code=code)
        for ordinal, code in enumerate(new, start=pool.stocked + 1)
    )
    assert pool.left is not None, "a stock has an end"
    pool = replace(pool, stocked=pool.stocked + len(rows), left=pool.left + len(rows))
    result = Stocked(pool=pool, added=len(rows), duplicates=duplicates, malformed=malformed)
    return Decision(result, save=(pool, *rows), events=(VoucherPoolSaved(pool_id=pool.id),))
