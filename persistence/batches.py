"""One batch: commands decided in order against one state, what that is to write, and what each caller is told."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from domain.kernel import Decision, NotLoaded, Outcome, Refusal, Row, State, Want
from persistence import clock, receipts
from persistence.journal import Journal
from persistence.loading import load
from persistence.receipts import IdempotencyKeyMismatch, Receipt
from persistence.tables import TABLES
from persistence.turns import Turn, Waiting

logger = logging.getLogger("tessera.engine")

# No decision asks so often; one that does asks for what loading cannot give, and would ask for ever.
ROUNDS_MAX: Final = 16

Decided = Decision[Any] | Receipt | Exception


class Unending(Exception):
    """A decision asks for ever for what it was given already."""


class KeyUsed(Exception):
    """Another process has used a key meanwhile: run again, its command is answered from the receipt."""


@dataclass(slots=True, eq=False)
class Batch:
    """The commands of one turn, and what they have come to in one attempt."""

    turn: Turn
    now: datetime
    identity_key: bytes = field(default=b"", repr=False)
    state: State = field(init=False)
    journal: Journal = field(init=False)
    known: dict[UUID, Receipt] = field(default_factory=dict)
    answers: list[Outcome[Any] | Receipt | BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = State(
            self.turn.program_id,
            make_id=clock.make_id,
            make_seed=clock.make_seed,
            identity_key=self.identity_key,
        )
        self.journal = Journal(self.turn.program_id)

    @property
    def commands(self) -> Sequence[Waiting]:
        return self.turn.commands

    async def find_receipts(self, connection: asyncpg.Connection) -> None:
        """Learn which keys were used before. Raises `Overtaking` if a turn ahead is using one."""
        ids = [waiting.receipt_id for waiting in self.commands if waiting.receipt_id is not None]
        if not ids:
            return
        self.turn.check(receipt_ids=ids)
        self.known = await _receipts(connection, ids)

    async def decide(self, connection: asyncpg.Connection) -> None:
        """Decide in order. What follows a command that must wait for rows only says what it wants itself.

        Raises `Overtaking` if a turn ahead is writing what is wanted, or begins again, and `KeyUsed`.
        """
        await self._load_beforehand(connection)
        rounds, answered = 0, 0
        while len(self.answers) < len(self.commands):
            rounds, answered = (rounds + 1 if answered == len(self.answers) else 0), len(self.answers)
            if rounds > ROUNDS_MAX:
                raise Unending
            wants = self._decide_round()
            if wants:
                self.turn.check(wants)
                await load(connection, self.state, wants)
        await self._doubt_refusals(connection)

    async def _doubt_refusals(self, connection: asyncpg.Connection) -> None:
        """Look up the keys of refused commands again: while this batch waited for rows, the first run may have ended
        in another process, and have taken what is now missing. What is done needs no doubt: its receipt would clash."""
        refused = [
            waiting.receipt_id
            for waiting, answer in zip(self.commands, self.answers, strict=True)
            if isinstance(answer, Refusal) and waiting.receipt_id is not None and waiting.receipt_id not in self.known
        ]
        if refused and await _receipts(connection, refused):
            raise KeyUsed

    async def _load_beforehand(self, connection: asyncpg.Connection) -> None:
        wants: dict[Want, None] = {}
        for waiting in self.commands:
            if waiting.receipt_id is None or waiting.receipt_id not in self.known:
                wants.update(dict.fromkeys(waiting.command.wants(waiting.program_id)))
        if wants:
            self.turn.check(wants)
            await load(connection, self.state, wants)

    def _decide_round(self) -> dict[Want, None]:
        wants: dict[Want, None] = {}
        for waiting in self.commands[len(self.answers) :]:
            try:
                decided = self._decide_one(waiting)
            except NotLoaded as missing:
                wants.update(dict.fromkeys(missing.wants))
                continue
            if not wants:
                self._keep(waiting, decided)
        return wants

    def _decide_one(self, waiting: Waiting) -> Decided:
        if waiting.receipt_id is not None and waiting.receipt_id in self.known:
            receipt = self.known[waiting.receipt_id]
            return receipt if receipt.input_hash == waiting.input_hash else IdempotencyKeyMismatch()
        self.state.begin(
            now=self.now,
            first_id=waiting.first_id,
            actor=waiting.actor,
            idempotency_key=waiting.idempotency_key,
        )
        try:
            return waiting.command.decide(self.state)
        except NotLoaded:
            raise
        except Exception as refusal:
            if not isinstance(refusal, Refusal):
                logger.error("a decision failed: %s", type(waiting.command).__name__, exc_info=refusal)
            return refusal

    def _keep(self, waiting: Waiting, decided: Decided) -> None:
        if not isinstance(decided, Decision):
            self.answers.append(decided)
            return
        for row in decided.save:
            self.journal.save(row, is_new=not self.state.has(row))
        self.state.keep(decided.save)
        receipt = self._receipt(waiting, decided)
        if receipt is not None:
            self.known[receipt.id] = receipt
            self.journal.add_receipt(receipt)
        for event in decided.events:
            self.journal.add_event(self.state.new_id(), event)
        self.answers.append(Outcome(decided.result))

    def _receipt(self, waiting: Waiting, decided: Decision[Any]) -> Receipt | None:
        if waiting.receipt_id is None or waiting.idempotency_key is None:
            return None
        return Receipt(
            id=waiting.receipt_id,
            program_id=waiting.program_id,
            actor=waiting.actor,
            idempotency_key=waiting.idempotency_key,
            command=type(waiting.command).__name__,
            input_hash=waiting.input_hash,
            result=receipts.summarise(decided.result),
            recorded_at=self.now,
        )

    async def told(self, connection: asyncpg.Connection) -> list[Outcome[Any] | BaseException]:
        """What each caller is told once the batch is committed; the first result again where a receipt has it."""
        return [await self._told(connection, *pair) for pair in zip(self.commands, self.answers, strict=True)]

    async def _told(
        self, connection: asyncpg.Connection, waiting: Waiting, answer: Outcome[Any] | Receipt | BaseException
    ) -> Outcome[Any] | BaseException:
        if not isinstance(answer, Receipt):
            return answer

        async def read(kind: type[Row], key: UUID) -> Row:
            statement = TABLES[kind].sql_load(None, is_locked=False)
            record = await connection.fetchrow(statement, waiting.program_id, [key])
            assert record is not None, "what a receipt names is never deleted"
            return TABLES[kind].decode(record)

        result = await receipts.restore(type(waiting.command), answer.result, read)
        return Outcome(result, is_replay=True)


async def _receipts(connection: asyncpg.Connection, ids: Sequence[UUID]) -> dict[UUID, Receipt]:
    records = await connection.fetch(
        "SELECT id, program_id, actor, idempotency_key, command, input_hash, result, recorded_at"
        " FROM receipts WHERE id = ANY($1::uuid[])",
        ids,
    )
    return {record["id"]: Receipt(*record) for record in records}
