"""The mall: 100,000 voucher codes made and imported, and a catalogue of 10,000 rewards asked by a member."""

import asyncio
import json
import time
from dataclasses import dataclass
from itertools import count
from statistics import median
from typing import Any, Final
from uuid import UUID

import httpx

from api import context, http, schema, settings
from api.tokens import TokenKind
from benchmarks import shop
from domain.audiences import Audience
from domain.members import MemberRef, Profile
from domain.points.commands import AdjustPoints
from domain.profiles import UpdateMember
from domain.rewards.commands import CreateReward, RewardTerms
from domain.rewards.reward import LimitPeriod, PeriodLimit, Picture, Price, Translation
from domain.vouchers import pool, template
from domain.vouchers.pool import GenerateVoucherCodes, ImportVoucherCodes, Supply
from domain.vouchers.template import VoucherKind, VoucherTerms
from persistence import connection, rows

CODES: Final = 100_000
CODES_SECONDS_MAX: Final = 10
REWARDS: Final = 10_000
PAGE_MS_MAX: Final = 15
REQUESTS: Final = 150
SIGNING_KEY: Final = "a signing key of benchmarks, which is long enough for every algorithm"
PAGE: Final = """query ($filter: RewardFilterInput) { rewards(filter: $filter, sort: CHEAPEST) { nodes {
    id code name(language: "en") points stock pictures { url } availability { canRedeem points obstacles { code } } }
    pageInfo { hasNextPage endCursor } } }"""
WHICH: Final = {"isAffordable": True, "isEligible": True, "isRedeemable": True}

_numbers = count()


@dataclass(frozen=True, slots=True)
class Bounded:
    """A figure with its bound, and what the bare statement took in the same run."""

    what: str
    value: float
    unit: str
    bound: float
    reference: str

    def text(self) -> str:
        """The figure as a row of a Markdown table."""
        is_reached = "yes" if self.value <= self.bound else "**no**"
        what = f"{self.what} ({self.reference})"
        return f"| {what} | {self.value:.1f} {self.unit} | at most {self.bound:g} {self.unit} | {is_reached} |"


