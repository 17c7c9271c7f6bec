"""A shop at a real server: founded beside it in its database, and asked over HTTP as a storefront would.

What PostgreSQL has is read by connections of the test's own, so that no answer of the server is its own witness.
"""

import asyncio
import base64
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import httpx

from api import minting
from domain import access
from persistence import connection
from tests.api import shops
from tests.persistence import engines
from tests.process.tessera import Child

REQUEST_SECONDS_MAX: Final = 120.0


def store_url(child: Child, name: str) -> str:
    """Where a server's `PostgreSQL` or `Valkey` is, as its banner says."""
    line = next(line for line in child.output.read_text().splitlines() if line.split()[:1] == [name])
    return line.split()[1]


@dataclass(frozen=True, slots=True)
class Founded:
    """A program, a secret key of it, and members with points."""

    program_id: UUID
    secret: str
    member_ids: tuple[UUID, ...]
    reward_id: UUID


async def found(url: str, *, members: int, points: int, stock: int) -> Founded:
    """Make a shop straight in the database."""
    engine = engines.make(url)
    await engine.start()
    try:
        shop = await engines.open_shop(engine)
        minted = minting.new_key(access.KeyKind.SECRET, shop.program_id)
        await shop.run(
            access.CreateApiKey(
                name="test",
                kind=access.KeyKind.SECRET,
                secret_hash=minted.secret_hash,
                hint=minted.hint,
                scopes=tuple(access.Scope),
            )
        )
        member_ids = tuple([await shop.member_with(points) for _ in range(members)])
        return Founded(shop.program_id, minted.secret, member_ids, await shop.reward(points=10, stock=stock))
    finally:
        await engine.stop()


async def books(url: str, program_id: UUID) -> engines.Books:
    """All that the database has of a program."""
    own = await connection.connect(connection.parse_url(url))
    try:
        return await engines.books(own, program_id)
    finally:
        await own.close()


async def receipt_keys(url: str, program_id: UUID) -> list[str]:
    """The idempotency keys of what was done."""
    own = await connection.connect(connection.parse_url(url))
    try:
        found = await own.fetch("SELECT idempotency_key FROM receipts WHERE program_id = $1", program_id)
        return [key for (key,) in found]
    finally:
        await own.close()


def global_id(kind: str, key: UUID) -> str:
    """The id of a row as the schema writes it."""
    return base64.urlsafe_b64encode(f"{kind}:{key}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Mutation:
    """One mutation with its input. The idempotency key is in the input."""

    name: str
    selection: str
    given: dict[str, Any]

    @property
    def key(self) -> str:
        return str(self.given["idempotencyKey"])


def buying(member_id: UUID, external_id: str, key: str) -> Mutation:
    """A purchase of 1 yuan, which earns 1 point."""
    amount = {"amount": "1.00", "currencyCode": "CNY"}
    member = {"id": global_id("Member", member_id)}
    given = {"member": member, "externalId": external_id, "amount": amount, "idempotencyKey": key}
    return Mutation("purchaseRecord", "purchase { id externalId pointsEarned } isReplay", given)


def adjusting(member_id: UUID, points: int, key: str) -> Mutation:
    """A credit or debit by hand."""
    member = {"id": global_id("Member", member_id)}
    given = {"member": member, "points": points, "reason": "test", "idempotencyKey": key}
    return Mutation("pointsAdjust", "member { id } isReplay", given)


def redeeming(member_id: UUID, reward_id: UUID, key: str) -> Mutation:
    """A redemption."""
    member, reward = {"id": global_id("Member", member_id)}, global_id("Reward", reward_id)
    given = {"member": member, "rewardId": reward, "idempotencyKey": key}
    return Mutation("rewardRedeem", "redemption { id } isReplay", given)


@dataclass(slots=True)
class Load:
    """Mutations told by many callers at once to one or several servers, and what each was answered."""

    founded: Founded
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    unanswered: list[Mutation] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    has_answered: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def tell(self, urls: Iterable[str], mutations: Iterable[Mutation], *, callers: int) -> None:
        """Tell every mutation once, to each server in turn. Returns when all are answered or failed."""
        waiting = iter(mutations)
        places = list(urls)
        headers = {"authorization": f"Bearer {self.founded.secret}"}
        async with httpx.AsyncClient(headers=headers, timeout=REQUEST_SECONDS_MAX) as client:
            turns = (self._call(client, places[number % len(places)], waiting) for number in range(callers))
            await asyncio.gather(*turns)

    async def _call(self, client: httpx.AsyncClient, url: str, waiting: Iterator[Mutation]) -> None:
        for mutation in waiting:
            document = shops.mutation(mutation.name, mutation.selection)
            body = {"query": document, "variables": {"input": mutation.given}}
            try:
                response = await client.post(f"{url}/graphql", json=body)
            except httpx.TransportError as error:
                self.errors[type(error).__name__] += 1
                self.unanswered.append(mutation)
                continue
            await self._note(mutation, response.json())

    async def _note(self, mutation: Mutation, answer: dict[str, Any]) -> None:
        if "errors" in answer:
            self.errors[answer["errors"][0]["extensions"]["code"]] += 1
            self.unanswered.append(mutation)
            return
        async with self.has_answered:
            self.answers[mutation.key] = answer["data"][mutation.name]
            self.has_answered.notify_all()

    async def until_answered(self, count: int) -> None:
        """Wait until that many were answered."""
        async with self.has_answered:
            await self.has_answered.wait_for(lambda: len(self.answers) >= count)

    def refusals(self) -> Counter[str]:
        """How many were done, and how many were refused with which code."""
        return Counter(
            payload["userErrors"][0]["code"] if payload["userErrors"] else "done" for payload in self.answers.values()
        )
