"""The group deals of a furnished shop: one of everything, and every question and change about it."""

from typing import Any

from tests.api.shops import Shop, key


class DealStage:
    """Furnishes the group deals of a shop."""

    shop: Shop
    ids: dict[str, str]

    async def furnish_deals(self) -> None:
        shop, ids = self.shop, self.ids
        told = {"code": "d1", "name": "Together", "rewardId": ids["reward"], "points": 1, "size": 3, "minutes": 60}
        ids["deal"] = (await shop.do("groupDealCreate", "deal { id }", **told))["deal"]["id"]
        given = {"member": {"id": ids["member"]}, "dealId": ids["deal"], "idempotencyKey": key()}
        opened = await shop.do("groupDealOpen", "group { id code } seat { id }", **given)
        ids["dealGroup"], ids["groupCode"] = opened["group"]["id"], opened["group"]["code"]
        ids["seat"] = opened["seat"]["id"]

    def deal_inputs(self) -> dict[str, dict[str, Any]]:
        """The deals' part of what every mutation is told."""
        ids, once = self.ids, {"idempotencyKey": key()}
        member, group = {"member": {"id": ids["member"]}}, {"group": {"id": ids["dealGroup"]}}
        more = {"rewardId": ids["reward"], "points": 1, "size": 2, "minutes": 5}
        return {
            "groupDealCreate": {"code": key(), "name": "Two", **more},
            "groupDealUpdate": {"dealId": ids["deal"], "name": "Three"},
            "groupDealOpen": {**member, **once, "dealId": ids["deal"]},
            "groupDealJoin": {**member, **once, **group},
            "groupDealLeave": {**member, **once, **group},
        }

    def deal_questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """How every query about them is asked."""
        return {
            "groupDeals": ("groupDeals { nodes { id } }", {}),
            "groupDeal": ('groupDeal(code: "d1") { id }', {}),
            "dealGroup": (f'dealGroup(code: "{self.ids["groupCode"]}") {{ id }}', {}),
        }
