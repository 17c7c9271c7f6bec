"""Templates and pools: terms that hold together, codes that nobody guesses, and exactly as many as there are (C3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks, codes
from domain.kernel import NotFound
from domain.rewards.reward import RewardKind
from domain.stores import Channel
from domain.vouchers.pool import (
    CODES_MAX,
    CreateVoucherPool,
    GenerateVoucherCodes,
    ImportVoucherCodes,
    PoolClosed,
    PoolEmpty,
    Supply,
    SupplyMismatch,
    UpdateVoucherPool,
    VoucherCode,
)
from domain.vouchers.template import (
    CreateVoucherTemplate,
    TemplateCodeTaken,
    TermsInvalid,
    UpdateVoucherTemplate,
    VoucherKind,
    VoucherScope,
    VoucherTerms,
    validity,
)
from domain.vouchers.voucher import VoucherExpired
from tests.domain.mall import TEN_OFF, Mall, off, percent
from tests.domain.memory import START

NOBODY = UUID(int=99)
DAY = timedelta(days=1)


def test_a_template_is_named_bounded_and_retired_and_keeps_its_terms(mall: Mall) -> None:
    made = mall.run(CreateVoucherTemplate(code=" ten ", name=" Ten off ", terms=TEN_OFF))
    assert (made.code, made.name, made.terms, made.is_active) == ("ten", "Ten off", TEN_OFF, True)
    told = UpdateVoucherTemplate(template_id=made.id, name="10", description="d", limit_per_member=2, is_active=False)
    assert mall.run(told) == replace(made, name="10", description="d", limit_per_member=2, is_active=False)
    assert mall.run(UpdateVoucherTemplate(template_id=made.id)).limit_per_member == 2
    with pytest.raises(TemplateCodeTaken) as refused:
        mall.run(CreateVoucherTemplate(code="ten", name="Another", terms=TEN_OFF))
    assert refused.value.details == {"taken": "ten"}
    with pytest.raises(NotFound):
        mall.run(UpdateVoucherTemplate(template_id=NOBODY))


@pytest.mark.parametrize(
    ("terms", "refusal"),
    [
        (VoucherTerms(kind=VoucherKind.AMOUNT_OFF), TermsInvalid),
        (VoucherTerms(kind=VoucherKind.PERCENT_OFF), TermsInvalid),
        (VoucherTerms(kind=VoucherKind.ITEM, amount_minor=1), TermsInvalid),
        (off(100, percent_bp=1), TermsInvalid),
        (off(100, cap_minor=1), TermsInvalid),
        (off(100, starts_at=START, ends_at=START), TermsInvalid),
        (off(100, ends_at=START.replace(tzinfo=None)), TermsInvalid),
        (off(-1), checks.AmountInvalid),
        (percent(10_001), checks.NumberInvalid),
        (percent(100, cap_minor=0), checks.AmountInvalid),
        (off(100, minimum_minor=-1), checks.AmountInvalid),
        (off(100, days=-1), checks.NumberInvalid),
        (off(100, return_days=3_651), checks.NumberInvalid),
        (off(100, lock_minutes=0), checks.NumberInvalid),
        (off(100, stack_group=""), checks.TextInvalid),
        (off(100, scope=VoucherScope(product_ids=("a",) * 201)), checks.TooMany),
        (off(100, scope=VoucherScope(categories=("",))), checks.TextInvalid),
        (off(100, scope=VoucherScope(store_ids=(NOBODY,))), NotFound),
    ],
)
def test_terms_that_do_not_hold_together_are_refused(mall: Mall, terms: VoucherTerms, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        mall.template(terms)


def test_a_scope_is_by_product_or_category() -> None:
    scope = VoucherScope(product_ids=("cup",), categories=("tea",), channels=(Channel.ONLINE,))
    assert [scope.covers(*line) for line in (("cup", None), ("pot", "tea"), ("pot", "gift"), (None, None))] == [
        True,
        True,
        False,
        False,
    ]


def test_c3_a_voucher_is_good_to_the_local_midnight_after_so_many_days() -> None:
    """Issued at noon on the 15th in Shanghai for 7 days: to the end of the 22nd there, which is 16:00 in UTC."""
    starts_at, expires_at = validity(off(1, days=7), START, "Asia/Shanghai")
    assert (starts_at, str(expires_at)) == (START, "2026-01-22 16:00:00+00:00")
    assert str(validity(off(1, days=0), START, "Asia/Shanghai")[1]) == "2026-01-15 16:00:00+00:00"
    assert validity(off(1, days=7, ends_at=START + DAY), START, "Asia/Shanghai")[1] == START + DAY
    later = START + 30 * DAY
    assert validity(off(1, starts_at=later, ends_at=later + DAY), START, "Asia/Shanghai") == (later, later + DAY)
    assert validity(off(1), START, "Asia/Shanghai") == (START, None)


def test_f11_days_count_from_the_window_s_start_and_end_with_it() -> None:
    """Days and a window together: from the later beginning, to the earlier end; 0 days are the first day's rest."""
    later = START + 3 * DAY  # noon in Shanghai of the 18th
    assert validity(off(1, days=2, starts_at=later), START, "Asia/Shanghai") == (
        later,
        datetime(2026, 1, 20, 16, tzinfo=UTC),
    )
    assert validity(off(1, days=0, starts_at=later), START, "Asia/Shanghai") == (
        later,
        datetime(2026, 1, 18, 16, tzinfo=UTC),
    )
    ends_at = later + timedelta(hours=1)
    assert validity(off(1, days=0, starts_at=START, ends_at=ends_at), later, "Asia/Shanghai") == (later, ends_at)
    assert validity(off(1, days=9, starts_at=START - DAY), START, "Asia/Shanghai")[0] == START


