"""`tessera seed`: the demo program, from the command line."""

from typing import Final

import click

from api import banner, engines, seed
from api.banner import DemoAccess
from api.settings import Settings
from persistence.startup import StartupError

_LOST: Final = (
    "Its keys were shown once and are not in DATA_DIR/demo.json any more. New ones:\n"
    f"  tessera key create NAME --program {seed.PROGRAM_ID} --scope all\n"
    f"  tessera operator create EMAIL --program {seed.PROGRAM_ID}"
)


def run(settings: Settings) -> None:
    """`tessera seed`: see that the demo program is there, and print its credentials.

    Raises `StartupError` if the database holds other programs, and what `ensure` raises.
    """
    if not engines.do(settings, lambda engine: seed.ensure(engine, settings.data_dir)):
        raise StartupError("The database holds a program already; the demo program is made in an empty one only.")
    known = banner.recall(settings.data_dir)
    click.echo(f"The program {seed.NAME!r} is there.")
    click.echo(_LOST if known is None else _shown(known))


def _shown(known: DemoAccess) -> str:
    facts = (
        ("Publishable key", known.publishable_key),
        ("Secret key", known.secret_key),
        ("Operator", f"{known.operator_email}  {known.operator_password}"),
    )
    return "\n".join(f"  {name:<16}{value}" for name, value in facts)
