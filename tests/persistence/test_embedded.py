"""The embedded servers: really started, really killed, and none ever left over."""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis import asyncio as aioredis

from persistence import embedded
from persistence.embedded import postgres, processes
from persistence.startup import StartupError
from tests.process import tessera


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with a cluster that holds one row, to be copied."""
    used = tmp_path_factory.mktemp("stopped") / "data"
    with embedded.servers(used) as running:
        execute(running, "CREATE TABLE kept AS SELECT 42 AS answer")
    return used


@pytest.fixture
def kept(stopped: Path, data_dir: Path) -> Path:
    """A data directory with a cluster that holds one row, and nothing running."""
    return tessera.copy(stopped, data_dir)


def execute(running: embedded.Servers, statement: str) -> object:
    """The first value that a statement returns."""

    async def session() -> object:
        connection = await asyncpg.connect(running.database_url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(session())


def ping(running: embedded.Servers) -> object:
    """What Valkey says to a ping."""

    async def session() -> object:
        async with aioredis.from_url(running.redis_url) as client:
            return await client.ping()

    return asyncio.run(session())


def alive(data_dir: Path) -> list[psutil.Process]:
    """Servers that run on this data directory, whoever started them."""
    found = []
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] in {"postgres", "valkey-server"} and process.info["cwd"]:
            found += [process] if Path(process.info["cwd"]).is_relative_to(data_dir) else []
    return found


def killed(data_dir: Path, *, kernel_helps: bool) -> list[psutil.Process]:
    """The servers of a parent that was killed just now; they outlive it unless the kernel tells them."""
    program = f"""
        import pathlib, time
        from persistence import embedded
        from persistence.embedded import processes
        if not {kernel_helps}:
            processes.end_with = lambda parent, death_signal: None
        with embedded.servers(pathlib.Path({str(data_dir)!r})):
            print("ready", flush=True)
            time.sleep(60)
    """
    command = (sys.executable, "-c", textwrap.dedent(program))
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tessera.ROOT) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        running = alive(data_dir)
        parent.kill()
    return running


@pytest.fixture
def strays(kept: Path) -> Iterator[list[psutil.Process]]:
    """Servers on `kept` whose parent is gone, and their end whatever the test does."""
    running = killed(kept, kernel_helps=False)
    yield running
    for process in running:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    tessera.wait_until_gone(running)


def test_both_servers_answer_on_unix_sockets_only(kept: Path) -> None:
    with embedded.servers(kept) as running:
        assert execute(running, "SELECT current_user || '@' || current_database()") == "tessera@tessera"
        assert execute(running, "SELECT inet_server_addr()") is None
        assert ping(running) is True
        connections = [each for process in alive(kept) for each in process.net_connections("inet")]
        assert connections == []


@pytest.mark.parametrize(("durable", "expected"), [(True, "on"), (False, "off")])
def test_durability_is_all_or_nothing(kept: Path, *, durable: bool, expected: str) -> None:
    with embedded.servers(kept, durable=durable) as running:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert execute(running, f"SHOW {name}") == expected


def test_text_is_unicode_and_sorted_alike_on_every_machine(kept: Path) -> None:
    with embedded.servers(kept) as running:
        assert execute(running, "SHOW server_encoding") == "UTF8"
        locale = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()"
        assert execute(running, locale) == "bC.UTF-8"


def test_stop_leaves_no_process_and_no_socket_and_may_be_repeated(kept: Path) -> None:
    running = embedded.start(kept)
    assert len(alive(kept)) > 2
    running.stop()
    running.stop()
    assert alive(kept) == []
    assert list((kept / "sockets").iterdir()) == []


def test_what_was_committed_is_there_after_a_restart(kept: Path) -> None:
    with embedded.servers(kept) as running:
        assert execute(running, "SELECT answer FROM kept") == 42


def test_given_urls_start_nothing(data_dir: Path) -> None:
    with embedded.servers(data_dir, database_url="postgresql://a/b", redis_url="redis://c") as running:
        assert (running.database_url, running.redis_url) == ("postgresql://a/b", "redis://c")
    assert not data_dir.exists()


def test_a_given_database_url_starts_valkey_alone(data_dir: Path) -> None:
    with embedded.servers(data_dir, database_url="postgresql://a/b") as running:
        assert ping(running) is True
        assert [process.name() for process in alive(data_dir)] == ["valkey-server"]


def test_a_given_redis_url_starts_postgres_alone(kept: Path) -> None:
    with embedded.servers(kept, redis_url="redis://c") as running:
        assert execute(running, "SELECT 1") == 1
        assert {process.name() for process in alive(kept)} == {"postgres"}


@pytest.mark.parametrize("name", ["long" * 40, "with blank, comma, 'quotes' and %41 $HOME", "数据"])
def test_any_path_will_do(tmp_path: Path, name: str) -> None:
    with embedded.servers(tmp_path / name) as running:
        assert execute(running, "SELECT 1") == 1
        assert ping(running) is True
        sockets = Path(running.redis_url.removeprefix("unix://")).parent
    assert alive(tmp_path / name) == []
    assert sockets.parent == tmp_path / name or not sockets.exists()


def test_a_stranger_who_took_the_temporary_socket_directory_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir = tmp_path / ("long" * 40)
    with tempfile.TemporaryDirectory() as public:
        Path(public).chmod(0o1777)
        monkeypatch.setattr("tempfile.tempdir", public)
        with embedded.servers(data_dir) as running:
            sockets = Path(running.redis_url.removeprefix("unix://")).parent
        assert sockets.parent == Path(public)
        sockets.symlink_to(tmp_path)
        with pytest.raises(StartupError, match="belongs to someone else"):
            embedded.start(data_dir)
    assert alive(data_dir) == []


def test_the_second_on_a_data_directory_is_told_who_has_it(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOCK_SECONDS_MAX", 0.1)
    with embedded.servers(kept) as running:
        with pytest.raises(embedded.DataDirectoryInUse) as caught:
            embedded.start(kept)
        assert str(caught.value) == (
            f"Another process ({os.getpid()}) already runs on the data directory {kept}; "
            "stop it, or set DATA_DIR to a directory of its own."
        )
        assert execute(running, "SELECT 1") == 1


def test_joining_uses_the_servers_of_another_and_leaves_them_running(kept: Path) -> None:
    with embedded.servers(kept) as running:
        with embedded.servers(kept, joining=True) as joined:
            assert (joined.database_url, joined.redis_url) == (running.database_url, running.redis_url)
        assert execute(running, "SELECT 1") == 1
        assert ping(running) is True


def test_joining_nobody_starts_and_stops_its_own(kept: Path) -> None:
    with embedded.servers(kept, joining=True) as running:
        assert execute(running, "SELECT 1") == 1
    assert alive(kept) == []


def test_servers_that_a_killed_parent_left_behind_are_stopped_and_replaced(
    kept: Path, strays: list[psutil.Process]
) -> None:
    assert all(stray.is_running() for stray in strays)
    with embedded.servers(kept) as running:
        tessera.wait_until_gone(strays)
        assert execute(running, "SELECT answer FROM kept") == 42
        assert ping(running) is True


def test_servers_that_were_killed_themselves_are_replaced(kept: Path, strays: list[psutil.Process]) -> None:
    for stray in strays:
        # PostgreSQL's other processes leave by themselves when its first is gone.
        with contextlib.suppress(psutil.NoSuchProcess):
            stray.kill()
    tessera.wait_until_gone(strays)
    assert (kept / "postgres" / "postmaster.pid").exists()
    # A long path, as a parallel run may have, keeps its sockets elsewhere.
    assert (embedded._socket_directory(kept) / postgres.SOCKET_NAME).exists()
    with embedded.servers(kept) as running:
        assert execute(running, "SELECT answer FROM kept") == 42
        assert ping(running) is True


def test_a_pid_file_whose_number_is_a_strangers_now_harms_nobody(kept: Path) -> None:
    stranger = subprocess.Popen(("sleep", "60"))
    try:
        for name in ("postgres/postmaster.pid", "valkey/valkey.pid"):
            (kept / name).write_text(f"{stranger.pid}\n{kept / 'postgres'}\n1\n5432\n\n\n0 0\nready\n")
        with embedded.servers(kept) as running:
            assert execute(running, "SELECT answer FROM kept") == 42
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_first_start_that_broke_off_is_begun_again(data_dir: Path) -> None:
    unfinished = data_dir / "postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with embedded.servers(data_dir) as running:
        assert execute(running, "SELECT 1") == 1
    assert not unfinished.exists()


def test_a_cluster_of_another_version_is_left_alone(kept: Path) -> None:
    (kept / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(StartupError) as caught:
        embedded.start(kept)
    assert str(caught.value) == (
        f"{kept}/postgres is made by PostgreSQL 17, and this program brings PostgreSQL 18. "
        "Dump and restore it, or choose another DATA_DIR."
    )


def test_a_server_that_cannot_start_says_why_and_takes_the_other_with_it(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "START_PAUSE_SECONDS", 0.0)
    with (kept / "postgres" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(StartupError, match=r"^PostgreSQL did not start: .*postgresql\.conf"):
        embedded.start(kept)
    assert alive(kept) == []
    # The lock is free again: the second try fails for the same reason, not because of the first.
    with pytest.raises(StartupError, match=r"^PostgreSQL did not start"):
        embedded.start(kept)


def test_a_data_directory_that_is_a_file_is_one_sentence(data_dir: Path) -> None:
    data_dir.write_text("")
    with pytest.raises(StartupError, match=r"^The data directory .*/data cannot be used: File exists\.$"):
        embedded.start(data_dir)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may pass directories that are closed to others")
def test_root_may_keep_its_data_where_nobody_else_may_look(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with embedded.servers(closed / "data") as running:
        assert execute(running, "SELECT 1") == 1
        assert ping(running) is True
        assert {process.uids().real for process in alive(closed)} != {0}
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its rights up")
def test_root_keeps_no_right_in_the_servers_where_all_may_pass() -> None:
    if not processes._is_open_to_all(postgres.program_path("postgres")):
        pytest.skip("the environment itself is closed to others")
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        with embedded.servers(Path(directory, "data")):
            for process in alive(Path(directory)):
                assert "CapEff:\t0000000000000000" in Path(f"/proc/{process.pid}/status").read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_killed_parent_takes_the_servers_with_it_and_loses_nothing(kept: Path) -> None:
    before = killed(kept, kernel_helps=True)
    # At once: the old servers may still be on their way out.
    with embedded.servers(kept) as running:
        assert execute(running, "SELECT answer FROM kept") == 42
    tessera.wait_until_gone(before)
    assert alive(kept) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_after_a_killed_parent_nothing_runs_on(kept: Path) -> None:
    tessera.wait_until_gone(killed(kept, kernel_helps=True))
    assert alive(kept) == []
