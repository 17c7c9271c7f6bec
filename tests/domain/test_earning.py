"""What a purchase earns: a pure function of rules and basis (L6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import checks, earning
from domain.earning import Basis, Earned, EarningKind, EarningRule
from tests.domain.shop import Shop, bonus_at, per_amount

RULES = st.lists(
    st.builds(
        EarningRule,
        code=st.uuids().map(str),
        kind=st.sampled_from(EarningKind),
        points=st.integers(1, 1_000),
        amount_minor=st.integers(1, 100_000),
        includes_freight=st.booleans(),
        minimum_minor=st.integers(0, 50_000),
    ),
    max_size=5,
)


@pytest.mark.parametrize(
    ("rule", "goods", "multiplier_bp", "points"),
    [
        (per_amount(1, 100), 19_990, 10_000, 199),
        (per_amount(1, 1_000), 19_990, 10_000, 19),
        (per_amount(1, 1_000), 19_990, 20_000, 39),
        (per_amount(1, 100), 19_990, 15_000, 299),
        (per_amount(1, 100, minimum_minor=20_000), 19_990, 10_000, 0),
        (per_amount(1, 100, minimum_minor=19_990), 19_990, 10_000, 199),
        (bonus_at(30_000, 50), 29_999, 10_000, 0),
        (bonus_at(30_000, 50), 30_000, 10_000, 50),
        (bonus_at(30_000, 50), 30_000, 20_000, 50),  # a bonus is not multiplied
    ],
)
def test_l6_vectors(rule: EarningRule, goods: int, multiplier_bp: int, points: int) -> None:
    assert earning.total((rule,), Basis(goods_minor=goods, multiplier_bp=multiplier_bp)) == points


def test_l6_freight_counts_only_for_rules_that_include_it() -> None:
    basis = Basis(goods_minor=9_000, freight_minor=1_000)
    assert earning.total((per_amount(1, 100),), basis) == 90
    assert earning.total((per_amount(1, 100, includes_freight=True),), basis) == 100


def test_rules_that_give_nothing_are_left_out_and_the_others_stay_in_their_order() -> None:
    rules = (
        bonus_at(100, 5),
        per_amount(1, 10_000),
        EarningRule(code="z", kind=EarningKind.BONUS_AT, points=7, amount_minor=1),
    )
    assert earning.earn(rules, Basis(goods_minor=100)) == (Earned("bonus", 5), Earned("z", 7))
    assert earning.earn((), Basis(goods_minor=100)) == ()


@given(RULES, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**5), st.integers(1, 50_000))
def test_l7_more_paid_never_earns_less_so_that_no_refund_gives_points(
    rules: list[EarningRule], goods: int, more: int, freight: int, multiplier_bp: int
) -> None:
    less = earning.total(rules, Basis(goods_minor=goods, freight_minor=freight, multiplier_bp=multiplier_bp))
    greater = Basis(goods_minor=goods + more, freight_minor=freight, multiplier_bp=multiplier_bp)
    assert less <= earning.total(rules, greater)


@pytest.mark.parametrize(
    ("rules", "refusal"),
    [
        ((per_amount(1, 100), per_amount(2, 100)), earning.RuleInvalid),
        ((per_amount(0, 100),), checks.PointsInvalid),
        ((per_amount(10**9 + 1, 100),), checks.PointsInvalid),
        ((per_amount(1, 0),), checks.AmountInvalid),
        ((per_amount(1, 100, minimum_minor=-1),), checks.AmountInvalid),
        ((EarningRule(code=" ", kind=EarningKind.BONUS_AT, points=1, amount_minor=1),), checks.TextInvalid),
        (
            tuple(EarningRule(code=str(n), kind=EarningKind.BONUS_AT, points=1, amount_minor=1) for n in range(101)),
            checks.TooMany,
        ),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: tuple[EarningRule, ...], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        earning.check_rules(rules)


def test_every_version_of_the_rules_is_kept_for_ever(shop: Shop) -> None:
    second = (per_amount(2, 100),)
    shop.update(rules=second)
    assert earning.rules_of(shop.state, 1) == earning.ONE_POINT_A_UNIT
    assert earning.rules_of(shop.state, 2) == second
    with pytest.raises(AssertionError):
        earning.rules_of(shop.state, 3)
