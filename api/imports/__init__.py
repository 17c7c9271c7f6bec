"""The command line of imports. What it needs of the program is loaded when an import runs."""

import sys
from pathlib import Path
from typing import Final

import click

from domain.stores import Channel

_TAB: Final = {"tab": "\t", "\\t": "\t"}


def _delimiter(_context: click.Context, _option: click.Parameter, told: str) -> str:
    character = _TAB.get(told, told)
    if len(character) != 1 or character in '"\r\n':
        raise click.BadParameter("it is one character, such as ; or tab.")
    return character


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--program", metavar="ID|NAME", help="The program; not needed if there is only one.")
@click.option("--purchase-id", metavar="COLUMN", help="The order number, unique in the program. [purchase_id]")
@click.option("--member", metavar="COLUMN", help="The member's external id. [member]")
@click.option(
    "--occurred-at",
    metavar="COLUMN",
    help="When it was paid: a date, which is the start of that day, or a date and time; without an offset both are"
    " the program's local time. [occurred_at]",
)
@click.option("--amount", metavar="COLUMN", help="What was paid, with freight, such as 199.90. [amount]")
@click.option("--freight", metavar="COLUMN", help="How much of it was freight. [freight, if there is one]")
@click.option(
    "--store", metavar="COLUMN|CODE", help="The store's code, or one store for all rows. [store, if there is one]"
)
@click.option(
    "--channel",
    metavar="COLUMN|CHANNEL",
    help=f"{', '.join(Channel)}, or one of them for all rows. [channel, if there is one; else ONLINE]",
)
@click.option(
    "--currency", metavar="COLUMN", help="The currency's code. [currency, if there is one; else the program's]"
)
@click.option("--delimiter", metavar="CHARACTER", default=",", callback=_delimiter, help="Between fields; or tab. [,]")
@click.option("--encoding", default="utf-8-sig", help="Of the file, for example gb18030. [utf-8-sig]")
@click.option("--enroll", is_flag=True, help="Enroll members that the program does not know.")
@click.option("--report", type=click.Path(path_type=Path), help="For refused rows. [FILE.report.csv]")
def purchases(
    *,
    file: Path,
    program: str | None,
    delimiter: str,
    encoding: str,
    enroll: bool,
    report: Path | None,
    **columns: str | None,
) -> None:
    """Record the purchases of a CSV file, in the order of its rows.

    What is recorded already stays as it is, so that a file may be imported again, and an import that was interrupted
    goes on where it stopped. A row that cannot be recorded is listed in the report with its line and the reason; the
    others are recorded. Exits with 0 if every row is recorded, with 1 if some were refused.
    """
    from api.imports import running  # noqa: PLC0415 - loaded when it is needed, so that help is quick

    options = running.Options(
        path=file,
        names={field: name for field, name in columns.items() if name is not None},
        program=program,
        delimiter=delimiter,
        encoding=encoding,
        enrolls=enroll,
        report=report,
    )
    sys.exit(running.run(options))
