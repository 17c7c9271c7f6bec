"""HTTP below GraphQL: the headers that matter, a body of bounded size, an answer in bytes."""

import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from api import errors

JSON = b"application/json; charset=utf-8"
GRAPHQL_JSON = b"application/graphql-response+json; charset=utf-8"

CACHED_HEADER_BYTES_MAX = 256
_SANE_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Head(NamedTuple):
    """What this layer reads from a request's headers. ``media_type`` is that of the answer."""

    request_id: str
    media_type: bytes
    content_type: bytes
    content_length: bytes
    content_encoding: bytes


def read_head(scope: Scope) -> Head:
    """Read the headers in one pass; a request id that is missing or odd is replaced by a random one."""
    request_id = accept = content_type = content_length = content_encoding = b""
    for name, value in scope["headers"]:
        if name == b"content-type":
            content_type = value
        elif name == b"content-length":
            content_length = value
        elif name == b"accept":
            accept = accept + b"," + value if accept else value
        elif name == b"x-request-id":
            request_id = value
        elif name == b"content-encoding":
            content_encoding = value
    sane = _SANE_REQUEST_ID.fullmatch(request_id) is not None
    return Head(
        request_id.decode("ascii") if sane else secrets.token_hex(12),
        (_answer_type if len(accept) <= CACHED_HEADER_BYTES_MAX else _answer_type.__wrapped__)(accept),
        content_type,
        content_length,
        content_encoding,
    )


def require_json(head: Head) -> None:
    """Raise 415 unless the body is ``application/json`` in UTF-8, not compressed."""
    if not _is_json(head.content_type[:CACHED_HEADER_BYTES_MAX]) or head.content_encoding not in (b"", b"identity"):
        raise errors.ApiError(
            "The body must be sent as application/json in UTF-8, not compressed.",
            errors.ErrorCode.BAD_REQUEST,
            status=415,
        )


def require_short(query_string: bytes, max_bytes: int) -> None:
    """Raise 414 for a query string that would not be accepted as a body either."""
    if len(query_string) > max_bytes:
        raise _too_large("query string", max_bytes, 414)


async def read_body(receive: Receive, head: Head, max_bytes: int) -> bytes:
    """Read the body, at most ``max_bytes`` of it, whether its length was announced or not.

    Raises 413 as soon as the body is known to be longer, and ``ClientDisconnect`` when the client leaves.
    """
    if head.content_length.isdigit() and int(head.content_length[:20]) > max_bytes:
        raise _too_large("body", max_bytes, 413)
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > max_bytes:
            raise _too_large("body", max_bytes, 413)
    return body


async def send_answer(send: Send, head: Head, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    """Send one complete response."""
    lines = [
        (b"content-type", head.media_type),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-request-id", head.request_id.encode("ascii")),
    ]
    lines.extend((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items())
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


def _too_large(what: str, max_bytes: int, status: int) -> errors.ApiError:
    # The server discards what still comes. Closing the connection instead would reset it under a client that is
    # still sending, which would then never see this answer.
    return errors.ApiError(
        f"The {what} is larger than {max_bytes} bytes.",
        errors.ErrorCode.BAD_REQUEST,
        facts={"maximum": max_bytes},
        status=status,
    )


@lru_cache(maxsize=256)
def _answer_type(accept: bytes) -> bytes:
    """Choose the media type of the answer.

    ``application/graphql-response+json`` must be named, and not be liked less than ``application/json``; wildcards
    and everything this server cannot send get ``application/json``, as the specification allows.
    """
    liked: dict[str, float] = {}
    for part in accept.decode("latin-1").lower().split(","):
        name, *options = (piece.strip() for piece in part.split(";"))
        liked[name] = _quality(options)
    graphql = liked.get("application/graphql-response+json", 0.0)
    return GRAPHQL_JSON if graphql > 0 and graphql >= liked.get("application/json", 0.0) else JSON


def _quality(options: list[str]) -> float:
    for option in options:
        if option.startswith("q="):
            try:
                return float(option[2:])
            except ValueError:
                return 0.0
    return 1.0


@lru_cache(maxsize=256)
def _is_json(content_type: bytes) -> bool:
    name, *options = (piece.strip() for piece in content_type.decode("latin-1").lower().split(";"))
    charsets = [option[8:].strip('"') for option in options if option.startswith("charset=")]
    return name == "application/json" and all(charset in ("utf-8", "utf8") for charset in charsets)
