"""What remains of a purchase earns by its own rules, facts and room, however it is refunded (L7)."""

from dataclasses import replace
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from domain.audiences import Audience
from domain.earning import evaluation, rule_sets
from domain.earning.effects import gives_all_or_nothing
from domain.earning.facts import Earned
from domain.earning.limits import CampaignBudget, EarningCount
from domain.earning.rules import Cap, CapPolicy, Conditions, EarningRule, Ordinal, Period, Trigger
from domain.members import Profile
from domain.profiles import UpdateMember
from domain.purchases.purchase import Purchase
from domain.purchases.recording import Line
from domain.schedules import Schedule
from domain.tiers.tier import CreateTier, UpdateTier
from tests.domain.memory import ref
from tests.domain.shop import Shop, bonus_at, campaign, fixed, local, per_amount, tiered, times

BASE: Final = per_amount(1, 100)
TEA: Final = Conditions(categories=("tea",))


def refunds(shop: Shop, purchase: Purchase, *amounts: int) -> list[int]:
    """What each refund takes back, the last of them of all that remains."""
    due = [shop.refund(purchase, amount).refund.points_due for amount in amounts]
    due.append(shop.refund(purchase).refund.points_due)
    assert sum(due) == purchase.points_earned
    assert shop.figures(purchase.member_id) == (0, 0, 0, 0)
    shop.replay(purchase.member_id)
    return due


def bought(shop: Shop, *yuan: int, **more: Any) -> Purchase:
    """A purchase of lines of tea, cake and mugs, by a new member."""
    names = ("tea", "cake", "mug")
    lines = [
        Line(amount_minor=amount * 100, category=name, product_id=name, quantity=amount)
        for name, amount in zip(names, yuan, strict=False)
    ]
    return shop.buy(shop.enroll(), sum(yuan) * 100, lines=lines, **more).purchase


def with_rules(*rules: EarningRule, **more: Any) -> Shop:
    return Shop(rules=rules, categories=("tea", "cake", "mug"), **more)


def test_l7_300_yuan_with_a_bonus_at_300_takes_150_then_200() -> None:
    shop = with_rules(BASE, bonus_at(30_000, 50))
    assert refunds(shop, bought(shop, 300), 10_000) == [150, 200]


def test_l7_a_multiplier_is_taken_back_with_what_it_multiplied() -> None:
    shop = with_rules(BASE, times(20_000, when=TEA))
    purchase = bought(shop, 100, 50)
    assert purchase.points_earned == 250
    assert shop.refund(purchase, lines={2: 5_000}).refund.points_due == 50
    assert refunds(shop, bought(shop, 100, 50), 7_500) == [125, 125]
    assert shop.refund(purchase, lines={1: 1_050}).refund.points_due == 21, "2 × 89.50 is 179"


def test_l7_a_multiplier_whose_minimum_fails_is_taken_back_whole() -> None:
    shop = with_rules(BASE, times(20_000, minimum_minor=20_000))
    assert refunds(shop, bought(shop, 200), 1) == [201, 199]


def test_l7_bands_fall_back_to_the_lower_rate() -> None:
    shop = with_rules(tiered((0, 1, 100), (10_000, 2, 100), bands_are_marginal=False))
    assert refunds(shop, bought(shop, 150), 4_900, 200) == [98, 103, 99]


def test_l7_another_rule_of_the_exclusive_group_takes_over() -> None:
    shop = with_rules(bonus_at(30_000, 50, exclusive_group="g"), bonus_at(10_000, 20, "small", exclusive_group="g"))
    assert refunds(shop, bought(shop, 300), 10_000, 15_000) == [30, 20, 0]


def test_l7_a_rule_that_caps_bound_takes_over_nothing_for_it_had_no_room_of_its_own() -> None:
    small = bonus_at(10_000, 20, "small", exclusive_group="g", caps=(Cap(period=Period.DAY, points=100),))
    shop = with_rules(bonus_at(30_000, 50, exclusive_group="g"), small)
    purchase = bought(shop, 300)
    assert shop.refund(purchase, 10_000).refund.points_due == 50
    assert shop.counted(purchase.member_id) == {}


