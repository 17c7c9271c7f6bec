"""Earning and redeeming by store, group and channel: the narrowest rule allows, refuses or caps (S36, S59)."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain import checks, trade
from domain.kernel import NotFound
from domain.stores import (
    Channel,
    CreateStore,
    CreateStoreGroup,
    StoreGroup,
    StoreGroupCodeTaken,
    StoreGroupKind,
    UpdateStore,
)
from domain.trade import (
    CreateTradeRule,
    EndTradeRule,
    RedeemingCapped,
    RedeemingRefused,
    RedeemingRefusedAtStore,
    TradeAllowance,
    TradeEffect,
    TradeKind,
    TradeRule,
    TradeRuleInvalid,
)
from tests.domain.mall import Mall, cart
from tests.domain.memory import START

NOBODY = UUID(int=99)
EARNING, REDEEMING = TradeKind.EARNING, TradeKind.REDEEMING


def group(mall: Mall, code: str = "G1") -> StoreGroup:
    return mall.run(CreateStoreGroup(code=code, name="River stores", kind=StoreGroupKind.FRANCHISE))


def test_stores_belong_to_groups(mall: Mall) -> None:
    river, hill = group(mall), group(mall, "G2")
    assert (river.code, river.kind) == ("G1", StoreGroupKind.FRANCHISE)
    store = mall.store("S1", group_id=river.id)
    assert store.group_id == river.id
    assert mall.run(UpdateStore(store_id=store.id, group_id=hill.id)).group_id == hill.id
    assert mall.run(UpdateStore(store_id=store.id, name="New")).group_id == hill.id
    with pytest.raises(StoreGroupCodeTaken) as refused:
        group(mall)
    assert refused.value.details == {"code": "G1"}
    for command in (
        CreateStore(code="S2", name="S", group_id=NOBODY),
        UpdateStore(store_id=store.id, group_id=NOBODY),
    ):
        with pytest.raises(NotFound):
            mall.run(command)


def test_where_earning_is_refused_a_purchase_earns_nothing(mall: Mall) -> None:
    member, store = mall.enroll(), mall.store()
    mall.rule(EARNING, TradeEffect.REFUSED, store_id=store.id)
    refused = mall.buy(member, 10_000, store_id=store.id)
    assert (refused.purchase.points_earned, refused.purchase.earning_id) == (0, None)
    assert mall.buy(member, 10_000).purchase.points_earned == 100
    assert mall.refund(refused.purchase).refund.points_due == 0
    mall.replay(member)


def test_a_cap_on_earning_is_for_all_of_a_local_day(mall: Mall) -> None:
    member, store = mall.enroll(), mall.store()
    rule = mall.rule(EARNING, TradeEffect.CAPPED, store_id=store.id, points_max=150)
    bought = [mall.buy(member, 10_000, store_id=store.id).purchase for _ in range(3)]
    assert [purchase.points_earned for purchase in bought] == [100, 50, 0]
    (allowance,) = mall.state.rows(TradeAllowance)
    assert (allowance.rule_id, str(allowance.day), allowance.points) == (rule.id, "2026-01-15", 150)
    refund = mall.refund(bought[1], 5_000).refund
    assert refund.points_due == 0
    assert mall.refund(bought[1]).refund.points_due == 50
    mall.later(hours=12)
    assert mall.buy(member, 10_000, store_id=store.id).purchase.points_earned == 100
    mall.replay(member)


def test_where_redeeming_is_refused_neither_rewards_nor_points_as_money_are_taken(mall: Mall) -> None:
    member, store, told = mall.enroll(1_000), mall.store(), cart(10_000)
    mall.rule(REDEEMING, TradeEffect.REFUSED, store_id=store.id)
    reward = mall.reward(10)
    with pytest.raises(RedeemingRefusedAtStore) as refused:
        mall.take(member, reward, store_id=store.id)
    assert refused.value.details == {"store": "S1", "channel": "ONLINE"}
    assert refused.value.message == "Points are not redeemed at the store 'S1' in the channel ONLINE."
    mall.take(member, reward)
    quoted = mall.quote(member, told, points=100)
    offset = mall.hold_offset(member, quoted).offset
    with pytest.raises(RedeemingRefused):
        mall.buy_quoted(member, quoted, told, offset_id=offset.id, store_id=store.id)
    assert mall.figures(member) == (890, 0, 100, 0)
    mall.buy_quoted(member, quoted, told, offset_id=offset.id)


def test_a_cap_on_redeeming_refuses_what_is_above_it(mall: Mall) -> None:
    member, store = mall.enroll(1_000), mall.store()
    mall.rule(REDEEMING, TradeEffect.CAPPED, store_id=store.id, points_max=100)
    reward = mall.reward(60)
    mall.take(member, reward, store_id=store.id)
    with pytest.raises(RedeemingCapped) as refused:
        mall.take(member, reward, store_id=store.id)
    assert refused.value.details == {"limit": 100, "used": 60, "requested": 60}
    mall.take(member, mall.reward(40), store_id=store.id)
    mall.later(hours=12)
    mall.take(member, reward, store_id=store.id)


def test_the_narrowest_rule_decides_then_the_latest(mall: Mall) -> None:
    stores = group(mall)
    store = mall.store("S1", group_id=stores.id)
    other = mall.store("S2", group_id=stores.id)
    told: tuple[dict[str, Any], ...] = (
        {},
        {"channel": Channel.ONLINE},
        {"group_id": stores.id},
        {"group_id": stores.id, "channel": Channel.ONLINE},
        {"store_id": store.id},
        {"store_id": store.id, "channel": Channel.ONLINE},
    )
    rules = [mall.rule(EARNING, TradeEffect.ALLOWED, **where) for where in told]

    def decides(at: Any, channel: Channel) -> int:
        rule = trade.deciding(rules, EARNING, at, channel)
        assert rule is not None
        return rules.index(rule)

    assert [decides(store, channel) for channel in (Channel.ONLINE, Channel.PHONE)] == [5, 4]
    assert [decides(other, channel) for channel in (Channel.ONLINE, Channel.PHONE)] == [3, 2]
    assert [decides(None, channel) for channel in (Channel.ONLINE, Channel.PHONE)] == [1, 0]
    assert trade.deciding(rules, REDEEMING, store, Channel.ONLINE) is None
    rules.append(mall.rule(EARNING, TradeEffect.REFUSED, store_id=store.id, channel=Channel.ONLINE))
    assert decides(store, Channel.ONLINE) == 6


def test_an_allowance_of_one_store_within_a_refused_channel(mall: Mall) -> None:
    member, store = mall.enroll(1_000), mall.store()
    mall.rule(REDEEMING, TradeEffect.REFUSED, channel=Channel.IN_STORE)
    mall.rule(REDEEMING, TradeEffect.ALLOWED, store_id=store.id)
    reward = mall.reward(1)
    with pytest.raises(RedeemingRefused):
        mall.take(member, reward, channel=Channel.IN_STORE)
    mall.take(member, reward, channel=Channel.IN_STORE, store_id=store.id)


def test_a_rule_ends_once(mall: Mall) -> None:
    member, store = mall.enroll(), mall.store()
    rule = mall.rule(EARNING, TradeEffect.REFUSED, store_id=store.id)
    ended = mall.run(EndTradeRule(rule_id=rule.id))
    assert ended == replace(rule, is_active=False)
    assert mall.run(EndTradeRule(rule_id=rule.id)) == ended
    assert mall.buy(member, 10_000, store_id=store.id).purchase.points_earned == 100
    with pytest.raises(NotFound):
        mall.run(EndTradeRule(rule_id=NOBODY))


@pytest.mark.parametrize(
    ("told", "refusal"),
    [
        ({"effect": TradeEffect.CAPPED}, TradeRuleInvalid),
        ({"effect": TradeEffect.REFUSED, "points_max": 1}, TradeRuleInvalid),
        ({"effect": TradeEffect.CAPPED, "points_max": 0}, checks.PointsInvalid),
        ({"effect": TradeEffect.REFUSED, "store_id": NOBODY}, NotFound),
        ({"effect": TradeEffect.REFUSED, "group_id": NOBODY}, NotFound),
        ({"effect": TradeEffect.REFUSED, "group_id": NOBODY, "store_id": NOBODY}, TradeRuleInvalid),
    ],
)
def test_impossible_rules_are_refused(mall: Mall, told: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        mall.run(CreateTradeRule(kind=EARNING, **told))


def test_a_program_has_at_most_five_hundred_rules(mall: Mall) -> None:
    rule = mall.rule(EARNING, TradeEffect.ALLOWED)
    mall.state.keep(replace(rule, id=UUID(int=number)) for number in range(1, trade.TRADE_RULES_MAX))
    with pytest.raises(checks.TooMany):
        mall.rule(EARNING, TradeEffect.ALLOWED)
    assert len(mall.state.rows(TradeRule)) == trade.TRADE_RULES_MAX
    assert mall.now == START
