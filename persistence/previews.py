"""Trying a command without keeping it: what it would answer now, or at another instant."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from domain.kernel import Command, Decision, NotLoaded, State, Want
from persistence import clock, connection
from persistence.batches import ROUNDS_MAX, Unending
from persistence.loading import load

Result = TypeVar("Result")


async def preview(
    command: Command[Result],
    *,
    program_id: UUID,
    actor: str,
    now: datetime,
    after: Sequence[Command[Any]] = (),
    identity_key: bytes = b"",
) -> Result:
    """What a command would result in at `now`, which may be in the future, from the rows as they stand.

    `after` are commands that would be told before it; `identity_key` is the engine's. Nothing is written, nothing
    is locked, and nobody is waited for. The ids in the result are of no row. Raises the `Refusal` of any of the
    commands.
    """
    state = State(program_id, make_id=clock.make_id, identity_key=identity_key)
    ids = clock.Ids()
    # One snapshot: no row changes between its rounds, so that no lock is missed.
    async with connection.acquire() as reader, reader.transaction(isolation="repeatable_read", readonly=True):
        for earlier in after:
            state.begin(now=now, first_id=ids.next_first(now), actor=actor, idempotency_key=None)
            state.keep((await _decided(reader, state, earlier)).save)
        state.begin(now=now, first_id=ids.next_first(now), actor=actor, idempotency_key=None)
        return (await _decided(reader, state, command)).result


async def _decided(reader: asyncpg.Connection, state: State, command: Command[Result]) -> Decision[Result]:
    """A command's decision from a state that has begun, given what it asks for."""
    # What an earlier command made is not in the database: to ask for it again would be to hear that it is not there.
    wants: Iterable[Want] = [want for want in command.wants(state.program_id) if state.is_missing(want)]
    for _ in range(ROUNDS_MAX):
        await load(reader, state, wants, is_locking=False)
        state.begin_again()
        try:
            return command.decide(state)
        except NotLoaded as missing:
            wants = missing.wants
    raise Unending
