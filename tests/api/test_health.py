"""Alive, and ready."""

import asyncio

import pytest

from tests.api import tiny_schema


async def test_alive_and_ready() -> None:
    app = tiny_schema.build_app()
    assert (await tiny_schema.send(app, "GET", "/healthz")).json() == {"status": "ok"}
    assert (await tiny_schema.send(app, "GET", "/readyz")).json() == {"status": "ok", "checks": {}}
    assert (await tiny_schema.send(app, "GET", "/nowhere")).status_code == 404


async def test_readiness_says_what_failed_and_not_why(monkeypatch: pytest.MonkeyPatch) -> None:
    async def well() -> None:
        pass

    async def broken() -> None:
        raise OSError(tiny_schema.SECRET)

    async def stuck() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("api.health.CHECK_SECONDS_MAX", 0.01)
    checks = {"postgresql": well, "redis": broken}
    app = tiny_schema.build_app(readiness=checks)
    response = await tiny_schema.send(app, "GET", "/readyz")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "checks": {"postgresql": "ok", "redis": "failed"}}
    app = tiny_schema.build_app(readiness=checks, degradable=["redis"])
    response = await tiny_schema.send(app, "GET", "/readyz")
    assert response.status_code == 200
    assert response.json()["status"] == "degraded"
    response = await tiny_schema.send(tiny_schema.build_app(readiness={"migrations": stuck}), "GET", "/readyz")
    assert response.json() == {"status": "unavailable", "checks": {"migrations": "timeout"}}
