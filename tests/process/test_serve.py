"""`tessera serve` as its operator sees it: started, stopped, killed, and told wrong things."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

from tests.process import tessera

# Starting on an existing database costs at most so many times what importing the program alone does.
WARM_START_FACTOR_MAX: Final = 5
RESIDENT_BYTES_MAX: Final = 160 * 2**20


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory that does not exist yet."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that was served from and stopped, to be copied."""
    used = tmp_path_factory.mktemp("stopped") / "data"
    with tessera.serving(used) as child:
        child.stop(signal.SIGTERM)
    return used


@pytest.fixture
def used_dir(stopped: Path, data_dir: Path) -> Path:
    """A data directory as the last run left it: made in a tenth of the time of a first start."""
    return tessera.copy(stopped, data_dir)


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_stops_it_and_its_servers_without_a_word(used_dir: Path, number: int, status: int) -> None:
    with tessera.serving(used_dir) as child:
        assert child.answers()
        servers = child.servers()
        assert {process.name() for process in servers} == {"postgres", "valkey-server"}
        assert child.stop(number) == status
        tessera.wait_until_gone(servers)
        assert child.output.read_text().rstrip().endswith(tessera.READY)


@pytest.mark.parametrize("delay_seconds", [0.1, 0.3, 0.5, 0.7, 0.9, 1.1])
def test_a_signal_while_it_starts_stops_it_too(data_dir: Path, delay_seconds: float) -> None:
    process = tessera.launch(data_dir, "serve", output=subprocess.DEVNULL)
    time.sleep(delay_seconds)
    servers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    # Before the first line of ours, Python itself ends by the signal.
    assert process.wait(tessera.END_SECONDS_MAX) in {128 + signal.SIGINT, -signal.SIGINT}
    tessera.wait_until_gone(servers)


def test_killed_and_started_again_it_recovers_by_itself(used_dir: Path) -> None:
    with tessera.serving(used_dir) as child:
        servers = child.servers()
        assert child.stop(signal.SIGKILL) == -signal.SIGKILL
    with tessera.serving(used_dir) as child:
        assert child.answers()
        assert child.stop(signal.SIGTERM) == 0
    tessera.wait_until_gone(servers)


def test_a_second_start_is_quick_and_the_process_is_small(used_dir: Path) -> None:
    before = time.monotonic()
    subprocess.run((sys.executable, "-c", "import api.serve"), cwd=tessera.ROOT, check=True)
    importing_seconds = time.monotonic() - before
    with tessera.serving(used_dir) as child:
        assert child.answers()
        assert child.started_after_seconds < WARM_START_FACTOR_MAX * importing_seconds
        assert psutil.Process(child.process.pid).memory_info().rss < RESIDENT_BYTES_MAX


def test_a_second_process_on_the_data_directory_is_refused(used_dir: Path) -> None:
    with tessera.serving(used_dir) as child:
        refused = tessera.run(used_dir, "serve")
        assert (refused.returncode, refused.stdout) == (
            1,
            f"tessera: Another process ({child.process.pid}) already runs on the data directory {used_dir}; "
            "stop it, or set DATA_DIR to a directory of its own.\n",
        )
        assert child.answers()


def test_other_commands_share_the_servers_of_one_that_serves(used_dir: Path) -> None:
    with tessera.serving(used_dir) as child:
        assert tessera.run(used_dir, "migrate").returncode == 0
        assert child.answers()


def test_a_taken_port_is_found_before_anything_is_started(data_dir: Path, taken_port: int) -> None:
    refused = tessera.run(data_dir, "serve", PORT=str(taken_port))
    assert (refused.returncode, refused.stdout) == (
        1,
        f"tessera: Port {taken_port} of 127.0.0.1 is taken; stop what uses it, or set PORT.\n",
    )
    assert not data_dir.exists()


def test_a_host_that_is_not_ours_is_one_sentence(data_dir: Path) -> None:
    refused = tessera.run(data_dir, "serve", HOST="192.0.2.1")
    assert (refused.returncode, refused.stdout) == (
        1,
        "tessera: HOST 192.0.2.1 and PORT 0 cannot be served: Cannot assign requested address.\n",
    )


@pytest.mark.parametrize(
    ("name", "url", "start"),
    [
        (
            "DATABASE_URL",
            "postgresql://li:hunter2@127.0.0.1:{port}/shop",
            "no session with postgresql://127.0.0.1:{port}/shop: ",
        ),
        (
            "DATABASE_URL",
            "postgresql://li:hunter2@nowhere.invalid/shop",
            "no session with postgresql://nowhere.invalid/shop: ",
        ),
        ("DATABASE_URL", "postgresql://li:hun/ter2@127.0.0.1/shop", "no session with "),
        ("REDIS_URL", "redis://:hunter2@127.0.0.1:{port}/0", "no answer from redis://127.0.0.1:{port}/0: "),
        ("REDIS_URL", "unix:///nowhere/valkey.sock?password=hunter2", "no answer from unix:///nowhere/valkey.sock: "),
    ],
)
def test_a_store_that_is_not_there_is_one_sentence_without_its_password(
    used_dir: Path, name: str, url: str, start: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        refused = tessera.run(used_dir, "serve", **{name: url.format(port=port)})
    assert refused.returncode == 1
    assert refused.stdout.startswith(f"tessera: {name}: {start.format(port=port)}")
    assert refused.stdout.count("\n") == 1
    assert "hun" not in refused.stdout


def test_a_database_that_refuses_us_is_one_sentence(used_dir: Path, server_url: str) -> None:
    url = server_url.replace("/tessera?", "/no_such_database?")
    refused = tessera.run(used_dir, "serve", DATABASE_URL=url)
    assert refused.returncode == 1
    assert refused.stdout.endswith(': database "no_such_database" does not exist.\n')


def test_given_urls_start_no_servers(data_dir: Path, fresh_database_url: str, redis_url: str) -> None:
    with tessera.serving(data_dir, DATABASE_URL=fresh_database_url, REDIS_URL=redis_url) as child:
        assert child.answers()
        assert child.servers() == []


def test_wrong_settings_end_with_status_two(data_dir: Path) -> None:
    refused = tessera.run(data_dir, "serve", PORT="http")
    assert (refused.returncode, refused.stdout) == (
        2,
        "tessera: PORT must be a whole number from 0 to 65535; it is 'http'.\n",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_it_may_stop_with_the_process_that_started_it(used_dir: Path) -> None:
    command = f"{sys.executable} -m api.cli serve --stop-with-parent & echo $!; wait"
    environment = os.environ | {"DATA_DIR": str(used_dir), "PORT": "0", "PYTHONPATH": str(tessera.ROOT)}
    with subprocess.Popen(("sh", "-c", command), stdout=subprocess.PIPE, env=environment, cwd=used_dir.parent) as shell:
        assert shell.stdout is not None
        served = psutil.Process(int(shell.stdout.readline()))
        while tessera.READY.encode() not in shell.stdout.readline():
            pass
        servers = served.children(recursive=True)
        shell.kill()
    tessera.wait_until_gone([served, *servers])