@pytest.mark.parametrize(
    ("terms", "field", "why"),
    [
        (VoucherTerms(kind=VoucherKind.AMOUNT_OFF), "amount", "AMOUNT_OFF needs amount, and more than nothing of it"),
        (VoucherTerms(kind=VoucherKind.PERCENT_OFF), "percentBp", "PERCENT_OFF needs percentBp"),
        (
            VoucherTerms(kind=VoucherKind.ITEM, amount_minor=1),
            "amount",
            "amount is told for AMOUNT_OFF, not for ITEM",
        ),
        (off(100, percent_bp=1), "percentBp", "percentBp is told for PERCENT_OFF, not for AMOUNT_OFF"),
        (off(100, cap_minor=1), "cap", "only percentages and shipping are capped, not AMOUNT_OFF"),
        (off(100, starts_at=START, ends_at=START), "endsAt", "it ends after it starts"),
        (off(100, starts_at=START.replace(tzinfo=None)), "startsAt", "its times have a time zone"),
    ],
)
def test_f10_terms_that_contradict_themselves_name_the_part_at_fault(
    mall: Mall, terms: VoucherTerms, field: str, why: str
) -> None:
    with pytest.raises(TermsInvalid, match=why) as refused:
        mall.template(terms)
    assert refused.value.field == ("terms", field)


def test_generated_codes_are_unlike_each_other_and_in_the_alphabet(mall: Mall) -> None:
    made = mall.pool(supply=Supply.STOCK)
    stocked = mall.run(GenerateVoucherCodes(pool_id=made.id, count=CODES_MAX))
    assert (stocked.added, stocked.pool.left, stocked.pool.stocked) == (1_000, 1_000, 1_000)
    rows = mall.state.rows(VoucherCode)
    assert len({row.code for row in rows}) == 1_000
    assert {len(row.code) for row in rows} == {12}
    assert {letter for row in rows for letter in row.code} <= set(codes.ALPHABET)
    assert [row.ordinal for row in rows] == list(range(1, 1_001))
    assert mall.run(GenerateVoucherCodes(pool_id=made.id, count=2)).pool.stocked == 1_002
    assert len({row.code for row in mall.state.rows(VoucherCode)}) == 1_002


@pytest.mark.parametrize("count", [0, 1_001, 10**6])
def test_a_call_generates_a_thousand_at_most(mall: Mall, count: int) -> None:
    with pytest.raises(checks.NumberInvalid):
        mall.run(GenerateVoucherCodes(pool_id=mall.pool(supply=Supply.STOCK).id, count=count))


