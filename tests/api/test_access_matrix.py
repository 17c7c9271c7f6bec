"""Every field of the schema, asked by every kind of caller: what comes of it is what its printed policy says.

The policies are read from the printed contract, as a client would read them. A field without a row here, and a row
without a field, fail the test, so nothing new comes in without its policy being tried.
"""

from typing import Any, Final

import pytest
import pytest_asyncio

from api import schema
from domain.access import KeyKind, Role, Scope
from tests.api.shops import World, global_id, key
from tests.api.stages import MEMBER, MUTATIONS, QUERIES, Stage, expected, policies

pytestmark = pytest.mark.asyncio

# What of a referral is for staff alone, and which guarded fields are objects.
OF_REFERRALS: Final = {
    *("actor", "note", "purchase", "reason", "referee", "refereeReward", "review", "reviewer", "signals"),
}
OBJECTS: Final = {"audience", "audit", "leaders", "pool", "prices", "purchase", "questions", "referee", "refereeReward"}
EVERYBODY: Final = ("nobody", "publishable", "secret", "without scope", "member", *Role)

# What a member is told who names what another has.
OF_ANOTHER: Final[dict[str, str | list[str]]] = {
    "challengeClaim": "FORBIDDEN",
    "checkInCreate": "FORBIDDEN",
    "checkInMakeUp": "FORBIDDEN",
    "flashSaleClaim": "FORBIDDEN",
    "flashSaleClaimRelease": ["NOT_FOUND"],
    "flashSaleRemind": "FORBIDDEN",
    "groupDealJoin": "FORBIDDEN",
    "groupDealLeave": "FORBIDDEN",
    "groupDealOpen": "FORBIDDEN",
    "leaderboardVisibilitySet": "FORBIDDEN",
    "lotteryDraw": "FORBIDDEN",
    "lotteryTicketsTake": "FORBIDDEN",
    "memberUpdate": "FORBIDDEN",
    "offsetHold": ["QUOTE_INVALID"],
    "offsetRelease": ["NOT_FOUND"],
    "quizAnswer": ["NOT_FOUND"],
    "quizStart": "FORBIDDEN",
    "redemptionCancel": ["NOT_FOUND"],
    "redemptionDeliver": ["NOT_FOUND"],
    "referralBind": "FORBIDDEN",
    "referralCodeCreate": "FORBIDDEN",
    "rewardLike": "FORBIDDEN",
    "rewardRedeem": "FORBIDDEN",
    "rewardUnlike": "FORBIDDEN",
    "shareCreate": "FORBIDDEN",
    "voucherClaim": "FORBIDDEN",
    "voucherLock": ["NOT_FOUND"],
    "voucherRelease": ["NOT_FOUND"],
}
# What `node` shows to the shop and to whom it belongs, to everybody, and to the shop alone.
PERSONAL: Final = (
    "member",
    "purchase",
    "refund",
    "redemption",
    "transaction",
    "activity",
    "voucher",
    "offset",
    "claim",
    "check-in",
    "progress",
    "badge",
    "attempt",
    "referral",
    "code_of",
    "share",
    "seat",
    "draw",
)
PUBLIC: Final = (
    "program",
    "store",
    "group",
    "tier",
    "reward",
    "sale",
    "item",
    "leaderboard",
    "page",
    "quiz",
    "deal",
    "dealGroup",
    "lottery",
    "raffle",
)
INTERNAL: Final = (
    "segment",
    "template",
    "pool",
    "rule",
    "draft",
)


@pytest_asyncio.fixture
async def stage(world: World) -> Stage:
    """Two shops, one of them furnished."""
    found = Stage(await world.open_shop(), await world.open_shop())
    await found.furnish()
    return found


def question(name: str, asked: str, variables: dict[str, Any]) -> str:
    """The document of a query."""
    return f"query {name}{'($id: ID!)' if variables else ''} {{ {asked} }}"


def change(name: str, selection: str = "userErrors { code }") -> str:
    """The document of a mutation."""
    return f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {selection} }} }}"


def turned_away(answer: dict[str, Any]) -> str | None:
    """The code with which the only field of an answer was refused; None if it was not."""
    codes = {error["extensions"]["code"] for error in answer.get("errors", ())}
    assert codes <= {"UNAUTHENTICATED", "FORBIDDEN"}, answer
    return codes.pop() if codes else None


