"""Telling the engine a file's purchases, in the order of the file, with a bounded number of them on their way."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api.imports.files import Record
from api.imports.reports import Report
from domain.enrollments import EnrollMember, Enrollment
from domain.imports import Reading, RowInvalid, purchase
from domain.kernel import Outcome, Refusal
from domain.members import MemberExists, Profile
from domain.purchases.purchase import Recorded, RecordPurchase
from domain.stores import Channel
from persistence import imports
from persistence.engine import Engine, EngineStopped, Unavailable
from persistence.receipts import IdempotencyKeyMismatch

ACTOR: Final = "import"
# While one batch is being committed, the next is waiting and the one after that is being read.
_BATCHES_WAITING: Final = 2

Readable = tuple[Record, RecordPurchase]


@dataclass(slots=True)
class Tally:
    """What became of the rows so far. `points` are those that the recorded purchases earned."""

    rows: int = 0
    recorded: int = 0
    repeated: int = 0
    refused: int = 0
    enrolled: int = 0
    points: int = 0


class Telling:
    """One import on its way. `batch_max` rows are told at a time."""

    def __init__(
        self, engine: Engine, program_id: UUID, reading: Reading, report: Report, *, batch_max: int, enrolls: bool
    ) -> None:
        self.tally = Tally()
        self._engine = engine
        self._program_id = program_id
        self._reading = reading
        self._report = report
        self._waiting_max = _BATCHES_WAITING * batch_max
        self._enrolls = enrolls
        self._told: deque[tuple[Record, asyncio.Task[Outcome[Recorded]]]] = deque()
        self._enrolling: dict[str, asyncio.Task[Outcome[Enrollment]]] = {}

    async def tell(self, records: Sequence[Record]) -> None:
        """Tell some more rows, once few enough are on their way. Raises `Unavailable`, as `finish` does."""
        readable = self._read(records)
        known = await imports.recorded(self._program_id, [command.external_id for _, command in readable])
        if self._enrolls:
            await self._enroll([command for _, command in readable])
        for record, command in readable:
            answer = asyncio.create_task(self._record(command, is_known=command.external_id in known))
            self._told.append((record, answer))
        await self._settle(self._waiting_max)

    async def finish(self) -> None:
        """Wait until every row that was told is answered."""
        await self._settle(0)
        self._count_enrolled()

    async def abandon(self) -> None:
        """Let what is on its way come to its end, whatever that is."""
        await asyncio.gather(*(answer for _, answer in self._told), *self._enrolling.values(), return_exceptions=True)

    def _read(self, records: Sequence[Record]) -> list[Readable]:
        self.tally.rows += len(records)
        readable: list[Readable] = []
        for record in records:
            try:
                if record.fault:
                    raise RowInvalid("ROW_INVALID", record.fault)
                readable.append((record, purchase(record.cells, self._reading)))
            except (RowInvalid, Refusal) as reason:
                self._refuse(record, reason.code, reason.message)
        return readable

    async def _record(self, command: RecordPurchase, *, is_known: bool) -> Outcome[Recorded]:
        # Of a purchase that is there already its number says all: whether it is the same, and that it earns no more.
        key = None if is_known else f"import:purchase:{command.external_id}"
        try:
            return await self._execute(command, key)
        except IdempotencyKeyMismatch:
            return await self._execute(command, None)

    async def _execute(self, command: RecordPurchase, key: str | None) -> Outcome[Recorded]:
        return await self._engine.execute(command, program_id=self._program_id, actor=ACTOR, idempotency_key=key)

    async def _enroll(self, commands: Sequence[RecordPurchase]) -> None:
        self._count_enrolled()
        channels: dict[str, Channel] = {}
        for command in commands:
            channels.setdefault(command.member.external_id or "", command.channel)
        new = [member for member in channels if member not in self._enrolling]
        known = await imports.enrolled(self._program_id, new)
        for member in new:
            if member not in known:
                self._enrolling[member] = asyncio.create_task(self._enroll_one(member, channels[member]))

    async def _enroll_one(self, member: str, channel: Channel) -> Outcome[Enrollment]:
        return await self._engine.execute(
            EnrollMember(profile=Profile(external_id=member), channel=channel),
            program_id=self._program_id,
            actor=ACTOR,
            idempotency_key=f"import:member:{member}",
        )

    def _count_enrolled(self) -> None:
        for member, answer in [pair for pair in self._enrolling.items() if pair[1].done()]:
            del self._enrolling[member]
            try:
                self.tally.enrolled += not answer.result().is_replay
            except (MemberExists, IdempotencyKeyMismatch):
                # Somebody else enrolled the member since we asked, which is as good.
                continue

    async def _settle(self, waiting_max: int) -> None:
        while len(self._told) > waiting_max:
            record, answer = self._told[0]
            try:
                self._count(await answer)
            except (Unavailable, EngineStopped):
                raise
            except Refusal as refusal:
                self._refuse(record, refusal.code, refusal.message)
            except Exception:  # noqa: BLE001 - the engine has logged it; one row's fault does not stop the rest
                self._refuse(record, "INTERNAL_SERVER_ERROR", "A fault of the program; its log says which.")
            self._told.popleft()

    def _count(self, outcome: Outcome[Recorded]) -> None:
        if outcome.is_replay or outcome.result.is_repeat:
            self.tally.repeated += 1
        else:
            self.tally.recorded += 1
            self.tally.points += outcome.result.purchase.points_earned

    def _refuse(self, record: Record, code: str, message: str) -> None:
        self.tally.refused += 1
        self._report.refuse(record, code, message)
