"""Every field of the schema, asked by every kind of caller: what comes of it is what its printed policy says.

The policies are read from the printed contract, as a client would read them. A field without a row here, and a row
without a field, fail the test, so nothing new comes in without its policy being tried.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
import pytest_asyncio
from graphql import (
    DirectiveNode,
    EnumValueNode,
    FieldDefinitionNode,
    ListValueNode,
    ObjectTypeDefinitionNode,
    parse,
)

from api import schema
from domain.access import SCOPES_OF, KeyKind, Role, Scope
from persistence import rows
from persistence.tables import TABLES
from tests.api.shops import PASSWORD, Shop, World, global_id, key

pytestmark = pytest.mark.asyncio

EVERYBODY: Final = ("nobody", "publishable", "secret", "without scope", "member", *Role)


@dataclass(frozen=True)
class Policy:
    """What the contract prints on a field."""

    callers: frozenset[str]
    scope: str | None


def policies(kind: str) -> dict[str, Policy]:
    """The policies on the fields of a type."""
    (found,) = (
        definition
        for definition in parse(schema.export()).definitions
        if isinstance(definition, ObjectTypeDefinitionNode) and definition.name.value == kind
    )
    return {field.name.value: policy for field in found.fields if (policy := _policy(field)) is not None}


def _policy(field: FieldDefinitionNode) -> Policy | None:
    directives = [directive for directive in field.directives or () if directive.name.value == "requires"]
    if not directives:
        return None
    told = dict(_arguments(directives[0]))
    return Policy(frozenset(told["callers"]), told.get("scope", [None])[0])


def _arguments(directive: DirectiveNode) -> Iterator[tuple[str, list[str]]]:
    for argument in directive.arguments or ():
        values = argument.value.values if isinstance(argument.value, ListValueNode) else (argument.value,)
        yield argument.name.value, [value.value for value in values if isinstance(value, EnumValueNode)]


QUERIES: Final = policies("Query")
MUTATIONS: Final = policies("Mutation")
MEMBER: Final = policies("Member")


def expected(policy: Policy, caller: str) -> str | None:
    """The code with which a policy turns a caller away; None if it lets the caller in."""
    if caller == "nobody":
        return "UNAUTHENTICATED"
    kind = {"publishable": "PUBLISHABLE_KEY", "member": "MEMBER", "secret": "SECRET_KEY"}.get(caller)
    kind = kind or ("SECRET_KEY" if caller == "without scope" else "OPERATOR")
    if kind not in policy.callers:
        return "FORBIDDEN"
    if policy.scope is None or kind in ("PUBLISHABLE_KEY", "MEMBER") or caller == "secret":
        return None
    scopes = SCOPES_OF[Role(caller)] if kind == "OPERATOR" else set()
    return None if policy.scope in scopes else "FORBIDDEN"


class Stage:
    """Two shops with one of everything, and the words to ask for it."""

    def __init__(self, shop: Shop, other: Shop) -> None:
        self.shop = shop
        self.other = other
        self.ids: dict[str, str] = {}

    async def furnish(self) -> None:
        """Put one of everything into the shop."""
        shop, ids = self.shop, self.ids
        ids["member"], ids["second"] = await shop.enroll("m-1"), await shop.enroll("m-2")
        ids["store"] = (await shop.do("storeCreate", "store { id }", code="s1", name="River"))["store"]["id"]
        tier = {"name": "Gold", "rank": 1, "qualifyingPoints": 10**6}
        ids["tier"] = (await shop.do("tierCreate", "tier { id }", **tier))["tier"]["id"]
        given = {"code": "gold", "name": "Gold", "criteria": {"tierIds": [ids["tier"]]}}
        ids["segment"] = (await shop.do("segmentSave", "segment { id }", **given))["segment"]["id"]
        ids["reward"] = await shop.make_reward(1)
        ids["purchase"] = (await shop.buy(ids["member"], "1000", "o-1"))["purchase"]["id"]
        refund = {"purchase": {"id": ids["purchase"]}, "refundId": "r-1", "amount": shop.money("1")}
        payload = await shop.do("purchaseRefund", "refund { id }", **refund, idempotencyKey=key())
        ids["refund"] = payload["refund"]["id"]
        redeem = {"member": {"id": ids["member"]}, "rewardId": ids["reward"], "idempotencyKey": key()}
        ids["redemption"] = (await shop.do("rewardRedeem", "redemption { id }", **redeem))["redemption"]["id"]
        hold = {"member": {"id": ids["member"]}, "points": 5, "idempotencyKey": key()}
        ids["hold"] = (await shop.do("pointsHold", "hold { id }", **hold))["hold"]["id"]
        made = await shop.do("apiKeyCreate", "apiKey { id }", name="k", kind="SECRET", scopes=["PROGRAM_READ"])
        ids["key"] = made["apiKey"]["id"]
        history = "query ($id: ID!) { member(ref: {id: $id}) { pointTransactions(first: 1) { nodes { id } } } }"
        found = await shop.ask(history, id=ids["member"])
        ids["transaction"] = found["member"]["pointTransactions"]["nodes"][0]["id"]
        ids["program"] = (await shop.ask("{ program { id } }"))["program"]["id"]

    def inputs(self) -> dict[str, dict[str, Any]]:
        """What every mutation is told, naming things of the shop wherever something is named."""
        ids, money, once = self.ids, self.shop.money("1"), {"idempotencyKey": key()}
        member = {"member": {"id": ids["member"]}}
        row = {**member, **once, "externalId": key(), "amount": money, "storeId": ids["store"]}
        return {
            "programUpdate": {"name": "Tea House"},
            "storeCreate": {"code": key(), "name": "Hill"},
            "storeUpdate": {"storeId": ids["store"], "name": "Lake"},
            "tierCreate": {"name": key(), "rank": 2, "qualifyingPoints": 2 * 10**6},
            "tierUpdate": {"tierId": ids["tier"], "name": "Golden"},
            "segmentSave": {"code": key(), "name": "River", "criteria": {"storeIds": [ids["store"]]}},
            "segmentArchive": {"code": "gold"},
            "memberEnroll": {**once, "externalId": key(), "storeId": ids["store"]},
            "memberUpdate": {**member, "name": "Eve"},
            "memberFreeze": {"member": {"id": ids["second"]}, "reason": "test"},
            "memberUnfreeze": {"member": {"id": ids["second"]}, "reason": "test"},
            "pointsAdjust": {**member, **once, "points": 1, "reason": "test"},
            "pointsTransfer": {**once, "sender": member["member"], "recipient": {"id": ids["second"]}, "points": 1},
            "pointsHold": {**member, **once, "points": 1},
            "pointsCapture": {**once, "holdId": ids["hold"]},
            "pointsRelease": {**once, "holdId": ids["hold"]},
            "purchaseRecord": row,
            "purchasesRecord": {"rows": [row]},
            "purchaseConfirm": {**once, "purchaseId": ids["purchase"]},
            "purchaseRefund": {**once, "purchase": {"id": ids["purchase"]}, "refundId": key(), "amount": money},
            "rewardCreate": {"code": key(), "name": "Cup", "points": 5},
            "rewardUpdate": {"rewardId": ids["reward"], "name": "Pot"},
            "rewardRedeem": {**member, **once, "rewardId": ids["reward"]},
            "redemptionCancel": {**once, "redemptionId": ids["redemption"], "reason": "test"},
            "redemptionFulfill": {"redemptionId": ids["redemption"]},
            "operatorLogin": {"email": "nobody@example.com", "password": PASSWORD},
            "operatorCreate": {"email": f"{key()}@example.com", "name": "Lin", "password": PASSWORD, "role": "VIEWER"},
            "apiKeyCreate": {"name": "k", "kind": "PUBLISHABLE"},
            "apiKeyRevoke": {"apiKeyId": ids["key"]},
            "memberTokenCreate": member,
            "memberSignIn": {"refreshToken": "trt_none"},
        }

    def questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """How every query is asked, naming things of the shop wherever something is named."""
        ids = self.ids
        page = "{ nodes { id } }"
        return {
            "program": ("program { id }", {}),
            "stores": (f"stores {page}", {}),
            "tiers": ("tiers { id }", {}),
            "segments": (f"segments {page}", {}),
            "me": ("me { id }", {}),
            "member": ("member(ref: {id: $id}) { id }", {"id": ids["member"]}),
            "members": (f"members {page}", {}),
            "purchase": ("purchase(ref: {id: $id}) { id }", {"id": ids["purchase"]}),
            "rewards": (f"rewards {page}", {}),
            "operators": (f"operators {page}", {}),
            "apiKeys": (f"apiKeys {page}", {}),
            "node": ("node(id: $id) { id }", {"id": ids["member"]}),
        }

    async def token(self, caller: str, policy: Policy) -> str | None:
        """The credential of a caller; the key "without scope" has every scope but the one that is asked."""
        shop = self.shop
        if caller == "nobody":
            return None
        if caller == "member":
            return shop.member_token(self.ids["member"])
        if caller == "without scope":
            rest = tuple(scope for scope in Scope if scope != policy.scope)
            return await shop.make_key(KeyKind.SECRET, rest)
        if caller in ("publishable", "secret"):
            return shop.publishable if caller == "publishable" else shop.secret
        return await shop.make_operator(Role(caller))

    async def kept(self) -> dict[str, Any]:
        """All that the store keeps of the shop: what must not change when somebody else asks."""
        kept = {}
        for table in TABLES.values():
            statement = f"SELECT t::text AS kept FROM {table.name} AS t WHERE program_id = $1 ORDER BY id"
            kept[table.name] = [record["kept"] for record in await rows.fetch(statement, self.shop.program_id)]
        return kept


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
    assert open_to_members == {"memberUpdate", "rewardRedeem", "redemptionCancel"}
    before = await stage.kept()
    outcomes = {}
    for name in open_to_members:
        answer = await stage.shop.send(change(name), stranger, input=stage.inputs()[name])
        errors = answer["data"] and answer["data"][name]["userErrors"]
        outcomes[name] = turned_away(answer) or [error["code"] for error in errors]
    assert outcomes == {
        "memberUpdate": "FORBIDDEN",
        "rewardRedeem": "FORBIDDEN",
        "redemptionCancel": ["NOT_FOUND"],
    }
    assert await stage.kept() == before
    for name in ("member", "purchase", "node"):
        asked, variables = stage.questions()[name]
        assert (await stage.shop.ask(question(name, asked, variables), stranger, **variables))[name] is None


async def test_nodes_are_shown_to_whom_they_belong(stage: Stage) -> None:
    """Everything by its id: to the shop, to the member whose it is, to its owners; to all others null."""
    personal = ("member", "purchase", "refund", "redemption", "transaction")
    public = ("program", "store", "tier", "reward")
    internal = ("segment",)
    kinds = {*personal, *public, *internal, "key"}
    document = "query ($id: ID!) { node(id: $id) { id __typename } }"
    member, stranger = (stage.shop.member_token(stage.ids[name]) for name in ("member", "second"))
    for token, visible in (
        (stage.shop.secret, kinds),
        (await stage.shop.make_operator(Role.OWNER), kinds),
        (await stage.shop.make_operator(Role.VIEWER), {*personal, *public, *internal}),
        (member, {*personal, *public}),
        (stranger, set(public)),
        (stage.shop.publishable, set(public)),
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
    assert {name for name, codes in outcomes.items() if codes == []} == nothing_named
    elsewhere = {"operatorLogin": ["CREDENTIALS_WRONG"], "memberSignIn": ["REFRESH_TOKEN_INVALID"]}
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
        ("purchaseRecord", {**bought, "offset": {"holdId": ids["hold"], "amount": money}}),
        ("pointsTransfer", {"sender": own["member"], "recipient": {"id": ids["member"]}, "points": 1}),
        ("pointsTransfer", {"sender": {"id": ids["member"]}, "recipient": own["member"], "points": 1}),
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
    arguments = {"expiringPoints": "(within: 30)"}
    simple = {"externalId", "phone", "cardNumber", "email", "name", "birthday", "gender", "attributes", "channel"}
    simple |= {"enrolledAt", "tags"}
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
        ("Redemption", "redemption", {"actor"}),
        ("PointTransaction", "transaction", {"actor"}),
        ("Program", "program", {"ruleVersion", "shortfallPolicy", "holdMinutes"}),
    ):
        found = policies(kind)
        assert set(found) == names
        for name, policy in found.items():
            for token, caller in ((member, "member"), (stage.shop.secret, "secret")):
                answer = await stage.shop.send(document % (kind, name), token, id=stage.ids[of])
                assert turned_away(answer) == expected(policy, caller), (kind, name, caller)
