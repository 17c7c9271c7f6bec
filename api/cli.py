"""The command line. Whatever goes wrong, its user reads a sentence and gets an exit status, never a traceback."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final

import click

from api import founding
from persistence.startup import StartupError

if TYPE_CHECKING:
    from api.settings import Settings

# Commands import what they need when they run: `--help` answers at once and loads nothing of the program.
IMPORTS: Final = {"purchases": "api.imports:purchases"}


SCHEMA_FILE: Final = Path("schema.graphql")


class LazyGroup(click.Group):
    """A group whose commands stand in modules that are imported when one of them is asked for."""

    def list_commands(self, _: click.Context) -> list[str]:
        return sorted(IMPORTS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in IMPORTS:
            return None
        module, name = IMPORTS[cmd_name].split(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def tessera() -> None:
    """Tessera, a headless loyalty backend. Settings come from the environment or a file .env."""


@tessera.command()
@click.option("--stop-with-parent", is_flag=True, help="Stop when the process that started this one ends (Linux).")
def serve(*, stop_with_parent: bool) -> None:
    """Start what is missing, bring the database up to date, and serve until stopped."""
    if stop_with_parent:
        from persistence.embedded import processes

        processes.end_with(os.getppid(), signal.SIGTERM)
    settings = _settings()
    from api import serve as serving

    sys.exit(serving.run(settings))


@tessera.command()
@click.option("--once", is_flag=True, help="Do what is due now, tell what was done, and end.")
def worker(*, once: bool) -> None:
    """Do what the clock asks: expire points, end tiers, give for birthdays and member days, remind and warn."""
    settings = _settings()
    from api import working

    working.run(settings, once=once)


@tessera.command()
def migrate() -> None:
    """Bring the database up to date."""
    settings = _settings()
    from api import assembly
    from api import serve as serving

    serving.run_once(settings, assembly.migrate)
    click.echo("The database is up to date.")


@tessera.command()
def seed() -> None:
    """Make the demo program in an empty database, and print its keys."""
    settings = _settings()
    from api.founding import seeding as planting

    planting.run(settings)


@tessera.command()
def demo() -> None:
    """Record 18 months of a real shop on servers of its own, and print what came of them."""
    settings = _settings()
    from api import demo as demonstration

    demonstration.run(settings)


@tessera.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if the file differs.")
def schema(*, check: bool) -> None:
    """Write the GraphQL schema to schema.graphql."""
    from api import schema as contract

    exported = contract.export()
    if not check:
        SCHEMA_FILE.write_text(exported, encoding="utf-8")
    elif not SCHEMA_FILE.exists() or SCHEMA_FILE.read_text(encoding="utf-8") != exported:
        raise StartupError(f"{SCHEMA_FILE} is not what the code says; `make schema` writes it anew.")


@tessera.group(name="import", cls=LazyGroup)
def import_() -> None:
    """Bring in what other systems have recorded."""


@tessera.group()
def redis() -> None:
    """Look after what Redis keeps: fast memory that may be lost."""


@redis.command()
@click.option("--from-facts", is_flag=True, help="Reckon standings and the like anew from the ledger first.")
def rebuild(*, from_facts: bool) -> None:
    """Make anew everything that Redis keeps, from PostgreSQL. Servers may go on meanwhile."""
    settings = _settings()
    from api import rebuilding

    rebuilding.run(settings, from_facts=from_facts)


for group in (founding.program, founding.operator, founding.key):
    tessera.add_command(group)


def main() -> None:
    """The entry point: 0 done, 1 it could not, 2 wrong arguments or settings, 130 interrupted."""
    sys.excepthook = _tell
    try:
        sys.exit(tessera(prog_name="tessera", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except StartupError as error:
        click.echo(f"tessera: {error}", err=True)
        sys.exit(error.exit_status)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(128 + signal.SIGINT)


def _settings() -> Settings:
    from api import settings

    return settings.load()


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What nobody foresaw is a fault of the program: a sentence for its user, and on demand what its author needs."""
    if os.environ.get("LOG_LEVEL", "").lower() == "debug":
        sys.__excepthook__(kind, error, trace)
    reason = " ".join(str(error).split())
    click.echo(f"tessera: an unforeseen fault, {kind.__name__}: {reason}. LOG_LEVEL=debug shows where.", err=True)


if __name__ == "__main__":
    main()