def test_l7_a_rule_of_a_campaign_without_a_budget_takes_over_like_any_other() -> None:
    shop = with_rules()
    small = bonus_at(10_000, 20, "small", exclusive_group="g", campaign="spring")
    shop.edit(rules=(bonus_at(30_000, 50, exclusive_group="g"), small), campaigns=(campaign(),))
    assert refunds(shop, bought(shop, 300), 10_000) == [30, 20]


def test_l7_a_cap_had_the_room_it_had() -> None:
    shop = with_rules(per_amount(1, 100, caps=(Cap(period=Period.DAY, points=250),)))
    purchase = bought(shop, 300)
    shop.later(days=3)
    assert refunds(shop, purchase, 4_000, 1_500, 4_500) == [0, 5, 45, 200]


def test_l7_a_rule_that_rejected_gives_nothing_when_less_remains() -> None:
    shop = with_rules(per_amount(1, 100, caps=(Cap(period=Period.DAY, points=250),), cap_policy=CapPolicy.REJECT))
    purchase = bought(shop, 300)
    assert purchase.earned == (Earned(rule="base", points=0, requested=300, limited_by="DAY"),)
    assert refunds(shop, purchase, 10_000) == [0, 0]


def test_l7_a_shared_budget_gives_again_at_most_what_it_gave() -> None:
    shop = with_rules()
    rules = tuple(per_amount(1, 100, code, campaign="spring") for code in "ab")
    shop.edit(rules=rules, campaigns=(campaign(budget=500),))
    purchase = bought(shop, 300)
    assert [item.points for item in purchase.earned] == [300, 200]
    assert refunds(shop, purchase, 5_000, 10_000) == [50, 150, 300]
    assert shop.budget_used() == 0


def test_l7_a_rule_for_small_purchases_gives_nothing_when_a_refund_makes_one_small() -> None:
    """A refund never gives points: what it would add is set off against what the next one takes."""
    shop = with_rules(BASE, fixed(120, when=Conditions(maximum_minor=20_000)))
    assert refunds(shop, bought(shop, 300), 10_000, 10_000) == [0, 80, 220]


def test_l7_items_that_came_back_count_no_longer() -> None:
    shop = with_rules(fixed(50, when=Conditions(quantity_min=3)))
    purchase = bought(shop, 2, 1)
    assert [line.quantity for line in purchase.lines] == [2, 1]
    assert shop.refund(purchase, lines={1: 99}).refund.points_due == 0, "a discount takes no item"
    assert shop.refund(purchase, lines={1: 1}).refund.points_due == 50
    whole = bought(shop, 2, 1)
    assert shop.refund(whole, lines={2: 100}).refund.points_due == 50


def test_l7_items_of_a_line_that_points_paid_for_come_back_too() -> None:
    shop = with_rules(BASE, fixed(50, when=Conditions(quantity_min=2)))
    member = shop.enroll(100)
    hold = shop.hold(member, 100).hold
    lines = [Line(amount_minor=1_000, quantity=1), Line(amount_minor=1_000, quantity=1)]
    purchase = shop.buy(member, 2_000, lines=lines, offset=(hold.id, 1_000)).purchase
    assert purchase.points_earned == 60
    refund = shop.refund(purchase, lines={1: 1_000}).refund
    assert (refund.points_due, refund.points_returned, refund.cash_minor) == (55, 50, 500)


# By the version, the facts and the time of the purchase.


