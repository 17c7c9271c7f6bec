"""Programs, operators and keys from the command line: which program is meant, and what is made."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from api import minting
from api.founding import choosing, making
from api.founding.choosing import ProgramUnclear
from api.founding.making import NotMade
from domain.access import KeyKind, Role, Scope
from domain.programs import Program
from persistence import access, founding, rows
from tests.api import conftest, shops

WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"""


@pytest_asyncio.fixture
async def empty(fresh_database_url: str) -> AsyncIterator[shops.World]:
    """A running application on a database without any program."""
    async with conftest._running(fresh_database_url, None) as world:
        yield world


async def found(world: shops.World, name: str) -> Program:
    """A new program."""
    return await making.program(world.backend.engine, name=name, currency_code="CNY", time_zone="Asia/Shanghai")


async def test_the_only_program_needs_no_name(empty: shops.World) -> None:
    with pytest.raises(ProgramUnclear, match="There is no program yet; `tessera program create "):
        await choosing.program(None)
    tea = await found(empty, "Tea")
    assert await choosing.program(None) == tea
    other = await found(empty, "Silk")
    with pytest.raises(ProgramUnclear) as unclear:
        await choosing.program(None)
    assert str(unclear.value) == (
        f"There are several programs; choose one with --program: Tea ({tea.id}), Silk ({other.id})."
    )
    assert unclear.value.exit_status == 2


async def test_a_program_is_chosen_by_name_or_id(empty: shops.World) -> None:
    tea, silk = await found(empty, "Tea"), await found(empty, "Silk")
    assert await choosing.program("Tea") == tea
    assert await choosing.program(str(silk.id)) == silk
    for unknown in ("tea", "019d0000-0000-7000-8000-000000000001"):
        with pytest.raises(ProgramUnclear, match=f"There is no program with the id or name '{unknown}'"):
            await choosing.program(unknown)


async def test_names_that_several_programs_bear_do_not_choose(empty: shops.World) -> None:
    await empty.open_shop()
    await empty.open_shop()
    with pytest.raises(ProgramUnclear, match="Several programs are named 'Tea House'; choose one by its id: "):
        await choosing.program("Tea House")


async def test_a_second_program_of_the_same_name_is_not_made(empty: shops.World) -> None:
    tea = await found(empty, "Tea")
    with pytest.raises(NotMade) as refused:
        await found(empty, " Tea ")
    assert str(refused.value) == f"There is a program named 'Tea' already; its id is {tea.id}."
    assert (await choosing.program(None)).id == tea.id


async def test_who_waits_to_found_keeps_no_reader_from_the_one_that_founds(empty: shops.World) -> None:
    connect = empty.backend.engine.connect

    async def wait() -> None:
        async with founding.one_at_a_time(connect):
            pass

    async with asyncio.timeout(30), founding.one_at_a_time(connect):
        # As many as the pool has readers, all of them waiting for the lock in PostgreSQL.
        waiting = [asyncio.create_task(wait()) for _ in range(4)]
        own = await connect()
        while await own.fetchval(WAITING) < 4:  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.01)
        await own.close()
        assert await rows.fetch("SELECT count(*) FROM programs") == [(0,)]
    await asyncio.gather(*waiting)


async def test_what_the_domain_refuses_is_one_sentence(empty: shops.World) -> None:
    with pytest.raises(NotMade, match=r"'Shanghai' is no IANA time zone; one is written like Asia/Shanghai\."):
        await making.program(empty.backend.engine, name="Tea", currency_code="CNY", time_zone="Shanghai")


async def test_a_key_works_and_only_its_hash_is_kept(empty: shops.World) -> None:
    tea = await found(empty, "Tea")
    made = await making.key(
        empty.backend.engine, "Tea", name="Server", kind=KeyKind.SECRET, scopes=(Scope.PROGRAM_READ,)
    )
    answer = await empty.send("{ program { name } }", {}, made.secret)
    assert answer["data"] == {"program": {"name": "Tea"}}
    assert made.key.secret_hash == minting.hashed(made.secret)
    assert made.key.scopes == (Scope.PROGRAM_READ,)
    with pytest.raises(NotMade, match="A secret key needs at least one scope"):
        await making.key(empty.backend.engine, str(tea.id), name="Server", kind=KeyKind.SECRET, scopes=())


async def test_an_operator_signs_in_with_the_password(empty: shops.World) -> None:
    tea = await found(empty, "Tea")
    engine = empty.backend.engine
    made = await making.operator(engine, None, email="li@example.com", name="Li", role=Role.CLERK, password=None)
    assert await empty.backend.passwords.matches(made.operator.password_hash, made.password)
    stored = await access.find_operator(tea.id, "li@example.com")
    assert (made.operator.role, stored) == (Role.CLERK, made.operator)
    own = await making.operator(
        engine, None, email="wu@example.com", name="Wu", role=Role.OWNER, password=shops.PASSWORD
    )
    assert await empty.backend.passwords.matches(own.operator.password_hash, shops.PASSWORD)
    with pytest.raises(NotMade, match="Another operator of this program has this e-mail address"):
        await making.operator(engine, None, email="li@example.com", name="Li", role=Role.CLERK, password=None)
    with pytest.raises(NotMade, match=r"A password has 10 to 200 characters\."):
        await making.operator(engine, None, email="ma@example.com", name="Ma", role=Role.CLERK, password="short")
