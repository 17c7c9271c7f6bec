"""The demo program: made once, in an empty database only, with credentials that work."""

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
import pytest_asyncio

from api import banner, seed
from domain.programs import CreateProgram
from persistence import clock, founding, rows
from tests.api import conftest, shops


@pytest_asyncio.fixture
async def empty(fresh_database_url: str) -> AsyncIterator[shops.World]:
    """A running application on a database without any program."""
    async with conftest._running(fresh_database_url, None) as world:
        yield world


async def counts() -> dict[str, int]:
    """How many rows each table of the database has."""
    tables = ("programs", "stores", "tiers", "rewards", "members", "purchases", "refunds", "redemptions", "lots")
    more = ("point_transactions", "api_keys", "operators", "receipts", "outbox")
    return {
        table: (await rows.fetch(f"SELECT count(*) AS count FROM {table}"))[0]["count"] for table in (*tables, *more)
    }


async def ask(world: shops.World, document: str, token: str) -> Any:
    """The data of an answer without errors."""
    answer = await world.send(document, {}, token)
    assert "errors" not in answer, answer
    return answer["data"]


def kept(data_dir: Path) -> banner.DemoAccess:
    """The credentials that were kept."""
    known = banner.recall(data_dir)
    assert known is not None
    return known


async def test_it_has_something_of_everything(empty: shops.World, tmp_path: Path) -> None:
    assert await seed.ensure(empty.backend.engine, tmp_path)
    made = await counts()
    assert {name: made[name] for name in ("programs", "stores", "tiers", "rewards", "members")} == {
        "programs": 1,
        "stores": 3,
        "tiers": 3,
        "rewards": 4,
        "members": 6,
    }
    assert {name: made[name] for name in ("purchases", "refunds", "redemptions", "api_keys", "operators")} == {
        "purchases": 9,
        "refunds": 1,
        "redemptions": 2,
        "api_keys": 2,
        "operators": 1,
    }
    found = await rows.fetch(
        "SELECT members.external_id, accounts.available, tiers.name FROM points_accounts AS accounts"
        " JOIN members USING (id) JOIN tiers ON tiers.id = accounts.tier_id ORDER BY external_id"
    )
    # 100 for the first purchase, 50 from 300 yuan on, and 100 and 300 for reaching silver and gold.
    assert [tuple(record) for record in found] == [
        # 100 + (3299 + 50 + 100) + 100 + (floor(2199 × 1.2) + 50) + 300 + (floor(899 × 1.5) + 50) − 2999
        ("demo-1", 5036, "金卡"),
        # 100 + (1280 + 50 + 100) + 100 + (floor(399.9 × 1.2) + 50) − 100
        ("demo-2", 2059, "银卡"),
        # 100 + (268 + 100) − 100
        ("demo-3", 368, "普通"),
        # Signed up with 100, bought for 99.90 and 100 for the first time.
        ("demo-4", 299, "普通"),
        ("demo-5", 100, "普通"),
        # 100 + (5600 + 50 + 100) + 300 + floor(128 × 1.5)
        ("demo-6", 6342, "金卡"),
    ]


async def test_its_voucher_is_a_real_one(empty: shops.World, tmp_path: Path) -> None:
    """100 points are 10 yuan off, in the member's hand at once."""
    await seed.ensure(empty.backend.engine, tmp_path)
    document = """{ member(ref: {externalId: "demo-2"}) {
        redemptions { nodes { state points reward { code kind } } }
        vouchers { nodes { state origin template { terms { kind amount { amount } days } } } } } }"""
    found = await ask(empty, document, kept(tmp_path).secret_key)
    assert found["member"] == {
        "redemptions": {
            "nodes": [{"state": "FULFILLED", "points": 100, "reward": {"code": "VOUCHER-10", "kind": "VOUCHER"}}]
        },
        "vouchers": {
            "nodes": [
                {
                    "state": "ISSUED",
                    "origin": "REDEMPTION",
                    "template": {"terms": {"kind": "AMOUNT_OFF", "amount": {"amount": "10.00"}, "days": 30}},
                }
            ]
        },
    }


