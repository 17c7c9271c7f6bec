"""The part of a furnished shop that is about challenges, badges and quizzes, and every question and change about it."""

from typing import Any

from tests.api.shops import Shop, key

QUESTION = {"text": "Which tea is green?", "options": ["Longjing", "Lapsang"], "correctOptions": [1]}


class GoalStage:
    """Furnishes a shop with goals."""

    shop: Shop
    ids: dict[str, str]

    async def furnish_goals(self) -> None:
        shop, ids = self.shop, self.ids
        member = {"member": {"id": ids["member"]}}
        await shop.do("badgeSave", "badge { code }", code="friend", name="Friend")
        awarded = await shop.do("badgeAward", "memberBadge { id }", **member, code="friend", reason="kind")
        ids["badge"] = awarded["memberBadge"]["id"]
        step = {"kind": "ACTIVITY", "activityType": "follow"}
        told = {"code": "follow", "name": "Follow", "steps": [step], "audience": {"withoutTags": ["staff"]}}
        await shop.do("challengeSave", "challenge { code }", **told, isAutomatic=False, reward={"points": 5})
        await shop.report(ids["member"], "follow")
        progress = "query ($id: ID!) { member(ref: {id: $id}) { challenges { nodes { id } } } }"
        found = await shop.ask(progress, id=ids["member"])
        ids["progress"] = found["member"]["challenges"]["nodes"][0]["id"]
        asked = {"code": "tea", "name": "Tea", "questions": [QUESTION], "seconds": 3600, "attemptsMax": 2}
        ids["quiz"] = (await shop.do("quizSave", "quiz { id }", **asked))["quiz"]["id"]
        other = {"member": {"id": ids["second"]}}
        begun = await shop.do("quizStart", "attempt { id }", **other, code="tea")
        answers = [{"question": 1, "options": [1]}]
        given = {"attemptId": begun["attempt"]["id"], "answers": answers, "idempotencyKey": key()}
        await shop.do("quizAnswer", "attempt { score }", **given)
        ids["attempt"] = (await shop.do("quizStart", "attempt { id }", **member, code="tea"))["attempt"]["id"]

    def goal_inputs(self) -> dict[str, dict[str, Any]]:
        """What the mutations of goals are told."""
        ids, once = self.ids, {"idempotencyKey": key()}
        member = {"member": {"id": ids["member"]}}
        told = {"audience": {"tierIds": [ids["tier"]]}, "steps": [{"kind": "PURCHASES"}]}
        return {
            "challengeSave": {"code": key(), "name": "Rich", **told},
            "challengeClaim": {**member, **once, "code": "follow"},
            "challengeRemove": {"code": "follow"},
            "badgeSave": {"code": key(), "name": "Patron"},
            "badgeAward": {**member, "code": "friend", "reason": "test"},
            "badgeRevoke": {**member, "code": "friend", "reason": "test"},
            "quizSave": {"code": key(), "name": "Cups", "questions": [QUESTION], "seconds": 60},
            "quizStart": {**member, "code": "tea"},
            "quizAnswer": {**once, "attemptId": ids["attempt"], "answers": []},
        }

    def goal_questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """How every query about goals is asked."""
        return {
            "challenges": ("challenges { name }", {}),
            "challenge": ('challenge(code: "follow") { name }', {}),
            "badges": ("badges { name }", {}),
            "quizzes": ("quizzes { nodes { id } }", {}),
            "quiz": ('quiz(code: "tea") { id }', {}),
            "quizStandings": ('quizStandings(code: "tea") { nodes { rank } }', {}),
        }