async def test_every_field_has_a_row(stage: Stage) -> None:
    """And every row a field; every root field prints a policy."""
    assert set(stage.questions()) == set(QUERIES)
    assert set(stage.inputs()) == set(MUTATIONS)
    built = schema.build()._schema
    assert set(built.query_type.fields) == set(QUERIES)  # type: ignore[union-attr]
    assert set(built.mutation_type.fields) == set(MUTATIONS)  # type: ignore[union-attr]


@pytest.mark.parametrize("caller", EVERYBODY)
async def test_queries_answer_whom_their_policy_names(stage: Stage, caller: str) -> None:
    """And nobody else."""
    for name, (asked, variables) in stage.questions().items():
        token = await stage.token(caller, QUERIES[name])
        answer = await stage.shop.world.send(question(name, asked, variables), variables, token)
        assert turned_away(answer) == expected(QUERIES[name], caller), (name, caller)


@pytest.mark.parametrize("caller", EVERYBODY)
async def test_mutations_obey_whom_their_policy_names(stage: Stage, caller: str) -> None:
    """Whoever is turned away has changed nothing."""
    for name, given in stage.inputs().items():
        token = await stage.token(caller, MUTATIONS[name])
        is_refused = expected(MUTATIONS[name], caller) is not None
        before = await stage.kept() if is_refused else None
        answer = await stage.shop.world.send(change(name), {"input": given}, token)
        assert turned_away(answer) == expected(MUTATIONS[name], caller), (name, caller)
        if is_refused:
            assert await stage.kept() == before, (name, caller)


async def test_members_act_for_themselves_only(stage: Stage) -> None:
    """What another member names of this one is forbidden or not found, and nothing changes."""
    stranger = stage.shop.member_token(stage.ids["second"])
    open_to_members = {name for name, policy in MUTATIONS.items() if "MEMBER" in policy.callers}
    # Whoever comes by a share comes by anybody's.
    assert open_to_members == {*OF_ANOTHER, "shareVisit"}
    before = await stage.kept()
    outcomes = {}
    for name in OF_ANOTHER:
        answer = await stage.shop.send(change(name), stranger, input=stage.inputs()[name])
        errors = answer["data"] and answer["data"][name]["userErrors"]
        outcomes[name] = turned_away(answer) or [error["code"] for error in errors]
    assert outcomes == OF_ANOTHER
    assert await stage.kept() == before
    for name in ("member", "purchase", "node", "voucher"):
        asked, variables = stage.questions()[name]
        assert (await stage.shop.ask(question(name, asked, variables), stranger, **variables))[name] is None


async def test_nodes_are_shown_to_whom_they_belong(stage: Stage) -> None:
    """Everything by its id: to the shop, to the member whose it is, to its owners; to all others null."""
    kinds = {*PERSONAL, *PUBLIC, *INTERNAL, "key"}
    document = "query ($id: ID!) { node(id: $id) { id __typename } }"
    member, stranger = (stage.shop.member_token(stage.ids[name]) for name in ("member", "second"))
    for token, visible in (
        (stage.shop.secret, kinds),
        (await stage.shop.make_operator(Role.OWNER), kinds),
        (await stage.shop.make_operator(Role.VIEWER), {*PERSONAL, *PUBLIC, *INTERNAL}),
        (member, {*PERSONAL, *PUBLIC}),
        (stranger, set(PUBLIC)),
        (stage.shop.publishable, set(PUBLIC)),
        (stage.other.secret, set()),
        (await stage.other.make_operator(Role.OWNER), set()),
    ):
        for kind in kinds:
            node = (await stage.shop.ask(document, token, id=stage.ids[kind]))["node"]
            assert (node is not None) == (kind in visible), kind
            assert node is None or node["id"] == stage.ids[kind]
    for nothing in ("", "x", global_id("Store"), global_id("Hold"), global_id("Nonsense"), stage.ids["hold"]):
        assert (await stage.shop.ask(document, id=nothing))["node"] is None


