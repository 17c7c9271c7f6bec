"""The server's side of a WebSocket, with one thing more than uvicorn's: a socket can be cut off.

A close frame waits behind what a client does not read, and so would the socket, for as long as the client likes.
"""

from collections.abc import Callable, MutableMapping
from typing import Any, Final, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_ABORT: Final = "tessera.abort"


class Protocol(WebSocketsSansIOProtocol):
    """Offers the application to cut the socket off, in its scope."""

    async def run_asgi(self) -> None:
        """Run the application for this socket."""
        cast(dict[str, Any], self.scope)[_ABORT] = self.transport.abort
        await super().run_asgi()


def cut_off(scope: MutableMapping[str, Any]) -> None:
    """End a socket at once, with all that waits to be sent, where the server can."""
    abort: Callable[[], None] | None = scope.get(_ABORT)
    if abort is not None:
        abort()
