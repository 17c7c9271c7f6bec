"""A furnished shop, its printed policies, and all that is kept of it: what tests of access and of refusals stand on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

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
from tests.api.boards_stage import BoardsStage
from tests.api.deal_stage import DealStage
from tests.api.flash_sale_stage import FlashSaleStage
from tests.api.friends_stage import FriendsStage
from tests.api.goal_stage import GoalStage
from tests.api.lottery_stage import LotteryStage
from tests.api.mall_stage import MallStage
from tests.api.shops import PASSWORD, Shop, key
from tests.api.sign_in_stage import SignInStage


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


class Stage(MallStage, FlashSaleStage, BoardsStage, SignInStage, LotteryStage, GoalStage, FriendsStage, DealStage):
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
        tier = {"name": "Gold", "rank": 1, "threshold": 10**6}
        ids["tier"] = (await shop.do("tierCreate", "tier { id }", **tier))["tier"]["id"]
        given = {"code": "gold", "name": "Gold", "criteria": {"tierIds": [ids["tier"]]}}
        ids["segment"] = (await shop.do("segmentSave", "segment { id }", **given))["segment"]["id"]
        share = {"code": "share", "kind": "FIXED", "points": 5, "trigger": "ACTIVITY", "activityType": "share"}
        frame = {"code": "spring", "name": "Spring", "audience": {"withoutTags": ["staff"]}, "budget": 10**6}
        await shop.do("campaignSave", "ruleVersion", campaign=frame | self.span(), rules=[share])
        ids["reward"] = await shop.make_reward(1)
        ids["purchase"] = (await shop.buy(ids["member"], "1000", "o-1"))["purchase"]["id"]
        shared = {"member": {"id": ids["member"]}, "type": "share", "externalId": "a-1", "idempotencyKey": key()}
        ids["activity"] = (await shop.do("activityRecord", "activity { id }", **shared))["activity"]["id"]
        refund = {"purchase": {"id": ids["purchase"]}, "refundId": "r-1", "amount": shop.money("1")}
        payload = await shop.do("purchaseRefund", "refund { id }", **refund, idempotencyKey=key())
        ids["refund"] = payload["refund"]["id"]
        redeem = {"member": {"id": ids["member"]}, "rewardId": ids["reward"], "idempotencyKey": key()}
        ids["redemption"] = (await shop.do("rewardRedeem", "redemption { id }", **redeem))["redemption"]["id"]
        await self.furnish_mall()
        await self.furnish_flash_sales()
        await self.furnish_boards()
        await self.furnish_sign_in()
        await self.furnish_lotteries()
        await self.furnish_goals()
        await self.furnish_friends()
        await self.furnish_deals()
        hold = {"member": {"id": ids["member"]}, "points": 5, "idempotencyKey": key()}
        ids["hold"] = (await shop.do("pointsHold", "hold { id }", **hold))["hold"]["id"]
        made = await shop.do("apiKeyCreate", "apiKey { id }", name="k", kind="SECRET", scopes=["PROGRAM_READ"])
        ids["key"] = made["apiKey"]["id"]
        history = "query ($id: ID!) { member(ref: {id: $id}) { pointTransactions(first: 1) { nodes { id } } } }"
        found = await shop.ask(history, id=ids["member"])
        ids["transaction"] = found["member"]["pointTransactions"]["nodes"][0]["id"]
        ids["program"] = (await shop.ask("{ program { id } }"))["program"]["id"]

    def span(self) -> dict[str, str]:
        """From yesterday to a month from now."""
        now = self.shop.world.clock()
        return {"startsAt": (now - timedelta(days=1)).isoformat(), "endsAt": (now + timedelta(days=30)).isoformat()}

    def inputs(self) -> dict[str, dict[str, Any]]:
        """What every mutation is told, naming things of the shop wherever something is named."""
        ids, money, once = self.ids, self.shop.money("1"), {"idempotencyKey": key()}
        member = {"member": {"id": ids["member"]}}
        row = {**member, **once, "externalId": key(), "amount": money, "storeId": ids["store"]}
        rule = {"code": "base", "kind": "FIXED", "points": 1, "conditions": {"storeIds": [ids["store"]]}}
        frame = {"code": "summer", "name": "Summer", "audience": {"tierIds": [ids["tier"]]}, **self.span()}
        until = self.span()["endsAt"][:10]
        return {
            "programUpdate": {"name": "Tea House"},
            "storeCreate": {"code": key(), "name": "Hill"},
            "storeUpdate": {"storeId": ids["store"], "name": "Lake"},
            "tierCreate": {"name": key(), "rank": 2, "threshold": 2 * 10**6},
            "tierUpdate": {"tierId": ids["tier"], "name": "Golden"},
            "earningRuleSave": {"rule": rule},
            "earningRuleRemove": {"code": "share"},
            "earningRulesReplace": {"rules": [rule]},
            "campaignSave": {"campaign": frame},
            "campaignRemove": {"code": "spring", "removesRules": True},
            "segmentSave": {"code": key(), "name": "River", "criteria": {"storeIds": [ids["store"]]}},
            "segmentArchive": {"code": "gold"},
            "memberEnroll": {**once, "externalId": key(), "storeId": ids["store"]},
            "memberUpdate": {**member, "name": "Eve"},
            "memberFreeze": {"member": {"id": ids["second"]}, "reason": "test"},
            "memberUnfreeze": {"member": {"id": ids["second"]}, "reason": "test"},
            "memberTierSet": {**member, "tierId": ids["tier"], "until": until, "reason": "test"},
            "memberTierEnd": {**member, "reason": "test"},
            "activityRecord": {**member, **once, "type": "share", "externalId": key(), "storeId": ids["store"]},
            "activityReverse": {**once, "activityId": ids["activity"], "reason": "test"},
            "pointsAdjust": {**member, **once, "points": 1, "reason": "test"},
            "pointsTransfer": {**once, "sender": member["member"], "recipient": {"id": ids["second"]}, "points": 1},
            "pointsHold": {**member, **once, "points": 1},
            "pointsCapture": {**once, "holdId": ids["hold"]},
            "pointsRelease": {**once, "holdId": ids["hold"]},
            "purchaseRecord": row,
            "purchasesRecord": {"rows": [row]},
            "purchaseConfirm": {**once, "purchaseId": ids["purchase"]},
            "purchaseRefund": {**once, "purchase": {"id": ids["purchase"]}, "refundId": key(), "amount": money},
            **self._inputs_of_features(),
            "operatorLogin": {"email": "nobody@example.com", "password": PASSWORD},
            "operatorCreate": {"email": f"{key()}@example.com", "name": "Lin", "password": PASSWORD, "role": "VIEWER"},
            "apiKeyCreate": {"name": "k", "kind": "PUBLISHABLE"},
            "apiKeyRevoke": {"apiKeyId": ids["key"]},
            "memberTokenCreate": member,
            "memberSignIn": {"refreshToken": "trt_none"},
        }

    def _inputs_of_features(self) -> dict[str, dict[str, Any]]:
        return {
            **self.mall_inputs(),
            **self.flash_sale_inputs(),
            **self.boards_inputs(),
            **self.sign_in_inputs(),
            **self.lottery_inputs(),
            **self.goal_inputs(),
            **self.friends_inputs(),
            **self.deal_inputs(),
        }

    def questions(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """How every query is asked, naming things of the shop wherever something is named."""
        ids = self.ids
        page = "{ nodes { id } }"
        return {
            "program": ("program { id }", {}),
            "stores": (f"stores {page}", {}),
            "tiers": ("tiers { id }", {}),
            "campaigns": ("campaigns { code }", {}),
            "calendar": ("calendar { campaigns { code } }", {}),
            "earningPreview": (
                'earningPreview(input: {amount: {amount: "1", currencyCode: "CNY"}}) { pointsEarned }',
                {},
            ),
            "segments": (f"segments {page}", {}),
            "me": ("me { id }", {}),
            "member": ("member(ref: {id: $id}) { id }", {"id": ids["member"]}),
            "members": (f"members {page}", {}),
            "purchase": ("purchase(ref: {id: $id}) { id }", {"id": ids["purchase"]}),
            "rewards": (f"rewards {page}", {}),
            **self.mall_questions(),
            **self.flash_sale_questions(),
            **self.boards_questions(),
            **self.sign_in_questions(),
            **self.lottery_questions(),
            **self.goal_questions(),
            **self.friends_questions(),
            **self.deal_questions(),
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

    async def kept(self) -> dict[str, list[str]]:
        """All that the store keeps of the shop: what must not change when somebody else asks."""
        return await kept(self.shop)


async def kept(shop: Shop) -> dict[str, list[str]]:
    """All that the store keeps of a shop, table by table: what a refusal or a preview must not change."""
    found = {}
    for table in TABLES.values():
        statement = f"SELECT t::text AS kept FROM {table.name} AS t WHERE program_id = $1 ORDER BY id"
        found[table.name] = [record["kept"] for record in await rows.fetch(statement, shop.program_id)]
    return found
