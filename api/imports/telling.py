"""Telling the engine a file's purchases, in the order of the file, with a bounded number of them on their way."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from api.imports.files import Record
from api.imports.reports import Report
from domain import checks
from domain.enrollments import EnrollMember
from domain.imports import Reading, RowInvalid, purchase
from domain.kernel import Command, Outcome, Refusal
from domain.members import MemberExists, Profile
from domain.purchases.recording import Recorded, RecordPurchase
from persistence import clock, imports
from persistence.engine import Engine, EngineStopped, Unavailable
from persistence.receipts import IdempotencyKeyMismatch

ACTOR: Final = "import"
# While one batch is being written and another decided, the next two are waiting, so that the engine may choose.
_BATCHES_WAITING: Final = 4

Result = TypeVar("Result")
Readable = tuple[Record, RecordPurchase]


class _Told(NamedTuple):
    """A row on its way, and where its answer will be."""

    record: Record
    answer: asyncio.Future[Outcome[Recorded]]


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
        self.batch_max = batch_max
        self._engine = engine
        self._program_id = program_id
        self._reading = reading
        self._report = report
        self._enrolls = enrolls
        self._told: deque[_Told] = deque()

    async def tell(self, records: Sequence[Record]) -> None:
        """Tell some more rows, once few enough are on their way. Raises `Unavailable`, as `finish` does."""
        readable = self._read(records)
        if self._enrolls:
            await self._enroll([command for _, command in readable])
        for record, command in readable:
            # The order number says all that a key would: that it is the same purchase, and earns no more.
            self._told.append(_Told(record, self._submit(command, None)))
        await self._settle(_BATCHES_WAITING * self.batch_max)

    async def finish(self) -> None:
        """Wait until every row that was told is answered."""
        await self._settle(0)

    async def abandon(self) -> None:
        """Let what is on its way come to its end, whatever that is."""
        await asyncio.gather(*(told.answer for told in self._told), return_exceptions=True)

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

    def _submit(self, command: Command[Result], key: str | None) -> asyncio.Future[Outcome[Result]]:
        return self._engine.submit(command, program_id=self._program_id, actor=ACTOR, idempotency_key=key)

    async def _enroll(self, commands: Sequence[RecordPurchase]) -> None:
        """Enroll whom the program does not know, as of the earliest purchase that is told, and wait.

        The next batch sees only what is committed.
        """
        first: dict[str, RecordPurchase] = {}
        for command in sorted(commands, key=_time_of):
            first.setdefault(command.member.external_id or "", command)
        known = await imports.enrolled(self._program_id, list(first))
        answers = [
            self._submit(_enrollment(command), f"import:member:{member}")
            for member, command in first.items()
            if member not in known
        ]
        for answer in await asyncio.gather(*answers, return_exceptions=True):
            # Whoever was enrolled by somebody else meanwhile is there, which is as good.
            if isinstance(answer, Outcome):
                self.tally.enrolled += not answer.is_replay
            elif not isinstance(answer, MemberExists | IdempotencyKeyMismatch):
                raise answer

    async def _settle(self, waiting_max: int) -> None:
        while len(self._told) > waiting_max:
            told = self._told[0]
            try:
                self._count(await told.answer)
            except (Unavailable, EngineStopped):
                raise
            except Refusal as refusal:
                self._refuse(told.record, refusal.code, refusal.message)
            except Exception:  # noqa: BLE001 - the engine has logged it; one row's fault does not stop the rest
                self._refuse(told.record, "INTERNAL_SERVER_ERROR", "A fault of the program; its log says which.")
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


def _time_of(command: RecordPurchase) -> datetime:
    assert command.occurred_at is not None, "a row of a file has its time"
    return command.occurred_at


def _enrollment(first: RecordPurchase) -> EnrollMember:
    """A member as of its first purchase; of now, if that has a time that will be refused."""
    at = _time_of(first)
    enrolled_at = at if checks.OCCURRED_MIN <= at <= clock.now() else None
    profile = Profile(external_id=first.member.external_id)
    return EnrollMember(profile=profile, channel=first.channel, enrolled_at=enrolled_at)
