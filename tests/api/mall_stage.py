"""The mall's part of a furnished shop: one of everything, and every question and change about it."""

from typing import Any

from tests.api.shops import Shop, key


class MallStage:
    """Furnishes the mall of a shop."""

    shop: Shop
    ids: dict[str, str]

    async def furnish_mall(self) -> None:
        shop, ids, once = self.shop, self.ids, {"idempotencyKey": key()}
        ids["group"] = (await shop.do("storeGroupCreate", "group { id }", code="g1", name="River"))["group"]["id"]
        told = {"kind": "EARNING", "effect": "ALLOWED"}
        ids["rule"] = (await shop.do("tradeRuleCreate", "rule { id }", **told))["rule"]["id"]
        terms = {"kind": "AMOUNT_OFF", "amount": shop.money("1")}
        made = await shop.do("voucherTemplateCreate", "template { id }", code="t1", name="Off", terms=terms)
        ids["template"] = made["template"]["id"]
        given = {"templateId": ids["template"], "name": "Pool", "supply": "STOCK", "isClaimable": True}
        ids["pool"] = (await shop.do("voucherPoolCreate", "pool { id }", **given))["pool"]["id"]
        await shop.do("voucherCodesGenerate", "added", poolId=ids["pool"], count=50, **once)
        granted = await shop.do(
            "voucherGrant",
            "voucher { id code }",
            member={"id": ids["member"]},
            poolId=ids["pool"],
            idempotencyKey=key(),
        )
        ids["voucher"], ids["code"] = granted["voucher"]["id"], granted["voucher"]["code"]
        asked = "query ($input: CheckoutQuoteInput!) { checkoutQuote(input: $input) { token } }"
        cart = {
            "member": {"id": ids["member"]},
            "lines": [{"amount": shop.money("10")}],
            "points": 1,
            "voucherCodes": [],
        }
        ids["token"] = (await shop.ask(asked, input=cart))["checkoutQuote"]["token"]
        held = await shop.do("offsetHold", "offset { id }", quote=ids["token"], idempotencyKey=key())
        ids["offset"] = held["offset"]["id"]

    def mall_inputs(self) -> dict[str, dict[str, Any]]:
        """The mall's part of them."""
        ids, money, once = self.ids, self.shop.money("1"), {"idempotencyKey": key()}
        member = {"member": {"id": ids["member"]}}
        terms = {"kind": "AMOUNT_OFF", "amount": money}
        return {
            "rewardCreate": {"code": key(), "name": "Cup", "points": 5},
            "rewardUpdate": {"rewardId": ids["reward"], "name": "Pot"},
            "rewardRedeem": {**member, **once, "rewardId": ids["reward"]},
            "redemptionCancel": {**once, "redemptionId": ids["redemption"], "reason": "test"},
            "redemptionFulfill": {"redemptionId": ids["redemption"]},
            "rewardLike": {**member, "rewardId": ids["reward"]},
            "rewardUnlike": {**member, "rewardId": ids["reward"]},
            "redemptionDeliver": {
                "redemptionId": ids["redemption"],
                "delivery": {"kind": "PICK_UP", "storeId": ids["store"]},
            },
            "redemptionPay": {**once, "redemptionId": ids["redemption"], "amount": money, "reference": "p"},
            "redemptionPickUp": {"pickupCode": "NOBODYSCODE", "storeId": ids["store"]},
            "redemptionReturn": {**once, "redemptionId": ids["redemption"], "reason": "test"},
            "storeGroupCreate": {"code": key(), "name": "Hills"},
            "tradeRuleCreate": {"kind": "EARNING", "effect": "ALLOWED", "storeId": ids["store"]},
            "tradeRuleEnd": {"ruleId": ids["rule"]},
            "voucherTemplateCreate": {"code": key(), "name": "Off", "terms": terms},
            "voucherTemplateUpdate": {"templateId": ids["template"], "name": "Less"},
            "voucherPoolCreate": {"templateId": ids["template"], "name": "Pool", "supply": "ON_DEMAND"},
            "voucherPoolUpdate": {"poolId": ids["pool"], "name": "Lake"},
            "voucherCodesGenerate": {**once, "poolId": ids["pool"], "count": 1},
            "voucherCodesImport": {**once, "poolId": ids["pool"], "codes": [key().upper()]},
            "voucherGrant": {**member, **once, "poolId": ids["pool"]},
            "vouchersIssue": {**once, "poolId": ids["pool"], "filter": {"tag": "nobody"}},
            "voucherClaim": {**member, **once, "poolId": ids["pool"]},
            "voucherLock": {**once, "code": ids["code"], "reference": "o"},
            "voucherRelease": {**once, "code": ids["code"]},
            "voucherReturn": {**once, "voucherId": ids["voucher"], "reason": "test"},
            "voucherVoid": {**once, "voucherId": ids["voucher"], "reason": "test"},
            "offsetPolicySet": {"step": 1},
            "offsetHold": {**once, "quote": ids["token"]},
            "offsetRelease": {**once, "offsetId": ids["offset"]},
        }

    def mall_questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """How every query about the mall is asked."""
        ids = self.ids
        page = "{ nodes { id } }"
        return {
            "storeGroups": (f"storeGroups {page}", {}),
            "tradeRules": (f"tradeRules {page}", {}),
            "voucherTemplates": (f"voucherTemplates {page}", {}),
            "voucherPools": (f"voucherPools(templateId: $id) {page}", {"id": ids["template"]}),
            "voucher": (f'voucher(code: "{ids["code"]}") {{ id }}', {}),
            "offsetPolicy": ("offsetPolicy { step }", {}),
            "checkoutQuote": (
                'checkoutQuote(input: {lines: [{amount: {amount: "1", currencyCode: "CNY"}}]}) { token }',
                {},
            ),
        }
