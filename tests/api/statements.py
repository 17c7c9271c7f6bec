"""Counting the statements that a request sends to PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that fetches rows, from any connection of this process, while the context lasts."""
    seen: list[str] = []
    fetch = asyncpg.Connection.fetch

    async def noted(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        seen.append(query)
        return await fetch(self, query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(asyncpg.Connection, "fetch", noted)
        yield seen