def test_an_import_tells_what_was_known_before_told_twice_or_is_no_code(mall: Mall) -> None:
    made = mall.pool(supply=Supply.STOCK)
    mall.run(ImportVoucherCodes(pool_id=made.id, codes=("SPRING-01",)))
    told = ("spring-01", "SPRING-02", " spring-02", "SPRING-03", "no", "with space", "x" * 100)
    stocked = mall.run(ImportVoucherCodes(pool_id=made.id, codes=told))
    assert (stocked.added, stocked.pool.left) == (2, 3)
    assert stocked.duplicates == ("SPRING-01", "SPRING-02")
    assert stocked.malformed == ("no", "with space", "x" * 64)
    again = mall.run(ImportVoucherCodes(pool_id=made.id, codes=told))
    assert (again.added, len(again.duplicates)) == (0, 4)
    other = mall.run(ImportVoucherCodes(pool_id=mall.pool(supply=Supply.STOCK).id, codes=("SPRING-03",)))
    assert other.duplicates == ("SPRING-03",)
    with pytest.raises(checks.TooMany):
        mall.run(ImportVoucherCodes(pool_id=made.id, codes=("A",) * 1_001))


def test_codes_are_handed_out_in_the_order_they_came_until_there_are_none(mall: Mall) -> None:
    made = mall.pool(supply=Supply.STOCK)
    mall.run(ImportVoucherCodes(pool_id=made.id, codes=("FIRST-1", "SECOND-2")))
    given = [mall.grant(mall.enroll(), made).code for _ in range(2)]
    assert given == ["FIRST-1", "SECOND-2"]
    with pytest.raises(PoolEmpty) as refused:
        mall.grant(mall.enroll(), made)
    assert refused.value.details == {"requested": 1, "left": 0}
    mall.run(ImportVoucherCodes(pool_id=made.id, codes=("THIRD-3",)))
    assert mall.grant(mall.enroll(), made).code == "THIRD-3"


def test_codes_on_demand_are_bounded_or_not(mall: Mall) -> None:
    bounded, endless = mall.pool(left=1), mall.pool()
    assert len(mall.grant(mall.enroll(), bounded).code) == 12
    with pytest.raises(PoolEmpty):
        mall.grant(mall.enroll(), bounded)
    mall.run(UpdateVoucherPool(pool_id=bounded.id, left=1))
    mall.grant(mall.enroll(), bounded)
    assert {mall.grant(mall.enroll(), endless).pool_id for _ in range(3)} == {endless.id}


def test_a_closed_pool_or_a_retired_template_gives_nothing(mall: Mall) -> None:
    closed, retired = mall.pool(), mall.pool()
    assert mall.run(UpdateVoucherPool(pool_id=closed.id, name="Old", is_closed=True)).name == "Old"
    mall.run(UpdateVoucherTemplate(template_id=retired.template_id, is_active=False))
    for made in (closed, retired):
        with pytest.raises(PoolClosed):
            mall.grant(mall.enroll(), made)


def test_nobody_is_given_or_pays_for_a_voucher_whose_window_is_over(mall: Mall) -> None:
    pool = mall.pool(off(500, ends_at=mall.now + DAY))
    reward = mall.terms(100, kind=RewardKind.VOUCHER, pool_id=pool.id)
    member = mall.enroll(100)
    mall.grant(member, pool)
    mall.later(days=1)
    for give in (lambda: mall.grant(member, pool), lambda: mall.take(member, reward)):
        with pytest.raises(VoucherExpired):
            give()
    assert mall.account(member).available == 100


def test_what_a_supply_does_not_allow_is_refused(mall: Mall) -> None:
    on_demand, stock = mall.pool(), mall.pool(supply=Supply.STOCK)
    told: dict[str, Any] = {"template_id": stock.template_id, "name": "Pool"}
    for command in (
        GenerateVoucherCodes(pool_id=on_demand.id, count=1),
        ImportVoucherCodes(pool_id=on_demand.id, codes=("ABCDEF",)),
        UpdateVoucherPool(pool_id=stock.id, left=5),
        CreateVoucherPool(supply=Supply.STOCK, left=5, **told),
    ):
        with pytest.raises(SupplyMismatch):
            mall.run(command)
    for left in (-1, 10**9 + 1):
        with pytest.raises(checks.NumberInvalid):
            mall.run(CreateVoucherPool(supply=Supply.ON_DEMAND, left=left, **told))
