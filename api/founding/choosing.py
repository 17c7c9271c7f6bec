"""Which program a command of the command line is about."""

from typing import Final
from uuid import UUID

from domain.programs import Program
from persistence import founding, rows
from persistence.startup import StartupError

_SHOWN_MAX: Final = 10


class ProgramUnclear(StartupError):
    """It is not clear which program is meant, or there is none; the sentence says what to do."""

    exit_status = 2


async def program(told: str | None) -> Program:
    """The program with this id or name, or the only one if nothing is told. Raises `ProgramUnclear`."""
    if told is None:
        return _only(await founding.programs(_SHOWN_MAX + 1))
    by_id = await _with_id(told)
    return by_id or _named(told, await founding.programs(_SHOWN_MAX + 1, name=told))


async def _with_id(told: str) -> Program | None:
    try:
        key = UUID(told)
    except ValueError:
        return None
    return (await rows.by_ids(Program, key, [key])).get(key)


def _only(found: list[Program]) -> Program:
    if not found:
        raise ProgramUnclear("There is no program yet; `tessera program create NAME --currency CNY` makes one.")
    if len(found) > 1:
        raise ProgramUnclear(f"There are several programs; choose one with --program: {_shown(found)}.")
    return found[0]


def _named(name: str, found: list[Program]) -> Program:
    if not found:
        raise ProgramUnclear(f"There is no program with the id or name {name!r}; `tessera program list` shows all.")
    if len(found) > 1:
        raise ProgramUnclear(f"Several programs are named {name!r}; choose one by its id: {_shown(found)}.")
    return found[0]


def _shown(found: list[Program]) -> str:
    shown = ", ".join(f"{program.name} ({program.id})" for program in found[:_SHOWN_MAX])
    return shown if len(found) <= _SHOWN_MAX else f"{shown}, …"
