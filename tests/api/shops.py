"""Shops to test the whole way with: the front door, the schema, the engine and a real PostgreSQL.

Every shop is a program of its own in one database, so that all tests also show that programs do not see each other.
"""

import base64
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx
from starlette.applications import Starlette

from api import context, ids, minting
from api.tokens import TokenKind
from domain import access, programs
from domain.access import KeyKind, Role, Scope
from domain.kernel import Command
from persistence import clock

SIGNING_KEY: Final = "a signing key of tests, which is long enough for every algorithm of JSON web tokens"
PASSWORD: Final = "correct horse battery"

_ids = clock.Ids()


class Clock:
    """The program's clock, which a test may put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        """The instant."""
        return clock.now() + self.ahead

    def put(self, at: str) -> None:
        """Let it be a local time of Shanghai from now on, such as 2027-03-04T20:00."""
        self.ahead = datetime.fromisoformat(local(at)) - clock.now()


@dataclass(slots=True)
class World:
    """A running application over one database."""

    app: Starlette
    backend: context.Backend
    clock: Clock

    async def execute(self, command: Command[Any], program_id: UUID) -> Any:
        """Run a command as the command line would."""
        return (await self.backend.engine.execute(command, program_id=program_id, actor="system")).result

    async def send(self, document: str, variables: Mapping[str, Any], token: str | None) -> dict[str, Any]:
        """Send a document and give the whole answer."""
        headers = {"content-type": "application/json"} | ({} if token is None else {"authorization": f"Bearer {token}"})
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
            body = json.dumps({"query": document, "variables": dict(variables)})
            response = await client.post("/graphql", content=body, headers=headers)
        answer: dict[str, Any] = response.json()
        return answer

    async def open_shop(self, currency_code: str = "CNY", **settings: Any) -> "Shop":
        """Found a program with a secret key that has every scope, and a publishable key."""
        program_id = UUID(int=_ids.next_first(clock.now()))
        command = programs.CreateProgram(
            program_id=program_id,
            name="Tea House",
            currency_code=currency_code,
            settings=programs.ProgramSettings(**settings),
        )
        await self.execute(command, program_id)
        shop = Shop(self, program_id)
        shop.secret = await shop.make_key(KeyKind.SECRET, tuple(Scope))
        shop.publishable = await shop.make_key(KeyKind.PUBLISHABLE)
        return shop


@dataclass(slots=True)
class Shop:
    """One program, and short words for what its server asks."""

    world: World
    program_id: UUID
    secret: str = ""
    publishable: str = ""
    currency_code: str = field(default="CNY")

    async def make_key(self, kind: KeyKind, scopes: Sequence[Scope] = ()) -> str:
        """A new key."""
        minted = minting.new_key(kind, self.program_id)
        command = access.CreateApiKey(
            name="test", kind=kind, secret_hash=minted.secret_hash, hint=minted.hint, scopes=tuple(scopes)
        )
        await self.world.execute(command, self.program_id)
        return minted.secret

    async def make_operator(self, role: Role, email: str | None = None) -> str:
        """A token of a new operator, who has no password."""
        command = access.CreateOperator(
            email=email or f"{uuid.uuid4()}@example.com", name="Lin", password_hash="none", role=role
        )
        operator = await self.world.execute(command, self.program_id)
        return self.token(TokenKind.OPERATOR, operator.id)

    def token(self, kind: TokenKind, subject_id: UUID) -> str:
        """A token of this program."""
        backend = self.world.backend
        return backend.tokens.issue(kind, subject_id, self.program_id, backend.now()).token

    def member_token(self, member_id: str) -> str:
        """A token of the member with this global id."""
        return self.token(TokenKind.MEMBER, key_of(member_id))

    async def send(self, document: str, token: str | None = None, /, **variables: Any) -> dict[str, Any]:
        """Send a document, with the secret key unless another token is told; give the whole answer."""
        return await self.world.send(document, variables, token or self.secret)

    async def ask(self, document: str, token: str | None = None, /, **variables: Any) -> Any:
        """Send a document that is to be answered without errors; give its data."""
        answer = await self.send(document, token, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    async def error(self, document: str, token: str | None = None, /, **variables: Any) -> str:
        """Send a document that is to be answered with one top-level error; give its code."""
        answer = await self.send(document, token, **variables)
        (only,) = answer["errors"]
        return str(only["extensions"]["code"])

    async def bad_input(self, document: str, /, **variables: Any) -> bool:
        """Send a document whose variables are to be refused; whether they were, at once and with nothing run."""
        answer = await self.send(document, **variables)
        codes = {error["extensions"]["code"] for error in answer["errors"]}
        return codes == {"BAD_USER_INPUT"} and not answer.get("data")

    async def do(self, name: str, selection: str, token: str | None = None, /, **given: Any) -> Any:
        """Run a mutation that is to be done; give its payload."""
        payload = await self.attempt(name, selection, token, **given)
        assert payload["userErrors"] == [], payload
        return payload

    async def attempt(self, name: str, selection: str, token: str | None = None, /, **given: Any) -> Any:
        """Run a mutation, done or refused; give its payload."""
        return (await self.ask(mutation(name, selection), token, input=given))[name]

    async def refused(self, name: str, token: str | None = None, /, **given: Any) -> dict[str, Any]:
        """Run a mutation that is to be refused; give its one user error."""
        (only,) = (await self.attempt(name, "__typename", token, **given))["userErrors"]
        error: dict[str, Any] = only
        return error

    async def enroll(self, external_id: str = "m-1", **told: Any) -> str:
        """Enroll a member; give its id."""
        given = {"externalId": external_id, "idempotencyKey": key(), **told}
        payload = await self.do("memberEnroll", "member { id }", **given)
        return str(payload["member"]["id"])

    async def grant(self, member_id: str, points: int) -> None:
        """Credit points by hand."""
        given = {"member": {"id": member_id}, "points": points, "reason": "test", "idempotencyKey": key()}
        await self.do("pointsAdjust", "member { id }", **given)

    async def buy(self, member_id: str, amount: str, external_id: str | None = None, **told: Any) -> Any:
        """Record a purchase; give it with the member's account."""
        given = {"member": {"id": member_id}, "externalId": external_id or key(), "amount": self.money(amount)}
        selection = "purchase { id pointsEarned } member { account { available pending debt } } isRepeat isReplay"
        return await self.do("purchaseRecord", selection, **({"idempotencyKey": key()} | given | told))

    async def set_rules(self, *rules: dict[str, Any]) -> int:
        """Put these rules in place of all; give the version in force."""
        payload = await self.do("earningRulesReplace", "ruleVersion", rules=list(rules))
        version: int = payload["ruleVersion"]
        return version

    async def report(self, member_id: str, kind: str, external_id: str | None = None, **told: Any) -> Any:
        """Report an activity; give it with the member's account."""
        given = {"member": {"id": member_id}, "type": kind, "externalId": external_id or key()}
        selection = "activity { id pointsEarned } member { account { available } } isRepeat isReplay"
        return await self.do("activityRecord", selection, **({"idempotencyKey": key()} | given | told))

    async def earned(self, member_id: str) -> list[tuple[str, int]]:
        """What rules gave a member so far: the code of the rule and the points, the oldest first."""
        document = """query ($id: ID!) { member(ref: {id: $id}) {
            pointTransactions(first: 100) { nodes { kind rule amount } } } }"""
        nodes = (await self.ask(document, id=member_id))["member"]["pointTransactions"]["nodes"]
        return [(node["rule"], node["amount"]) for node in reversed(nodes) if node["kind"] == "EARN"]

    async def make_reward(self, points: int = 100, **told: Any) -> str:
        """Put a reward into the mall; give its id."""
        given = {"code": key(), "name": "Tea cup", "points": points, **told}
        payload = await self.do("rewardCreate", "reward { id }", **given)
        return str(payload["reward"]["id"])

    async def account(self, member_id: str) -> dict[str, Any]:
        """A member's figures."""
        document = """query ($id: ID!) { member(ref: {id: $id}) { account {
            status available pending held debt lifetimeEarned lifetimeSpent lifetimeExpired qualifyingPoints } } }"""
        account: dict[str, Any] = (await self.ask(document, id=member_id))["member"]["account"]
        return account

    def money(self, amount: str) -> dict[str, str]:
        """Money in the program's currency."""
        return {"amount": amount, "currencyCode": self.currency_code}


def mutation(name: str, selection: str) -> str:
    """The document of one mutation."""
    kind = name[0].upper() + name[1:] + "Input!"
    return (
        f"mutation ($input: {kind}) {{ {name}(input: $input) {{"
        f" {selection} userErrors {{ code message field details }} }} }}"
    )


def local(at: str) -> str:
    """A local time of Shanghai, such as 2027-03-04T20:00, as an instant."""
    return f"{at}:00+08:00"


def key() -> str:
    """An idempotency key, or a number of the shop's, that nothing else has."""
    return uuid.uuid4().hex


def key_of(global_id: str) -> UUID:
    """The key in a global id."""
    return UUID(base64.urlsafe_b64decode(global_id).decode().partition(":")[2])


def global_id(kind: str, number: int = 1) -> str:
    """The id of a thing that is not there."""
    return ids.encode(kind, UUID(int=number))