def test_l7_todays_rules_tiers_tags_and_segments_never_reckon_an_old_purchase() -> None:
    shop = with_rules(
        BASE,
        fixed(7, "vip", when=Conditions(audience=Audience(tags=("vip",)))),
        fixed(9, "second", when=Conditions(ordinal=Ordinal(number=1))),
    )
    gold = shop.run(CreateTier(name="Gold", rank=1, threshold=0, multiplier_bp=20_000))
    member = shop.join(tags=("vip",))
    purchase = shop.buy(member, 10_000).purchase
    assert (purchase.points_earned, purchase.rule_version, purchase.tier_id) == (216, 1, gold.id)
    shop.run(UpdateTier(tier_id=gold.id, multiplier_bp=50_000))
    shop.run(UpdateMember(member=ref(member), profile=Profile(tags=())))
    shop.update(rules=(per_amount(9, 100),))
    shop.buy(member, 100)
    assert [shop.refund(purchase, 2_500).refund.points_due for _ in range(2)] == [50, 50]
    assert shop.refund(purchase).refund.points_due == 116


def test_l7_the_day_of_a_purchase_is_by_the_clock_of_its_time_though_the_program_moved() -> None:
    shop = with_rules(BASE, times(20_000, when=Conditions(schedule=Schedule(weekdays=(5,), until_hour=7))))
    shop.now = local("2026-01-16 06:00")
    purchase = bought(shop, 100)
    assert purchase.points_earned == 200
    shop.update(time_zone="America/New_York")
    assert refunds(shop, purchase, 5_000) == [100, 100]


def test_l7_every_version_is_kept_and_names_the_version_in_which_each_rule_last_changed() -> None:
    shop = with_rules(BASE)
    shop.update(rules=(BASE, fixed(5)))
    shop.update(rules=(per_amount(2, 100), fixed(5)))
    versions = [
        [(rule.code, rule.version) for rule in rule_sets.of_version(shop.state, number).rules] for number in (1, 2, 3)
    ]
    assert versions == [[("base", 1)], [("base", 1), ("fixed", 2)], [("base", 3), ("fixed", 2)]]


def test_s22_a_first_purchase_that_was_refunded_whole_makes_the_next_the_first() -> None:
    shop = with_rules(BASE, fixed(100, "welcome", trigger=Trigger.FIRST_PURCHASE))
    member = shop.enroll()
    first = shop.buy(member, 5_000).purchase
    assert (first.points_earned, shop.buy(member, 5_000).purchase.points_earned) == (150, 50)
    assert shop.refund(first, 4_000).refund.points_due == 40
    assert shop.refund(first).refund.points_due == 110
    assert shop.buy(member, 100).purchase.points_earned == 1, "the second purchase stands"
    other = shop.enroll()
    again = shop.buy(other, 5_000).purchase
    shop.refund(again)
    assert shop.buy(other, 5_000).purchase.points_earned == 150
    shop.replay(other)


# Whatever the rules, the purchases and the refunds.

AMOUNTS = st.lists(st.integers(0, 400), min_size=3, max_size=3)
CAPS = st.lists(
    st.builds(
        Cap,
        period=st.sampled_from(Period),
        points=st.integers(1, 400),
        times=st.none() | st.integers(1, 2),
    ),
    max_size=2,
    unique_by=lambda cap: cap.period,
).map(tuple)
MORE = {
    "minimum_minor": st.just(0) | st.integers(0, 30_000),
    "includes_freight": st.booleans(),
    "when": st.sampled_from((Conditions(), TEA, Conditions(quantity_min=200), Conditions(without_products=("mug",)))),
    "caps": st.just(()) | CAPS,
    "cap_policy": st.sampled_from(CapPolicy),
    "exclusive_group": st.none() | st.sampled_from("gh"),
    "campaign": st.none() | st.just("spring"),
    "priority": st.integers(-1, 1),
}
RULES = st.tuples(
    st.builds(per_amount, st.integers(1, 5), st.sampled_from((70, 100, 333)), st.just("base"), **MORE),
    st.builds(per_amount, st.integers(1, 5), st.sampled_from((70, 100, 333)), st.just("other"), **MORE),
    st.builds(bonus_at, st.integers(1, 40_000), st.integers(1, 300), **MORE),
    st.builds(fixed, st.integers(1, 300), **MORE),
    st.builds(times, st.integers(10_001, 40_000), **MORE),
    st.builds(times, st.integers(10_001, 40_000), st.just("more"), **MORE),
    st.builds(
        lambda first, second, **more: tiered((0, first, 100), (9_000, second, 100), **more),
        st.integers(0, 9),
        st.integers(1, 9),
        bands_are_marginal=st.booleans(),
        **MORE,
    ),
)
PURCHASES = st.lists(st.tuples(st.integers(0, 1), AMOUNTS, st.integers(0, 900)), min_size=1, max_size=4)
REFUNDS = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 30_000)), max_size=8)


