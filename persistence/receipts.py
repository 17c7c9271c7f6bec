"""Idempotency receipts and the outbox: what the engine writes beside every decision."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, get_args, get_type_hints
from uuid import UUID

import orjson
from tortoise import fields as columns
from tortoise.models import Model

from domain.kernel import Command, Refusal, Row
from persistence import codec


class ReceiptTable(Model):
    """The answer to a command that was told with an idempotency key (L11).

    The id is a hash of program, caller and key, so that the primary key is what makes a key unique.
    """

    id = columns.UUIDField(primary_key=True)
    program_id = columns.UUIDField()
    actor = columns.TextField()
    idempotency_key = columns.TextField()
    command = columns.TextField()
    input_hash = columns.BinaryField()
    result: columns.JSONField[object] = columns.JSONField()
    recorded_at = columns.DatetimeField()

    class Meta:
        table = "receipts"


class OutboxTable(Model):
    """Events that happened, in the order of their ids.

    `relayed_at` is when the relay had counted an event, `published_at` when whoever listens outside had been told.
    """

    id = columns.UUIDField(primary_key=True)
    program_id = columns.UUIDField()
    name = columns.TextField()
    member_id = columns.UUIDField(null=True)
    body: columns.JSONField[object] = columns.JSONField()
    recorded_at = columns.DatetimeField()
    published_at = columns.DatetimeField(null=True)
    relayed_at = columns.DatetimeField(null=True)

    class Meta:
        table = "outbox"


class IdempotencyKeyMismatch(Refusal):
    """The key was used before with another input (L11)."""

    code = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"
    text = "This idempotency key was used before with other input; a new request needs a new key."


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is kept of a command told with a key: a hash of its input, and of its result the ids and numbers."""

    id: UUID
    program_id: UUID
    actor: str
    idempotency_key: str
    command: str
    input_hash: bytes
    result: str
    recorded_at: datetime


def receipt_id(program_id: UUID, actor: str, idempotency_key: str) -> UUID:
    """The id under which a caller's key is kept: keys are unique per program and caller (L11)."""
    told = b"\0".join((program_id.bytes, actor.encode(), idempotency_key.encode()))
    return UUID(bytes=hashlib.sha256(told).digest()[:16])


def input_hash(command: Command[Any]) -> bytes:
    """A hash of what a command was told, the same whenever that is the same."""
    source = type(command).__name__.encode() + codec.digest_source(command)
    return hashlib.sha256(source).digest()


def summarise(result: object) -> str:
    """A result as its receipt keeps it: rows by their ids, numbers as they are."""
    if isinstance(result, Row):
        return codec.dumps(str(result.id))
    assert is_dataclass(result), "a command's result is a row or a dataclass of rows and numbers"
    told = {field.name: getattr(result, field.name) for field in fields(result)}
    return codec.dumps({name: _summary(value) for name, value in told.items()})


def _summary(value: object) -> object:
    return str(value.id) if isinstance(value, Row) else value


def result_kind(command: type[Command[Any]]) -> type:
    """What a command's decision results in."""
    for base in command.__orig_bases__:  # type: ignore[attr-defined]
        arguments = get_args(base)
        if arguments:
            kind: type = arguments[0]
            return kind
    raise TypeError(f"{command.__name__} does not say what it results in")


Load = Callable[[type[Row], UUID], Awaitable[Row]]


async def restore(command: type[Command[Any]], summary: str, load: Load) -> object:
    """The result a receipt tells of: its rows as they stand now, its numbers as they were."""
    kind = result_kind(command)
    told = orjson.loads(summary)
    if issubclass(kind, Row):
        return await load(kind, UUID(told))
    hints = get_type_hints(kind)
    restored = {name: await _restored(hints[name], value, load) for name, value in told.items()}
    return kind(**restored)


async def _restored(hint: Any, value: Any, load: Load) -> Any:
    if isinstance(hint, type) and issubclass(hint, Row):
        return await load(hint, UUID(value))
    read = codec.json_reader(hint)
    return value if value is None or read is None else read(value)
