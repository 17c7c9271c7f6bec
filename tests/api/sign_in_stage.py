"""Sign-in's part of a furnished shop: an activity, a check-in, and every question and change about them."""

from typing import Any

from tests.api.shops import Shop, key


class SignInStage:
    """Furnishes the sign-in page of a shop."""

    shop: Shop
    ids: dict[str, str]

    async def furnish_sign_in(self) -> None:
        shop, ids = self.shop, self.ids
        terms = {"makeUp": {"days": 7, "perMonth": 2, "takesCards": True}}
        given = {"code": "daily", "name": "Daily", "ladder": [10], **terms}
        ids["page"] = (await shop.do("checkInActivitySave", "activity { id }", **given))["activity"]["id"]
        signed = {"member": {"id": ids["member"]}, "activity": "daily", "idempotencyKey": key()}
        ids["check-in"] = (await shop.do("checkInCreate", "checkIn { id }", **signed))["checkIn"]["id"]

    def sign_in_inputs(self) -> dict[str, dict[str, Any]]:
        """Sign-in's part of them."""
        ids, once = self.ids, {"idempotencyKey": key()}
        member = {"member": {"id": ids["member"]}}
        voucher = {"day": 7, "prize": {"kind": "VOUCHER", "poolId": ids["pool"]}}
        return {
            "checkInActivitySave": {"code": key(), "name": "Daily", "ladder": [1], "milestones": [voucher]},
            "checkInCreate": {**member, **once, "activity": "daily"},
            "checkInMakeUp": {**member, **once, "activity": "daily", "day": "2026-01-01", "payment": "CARD"},
            "makeUpCardGrant": {**member, **once, "cards": 1, "reason": "test"},
        }

    def sign_in_questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """How every query about sign-in is asked."""
        return {"checkInActivities": ("checkInActivities { id }", {})}
