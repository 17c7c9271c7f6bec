"""The lotteries' part of a furnished shop: one of everything, and every question and change about it."""

from datetime import timedelta
from typing import Any

from tests.api.shops import Shop, key

NOTHING: dict[str, Any] = {"code": "none", "name": "Thanks", "prize": {"kind": "NOTHING"}, "weight": 9}
POINTS: dict[str, Any] = {
    "code": "points",
    "name": "Ten points",
    "prize": {"kind": "POINTS", "points": 10},
    "rank": 1,
    "weight": 1,
}


def lottery(*prizes: dict[str, Any], **told: Any) -> dict[str, Any]:
    """What makes a draft: one point a draw."""
    return {
        "code": key(),
        "name": "Spring draw",
        "kind": "INSTANT",
        "rules": "Draw and win.",
        "points": 1,
        "prizes": list(prizes or (POINTS, NOTHING)),
        **told,
    }


async def publish(shop: Shop, *prizes: dict[str, Any], **told: Any) -> str:
    """A lottery that is published; its id."""
    made = await shop.do("lotterySave", "lottery { id }", **lottery(*prizes, **told))
    published = await shop.do("lotteryPublish", "lottery { id }", lotteryId=made["lottery"]["id"])
    return str(published["lottery"]["id"])


class LotteryStage:
    """Furnishes the lotteries of a shop."""

    shop: Shop
    ids: dict[str, str]

    async def furnish_lotteries(self) -> None:
        shop, ids = self.shop, self.ids
        ids["lottery"] = await publish(shop, code="spring", freePerDay=100)
        draft = await shop.do("lotterySave", "lottery { id }", **lottery())
        ids["draft"] = draft["lottery"]["id"]
        ends_at = (shop.world.clock() + timedelta(days=30)).isoformat()
        ids["raffle"] = await publish(shop, {**POINTS, "stock": 1}, kind="TICKETED", endsAt=ends_at, freePerDay=100)
        draw = {"member": {"id": ids["member"]}, "lotteryId": ids["lottery"], "idempotencyKey": key()}
        ids["draw"] = (await shop.do("lotteryDraw", "draw { id }", **draw))["draw"]["id"]

    def lottery_inputs(self) -> dict[str, dict[str, Any]]:
        """The lotteries' part of them."""
        ids, once = self.ids, {"idempotencyKey": key()}
        member = {"member": {"id": ids["member"]}}
        return {
            "lotterySave": lottery(),
            "lotteryPublish": {"lotteryId": ids["draft"]},
            "lotteryDraw": {**member, **once, "lotteryId": ids["lottery"]},
            "lotteryTicketsTake": {**member, **once, "lotteryId": ids["raffle"]},
            "lotteryChanceGrant": {**member, **once, "lotteryId": ids["lottery"], "chances": 1, "reason": "test"},
            "lotteryClose": {"lotteryId": ids["lottery"], "reason": "test"},
        }

    def lottery_questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """How every query about lotteries is asked."""
        return {
            "lotteries": ("lotteries { nodes { id } }", {}),
            "lottery": ('lottery(code: "spring") { id }', {}),
            "drawVerify": ("drawVerify(id: $id) { message draw { id } }", {"id": self.ids["draw"]}),
        }