async def test_a_storefront_sees_its_board_its_challenge_and_its_wheel(empty: shops.World, tmp_path: Path) -> None:
    await seed.ensure(empty.backend.engine, tmp_path)
    document = """{ leaderboards { nodes { code metric window } } challenges { code reward { points } }
        lottery(code: "wheel") { publishedAt prizes { name } odds { code probability } } }"""
    assert await ask(empty, document, kept(tmp_path).publishable_key) == {
        "leaderboards": {"nodes": [{"code": "month", "metric": "POINTS_EARNED", "window": "MONTH"}]},
        "challenges": [{"code": "three-a-month", "reward": {"points": 50}}],
        "lottery": {
            "publishedAt": ANY,
            "prizes": [{"name": "10 元优惠券"}, {"name": "20 积分"}, {"name": "谢谢参与"}],
            "odds": [
                {"code": "voucher", "probability": "0.050000000000"},
                {"code": "points", "probability": "0.200000000000"},
                {"code": "none", "probability": "0.750000000000"},
            ],
        },
    }


async def test_its_credentials_work_and_only_their_owner_can_read_them(empty: shops.World, tmp_path: Path) -> None:
    await seed.ensure(empty.backend.engine, tmp_path)
    known = kept(tmp_path)
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    document = "{ program { name currencyCode timeZone } }"
    expected = {"program": {"name": "Tessera Demo", "currencyCode": "CNY", "timeZone": "Asia/Shanghai"}}
    assert await ask(empty, document, known.secret_key) == expected
    assert await ask(empty, document, known.publishable_key) == expected
    login = shops.mutation("operatorLogin", "token operator { role }")
    given = {"email": known.operator_email, "password": known.operator_password}
    answer = await empty.send(login, {"input": given}, known.publishable_key)
    assert answer["data"]["operatorLogin"]["operator"] == {"role": "OWNER"}
    assert await ask(empty, document, answer["data"]["operatorLogin"]["token"]) == expected


async def test_again_it_changes_nothing(empty: shops.World, tmp_path: Path) -> None:
    await seed.ensure(empty.backend.engine, tmp_path)
    before, known = await counts(), kept(tmp_path)
    assert await seed.ensure(empty.backend.engine, tmp_path)
    assert (await counts(), kept(tmp_path)) == (before, known)


async def test_processes_that_start_together_make_it_once(empty: shops.World, tmp_path: Path) -> None:
    places = [tmp_path / str(number) for number in range(4)]
    assert all(await asyncio.gather(*(seed.ensure(empty.backend.engine, place) for place in places)))
    assert (await counts())["api_keys"] == 2
    # Only the one that made it knows the credentials; no other shows some that do not work.
    assert [banner.recall(place) is not None for place in places].count(True) == 1


async def test_a_database_with_a_program_is_left_alone(empty: shops.World, tmp_path: Path) -> None:
    await empty.open_shop()
    before = await counts()
    assert not await seed.ensure(empty.backend.engine, tmp_path)
    assert await counts() == before
    assert not (tmp_path / "demo.json").exists()


@pytest.mark.parametrize("kept_keys", [True, False])
@pytest.mark.parametrize("step", ["program", "tier:银卡", "pool:VOUCHER-10", "DEMO-1004", "redemption:demo-1"])
async def test_one_that_was_interrupted_is_completed(
    empty: shops.World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, kept_keys: bool
) -> None:
    tell = seed._tell

    async def crashing(engine: Any, what: str, command: Any) -> Any:
        result = await tell(engine, what, command)
        if what == step:
            raise RuntimeError("crash")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(seed, "_tell", crashing)
        with pytest.raises(RuntimeError, match="crash"):
            await seed.ensure(empty.backend.engine, tmp_path)
    if not kept_keys:
        (tmp_path / "demo.json").unlink()
    assert await seed.ensure(empty.backend.engine, tmp_path)
    made = await counts()
    assert (made["members"], made["purchases"], made["redemptions"], made["api_keys"]) == (6, 9, 2, 2)
    assert await ask(empty, "{ program { name } }", kept(tmp_path).secret_key) == {"program": {"name": "Tessera Demo"}}


async def test_other_programs_may_be_made_beside_it(empty: shops.World, tmp_path: Path) -> None:
    await seed.ensure(empty.backend.engine, tmp_path)
    program_id = clock.make_id(clock.Ids().next_first(clock.now()) + 1)
    await empty.execute(CreateProgram(program_id=program_id, name="Shop", currency_code="CNY"), program_id)
    assert [program.name for program in await founding.programs(10)] == ["Tessera Demo", "Shop"]
    assert await seed.ensure(empty.backend.engine, tmp_path)
