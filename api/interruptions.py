"""Signals to stop, noted by whoever would finish what it is at before it ends."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Notes the first signal to stop, so that what is on its way is finished; the next one breaks off as before."""

    def __init__(self) -> None:
        self.is_told = False
        self._previous = {number: signal.getsignal(number) for number in _SIGNALS}

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Note signals in the block."""
        for number in _SIGNALS:
            signal.signal(number, self._note)
        try:
            yield
        finally:
            self._restore()

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.is_told = True
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
