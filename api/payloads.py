"""What mutations answer: the changed objects, or what was refused and why. A refusal is data and changed nothing."""

import asyncio
import re
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, Protocol, Self, TypeVar
from uuid import UUID

import strawberry

from api import ids, inputs, refusals, scalars, shapes
from api.context import Context, Info
from api.errors import ApiError
from domain import checks
from domain.kernel import Command, NotFound, Outcome, Refusal
from domain.references import ReferenceUnknown
from domain.rewards.availability import NotInAudience

AnyPayload = TypeVar("AnyPayload", bound="Payload")
# The place of a part in a command, and what the input calls it.
Paths = Mapping[tuple[str, ...], str]
Attempt = asyncio.Future[Outcome[Any]] | Refusal | ApiError

_UNDERSCORE = re.compile(r"_([a-z])")
# Details that hold a key of ours, and what it is the key of: clients get global ids.
_REFERENCES: Final = {
    "purchaseId": "Purchase",
    "refundId": "Refund",
    "redemption": "Redemption",
    "points_offset": "PointsOffset",
}
# What rules name by its id.
_NAMED_BY_ID: Final = {"tier": "Tier", "store": "Store"}

strawberry.enum(
    refusals.UserErrorCode, description="Why a mutation was refused. New codes may be added: expect unknown ones."
)


@shapes.shape()
class UserError:
    """Why a mutation was refused. Clients act on the code; the message is for people; details carry the numbers."""

    code: refusals.UserErrorCode
    message: str
    field: list[str] | None = strawberry.field(
        default=None,
        description="The path of the input at fault, below `input`; a rule in a list is told by its place, from 0.",
    )
    details: scalars.JSONObject | None = strawberry.field(
        default=None,
        description="The numbers of the refusal; one beyond ±(2^53 − 1), which JSON readers do not keep, is a string.",
    )


@shapes.shape()
class Payload:
    """What every mutation answers."""

    user_errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why this was refused; empty if it was done."
    )

    @classmethod
    def of(cls, result: Any) -> Self:
        """The payload that shows a command's result."""
        raise NotImplementedError


@shapes.shape()
class KeyedPayload(Payload):
    """What a mutation with an idempotency key answers."""

    is_replay: bool = strawberry.field(
        default=False,
        description="Whether an earlier call with this idempotency key did it; objects are shown as they stand now.",
    )


def repeat(what: str = "it had been done") -> Any:
    """Whether nothing was changed because the same was told before, under another key."""
    told = f"Whether {what} before, under another key; nothing was changed."
    return strawberry.field(default=False, description=told)


class Tells(Protocol):
    """An input that tells one command. One whose command calls its parts otherwise says so in `PATHS`."""

    def command(self, context: Context) -> Command[Any]:
        """The command for the domain. Raises refusals of what is malformed."""


def user_error(refusal: Refusal, paths: Paths | None = None) -> UserError:
    """A refusal in the words of the contract: camel case, global ids instead of keys, and the input's own paths."""
    details = {_camel(name): _exact(_reference(refusal, name, value)) for name, value in refusal.details.items()}
    told = {name: _reference(refusal, name, value) for name, value in refusal.details.items()}
    return UserError(
        code=refusals.UserErrorCode(refusal.code),
        message=refusal.text.format(**told),
        field=None if refusal.field is None else _path(refusal.field, paths or {}),
        details=scalars.JSONObject(details) if details else None,
    )


def _exact(value: Any) -> Any:
    """A detail that every JSON reader keeps as it is; no writer of JSON takes more than 64 bits, either."""
    is_beyond = isinstance(value, int) and abs(value) > checks.POINTS_MAX
    return str(value) if is_beyond else value


def _path(field: tuple[str, ...], paths: Paths) -> list[str]:
    """Where the input has what a command calls `field`."""
    told = [part for name in field for part in name.split(".")]
    for place, shown in paths.items():
        if tuple(told[: len(place)]) == place:
            told[: len(place)] = [shown]
    return [_camel(part) for part in told]


def _camel(name: str) -> str:
    return _UNDERSCORE.sub(lambda match: match[1].upper(), name)


def _reference(refusal: Refusal, name: str, value: Any) -> Any:
    kind = _REFERENCES.get(name)
    if isinstance(refusal, ReferenceUnknown) and name == "given":
        kind = _NAMED_BY_ID.get(str(refusal.details["what"]))
    if isinstance(refusal, NotInAudience) and name == "expected" and refusal.details["why"] == "tiers":
        return ", ".join(ids.encode("Tier", UUID(tier_id)) for tier_id in str(value).split(", "))
    if isinstance(refusal, NotFound):
        # To clients an account is a part of its member.
        told = {"PointsAccount": "Member"}.get(str(refusal.details["kind"]), str(refusal.details["kind"]))
        kind, value = (told, value) if name == "key" else (None, told)
    if kind is None:
        return value
    try:
        return ids.encode(kind, UUID(str(value)))
    except ValueError:
        return value


async def answered(payload: type[AnyPayload], attempt: Awaitable[AnyPayload], paths: Paths | None = None) -> AnyPayload:
    """What an attempt came to; a refusal becomes a payload that says why."""
    try:
        return await attempt
    except Refusal as refusal:
        return payload(user_errors=[user_error(refusal, paths)])


async def run(info: Info, given: Tells, payload: type[AnyPayload]) -> AnyPayload:
    """Run the command that an input tells, and show its result or its refusal. Raises what `Context.execute` does."""
    attempt = _shown(info.context, payload, _told(info.context, given))
    return await answered(payload, attempt, getattr(given, "PATHS", None))


async def run_all(info: Info, many: Sequence[Tells], payload: type[AnyPayload]) -> list[AnyPayload]:
    """Like `run`, for many inputs, each with its own outcome: all wait at the engine together.

    Raises the first fault, if there is one, only when every command has been answered.
    """
    attempts = [_told(info.context, given) for given in many]
    faults: list[Exception] = []
    payloads: list[AnyPayload] = []
    for attempt in attempts:
        try:
            payloads.append(await answered(payload, _shown(info.context, payload, attempt)))
        except Exception as fault:  # noqa: BLE001 - raised as soon as the others are heard
            faults.append(fault)
    if faults:
        raise faults[0]
    return payloads


def _told(context: Context, given: Tells) -> Attempt:
    """The command of an input on its way through the engine, or why it is not."""
    try:
        inputs.check(context, given)
        return context.submit(given.command(context), getattr(given, "idempotency_key", None))
    except (Refusal, ApiError) as fault:
        return fault


async def _shown(context: Context, payload: type[AnyPayload], attempt: Attempt) -> AnyPayload:
    if isinstance(attempt, Exception):
        raise attempt
    outcome = await context.answer(attempt)
    shown = payload.of(outcome.result)
    if isinstance(shown, KeyedPayload):
        shown.is_replay = outcome.is_replay
    return shown
