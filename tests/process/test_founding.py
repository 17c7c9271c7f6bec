"""`tessera program`, `operator`, `key` and `seed` as whoever sets a shop up sees them."""

import json
import re
import stat
from pathlib import Path

import pytest

from tests.process import tessera


@pytest.fixture
def settings(fresh_database_url: str, redis_url: str) -> dict[str, str]:
    """An empty database on the servers of the tests."""
    return {"DATABASE_URL": fresh_database_url, "REDIS_URL": redis_url}


def test_a_shop_is_set_up_in_three_commands(settings: dict[str, str], tmp_path: Path) -> None:
    def run(*arguments: str) -> list[str]:
        done = tessera.run(tmp_path / "data", *arguments, **settings)
        assert done.returncode == 0, done.stdout
        return done.stdout.splitlines()

    made, *hints = run("program", "create", "茶舍", "--currency", "cny")
    name, program_id = made.split()
    assert name == "茶舍"
    assert [hint.split("--program ")[1] for hint in hints] == [program_id, program_id]
    assert run("program", "list") == [f"{program_id}  CNY  {'Asia/Shanghai':<20}  茶舍"]
    operator, password = run("operator", "create", "Li@Example.com", "--role", "manager")
    assert operator == "li@example.com  MANAGER"
    assert re.fullmatch(r"Password: \S{16}", password)
    (secret,) = run("key", "create", "Server", "--scope", "members_read", "--scope", "PURCHASES_WRITE")
    (publishable,) = run("key", "create", "Storefront", "--kind", "publishable", "--program", "茶舍")
    assert (secret[:4], publishable[:4]) == ("tsk_", "tpk_")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("program", "create", "Tea", "--currency", "yuan"), "A currency is written as its three capital letters"),
        (("key", "create", "Server", "--scope", "all"), "There is no program yet; `tessera program create NAME"),
        (("operator", "create", "li@example.com"), "There is no program yet; `tessera program create NAME"),
    ],
)
def test_what_cannot_be_made_is_one_sentence(
    settings: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    refused = tessera.run(tmp_path / "data", *arguments, **settings)
    assert refused.returncode == 2
    assert refused.stdout.startswith(f"tessera: {sentence}")
    assert refused.stdout.count("\n") == 1


def test_the_demo_program_is_made_once_and_its_keys_are_kept_for_their_owner(
    settings: dict[str, str], tmp_path: Path
) -> None:
    data_dir = tmp_path / "data"
    first = tessera.run(data_dir, "seed", **settings)
    assert first.returncode == 0, first.stdout
    kept = json.loads((data_dir / "demo.json").read_text())
    assert stat.S_IMODE((data_dir / "demo.json").stat().st_mode) == 0o600
    assert f"  Secret key      {kept['secret_key']}\n" in first.stdout
    assert f"  Operator        owner@example.com  {kept['operator_password']}\n" in first.stdout
    assert tessera.run(data_dir, "seed", **settings).stdout == first.stdout
    (data_dir / "demo.json").unlink()
    lost = tessera.run(data_dir, "seed", **settings)
    assert lost.returncode == 0
    assert "  tessera key create NAME --program 01941f29-7c00-7000-8000-0000000de300 --scope all\n" in lost.stdout
    assert not (data_dir / "demo.json").exists()


def test_a_database_with_a_program_gets_no_demo_program(settings: dict[str, str], tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    assert tessera.run(data_dir, "program", "create", "Tea", "--currency", "CNY", **settings).returncode == 0
    refused = tessera.run(data_dir, "seed", **settings)
    assert (refused.returncode, refused.stdout) == (
        1,
        "tessera: The database holds a program already; the demo program is made in an empty one only.\n",
    )