async def test_programs_never_see_each_other(stage: Stage) -> None:
    """With another program's credentials, all that is named here is not there, and nothing here changes."""
    before = await stage.kept()
    owner = await stage.other.make_operator(Role.OWNER)
    mine = set(stage.ids.values())
    for name, (asked, variables) in stage.questions().items():
        if name == "me":
            continue
        token = owner if name == "operators" else stage.other.secret
        text = str(await stage.shop.ask(question(name, asked, variables), token, **variables))
        assert not any(known in text for known in mine), name
    outcomes = {}
    for name, given in stage.inputs().items():
        token = {"operatorCreate": owner, "operatorLogin": stage.other.publishable}.get(name, stage.other.secret)
        token = stage.other.publishable if name == "memberSignIn" else token
        selection = "results { userErrors { code } } userErrors { code }" if name == "purchasesRecord" else None
        payload = (await stage.shop.ask(change(name, selection or "userErrors { code }"), token, input=given))[name]
        errors = payload["results"][0]["userErrors"] if selection else payload["userErrors"]
        outcomes[name] = [error["code"] for error in errors]
    nothing_named = {"programUpdate", "storeCreate", "tierCreate", "rewardCreate", "operatorCreate", "apiKeyCreate"}
    nothing_named |= {"storeGroupCreate", "voucherTemplateCreate", "offsetPolicySet", "vouchersIssue", "lotterySave"}
    nothing_named |= {"badgeSave", "quizSave"}
    assert {name for name, codes in outcomes.items() if codes == []} == nothing_named
    elsewhere = {"operatorLogin": ["CREDENTIALS_WRONG"], "memberSignIn": ["REFRESH_TOKEN_INVALID"]}
    elsewhere |= {"referralBind": ["REFERRALS_CLOSED"], "shareCreate": ["REFERRALS_CLOSED"]}
    elsewhere |= {"shareVisit": ["REFERRAL_CODE_UNKNOWN"]}
    elsewhere |= {"redemptionPickUp": ["PICKUP_CODE_UNKNOWN"], "offsetHold": ["QUOTE_INVALID"]}
    elsewhere["challengeRemove"] = ["CHALLENGE_UNKNOWN"]
    naming = ("earningRuleSave", "earningRulesReplace", "campaignSave", "challengeSave")
    elsewhere |= {name: ["RULE_REFERENCE_UNKNOWN"] for name in naming}
    assert {name: codes for name, codes in outcomes.items() if name not in nothing_named} == {
        name: elsewhere.get(name, ["NOT_FOUND"]) for name in MUTATIONS if name not in nothing_named
    }
    assert await stage.kept() == before


async def test_what_is_anothers_cannot_be_mixed_in(stage: Stage) -> None:
    """One thing of another program among one's own is not found, and neither program changes."""
    shop, ids, money = stage.other, stage.ids, stage.shop.money("1")
    own = {"member": {"id": await shop.enroll("own")}}
    await shop.grant(own["member"]["id"], 100)
    reward = await shop.make_reward(1)
    before = await stage.kept()
    bought = {**own, "externalId": "own", "amount": money}
    for name, given in (
        ("memberEnroll", {"externalId": "new", "storeId": ids["store"]}),
        ("segmentSave", {"code": "new", "name": "New", "criteria": {"tierIds": [ids["tier"]]}}),
        ("segmentSave", {"code": "new", "name": "New", "criteria": {"storeIds": [ids["store"]]}}),
        ("purchaseRecord", {**bought, "storeId": ids["store"]}),
        ("memberTierSet", {**own, "tierId": ids["tier"], "until": stage.span()["endsAt"][:10], "reason": "test"}),
        ("activityRecord", {**own, "type": "share", "externalId": "own", "storeId": ids["store"]}),
        ("purchaseRecord", {**bought, "offset": {"holdId": ids["hold"], "amount": money}}),
        ("pointsTransfer", {"sender": own["member"], "recipient": {"id": ids["member"]}, "points": 1}),
        ("pointsTransfer", {"sender": {"id": ids["member"]}, "recipient": own["member"], "points": 1}),
        ("flashSaleClaim", {**own, "itemId": ids["item"]}),
        ("rewardRedeem", {**own, "rewardId": ids["reward"]}),
        ("rewardRedeem", {**own, "rewardId": reward, "storeId": ids["store"]}),
        ("rewardRedeem", {"member": {"id": ids["member"]}, "rewardId": reward}),
    ):
        assert (await shop.refused(name, **given, idempotencyKey=key()))["code"] == "NOT_FOUND", given
    assert (await shop.account(own["member"]["id"]))["available"] == 100
    assert await stage.kept() == before


