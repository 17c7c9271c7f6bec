"""Programs, operators and keys made from the command line, where nobody has a credential yet."""

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from api import minting, passwords
from api.founding import choosing
from domain import access, programs
from domain.access import ApiKey, KeyKind, Operator, Role, Scope
from domain.kernel import Command, Refusal
from domain.programs import Program
from persistence import clock, founding
from persistence.engine import Engine, Result
from persistence.startup import StartupError

ACTOR: Final = "command-line"
_PASSWORD_BYTES: Final = 12


class NotMade(StartupError):
    """What was asked for is refused; the sentence says why."""

    exit_status = 2


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and, this once, its secret."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class NewOperator:
    """An operator and, this once, the password."""

    operator: Operator
    password: str


async def tell(engine: Engine, program_id: UUID, command: Command[Result], *, key: str | None = None) -> Result:
    """The result of a command. Raises `NotMade` with the sentence of its refusal."""
    try:
        outcome = await engine.execute(command, program_id=program_id, actor=ACTOR, idempotency_key=key)
    except Refusal as refusal:
        raise NotMade(refusal.message) from refusal
    return outcome.result


async def program(engine: Engine, *, name: str, currency_code: str, time_zone: str) -> Program:
    """A new program. Raises `NotMade`, also if there is one of this name: two could not be told apart."""
    async with founding.one_at_a_time(engine.connect):
        for same in await founding.programs(1, name=name.strip()):
            raise NotMade(f"There is a program named {same.name!r} already; its id is {same.id}.")
        program_id = clock.make_id(clock.Ids().next_first(clock.now()) + 1)
        command = programs.CreateProgram(
            program_id=program_id, name=name, currency_code=currency_code, time_zone=time_zone
        )
        return await tell(engine, program_id, command)


async def key(engine: Engine, told: str | None, *, name: str, kind: KeyKind, scopes: tuple[Scope, ...]) -> NewKey:
    """A new key of the program with this id or name. Raises `ProgramUnclear` and `NotMade`."""
    chosen = await choosing.program(told)
    minted = minting.new_key(kind, chosen.id)
    command = access.CreateApiKey(name=name, kind=kind, secret_hash=minted.secret_hash, hint=minted.hint, scopes=scopes)
    return NewKey(await tell(engine, chosen.id, command), minted.secret)


async def operator(
    engine: Engine, told: str | None, *, email: str, name: str, role: Role, password: str | None
) -> NewOperator:
    """A new operator, with a random password if none is told. Raises `ProgramUnclear` and `NotMade`."""
    chosen = await choosing.program(told)
    password = new_password() if password is None else password
    if not passwords.LENGTH_MIN <= len(password) <= passwords.LENGTH_MAX:
        raise NotMade(f"A password has {passwords.LENGTH_MIN} to {passwords.LENGTH_MAX} characters.")
    password_hash = await passwords.Passwords().hashed(password)
    command = access.CreateOperator(email=email, name=name, password_hash=password_hash, role=role)
    return NewOperator(await tell(engine, chosen.id, command), password)


def new_password() -> str:
    """A random password of 96 bits."""
    return secrets.token_urlsafe(_PASSWORD_BYTES)
