"""Quizzes over the API: questions when the clock runs, answers once, and who answered best."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.shops import Shop, key
from tests.api.stages import kept
from tests.api.statements import counted

GREEN = {"text": "Which is green?", "options": ["Longjing", "Lapsang", "Keemun"], "correctOptions": [1]}
BOTH = {"text": "Which are black?", "options": ["Lapsang", "Longjing", "Keemun"], "correctOptions": [1, 3], "score": 3}
ATTEMPT = """attempt { id number state score correct milliseconds points answerBy
    questions { number text options score correctOptions } } isRepeat member { account { available } }"""


async def save(shop: Shop, **told: Any) -> str:
    given = {"code": "tea", "name": "Tea", "questions": [GREEN, BOTH], "seconds": 60, **told}
    return str((await shop.do("quizSave", "quiz { id }", **given))["quiz"]["id"])


async def answer(shop: Shop, token: str, attempt_id: str, *options: list[int]) -> Any:
    answers = [{"question": number, "options": chosen} for number, chosen in enumerate(options, start=1)]
    return await shop.attempt("quizAnswer", ATTEMPT, token, attemptId=attempt_id, answers=answers, idempotencyKey=key())


async def test_s39_a_member_answers_and_is_rewarded(shop: Shop) -> None:
    await save(shop, rewards=[{"scoreMin": 1, "points": 5}, {"scoreMin": 4, "points": 20}])
    token = shop.member_token(await shop.enroll())
    begun = await shop.do("quizStart", ATTEMPT, token, code="tea")
    attempt = begun["attempt"]
    assert sorted(question["number"] for question in attempt["questions"]) == [1, 2]
    assert [question["correctOptions"] for question in attempt["questions"]] == [None, None]
    again = await shop.do("quizStart", ATTEMPT, token, code="tea")
    assert (again["isRepeat"], again["attempt"]["id"]) == (True, attempt["id"])
    done = await answer(shop, token, attempt["id"], [1], [3, 1])
    assert (done["userErrors"], done["member"]) == ([], {"account": {"available": 20}})
    told = done["attempt"]
    assert (told["state"], told["score"], told["correct"], told["points"]) == ("ANSWERED", 4, 2, 20)
    shown = {question["number"]: question["correctOptions"] for question in told["questions"]}
    assert shown == {1: [1], 2: [1, 3]}, "it has no attempt left"
    before = await kept(shop)
    repeat = await answer(shop, token, attempt["id"], [1], [1, 3])
    assert repeat["isRepeat"]
    other = await answer(shop, token, attempt["id"], [2])
    assert [error["code"] for error in other["userErrors"]] == ["QUIZ_ANSWERED"]
    used = await shop.refused("quizStart", token, code="tea")
    assert (used["code"], used["details"]) == ("QUIZ_ATTEMPTS_USED", {"quiz": "tea", "attemptsMax": 1})
    assert {table: rows for table, rows in (await kept(shop)).items() if table != "receipts"} == before


async def test_late_answers_are_refused_with_the_seconds(shop: Shop) -> None:
    await save(shop, seconds=30)
    token = shop.member_token(await shop.enroll())
    attempt_id = (await shop.do("quizStart", "attempt { id }", token, code="tea"))["attempt"]["id"]
    shop.world.clock.ahead += timedelta(seconds=40)
    before = await kept(shop)
    late = (await answer(shop, token, attempt_id, [1]))["userErrors"]
    assert [(error["code"], error["field"]) for error in late] == [("QUIZ_LATE", ["attemptId"])]
    assert late[0]["details"]["seconds"] == 30
    assert late[0]["details"]["secondsTaken"] >= 40
    assert await kept(shop) == before
    document = "query ($id: ID!) { node(id: $id) { ... on QuizAttempt { state quiz { code } } } }"
    assert (await shop.ask(document, token, id=attempt_id))["node"] == {"state": "LAPSED", "quiz": {"code": "tea"}}


async def test_the_right_answers_stay_hidden_while_they_help(shop: Shop) -> None:
    await save(shop, attemptsMax=2)
    token = shop.member_token(await shop.enroll())
    assert await shop.error('{ quiz(code: "tea") { questions { text } } }', token) == "FORBIDDEN"
    staff = await shop.ask('{ quiz(code: "tea") { scoreMax questionCount questions { correctOptions } } }')
    assert staff["quiz"] == {
        "scoreMax": 4,
        "questionCount": 2,
        "questions": [{"correctOptions": [1]}, {"correctOptions": [1, 3]}],
    }
    for is_last in (False, True):
        attempt_id = (await shop.do("quizStart", "attempt { id }", token, code="tea"))["attempt"]["id"]
        done = await answer(shop, token, attempt_id, [1])
        shown = {question["correctOptions"] is not None for question in done["attempt"]["questions"]}
        assert shown == {is_last}
    mine = await shop.ask('{ quiz(code: "tea") { attempts { number score } standing { rank score isOwn } } }', token)
    assert mine["quiz"] == {
        "attempts": [{"number": 1, "score": 1}, {"number": 2, "score": 1}],
        "standing": {"rank": 1, "score": 1, "isOwn": True},
    }


async def test_standings_are_paged_the_best_first(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await save(shop)
    tokens = []
    for number, options in enumerate(([2], [1], [1], [2], [2])):
        token = shop.member_token(await shop.enroll(f"m-{number}", name=f"李{number}"))
        attempt_id = (await shop.do("quizStart", "attempt { id }", token, code="tea"))["attempt"]["id"]
        await answer(shop, token, attempt_id, options, [1, 3] if number == 2 else [])
        tokens.append(token)
    document = """query ($after: String) { quizStandings(code: "tea", first: 2, after: $after) {
        nodes { rank maskedName isOwn score } pageInfo { endCursor hasNextPage } } }"""
    seen: list[tuple[int, int]] = []
    after = None
    while True:
        page = (await shop.ask(document, tokens[1], after=after))["quizStandings"]
        assert {node["maskedName"] for node in page["nodes"]} == {"李*"}
        seen += [(node["rank"], node["score"]) for node in page["nodes"]]
        own = [node["rank"] for node in page["nodes"] if node["isOwn"]]
        assert own == ([2] if after is None else [])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [(1, 4), (2, 1), (3, 0), (4, 0), (5, 0)]
    with counted(monkeypatch) as statements:
        found = await shop.ask("{ quizzes { nodes { standings(first: 5) { nodes { rank member { name } } } } } }")
    assert [node["rank"] for node in found["quizzes"]["nodes"][0]["standings"]["nodes"]] == [1, 2, 3, 4, 5]
    assert len(statements) == 4, "quizzes, standings, the rank of the first, members"


async def test_b3_standings_heed_who_is_taken_off_and_who_will_not_be_seen(shop: Shop) -> None:
    """As on leaderboards: the one takes no rank, whatever page is asked, and the other keeps its own without a name."""
    await save(shop)
    members = [await shop.enroll(f"m-{number}", name=name) for number, name in enumerate(("李雷", "Ann", "王五", None))]
    tokens = [shop.member_token(member) for member in members]
    for token, answers in zip(tokens, (([1], [1, 3]), ([2], [1, 3]), ([1], []), ([2], [])), strict=True):
        attempt_id = (await shop.do("quizStart", "attempt { id }", token, code="tea"))["attempt"]["id"]
        await answer(shop, token, attempt_id, *answers)
    page = """query ($after: String, $first: Int!) { quizStandings(code: "tea", first: $first, after: $after) {
        nodes { rank maskedName } pageInfo { endCursor } } }"""
    own = '{ quiz(code: "tea") { standing { rank maskedName } } }'

    async def seen(token: str | None) -> list[Any]:
        nodes = (await shop.ask(page, token, first=9))["quizStandings"]["nodes"]
        return [(node["rank"], node["maskedName"]) for node in nodes]

    assert await seen(tokens[3]) == [(1, "李*"), (2, "A*"), (3, "王*"), (4, None)]
    off = {"member": {"id": members[0]}, "reason": "knew the answers"}
    await shop.do("leaderboardExclusionSet", "member { id }", **off, isExcluded=True)
    await shop.do("leaderboardVisibilitySet", "member { id }", tokens[1], isVisible=False)
    assert await seen(tokens[3]) == [(1, None), (2, "王*"), (3, None)]
    assert await seen(tokens[1]) == await seen(None) == [(1, "A*"), (2, "王*"), (3, None)], "itself, and the shop"
    assert (await shop.ask(own, tokens[0]))["quiz"]["standing"] is None
    assert (await shop.ask(own, tokens[2]))["quiz"]["standing"] == {"rank": 2, "maskedName": "王*"}
    first = (await shop.ask(page, first=1))["quizStandings"]["pageInfo"]["endCursor"]
    assert [node["rank"] for node in (await shop.ask(page, first=9, after=first))["quizStandings"]["nodes"]] == [2, 3]
    await shop.do("leaderboardExclusionSet", "member { id }", **off, isExcluded=False)
    assert (await shop.ask(own, tokens[0]))["quiz"]["standing"] == {"rank": 1, "maskedName": "李*"}


async def test_who_sees_which_quizzes(shop: Shop) -> None:
    await save(shop, code="open")
    await save(shop, code="off", isActive=False)
    await save(shop, code="soon", startsAt="2999-01-01T00:00:00Z")
    document = "{ quizzes { nodes { code } } }"
    assert [node["code"] for node in (await shop.ask(document))["quizzes"]["nodes"]] == ["soon", "off", "open"]
    shown = await shop.ask(document, shop.publishable)
    assert [node["code"] for node in shown["quizzes"]["nodes"]] == ["open"]
    for code in ("soon", "nothing"):
        asked = f'{{ quiz(code: "{code}") {{ id }} quizStandings(code: "{code}") {{ nodes {{ rank }} }} }}'
        assert await shop.ask(asked, shop.publishable) == {"quiz": None, "quizStandings": {"nodes": []}}
    member = await shop.enroll()
    closed = await shop.refused("quizStart", member={"id": member}, code="soon")
    assert (closed["code"], closed["field"]) == ("QUIZ_CLOSED", ["code"])
    assert (await shop.refused("quizStart", member={"id": member}, code="nothing"))["code"] == "QUIZ_UNKNOWN"


@pytest.mark.parametrize(
    "given, code, field",
    [
        ({"questions": []}, "QUIZ_INVALID", ["questions"]),
        ({"questions": [GREEN | {"correctOptions": [4]}]}, "QUIZ_INVALID", ["questions", "0", "correctOptions"]),
        ({"seconds": 1}, "NUMBER_INVALID", ["seconds"]),
        ({"rewards": [{"scoreMin": 9, "points": 1}]}, "NUMBER_INVALID", ["rewards", "scoreMin"]),
    ],
)
async def test_a_bad_quiz_is_refused_at_its_field(
    shop: Shop, given: dict[str, Any], code: str, field: list[str]
) -> None:
    before = await kept(shop)
    told = {"code": "tea", "name": "Tea", "questions": [GREEN], "seconds": 60} | given
    refused = await shop.refused("quizSave", **told)
    assert (refused["code"], refused["field"]) == (code, field)
    assert await kept(shop) == before


async def test_answers_that_name_nothing_are_refused(shop: Shop) -> None:
    await save(shop)
    token = shop.member_token(await shop.enroll())
    attempt_id = (await shop.do("quizStart", "attempt { id }", token, code="tea"))["attempt"]["id"]
    for options, field in (([[4]], ["answers", "0", "options"]), ([[1], [1], [1]], ["answers", "2", "question"])):
        (error,) = (await answer(shop, token, attempt_id, *options))["userErrors"]
        assert (error["code"], error["field"]) == ("ANSWERS_INVALID", field)
    assert (await answer(shop, token, attempt_id, [1]))["attempt"]["score"] == 1
