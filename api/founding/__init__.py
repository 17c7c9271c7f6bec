"""The command line for whoever sets a shop up: programs, operators and keys, before anybody has a credential."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

import click

from domain.access import KeyKind, Role, Scope

if TYPE_CHECKING:
    from persistence.engine import Engine

Result = TypeVar("Result")

_EVERY_SCOPE: Final = "ALL"
_PROGRAM: Final = click.option("--program", metavar="ID|NAME", help="The program; not needed if there is only one.")
_COUNT_MAX: Final = 100


@click.group()
def program() -> None:
    """Make programs, and list them."""


@program.command(name="create")
@click.argument("name")
@click.option("--currency", required=True, metavar="CODE", help="Its currency, such as CNY. It never changes.")
@click.option("--time-zone", default="Asia/Shanghai", show_default=True, help="Of its business days.")
def create_program(*, name: str, currency: str, time_zone: str) -> None:
    """Make a program, with one point for each unit of its currency; everything else is set through the API."""
    from api.founding import making  # noqa: PLC0415 - loaded when it is needed, so that help is quick

    made = _done(lambda engine: making.program(engine, name=name, currency_code=currency.upper(), time_zone=time_zone))
    click.echo(f"{made.name}  {made.id}")
    click.echo(f"Next, for staff: tessera operator create EMAIL --program {made.id}", err=True)
    click.echo(f"For the shop's server: tessera key create NAME --scope all --program {made.id}", err=True)


@program.command(name="list")
def list_programs() -> None:
    """List the programs, the oldest first."""
    from persistence import founding  # noqa: PLC0415 - loaded when it is needed, so that help is quick

    for one in _done(lambda _: founding.programs(_COUNT_MAX)):
        click.echo(f"{one.id}  {one.currency_code}  {one.time_zone:<20}  {one.name}")


@click.group()
def operator() -> None:
    """Make operators: staff who sign in."""


@operator.command(name="create")
@click.argument("email")
@_PROGRAM
@click.option("--name", help="Of the person; the address if it is not told.")
@click.option("--role", type=click.Choice(Role, case_sensitive=False), default=Role.OWNER, show_default=True)
@click.option("--ask-password", is_flag=True, help="Ask for the password instead of making a random one.")
def create_operator(*, email: str, program: str | None, name: str | None, role: Role, ask_password: bool) -> None:
    """Make an operator and print the password, this once."""
    from api.founding import making  # noqa: PLC0415 - loaded when it is needed, so that help is quick

    password = click.prompt("Password", hide_input=True, confirmation_prompt=True) if ask_password else None
    made = _done(
        lambda engine: making.operator(engine, program, email=email, name=name or email, role=role, password=password)
    )
    click.echo(f"{made.operator.email}  {made.operator.role}")
    if password is None:
        click.echo(f"Password: {made.password}")


@click.group()
def key() -> None:
    """Make keys: credentials of storefronts and servers."""


@key.command(name="create")
@click.argument("name")
@_PROGRAM
@click.option("--kind", type=click.Choice(KeyKind, case_sensitive=False), default=KeyKind.SECRET, show_default=True)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="SCOPE",
    type=click.Choice([_EVERY_SCOPE, *Scope], case_sensitive=False),
    help=f"What a secret key may do, and again for more: {_EVERY_SCOPE}, {', '.join(Scope)}.",
)
def create_key(*, name: str, program: str | None, kind: KeyKind, scopes: tuple[Scope | str, ...]) -> None:
    """Make a key and print it, this once."""
    from api.founding import making  # noqa: PLC0415 - loaded when it is needed, so that help is quick

    given = tuple(Scope) if _EVERY_SCOPE in scopes else tuple(Scope(scope) for scope in scopes)
    made = _done(lambda engine: making.key(engine, program, name=name, kind=kind, scopes=given))
    click.echo(made.secret)


def _done(work: "Callable[[Engine], Awaitable[Result]]") -> Result:
    """What `work` comes to, with the engine and the stores of this machine's settings."""
    from api import engines, settings  # noqa: PLC0415 - loaded when they are needed, so that help is quick

    return engines.do(settings.load(), work)