async def codes(place: shop.Shop) -> list[Bounded]:
    """100,000 codes by commands of 1,000, beside `COPY` of as many rows by the driver alone."""
    made = await _pool(place)
    started = time.perf_counter()
    await asyncio.gather(*(place.tell(GenerateVoucherCodes(pool_id=made, count=1_000)) for _ in range(CODES // 1_000)))
    generated = time.perf_counter() - started
    bare = await _copied(place)
    told = [f"IMPORT-{number // 2 if number % 100 == 0 else number}" for number in range(CODES)]
    imported, duplicates = await _imported(place, told)
    if duplicates != CODES - len(set(told)):
        raise AssertionError(f"{CODES - len(set(told))} duplicates should have been told: {duplicates}")
    left = await rows.fetch('SELECT "left" FROM voucher_pools WHERE id = $1', made)
    if left[0]["left"] != CODES:
        raise AssertionError(f"{CODES} codes should be in the pool: {left}")
    beside = f"bare `COPY` of as many rows: {bare:.1f} s"
    return [
        Bounded("100,000 voucher codes generated", generated, "s", CODES_SECONDS_MAX, beside),
        Bounded("100,000 voucher codes imported, 1 % told twice", imported, "s", CODES_SECONDS_MAX, beside),
    ]


async def _pool(place: shop.Shop) -> UUID:
    terms = VoucherTerms(kind=VoucherKind.AMOUNT_OFF, amount_minor=1_000)
    made = await place.tell(template.CreateVoucherTemplate(code=f"t{next(_numbers)}", name="Off", terms=terms))
    opened = await place.tell(pool.CreateVoucherPool(template_id=made.id, name="Pool", supply=Supply.STOCK))
    key: UUID = opened.id
    return key


async def _imported(place: shop.Shop, told: list[str]) -> tuple[float, int]:
    pool_id = await _pool(place)
    parts = [tuple(told[first : first + 1_000]) for first in range(0, len(told), 1_000)]
    started = time.perf_counter()
    results = await asyncio.gather(*(place.tell(ImportVoucherCodes(pool_id=pool_id, codes=part)) for part in parts))
    return time.perf_counter() - started, sum(len(result.duplicates) for result in results)


async def _copied(place: shop.Shop) -> float:
    """The same columns and indexes, written by the driver with no decision in between."""
    own = await connection.connect(place.address)
    try:
        await own.execute("CREATE TABLE bare_codes (LIKE voucher_codes INCLUDING ALL)")
        records = [
            (UUID(int=number), place.program_id, place.program_id, number + 1, f"BARE-{number}")
            for number in range(CODES)
        ]
        started = time.perf_counter()
        await own.copy_records_to_table("bare_codes", records=records)
        return time.perf_counter() - started
    finally:
        await own.close()


async def catalogue(place: shop.Shop) -> list[Bounded]:
    """The first page of 10,000 rewards, filtered for a member and each one judged, through the whole application."""
    member_id = await _stocked(place)
    backend = context.backend(settings.Settings(_env_file=None), place.engine, None, signing_key=SIGNING_KEY)
    app = http.create_app(schema.build(), context_getter=context.context_getter(backend), readiness={})
    token = backend.tokens.issue(TokenKind.MEMBER, member_id, place.program_id, backend.now()).token
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    body = json.dumps({"query": PAGE, "variables": {"filter": WHICH}})
    taken: list[float] = []
    bare: list[float] = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bench") as client:
        for _ in range(REQUESTS):
            started = time.perf_counter()
            response = await client.post("/graphql", content=body, headers=headers)
            taken.append(time.perf_counter() - started)
            _require_page(response.json())
            started = time.perf_counter()
            await rows.fetch(
                "SELECT id, code, name, points FROM rewards WHERE program_id = $1 ORDER BY points, id LIMIT 21",
                place.program_id,
            )
            bare.append(time.perf_counter() - started)
    beside = f"bare `SELECT` of the page: {median(bare) * 1000:.1f} ms"
    return [Bounded("first page of 10,000 rewards, for a member", median(taken) * 1000, "ms", PAGE_MS_MAX, beside)]


def _require_page(answer: Any) -> None:
    nodes = answer["data"]["rewards"]["nodes"]
    if len(nodes) != 20 or not all(node["availability"]["canRedeem"] for node in nodes):
        raise AssertionError("twenty rewards that the member can have should have been answered")


async def _stocked(place: shop.Shop) -> UUID:
    await asyncio.gather(*(place.tell(_reward(number)) for number in range(REWARDS)))
    member_id = place.member_ids[0]
    ref = MemberRef(id=member_id)
    await place.tell(UpdateMember(member=ref, profile=Profile(tags=("vip",))))
    await place.tell(AdjustPoints(member=ref, points=6_000, reason="bench"))
    await rows.fetch("ANALYZE")
    return member_id


def _reward(number: int) -> CreateReward:
    """One in three is not for the member, one in five has a price of its own, one in seven is sold out."""
    terms = RewardTerms(
        categories=(f"c{number % 20}",),
        pictures=(Picture(url=f"https://example.com/{number}.png"),),
        translations=(Translation(language="en", name=f"Reward {number}"),),
        audience=Audience(without_tags=("vip",)) if number % 3 == 0 else Audience(),
        prices=(Price(points=100, audience=Audience(tags=("vip",))),) if number % 5 == 0 else (),
        limits=(PeriodLimit(period=LimitPeriod.MONTH, quantity=2),) if number % 2 else (),
    )
    stock = 0 if number % 7 == 0 else 100
    return CreateReward(
        code=f"catalogue-{number}", name=f"礼品 {number}", points=100 + number * 7919 % 10_000, stock=stock, terms=terms
    )
