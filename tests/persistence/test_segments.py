"""Segments as they are kept: read by code and by page, and never one more than there may be, whoever saves them."""

import asyncpg
import pytest

from domain import segments
from domain.segments import ArchiveSegment, Criteria, SaveSegment, Segment
from persistence import connection, pages, rows
from persistence import segments as stored
from persistence.engine import Engine
from tests.persistence import engines
from tests.persistence.engines import Shop


def save(code: str, **asked: int) -> SaveSegment:
    return SaveSegment(code=code, name=code, criteria=Criteria(**asked))


@pytest.fixture(params=["one engine", "two engines"])
def shops(request: pytest.FixtureRequest, shop: Shop, other_engine: Engine) -> tuple[Shop, Shop]:
    """The same shop twice, through one engine or through two."""
    return shop, shop if request.param == "one engine" else shop.at(other_engine)


async def kept(own: asyncpg.Connection, shop: Shop) -> tuple[Segment, ...]:
    """Every segment of the shop."""
    return (await engines.books(own, shop.program_id)).of(Segment)


async def test_the_last_room_is_taken_once(
    shops: tuple[Shop, Shop], own: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In ten programs, for two that are not kept apart do not meet every time."""
    monkeypatch.setattr(segments, "SEGMENTS_MAX", 3)
    for _ in range(10):
        shop = await engines.open_shop(shops[0].engine)
        both = shop, shop.at(shops[1].engine)
        told = [both[number % 2].submit(save(f"s-{number}")) for number in range(20)]
        assert engines.tally(await engines.all_answers(told)) == {"done": 3, "SEGMENT_LIMIT_REACHED": 17}
        assert len(await kept(own, shop)) == 3


async def test_one_code_saved_by_many_is_one_segment(shops: tuple[Shop, Shop], own: asyncpg.Connection) -> None:
    told = [shops[number % 2].submit(save("vip", age_min=number)) for number in range(20)]
    assert engines.tally(await engines.all_answers(told)) == {"done": 20}
    (only,) = await kept(own, shops[0])
    assert only.criteria.age_min in range(20)


async def test_saving_and_archiving_at_once_end_in_one_of_both(
    shops: tuple[Shop, Shop], own: asyncpg.Connection
) -> None:
    await shops[0].run(save("vip"))
    commands = [save("vip", age_min=18), ArchiveSegment(code="vip")] * 5
    told = [shops[number % 2].submit(command) for number, command in enumerate(commands)]
    assert engines.tally(await engines.all_answers(told)) == {"done": 10}
    (only,) = await kept(own, shops[0])
    assert only.criteria == Criteria(age_min=18)


async def test_segments_are_read_by_code_and_by_page(shop: Shop, database_url: str) -> None:
    first, second, third = [await shop.run(save(code, age_min=18)) for code in ("a", "b", "c")]
    second = await shop.run(ArchiveSegment(code="b"))
    async with connection.open_database(database_url):
        found = await rows.by_keys(Segment, shop.program_id, "code", ["a", "b", "none"])
        assert found == {"a": first, "b": second}
        assert await rows.by_keys(Segment, engines.new_id(), "code", ["a"]) == {}
        assert await stored.open_ones(shop.program_id) == [first, third]
        whole = pages.Slice(10)
        assert await stored.page(shop.program_id, whole) == [first, second, third]
        assert await stored.page(shop.program_id, whole, is_archived=False) == [first, third]
        assert await stored.page(shop.program_id, whole, is_archived=True) == [second]
        assert await stored.page(shop.program_id, pages.Slice(1, (first.id,))) == [second]
