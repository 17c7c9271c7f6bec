"""Giving vouchers out of pools: the limit, the stock and the code are taken in one step (C3)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain import codes
from domain.kernel import Event, Refusal, Row, State, Want
from domain.programs import Program
from domain.vouchers.pool import PoolClosed, PoolEmpty, Supply, VoucherCode, VoucherPool
from domain.vouchers.template import VoucherTemplate, validity
from domain.vouchers.voucher import (
    Origin,
    Voucher,
    VoucherExpired,
    VoucherIssued,
    VoucherLimitReached,
    VoucherState,
)


class VouchersNotReturnable(Refusal):
    """Fewer of the vouchers are unused than are to come back. Details: `requested`, `unused`."""

    code = "VOUCHERS_NOT_RETURNABLE"
    text = "{requested} vouchers are to come back; {unused} of them are unused."


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """New vouchers, and the pool they came from."""

    vouchers: tuple[Voucher, ...]
    pool: VoucherPool

    @property
    def save(self) -> tuple[Row, ...]:
        return (self.pool, *self.vouchers)

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(VoucherIssued(member_id=row.member_id, voucher_id=row.id) for row in self.vouchers)


def issue(
    state: State,
    pool_id: UUID,
    member_id: UUID,
    origin: Origin,
    *,
    count: int = 1,
    code: str | None = None,
    pool: VoucherPool | None = None,
) -> Issued:
    """Give a member so many vouchers of a pool; of a pool whose codes are brought, the one with `code`.

    `pool` is the pool as an earlier part of the same command left it. The member's account must be locked.
    Refuses `NotFound`, `PoolClosed`,
    `VoucherExpired` when the template's window is over, `VoucherLimitReached`, `PoolEmpty`.
    """
    pool = state.get(VoucherPool, pool_id) if pool is None else pool
    template = state.get(VoucherTemplate, pool.template_id)
    for refusal in obstacles(pool, template, count, _taken(state, template, member_id), state.now):
        raise refusal
    given = tuple(_codes(state, pool, count)) if code is None else (code,)
    starts_at, expires_at = validity(template.terms, state.now, state.get(Program, state.program_id).time_zone)
    vouchers = tuple(
        Voucher(
            id=state.new_id(),
            program_id=state.program_id,
            member_id=member_id,
            template_id=template.id,
            pool_id=pool.id,
            code=one,
            origin=origin.kind,
            redemption_id=origin.redemption_id,
            channel=origin.channel,
            store_id=origin.store_id,
            starts_at=starts_at,
            expires_at=expires_at,
            reason=origin.reason,
            issued_at=state.now,
            due_at=expires_at,
            actor=state.actor,
        )
        for one in given
    )
    left = None if pool.left is None else pool.left - count
    return Issued(vouchers=vouchers, pool=replace(pool, left=left, given=pool.given + count))


def obstacles(pool: VoucherPool, template: VoucherTemplate, count: int, taken: int, now: datetime) -> Iterator[Refusal]:
    """Everything that keeps a member, who was given `taken` of a template, from so many more, in the order told."""
    if pool.is_closed or not template.is_active:
        yield PoolClosed(pool=pool.name)
    # Nobody is given, and nobody pays for, what is over already.
    ends_at = template.terms.ends_at
    if ends_at is not None and ends_at <= now:
        yield VoucherExpired(expired_at=ends_at.isoformat())
    limit = template.limit_per_member
    if limit is not None and taken + count > limit:
        yield VoucherLimitReached(limit=limit, taken=taken, requested=count)
    if pool.left is not None and pool.left < count:
        yield PoolEmpty(requested=count, left=pool.left)


def in_the_way(state: State, pool_id: UUID, member_id: UUID) -> Iterator[Refusal]:
    """What keeps a member, whose account is locked, from one more voucher of a pool."""
    pool = state.get(VoucherPool, pool_id)
    template = state.get(VoucherTemplate, pool.template_id)
    yield from obstacles(pool, template, 1, _taken(state, template, member_id), state.now)


def _taken(state: State, template: VoucherTemplate, member_id: UUID) -> int:
    """How many a member was given; counted only where a limit asks for it."""
    if template.limit_per_member is None:
        return 0
    return sum(1 for row in state.all(Voucher, of=member_id) if row.template_id == template.id)


def _codes(state: State, pool: VoucherPool, count: int) -> Iterator[str]:
    """The next codes of a pool: made now, or those whose turn it is."""
    if pool.supply is Supply.ON_DEMAND:
        for _ in range(count):
            yield codes.made(state.new_seed())
        return
    assert pool.supply is Supply.STOCK, "codes that are brought are told"
    state.need(*wants_of_codes(pool, count))
    for ordinal in range(pool.given + 1, pool.given + count + 1):
        yield state.get(VoucherCode, pool.code_id(ordinal)).code


def wants_of_codes(pool: VoucherPool, count: int) -> tuple[Want, ...]:
    """The next codes of a pool that has them in stock, to be loaded in one round."""
    if pool.supply is not Supply.STOCK:
        return ()
    turns = range(pool.given + 1, pool.given + count + 1)
    return tuple(Want(VoucherCode, pool.code_id(ordinal), is_locked=True) for ordinal in turns)


def take_back(state: State, member_id: UUID, redemption_id: UUID, *, count: int, reason: str) -> tuple[Row, ...]:
    """Void so many unused vouchers of a redemption, the last issued first. Refuses `VouchersNotReturnable`."""
    unused = _unused(state, member_id, redemption_id)
    if len(unused) < count:
        raise VouchersNotReturnable(requested=count, unused=len(unused))
    return tuple(replace(row, state=VoucherState.VOID, reason=reason, due_at=None) for row in unused[:count])


def _unused(state: State, member_id: UUID, redemption_id: UUID) -> Sequence[Voucher]:
    good = (VoucherState.ISSUED, VoucherState.RETURNED)
    found = [
        row
        for row in state.all(Voucher, of=member_id)
        if row.redemption_id == redemption_id and row.state_at(state.now) in good
    ]
    return sorted(found, key=lambda row: row.id.int, reverse=True)
