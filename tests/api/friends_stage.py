"""The part of referrals in a furnished shop: one of everything, and every question and change about it."""

from typing import Any

from tests.api.shops import Shop, key


class FriendsStage:
    """Furnishes what members bring and share."""

    shop: Shop
    ids: dict[str, str]

    async def furnish_friends(self) -> None:
        shop, ids = self.shop, self.ids
        member = {"member": {"id": ids["member"]}}
        policy = {"referrerPoints": 100, "link": "https://shop.example/i/{code}"}
        await shop.do("referralPolicySave", "policy { isActive }", **policy)
        made = await shop.do("referralCodeCreate", "referralCode { id code }", **member)
        ids["code_of"], ids["friends_code"] = made["referralCode"]["id"], made["referralCode"]["code"]
        given = {**member, "target": "/tea", "idempotencyKey": key()}
        shared = await shop.do("shareCreate", "share { id referralCode { code } }", **given)
        ids["share"], ids["share_code"] = shared["share"]["id"], shared["share"]["referralCode"]["code"]
        ids["friend"] = await shop.enroll("friend", name="Han Meimei")
        bound = {"member": {"id": ids["friend"]}, "code": ids["friends_code"], "idempotencyKey": key()}
        ids["referral"] = (await shop.do("referralBind", "referral { id }", **bound))["referral"]["id"]

    def friends_inputs(self) -> dict[str, dict[str, Any]]:
        """Their part of what every mutation is told."""
        ids, once = self.ids, {"idempotencyKey": key()}
        member = {"member": {"id": ids["member"]}}
        return {
            "referralPolicySave": {"referrerPoolId": ids["pool"]},
            "referralCodeCreate": member,
            "referralBind": {**member, **once, "code": ids["friends_code"]},
            "referralReview": {**once, "referralId": ids["referral"], "isApproved": False, "reason": "test"},
            "shareCreate": {**member, **once, "target": key()},
            "shareVisit": {**once, "code": ids["share_code"], "visitorId": key()},
        }

    def friends_questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """How every query about them is asked."""
        return {
            "referralPolicy": ("referralPolicy { windowDays }", {}),
            "referrals": ("referrals { nodes { id } }", {}),
        }
