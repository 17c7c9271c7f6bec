"""Trying a command without keeping it: what it would answer now, or at another instant."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from domain.kernel import Command, NotLoaded, State, Want
from persistence import clock, connection
from persistence.batches import ROUNDS_MAX, Unending
from persistence.loading import load

Result = TypeVar("Result")


async def preview(command: Command[Result], *, program_id: UUID, actor: str, now: datetime) -> Result:
    """What a command would result in at `now`, which may be in the future, from the rows as they stand.

    Nothing is written, nothing is locked, and nobody is waited for. The ids in the result are of no row.
    Raises the command's `Refusal`.
    """
    state = State(program_id, make_id=clock.make_id)
    first_id = clock.Ids().next_first(now)
    # One snapshot: no row changes between its rounds, so that no lock is missed.
    async with connection.acquire() as reader, reader.transaction(isolation="repeatable_read", readonly=True):
        wants: Iterable[Want] = command.wants(program_id)
        for _ in range(ROUNDS_MAX):
            await load(reader, state, wants, is_locking=False)
            state.begin(now=now, first_id=first_id, actor=actor, idempotency_key=None)
            try:
                return command.decide(state).result
            except NotLoaded as missing:
                wants = missing.wants
    raise Unending
