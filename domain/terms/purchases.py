"""What is asked of a purchase: its goods, amount and number, where it is made, and what counts as paid."""

from collections.abc import Iterator
from typing import Final

from domain.earning.rules import OF_PURCHASES, Conditions, EarningKind, EarningRule, Ordinal
from domain.stores import Channel
from domain.terms import times, wording
from domain.terms.naming import Naming
from domain.terms.wording import Terms

_CHANNELS: Final = {
    Channel.ONLINE: Terms("线上", "online"),
    Channel.PHONE: Terms("电话", "by phone"),
    Channel.IN_STORE: Terms("门店", "in store"),
}


def of_basket(rule: EarningRule, naming: Naming) -> Iterator[Terms]:
    """Clauses for the goods that count, and for how many and how much of them it takes."""
    goods = _goods(rule.when.products, rule.when.categories)
    if goods is not None:
        template = "with {goods}" if rule.kind is EarningKind.FIXED else "for {goods}"
        yield wording.said("购买{goods}", template, goods=goods)
    demands = tuple(_demands(rule, naming))
    if demands:
        yield wording.said("单笔{demands}", "if you {demands}", demands=wording.listed(demands))


def _goods(products: tuple[str, ...], categories: tuple[str, ...]) -> Terms | None:
    """The goods that are of one of the products and of one of the categories; None if neither is asked."""
    if not categories:
        return _products(products) if products else None
    of_categories = _categories(categories)
    if not products:
        return of_categories
    return wording.said(
        "{categories}中的{products}",
        "{products} among {categories}",
        products=_products(products),
        categories=of_categories,
    )


def _products(products: tuple[str, ...]) -> Terms:
    noun = "product" if len(products) == 1 else "products"
    return wording.said("商品{products}", f"the {noun} {{products}}", products=wording.quoted(products))


def _categories(categories: tuple[str, ...]) -> Terms:
    return wording.said("{names}类商品", "goods of the category {names}", names=wording.quoted(categories))


def _demands(rule: EarningRule, naming: Naming) -> Iterator[Terms]:
    when = rule.when
    if when.quantity_min is not None:
        items = wording.counted(when.quantity_min, "件", "item")
        yield wording.said("购满{items}", "buy at least {items}", items=items)
    if rule.minimum_minor:
        yield wording.said("满{least}", "pay at least {least}", least=naming.amount(rule.minimum_minor))
    if when.maximum_minor is not None:
        yield wording.said("不超过{most}", "pay at most {most}", most=naming.amount(when.maximum_minor))


def of_ordinal(ordinal: Ordinal) -> Terms:
    """Which purchase of a period: 当月第3笔消费 / on your 3rd purchase of the month."""
    number, nth = ordinal.number, wording.nth(ordinal.number)
    within = times.WITHIN[ordinal.period]
    if ordinal.repeats:
        chinese = f"{{within}}每第{number}笔消费（第{number}、{2 * number}、{3 * number}笔，依此类推）"
        return wording.said(chinese, f"on every {nth} purchase{{within}}", within=within)
    if ordinal.onwards:
        return wording.said(f"{{within}}第{number}笔消费起", f"from your {nth} purchase{{within}} on", within=within)
    return wording.said(f"{{within}}第{number}笔消费", f"on your {nth} purchase{{within}}", within=within)


def of_exclusions(when: Conditions) -> Iterator[Terms]:
    """A sentence for goods that are left out of account."""
    if when.without_products:
        products = wording.quoted(when.without_products, wording.AND)
        yield wording.said("商品{products}不计入", "purchases of {products} do not count", products=products)
    if when.without_categories:
        names = wording.quoted(when.without_categories, wording.AND)
        yield wording.said("{names}类商品不计入", "goods of the category {names} do not count", names=names)


def of_places(when: Conditions, naming: Naming) -> Iterator[Terms]:
    """Sentences for the stores and channels where it holds."""
    if when.stores:
        yield wording.said("限{stores}", "only at {stores}", stores=naming.stores_of(when.stores))
    if when.without_stores:
        yield wording.said("{stores}除外", "not at {stores}", stores=naming.stores_of(when.without_stores))
    if when.channels:
        channels = wording.listed([_CHANNELS[channel] for channel in when.channels])
        yield wording.said("限{channels}渠道", "only {channels}", channels=channels)


def of_basis(rule: EarningRule) -> Iterator[Terms]:
    """A sentence for what counts as paid: for which goods, net of vouchers and points, and with freight or not (L6)."""
    if rule.trigger not in OF_PURCHASES:
        return
    when = rule.when
    is_of_some = when.products or when.categories or when.without_products or when.without_categories
    goods = Terms("参加商品的", "the goods that count") if is_of_some else Terms("商品", "goods")
    freight = (
        Terms("含运费", "freight counts") if rule.includes_freight else Terms("不含运费", "freight does not count")
    )
    if _asks_amount(rule):
        yield wording.said(
            "金额按{goods}实付（已减优惠券和积分抵扣）计算，{freight}",
            "the amount is what you pay for {goods} after vouchers and points; {freight}",
            goods=goods,
            freight=freight,
        )
    else:
        yield wording.said(
            "须有{goods}实付金额（已减优惠券和积分抵扣），{freight}",
            "something must be paid for {goods} after vouchers and points; {freight}",
            goods=goods,
            freight=freight,
        )


def _asks_amount(rule: EarningRule) -> bool:
    is_by_amount = rule.kind not in (EarningKind.FIXED, EarningKind.MULTIPLIER)
    return is_by_amount or rule.minimum_minor > 0 or rule.when.maximum_minor is not None