@given(RULES, st.none() | st.integers(1, 900), PURCHASES, REFUNDS)
def test_l7_l13_refunded_in_any_parts_everything_comes_back_exactly_and_so_does_the_room(
    rules: tuple[EarningRule, ...], budget: int | None, told: list[tuple[int, list[int], int]], parts: list[Any]
) -> None:
    shop = with_rules()
    rules = tuple(possible(rule, budget) for rule in rules)
    shop.edit(rules=rules, campaigns=(campaign(budget=budget),))
    members = (shop.enroll(), shop.enroll())
    purchases: list[Purchase] = []
    for who, amounts, freight in told:
        lines = [
            Line(amount_minor=amount * 100, category=name, product_id=name, quantity=amount or 1)
            for name, amount in zip(("tea", "cake", "mug"), amounts, strict=True)
        ]
        whole = sum(amounts) * 100 + freight
        purchases.append(shop.buy(members[who], whole, lines=lines, freight_minor=freight).purchase)
        shop.later(hours=9)
    check_room(shop, rules, budget)
    for which, amount in parts:
        purchase = shop.row(Purchase, purchases[which % len(purchases)].id)
        rest = purchase.amount_minor - purchase.refunded_minor
        if rest:
            shop.refund(purchase, min(amount, rest))
            after = shop.row(Purchase, purchase.id)
            assert 0 <= after.points_clawed <= purchase.points_earned
            check_room(shop, rules, budget)
    for purchase in purchases:
        if shop.row(Purchase, purchase.id).refunded_minor < purchase.amount_minor:
            shop.refund(purchase)
        assert shop.row(Purchase, purchase.id).points_clawed == purchase.points_earned
    for member in members:
        assert shop.figures(member) == (0, 0, 0, 0)
        shop.replay(member)
    assert {(row.points, row.times) for row in shop.state.rows(EarningCount)} <= {(0, 0)}
    assert {row.points for row in shop.state.rows(CampaignBudget)} <= {0}


def possible(rule: EarningRule, budget: int | None) -> EarningRule:
    """The rule; what gives all its points or nothing, and has no room for them, gives what there is instead."""
    rooms = [cap.points for cap in rule.caps] + ([] if rule.campaign is None else [budget])
    fits = all(room is None or rule.points <= room for room in rooms)
    return rule if fits or not gives_all_or_nothing(rule) else replace(rule, cap_policy=CapPolicy.REDUCE)


def check_room(shop: Shop, rules: tuple[EarningRule, ...], budget: int | None) -> None:
    """No count is above its cap, none below nothing, and no budget is spent twice."""
    caps = {(rule.code, cap.period): cap for rule in rules for cap in rule.caps}
    for row in shop.state.rows(EarningCount):
        cap = caps[(row.rule, row.period)]
        assert 0 <= row.points <= (cap.points or 0)
        assert 0 <= row.times <= (cap.times or row.times)
    for row in shop.state.rows(CampaignBudget):
        assert 0 <= row.points <= (budget or 0)


def test_what_rules_gave_is_summed() -> None:
    assert evaluation.total((Earned(rule="a", points=2, requested=2), Earned(rule="b", points=0, requested=9))) == 2
