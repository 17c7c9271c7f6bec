"""Is the process alive, and is it ready: two plain questions that orchestrators and load balancers ask."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

logger = logging.getLogger("tessera.api")

Check = Callable[[], Awaitable[None]]
"""A readiness check: returns when all is well, raises when not."""

CHECK_SECONDS_MAX = 2.0


def routes(checks: Mapping[str, Check], degradable: Collection[str]) -> list[Route]:
    """Give the routes ``/healthz`` and ``/readyz``; see ``readiness`` for the arguments."""

    async def readyz(_request: Request) -> Response:
        return await readiness(checks, degradable)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


async def healthz(_request: Request) -> Response:
    """Answer 200 without any I/O: the event loop turns."""
    return _json(200, {"status": "ok"})


async def readiness(checks: Mapping[str, Check], degradable: Collection[str]) -> Response:
    """Run all checks at once, each for at most two seconds, and say which failed but never why.

    Answers 503 if any failed, except that a failure of the ``degradable`` ones, without which the service still does
    its main work, leaves it ready. The reasons are logged.
    """
    outcomes = await asyncio.gather(*(_outcome(name, check) for name, check in checks.items()))
    found = dict(zip(checks, outcomes, strict=True))
    failed = {name for name, outcome in found.items() if outcome != "ok"}
    ready = failed <= set(degradable)
    status = "unavailable" if not ready else "degraded" if failed else "ok"
    return _json(200 if ready else 503, {"status": status, "checks": found})


async def _outcome(name: str, check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS_MAX):
            await check()
    except TimeoutError:
        logger.warning("readiness check %s took longer than %s s", name, CHECK_SECONDS_MAX)
        return "timeout"
    except Exception:
        # Whatever a driver may raise means one thing here: not ready.
        logger.warning("readiness check %s failed", name, exc_info=True)
        return "failed"
    return "ok"


def _json(status: int, content: object) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(orjson.dumps(content), status, headers, "application/json")