async def test_fields_within_are_shown_to_whom_their_policy_names(stage: Stage) -> None:
    """A caller that gets hold of an object does not thereby get all of it."""
    tills = await stage.shop.make_key(KeyKind.SECRET, (Scope.PURCHASES_WRITE,))
    arguments = {"expiringPoints": "(within: 30)", "checkIns": '(activity: "daily")'}
    simple = {"externalId", "phone", "cardNumber", "email", "name", "birthday", "gender", "attributes", "channel"}
    simple |= {"enrolledAt", "tags", "makeUpCards", "rewardedReferrals"}
    for name, policy in MEMBER.items():
        field = name + arguments.get(name, "") + ("" if name in simple else " { __typename }")
        document = change("purchaseRecord", f"member {{ {field} }}")
        answer = await stage.shop.send(document, tills, input=stage.inputs()["purchaseRecord"])
        assert turned_away(answer) == "FORBIDDEN", name
        answer = await stage.shop.send(f"{{ me {{ {field} }} }}", stage.shop.member_token(stage.ids["member"]))
        assert turned_away(answer) == expected(policy, "member"), name
    document = "query ($id: ID!) { node(id: $id) { ... on %s { %s } } }"
    member = stage.shop.member_token(stage.ids["member"])
    for kind, of, names in (
        ("Purchase", "purchase", {"actor"}),
        ("Refund", "refund", {"actor"}),
        ("Redemption", "redemption", {"actor", "paymentReference", "pickupCode"}),
        ("Claim", "claim", {"actor"}),
        ("Voucher", "voucher", {"actor", "pool"}),
        ("Reward", "reward", {"pool", "prices"}),
        ("GroupDeal", "deal", {"units", "unitsHeld", "unitsSold"}),
        ("DealSeat", "seat", {"actor"}),
        ("PointTransaction", "transaction", {"actor"}),
        ("Activity", "activity", {"actor", "reason"}),
        ("CheckIn", "check-in", {"actor"}),
        ("CheckInActivity", "page", {"audience", "leaders", "streaksEndingTonight"}),
        ("Draw", "draw", {"actor", "owed"}),
        ("Lottery", "lottery", {"audit", "closedBy", "reason"}),
        ("MemberBadge", "badge", {"awardedBy", "reason", "revokedReason"}),
        ("Quiz", "quiz", {"questions"}),
        ("Referral", "referral", OF_REFERRALS),
        ("Program", "program", {"ruleVersion", "shortfallPolicy", "holdMinutes"}),
    ):
        found = policies(kind)
        assert set(found) == names
        for name, policy in found.items():
            for token, caller in ((member, "member"), (stage.shop.secret, "secret")):
                field = f"{name} {{ __typename }}" if name in OBJECTS else name
                field = f"{name} {{ __typename }}" if name in ("audit", "pool", "prices") else name
                field = f"{name} {{ __typename }}" if name in ("pool", "prices", "questions") else name
                field = f"{name} {{ __typename }}" if name in OBJECTS else name
                answer = await stage.shop.send(document % (kind, field), token, id=stage.ids[of])
                assert turned_away(answer) == expected(policy, caller), (kind, name, caller)


async def test_what_a_member_reads_of_rules_and_tiers_hides_what_the_shop_thinks_of_it(stage: Stage) -> None:
    """In what has no id of its own: each guarded field is refused to a member, and shown to the shop."""
    shop, member = stage.shop, stage.shop.member_token(stage.ids["member"])
    await shop.do("memberTierSet", "member { id }", **stage.inputs()["memberTierSet"])
    nested = {"audience": "audience { tags }", "conditions": "conditions { products }", "member": "member { id }"}
    explained = "node(id: $id) { ... on Purchase { explanation { %s } } }"
    for kind, names, document in (
        ("Campaign", {"audience", "budget", "pointsGiven"}, "calendar(days: 1) { campaigns { %s } }"),
        ("EarningRule", {"conditions"}, "program { earningRules { %s } }"),
        ("Explanation", {"segments", "tags"}, explained),
        ("LotteryPrize", {"exceedsCapBy"}, 'lottery(code: "spring") { prizes { %s } }'),
        ("Challenge", {"audience"}, "challenges { %s }"),
        ("ChallengeStep", {"conditions"}, "challenges { steps { %s } }"),
        ("QuizStanding", {"member"}, 'quizStandings(code: "tea") { nodes { %s } }'),
        ("TierChange", {"actor", "reason"}, "member(ref: {id: $member}) { tierHistory { nodes { %s } } }"),
    ):
        found = policies(kind)
        assert set(found) == names
        for name, policy in found.items():
            asked = document % nested.get(name, name)
            given = {"id": stage.ids["purchase"], "member": stage.ids["member"]}
            given = {variable: value for variable, value in given.items() if f"${variable}" in asked}
            head = f"query ({' '.join(f'${variable}: ID!' for variable in given)})" if given else ""
            for token, caller in ((member, "member"), (shop.secret, "secret")):
                answer = await shop.send(f"{head} {{ {asked} }}", token, **given)
                assert turned_away(answer) == expected(policy, caller), (kind, name, caller)
