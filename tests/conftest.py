"""What every test may ask for: addresses of real servers, and a database of its own."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests import servers

_RUN = pytest.StashKey[servers.Run]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Start the servers in the process that is about to start the workers, while it has only one thread."""
    _run(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each worker where the one pair of servers is."""
    running = _run(node.config).servers
    node.workerinput |= {"database_url": running.database_url, "redis_url": running.redis_url}


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers in the process that started them, however the run ends."""
    if _RUN in config.stash:
        servers.end(config.stash[_RUN])


@pytest.fixture(scope="session")
def server_url(pytestconfig: pytest.Config) -> str:
    """The PostgreSQL of this run, with the migrated database that nobody may write to."""
    return _address(pytestconfig, "database_url")


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Iterator[str]:
    """A migrated database of this worker's own, shared by its tests."""
    url = servers.create_database(server_url, _worker())
    yield url
    servers.drop_database(server_url, url)


@pytest.fixture
def fresh_database_url(server_url: str) -> Iterator[str]:
    """A migrated database that no other test has seen."""
    url = servers.create_database(server_url, f"{_worker()}_fresh")
    yield url
    servers.drop_database(server_url, url)


@pytest.fixture(scope="session")
def redis_url(pytestconfig: pytest.Config) -> str:
    """A numbered database of this worker's own in the Valkey of this run."""
    number = int("".join(filter(str.isdigit, _worker())) or 0) + 1
    return f"{_address(pytestconfig, 'redis_url')}?db={number}"


def _worker() -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "alone")


def _run(config: pytest.Config) -> servers.Run:
    # Started only when somebody asks: tests of the domain need no server.
    if _RUN not in config.stash:
        config.stash[_RUN] = servers.begin()
    return config.stash[_RUN]


def _address(config: pytest.Config, name: str) -> str:
    given = getattr(config, "workerinput", None)
    return str(given[name] if given else getattr(_run(config).servers, name))
