"""The flash sales of a furnished shop: one of everything, and every question and change about it."""

from typing import Any

from tests.api.shops import Shop, key


class FlashSaleStage:
    """Furnishes the flash sales of a shop."""

    shop: Shop
    ids: dict[str, str]

    async def furnish_flash_sales(self) -> None:
        shop, ids = self.shop, self.ids
        saved = await shop.do("flashSaleSave", "flashSale { id items { id } }", **self._sale("spring"))
        ids["sale"] = saved["flashSale"]["id"]
        ids["item"] = saved["flashSale"]["items"][0]["id"]
        claim = {"member": {"id": ids["member"]}, "itemId": ids["item"], "idempotencyKey": key()}
        ids["claim"] = (await shop.do("flashSaleClaim", "claim { id }", **claim))["claim"]["id"]

    def _sale(self, code: str) -> dict[str, Any]:
        now = self.shop.world.clock()
        item = {"rewardId": self.ids["reward"], "points": 1, "cash": self.shop.money("1"), "stock": 50}
        return {
            "code": code,
            "name": "Spring",
            "startsAt": now.replace(year=now.year - 1, day=1).isoformat(),
            "endsAt": now.replace(year=now.year + 1, day=1).isoformat(),
            "items": [item],
        }

    def flash_sale_inputs(self) -> dict[str, dict[str, Any]]:
        """Their part of the inputs."""
        ids, money, once = self.ids, self.shop.money("1"), {"idempotencyKey": key()}
        member = {"member": {"id": ids["member"]}}
        return {
            "flashSaleSave": self._sale(key()),
            "flashSaleClaim": {**member, **once, "itemId": ids["item"]},
            "flashSaleClaimPay": {**once, "claimId": ids["claim"], "amount": money, "reference": "p"},
            "flashSaleClaimRelease": {**once, "claimId": ids["claim"]},
            "flashSaleRemind": {**member, "flashSaleId": ids["sale"], "isWanted": False},
        }

    def flash_sale_questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Their part of the questions."""
        return {
            "flashSales": ("flashSales { nodes { id } }", {}),
            "flashSale": ("flashSale(id: $id) { id }", {"id": self.ids["sale"]}),
        }
