"""Rows that last: configuration that is also a fact never changes, so it is read from PostgreSQL once a process."""

from collections import OrderedDict
from typing import Final
from uuid import UUID

from domain.kernel import FAMILY, Row, Want

ROWS_MAX: Final = 512

_Place = tuple[UUID, type[Row], str | None, object]


class Lasting:
    """Decoded rows by program, kind and the way they are asked for; those asked for last stay.

    Whoever keeps a row here has read it from the database, so that it is committed. That there is no
    row is never kept: it may be made at any moment.
    """

    def __init__(self, rows_max: int) -> None:
        self._rows_max = rows_max
        self._rows: OrderedDict[_Place, Row] = OrderedDict()

    def find(self, program_id: UUID, want: Want) -> Row | None:
        """The row that answers a want, if it is kept here."""
        if not _is_lasting(want):
            return None
        place = _place(program_id, want)
        row = self._rows.get(place)
        if row is not None:
            self._rows.move_to_end(place)
        return row

    def keep(self, program_id: UUID, want: Want, row: Row) -> None:
        """Keep what the database answered to a want, if that is the answer for ever."""
        if not _is_lasting(want):
            return
        self._rows[_place(program_id, want)] = row
        if len(self._rows) > self._rows_max:
            self._rows.popitem(last=False)

    def forget(self) -> None:
        """Forget everything: another database may know the same program otherwise."""
        self._rows.clear()


def _is_lasting(want: Want) -> bool:
    if not (want.kind.is_fact and want.kind.is_configuration):
        return False
    # A lock is asked of the database, and so is what a row brings along.
    return want.by != FAMILY and not want.is_locked and want.then is None


def _place(program_id: UUID, want: Want) -> _Place:
    return program_id, want.kind, want.by, want.value


LASTING: Final = Lasting(ROWS_MAX)
