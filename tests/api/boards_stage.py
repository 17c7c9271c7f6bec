"""The leaderboards' part of a furnished shop."""

from typing import Any

from tests.api.shops import Shop, key

BOARD: dict[str, Any] = {"name": "Best of the week", "metric": "POINTS_EARNED", "window": "WEEK"}


class BoardsStage:
    """Furnishes a shop with a leaderboard."""

    shop: Shop
    ids: dict[str, str]

    async def furnish_boards(self) -> None:
        made = await self.shop.do("leaderboardCreate", "leaderboard { id }", code="week", **BOARD)
        self.ids["leaderboard"] = made["leaderboard"]["id"]

    def boards_inputs(self) -> dict[str, dict[str, Any]]:
        """The leaderboards' part of what mutations are told."""
        ids = self.ids
        member = {"member": {"id": ids["member"]}}
        prizes = [{"first": 1, "last": 1, "prize": {"kind": "ITEM", "rewardId": ids["reward"]}}]
        return {
            "leaderboardCreate": {"code": key()[:20], **BOARD, "scope": "STORE", "storeId": ids["store"]},
            "leaderboardUpdate": {"leaderboardId": ids["leaderboard"], "name": "The best", "prizes": prizes},
            "leaderboardVisibilitySet": {**member, "isVisible": False},
            "leaderboardExclusionSet": {**member, "isExcluded": True, "reason": "test"},
        }

    def boards_questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The leaderboards' part of the questions."""
        return {
            "leaderboards": ("leaderboards { nodes { id } }", {}),
            "leaderboard": ('leaderboard(code: "week") { id }', {}),
        }
