"""The parameters of one GraphQL request, read from a body, a query string or a socket message."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import orjson

from api import errors

QUERY_FIELDS_MAX = 20
DEPTH_MAX = 64
"""Levels of JSON, the request's own object included; what is deeper could not be encoded again."""

_LONE_SURROGATE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)


class Parameters(NamedTuple):
    """What the client sent; ``query`` may be missing when ``extensions`` name a stored document."""

    query: str | None
    operation_name: str | None
    variables: dict[str, Any] | None
    extensions: dict[str, Any] | None


def from_body(body: bytes) -> Parameters:
    """Read a JSON body. Raises ``BAD_REQUEST`` if it is no GraphQL request, ``BAD_USER_INPUT`` as ``decode`` does."""
    return from_object(decode(body))


def from_query_string(query_string: bytes) -> Parameters:
    """Read the query string of a GET request; ``variables`` and ``extensions`` are JSON in it."""
    try:
        fields: dict[str, Any] = dict(
            parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX)
        )
    except ValueError:
        raise _bad_request("The query string has too many fields.") from None
    for name in ("variables", "extensions"):
        if fields.get(name):
            fields[name] = decode(fields[name].encode())
        else:
            fields.pop(name, None)
    return from_object(fields)


def from_object(value: object) -> Parameters:
    """Check the shape of decoded JSON. Raises ``BAD_REQUEST`` with the name of the parameter that does not fit."""
    if not isinstance(value, dict):
        raise _bad_request("The request must be one JSON object; batches are not supported.")
    get = value.get
    parameters = Parameters(get("query"), get("operationName"), get("variables"), get("extensions"))
    for name, found, expected in (
        ("query", parameters.query, str),
        ("operationName", parameters.operation_name, str),
        ("variables", parameters.variables, dict),
        ("extensions", parameters.extensions, dict),
    ):
        if found is not None and not isinstance(found, expected):
            raise _bad_request(f"The parameter {name} must be {'a string' if expected is str else 'an object'}.")
    return parameters


def decode(text: bytes) -> object:
    """Decode JSON.

    Raises ``BAD_REQUEST`` for what is not JSON in UTF-8 or is nested more than ``DEPTH_MAX`` deep, and
    ``BAD_USER_INPUT`` for strings that no database could store: lone surrogates, which are not Unicode, and U+0000,
    which PostgreSQL refuses.
    """
    try:
        value: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        if _LONE_SURROGATE.search(text):
            raise _bad_string("half of a surrogate pair") from None
        raise _bad_request("The request is not JSON in UTF-8.") from None
    # Nearly every request is cleared by these searches through its bytes: JSON can only write U+0000 as an escape.
    if text.count(b"[") + text.count(b"{") > DEPTH_MAX and any(depth > DEPTH_MAX for _, depth in _walk(value)):
        raise _bad_request(f"The request is nested more than {DEPTH_MAX} deep.")
    if b"\\u0000" in text and any(isinstance(item, str) and "\0" in item for item, _ in _walk(value)):
        raise _bad_string("the character U+0000")
    return value


def _walk(root: object) -> Iterator[tuple[object, int]]:
    """Visit every key and value of decoded JSON without recursion, each with the number of containers around it."""
    waiting = [(root, 0)]
    while waiting:
        value, depth = waiting.pop()
        yield value, depth
        if isinstance(value, dict):
            waiting.extend((item, depth + 1) for pair in value.items() for item in pair)
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in value)


def _bad_string(what: str) -> errors.ApiError:
    return errors.ApiError(f"A string contains {what}, which cannot be stored.", errors.ErrorCode.BAD_USER_INPUT)


def _bad_request(message: str) -> errors.ApiError:
    return errors.ApiError(message, errors.ErrorCode.BAD_REQUEST)
