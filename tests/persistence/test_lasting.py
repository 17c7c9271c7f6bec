"""Configuration that never changes is read once: by the engine, by previews and by reads, and only once committed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from tortoise import Tortoise

from domain import programs
from domain.challenges.challenge_sets import ChallengeSet
from domain.kernel import FAMILY, Command, Decision, Row, State, Want
from domain.lotteries.lottery import LotterySeed
from domain.points.account import PointsAccount
from persistence import clock, connection, previews, rows
from persistence.engine import Engine
from persistence.lasting import Lasting
from persistence.registry import KIND_ORDER, EarningRules
from tests.persistence import engines
from tests.persistence.conftest import Starting
from tests.persistence.engines import Shop

PROGRAM_ID = UUID(int=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall(Command[Any]):
    """Answer a version of the rules, or None."""

    version: int

    def decide(self, state: State) -> Decision[Any]:
        return Decision(state.find_by(EarningRules, "version", self.version))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Command[Any]):
    """A new version of the rules; with `is_lie`, beside a row that no table takes."""

    member_id: UUID
    is_lie: bool = False

    def decide(self, state: State) -> Decision[Any]:
        program = state.change(programs.Program, state.program_id)
        before = state.find_by(EarningRules, "version", program.rule_version)
        assert before is not None
        version = program.rule_version + 1
        after = replace(before, id=state.new_id(), version=version, created_at=state.now)
        account = state.get(PointsAccount, self.member_id)
        lie = (replace(account, available=-1),) if self.is_lie else ()
        return Decision(after, save=(replace(program, rule_version=version), after, *lie))


@dataclass(slots=True)
class Asked:
    """A shop, and every statement on the rules that went to PostgreSQL."""

    shop: Shop
    statements: list[str]

    def log(self, record: Any) -> None:
        if "FROM earning_rules" in record.query or "JOIN earning_rules" in record.query:
            self.statements.append(record.query)

    async def recall(self, version: int) -> Any:
        """A version of the rules through the engine."""
        return await self.shop.run(Recall(version=version))


@pytest_asyncio.fixture
async def asked(starting: Starting, database_url: str) -> AsyncIterator[Asked]:
    """A shop, and the pool, whose statements on rules are heard."""
    found = Asked(Shop(None, PROGRAM_ID), [])  # type: ignore[arg-type]

    async def connect() -> asyncpg.Connection:
        opened = await connection.connect(connection.parse_url(database_url))
        opened.add_query_logger(found.log)
        return opened

    async with connection.open_database(database_url, pool_size=1), starting(Engine(connect)) as running:
        found.shop = await engines.open_shop(running)
        async with connection.acquire() as reader:
            reader.add_query_logger(found.log)
        yield found
        await Tortoise.close_connections()


def test_rules_challenges_and_seeds_are_what_lasts() -> None:
    lasting = {kind for kind in KIND_ORDER if kind.is_fact and kind.is_configuration}
    assert lasting == {EarningRules, ChallengeSet, LotterySeed}


def rule_set(version: int) -> Row:
    return EarningRules(
        id=UUID(int=version + 100), program_id=PROGRAM_ID, version=version, rules=(), created_at=clock.now()
    )


def test_those_asked_for_last_stay() -> None:
    lasting = Lasting(2)
    first, second, third = wants = [Want(EarningRules, version, "version") for version in (1, 2, 3)]
    for want, row in zip(wants, kept := [rule_set(1), rule_set(2), rule_set(3)], strict=True):
        lasting.keep(PROGRAM_ID, want, row)
        assert lasting.find(PROGRAM_ID, first) is kept[0]
    assert [lasting.find(PROGRAM_ID, want) for want in wants] == [kept[0], None, kept[2]]
    assert lasting.find(UUID(int=2), third) is None
    lasting.keep(PROGRAM_ID, second, kept[1])
    assert [lasting.find(PROGRAM_ID, want) for want in wants] == [None, kept[1], kept[2]]


@pytest.mark.parametrize(
    "want",
    [
        Want(PointsAccount, UUID(int=101)),
        Want(programs.Program, UUID(int=101)),
        Want(EarningRules, PROGRAM_ID, FAMILY),
        Want(EarningRules, 1, "version", is_locked=True),
        Want(EarningRules, 1, "version", then=PointsAccount),
    ],
)
def test_what_may_change_or_must_be_locked_is_asked_of_the_database(want: Want) -> None:
    lasting = Lasting(2)
    lasting.keep(PROGRAM_ID, Want(EarningRules, 1, "version"), rule_set(1))
    lasting.keep(PROGRAM_ID, want, rule_set(1))
    assert lasting.find(PROGRAM_ID, want) is None


async def test_a_version_is_read_once_by_whoever_asks_first(asked: Asked) -> None:
    program_id = asked.shop.program_id
    first = await asked.recall(1)
    assert len(asked.statements) == 1
    assert await asked.recall(1) is first
    assert (await rows.by_keys(EarningRules, program_id, "version", [1]))[1] is first
    recall = Recall(version=1)
    assert await previews.preview(recall, program_id=program_id, actor="till", now=clock.now()) is first
    assert len(asked.statements) == 1
    by_id = await rows.by_ids(EarningRules, program_id, [first.id])
    assert by_id == {first.id: first}
    assert (await rows.by_ids(EarningRules, program_id, [first.id]))[first.id] is by_id[first.id]
    assert len(asked.statements) == 2


async def test_what_a_read_has_read_the_engine_knows(asked: Asked) -> None:
    found = await rows.by_keys(EarningRules, asked.shop.program_id, "version", [1, 2])
    assert list(found) == [1]
    assert await asked.recall(1) is found[1]
    assert len(asked.statements) == 1


async def test_only_what_is_missing_is_asked_for(asked: Asked) -> None:
    member_id = await asked.shop.enroll()
    second = await asked.shop.run(Change(member_id=member_id))
    assert len(asked.statements) == 1
    found = await rows.by_keys(EarningRules, asked.shop.program_id, "version", [1, 2])
    assert (found[1].version, found[2]) == (1, second)
    assert len(asked.statements) == 2
    assert await rows.by_keys(EarningRules, asked.shop.program_id, "version", [2, 1]) == found
    assert len(asked.statements) == 2


async def test_that_there_is_no_version_is_not_kept(asked: Asked) -> None:
    member_id = await asked.shop.enroll()
    assert await asked.recall(2) is None
    assert await rows.by_keys(EarningRules, asked.shop.program_id, "version", [2]) == {}
    second = await asked.shop.run(Change(member_id=member_id))
    assert await asked.recall(2) == second


async def test_a_version_that_was_not_committed_is_not_kept(asked: Asked) -> None:
    """Not even for the command behind it in the same batch."""
    shop = asked.shop
    member_id = await shop.enroll()
    told = [shop.submit(command) for command in (Change(member_id=member_id, is_lie=True), Recall(version=2))]
    lie, recalled = await engines.all_answers(told)
    assert (type(lie), recalled.result) == (asyncpg.CheckViolationError, None)
    assert await asked.recall(2) is None
    second = await shop.run(Change(member_id=member_id))
    assert await asked.recall(2) == second


async def test_an_engine_that_starts_has_forgotten(asked: Asked, starting: Starting) -> None:
    """It may be on another database, which knows the same program otherwise."""
    first = await asked.recall(1)
    async with starting():
        again = await asked.recall(1)
    assert again == first
    assert again is not first
