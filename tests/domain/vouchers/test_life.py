"""A voucher's life: granted, claimed, locked with a time to live, released, returned, voided, expired (C3, C4)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks
from domain.kernel import NotFound
from domain.points.account import MemberFrozen
from domain.stores import Channel
from domain.vouchers.commands import (
    ClaimInvalid,
    ClaimVoucher,
    GrantVoucher,
    LockVoucher,
    ReleaseVoucher,
    ReturnVoucher,
    SettleVoucher,
    VoidVoucher,
)
from domain.vouchers.pool import ImportVoucherCodes, Supply, VoucherCode, VoucherPool
from domain.vouchers.template import ReturnTerms, VoucherScope
from domain.vouchers.voucher import (
    Voucher,
    VoucherAlreadyClaimed,
    VoucherChanged,
    VoucherExpired,
    VoucherIssued,
    VoucherLimitReached,
    VoucherLocked,
    VoucherNeedsStore,
    VoucherNotAtStore,
    VoucherNotClaimable,
    VoucherNotHere,
    VoucherNotLocked,
    VoucherNotUsed,
    VoucherNotYetValid,
    VoucherOrigin,
    VoucherState,
    VoucherUnknown,
    VoucherUsed,
    VoucherVoid,
)
from tests.domain.mall import TEN_OFF, Mall, cart, off
from tests.domain.memory import PROGRAM_ID, START, ref

NOBODY = UUID(int=99)
DAY = timedelta(days=1)


@pytest.fixture
def member(mall: Mall) -> UUID:
    return mall.enroll(1_000)


def use(mall: Mall, member: UUID, voucher: Voucher) -> None:
    told = cart(5_000)
    mall.buy_quoted(member, mall.quote(member, told, voucher), told)


def test_a_granted_voucher_is_the_member_s(mall: Mall, member: UUID) -> None:
    store, pool = mall.store(), mall.pool(off(1_000, days=7))
    voucher = mall.grant(member, pool, reason="sorry", channel=Channel.IN_STORE, store_id=store.id)
    assert voucher == Voucher(
        id=voucher.id,
        program_id=PROGRAM_ID,
        member_id=member,
        template_id=pool.template_id,
        pool_id=pool.id,
        code=voucher.code,
        origin=VoucherOrigin.GRANT,
        channel=Channel.IN_STORE,
        store_id=store.id,
        starts_at=START,
        expires_at=voucher.expires_at,
        reason="sorry",
        issued_at=START,
        due_at=voucher.expires_at,
        actor="till",
    )
    assert mall.events == (VoucherIssued(member_id=member, voucher_id=voucher.id),)
    assert mall.row(VoucherPool, pool.id).given == 1


def test_what_cannot_be_granted_is_refused(mall: Mall, member: UUID) -> None:
    pool = mall.pool(limit=1)
    mall.grant(member, pool)
    with pytest.raises(VoucherLimitReached) as refused:
        mall.grant(member, pool)
    assert refused.value.details == {"limit": 1, "taken": 1, "requested": 1}
    frozen = mall.enroll()
    mall.freeze(frozen)
    with pytest.raises(MemberFrozen):
        mall.grant(frozen, pool)
    with pytest.raises(NotFound):
        mall.grant(NOBODY, pool)
    with pytest.raises(NotFound):
        mall.run(GrantVoucher(pool_id=NOBODY, member=ref(member)))
    with pytest.raises(checks.TextInvalid):
        mall.grant(member, pool, reason="x" * 501)
    with pytest.raises(NotFound):
        mall.grant(mall.enroll(), pool, store_id=NOBODY)


def test_a_voided_voucher_does_not_count_towards_the_limit(mall: Mall, member: UUID) -> None:
    pool = mall.pool(limit=1)
    voucher = mall.grant(member, pool)
    mall.run(VoidVoucher(voucher_id=voucher.id, reason="mistake"))
    mall.grant(member, pool)


def test_members_claim_what_is_claimable(mall: Mall, member: UUID) -> None:
    pool, closed = mall.pool(left=1, is_claimable=True), mall.pool()
    voucher = mall.run(ClaimVoucher(member=ref(member), pool_id=pool.id)).voucher
    assert (voucher.origin, voucher.member_id) == (VoucherOrigin.CLAIM, member)
    with pytest.raises(VoucherNotClaimable):
        mall.run(ClaimVoucher(member=ref(member), pool_id=closed.id))


def test_a_code_that_was_told_outside_is_claimed_once(mall: Mall, member: UUID) -> None:
    pool = mall.pool(supply=Supply.BROUGHT)
    mall.run(ImportVoucherCodes(pool_id=pool.id, codes=("SPRING-01", "SPRING-02")))
    voucher = mall.run(ClaimVoucher(member=ref(member), code=" spring-01 ")).voucher
    assert (voucher.code, voucher.origin) == ("SPRING-01", VoucherOrigin.CLAIM)
    assert (mall.row(VoucherPool, pool.id).left, mall.row(VoucherPool, pool.id).given) == (1, 1)
    with pytest.raises(VoucherAlreadyClaimed) as refused:
        mall.run(ClaimVoucher(member=ref(mall.enroll()), code="SPRING-01"))
    assert refused.value.details == {"voucher_code": "SPRING-01"}
    with pytest.raises(VoucherUnknown):
        mall.run(ClaimVoucher(member=ref(member), code="SUMMER-01"))
    for pick in (pool.id,):
        with pytest.raises(VoucherNotClaimable):
            mall.run(ClaimVoucher(member=ref(member), pool_id=pick))
        with pytest.raises(VoucherNotClaimable):
            mall.run(GrantVoucher(member=ref(member), pool_id=pick))


def test_a_code_that_waits_for_its_turn_is_nobody_s_to_claim(mall: Mall, member: UUID) -> None:
    pool = mall.pool(supply=Supply.STOCK)
    mall.run(ImportVoucherCodes(pool_id=pool.id, codes=("HIDDEN-01",)))
    with pytest.raises(VoucherUnknown):
        mall.run(ClaimVoucher(member=ref(member), code="HIDDEN-01"))


def test_a_lock_has_a_time_to_live(mall: Mall, member: UUID) -> None:
    voucher = mall.grant(member, TEN_OFF)
    locked = mall.lock(voucher)
    assert (locked.state, locked.locked_for) == (VoucherState.LOCKED, "o-1")
    assert locked.locked_until == locked.due_at == START + timedelta(minutes=15)
    assert mall.run(LockVoucher(code=voucher.code, reference="o-1")).is_repeat
    with pytest.raises(VoucherLocked) as refused:
        mall.lock(voucher, "o-2")
    assert refused.value.details == {"locked_until": "2026-01-15T04:15:00+00:00"}
    mall.later(minutes=15)
    assert mall.voucher(voucher).state_at(mall.now) is VoucherState.ISSUED
    assert mall.lock(voucher, "o-2", minutes=1).locked_until == mall.now + timedelta(minutes=1)


@pytest.mark.parametrize("minutes", [0, 1_441])
def test_a_lock_is_a_minute_to_a_day(mall: Mall, member: UUID, minutes: int) -> None:
    with pytest.raises(checks.NumberInvalid):
        mall.lock(mall.grant(member), minutes=minutes)


def test_a_lock_outlasts_the_expiry(mall: Mall, member: UUID) -> None:
    voucher = mall.grant(member, off(1_000, ends_at=START + timedelta(minutes=5)))
    mall.lock(voucher, minutes=60)
    mall.later(minutes=59)
    assert mall.voucher(voucher).state_at(mall.now) is VoucherState.LOCKED
    mall.later(minutes=1)
    assert mall.voucher(voucher).state_at(mall.now) is VoucherState.EXPIRED
    settled = mall.run(SettleVoucher(voucher_id=voucher.id)).voucher
    assert (settled.state, settled.due_at, settled.locked_for) == (VoucherState.EXPIRED, None, None)


def test_a_lock_is_given_up_by_whoever_has_it(mall: Mall, member: UUID) -> None:
    voucher = mall.grant(member)
    mall.lock(voucher, member_id=member)
    with pytest.raises(VoucherUnknown):
        mall.run(ReleaseVoucher(code=voucher.code, member_id=mall.enroll()))
    released = mall.run(ReleaseVoucher(code=voucher.code, member_id=member)).voucher
    assert (released.state, released.locked_for, released.locked_until) == (VoucherState.ISSUED, None, None)
    assert mall.events == (VoucherChanged(member_id=member, voucher_id=voucher.id, state=VoucherState.ISSUED),)
    with pytest.raises(VoucherNotLocked) as refused:
        mall.run(ReleaseVoucher(code=voucher.code))
    assert refused.value.details == {"state": "ISSUED"}


def test_why_a_voucher_is_no_good_is_told(mall: Mall, member: UUID) -> None:
    void, used, over = mall.grant(member), mall.grant(member), mall.grant(member, off(1_000, ends_at=START + DAY))
    early = mall.grant(member, off(1_000, starts_at=START + 3 * DAY))
    mall.run(VoidVoucher(voucher_id=void.id, reason="mistake"))
    use(mall, member, used)
    mall.later(days=1)

    def refused(refusal: type[Exception], voucher: Voucher) -> dict[str, object]:
        with pytest.raises(refusal) as raised:
            mall.lock(voucher)
        details: dict[str, object] = raised.value.details  # type: ignore[attr-defined]
        return details

    assert refused(VoucherVoid, void) == {}
    assert refused(VoucherUsed, used) == {"used_at": START.isoformat()}
    assert refused(VoucherExpired, over) == {"expired_at": (START + DAY).isoformat()}
    assert refused(VoucherNotYetValid, early) == {"starts_at": (START + 3 * DAY).isoformat()}


def test_f11_a_claim_tells_a_pool_or_a_code(mall: Mall, member: UUID) -> None:
    """Neither of the two is left aside, and neither is guessed."""
    brought = mall.stocked(1, supply=Supply.BROUGHT)
    (code,) = (row.code for row in mall.state.rows(VoucherCode))
    both: dict[str, Any] = {"pool_id": brought.id, "code": code}
    for told, number in (({}, 0), (both, 2)):
        with pytest.raises(ClaimInvalid) as refused:
            mall.run(ClaimVoucher(member=ref(member), **told))
        assert (refused.value.field, refused.value.details) == (("code",), {"told": number})
    assert mall.run(ClaimVoucher(member=ref(member), code=code)).voucher.code == code


@pytest.mark.parametrize("code", ["", "no", "NOBODYSCODE1"])
def test_a_code_that_nobody_has_is_not_found(mall: Mall, code: str) -> None:
    with pytest.raises(VoucherUnknown) as refused:
        mall.run(LockVoucher(code=code, reference="o-1"))
    assert refused.value.code == "NOT_FOUND"


def test_a_voucher_is_taken_where_it_says(mall: Mall, member: UUID) -> None:
    river, hill = mall.store("S1"), mall.store("S2")
    scope = VoucherScope(store_ids=(river.id,), channels=(Channel.IN_STORE,))
    voucher = mall.grant(member, off(1_000, scope=scope))
    for refusal, channel, store_id, told, message in (
        (VoucherNotAtStore, Channel.IN_STORE, hill.id, "S2", "at the store 'S2' in the channel IN_STORE."),
        (VoucherNotAtStore, Channel.ONLINE, river.id, "S1", "at the store 'S1' in the channel ONLINE."),
        (VoucherNeedsStore, Channel.IN_STORE, None, None, "at stores of its own only, and no store was told."),
    ):
        with pytest.raises(refusal) as refused:
            mall.lock(voucher, channel=channel, store_id=store_id)
        assert refused.value.details == {"store": told, "channel": channel}
        assert refused.value.message.endswith(message)
    by_phone = mall.grant(member, off(1_000, scope=VoucherScope(channels=(Channel.PHONE,))))
    with pytest.raises(VoucherNotHere, match=r"^The voucher is not taken in the channel ONLINE\.$"):
        mall.lock(by_phone)
    mall.lock(voucher, channel=Channel.IN_STORE, store_id=river.id)


def test_c4_a_returned_voucher_is_good_again(mall: Mall, member: UUID) -> None:
    voucher = mall.grant(member)
    use(mall, member, voucher)
    assert mall.voucher(voucher).discount_minor == 1_000
    back = mall.run(ReturnVoucher(voucher_id=voucher.id, reason="order given up")).voucher
    assert (back.state, back.purchase_id, back.used_at, back.discount_minor) == (VoucherState.RETURNED, None, None, 0)
    mall.lock(voucher)
    assert mall.run(ReleaseVoucher(code=voucher.code)).voucher.state is VoucherState.RETURNED
    with pytest.raises(VoucherNotUsed) as refused:
        mall.run(ReturnVoucher(voucher_id=voucher.id, reason="again"))
    assert refused.value.details == {"state": "RETURNED"}


@pytest.mark.parametrize(
    ("terms", "state", "expires_at"),
    [
        (ReturnTerms.EXTEND, VoucherState.RETURNED, "2026-01-27 16:00:00+00:00"),
        (ReturnTerms.FORFEIT, VoucherState.EXPIRED, "2026-01-16 04:00:00+00:00"),
    ],
)
def test_c4_one_that_expired_meanwhile_is_extended_or_lost(
    mall: Mall, member: UUID, terms: ReturnTerms, state: VoucherState, expires_at: str
) -> None:
    voucher = mall.grant(member, off(1_000, ends_at=START + DAY, return_terms=terms, return_days=2))
    use(mall, member, voucher)
    mall.later(days=10)
    back = mall.run(ReturnVoucher(voucher_id=voucher.id, reason="order given up")).voucher
    assert (back.state, str(back.expires_at)) == (state, expires_at)
    assert back.due_at == (back.expires_at if state is VoucherState.RETURNED else None)


def test_a_used_voucher_is_not_voided_and_a_void_one_once(mall: Mall, member: UUID) -> None:
    used, void = mall.grant(member), mall.grant(member)
    use(mall, member, used)
    with pytest.raises(VoucherUsed):
        mall.run(VoidVoucher(voucher_id=used.id, reason="mistake"))
    mall.lock(void)
    first = mall.run(VoidVoucher(voucher_id=void.id, reason="mistake"))
    assert (first.voucher.state, first.voucher.locked_until, first.voucher.due_at) == (VoucherState.VOID, None, None)
    assert mall.run(VoidVoucher(voucher_id=void.id, reason="again")).is_repeat
    with pytest.raises(NotFound):
        mall.run(VoidVoucher(voucher_id=NOBODY, reason="mistake"))


def test_the_clock_s_work_is_done_once(mall: Mall, member: UUID) -> None:
    voucher = mall.grant(member, off(1_000, ends_at=START + DAY))
    assert mall.run(SettleVoucher(voucher_id=voucher.id)).is_repeat
    mall.later(days=1)
    assert mall.run(SettleVoucher(voucher_id=voucher.id)).voucher.state is VoucherState.EXPIRED
    assert mall.run(SettleVoucher(voucher_id=voucher.id)).is_repeat
