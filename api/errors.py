"""What a client is told when a request fails, and what it is never told.

Top-level ``errors`` are for protocol, authentication and server faults only; a business "no" is data in a payload.
Every fault leaves with ``extensions.code`` and ``extensions.requestId``. The text of an exception nobody foresaw
stays in the log, beside the same request id.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from graphql import GraphQLError
from strawberry.exceptions import StrawberryInputCoercionError

logger = logging.getLogger("tessera.api")

Fault = dict[str, Any]
"""One entry of ``errors`` in a response, ready for JSON."""

INTERNAL_MESSAGE = "Internal server error"
FAULTS_MAX = 10
"""Faults of one document or its variables: each quotes what is wrong, so a thousand would be an amplifier."""

QUOTED_CHARACTERS_MAX = 500

LOGGED_FAULTS_MAX = 10
"""A list of 100 items that all fail for one reason should not write 100 tracebacks."""


class ErrorCode(StrEnum):
    """The codes of top-level errors; clients may branch on them."""

    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"  # the document is not GraphQL
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"  # the document does not fit the schema
    BAD_USER_INPUT = "BAD_USER_INPUT"  # a variable or an argument has an impossible value
    BAD_REQUEST = "BAD_REQUEST"  # the HTTP request is not a GraphQL request
    UNAUTHENTICATED = "UNAUTHENTICATED"  # the credential is missing, wrong or expired
    FORBIDDEN = "FORBIDDEN"  # the credential is good, and not enough
    THROTTLED = "THROTTLED"  # too many requests; try again later
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"  # the document exceeds one of the limits
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"  # send the document with its hash once more
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"  # our fault; the log knows why


_STATUSES = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.THROTTLED: 429,
    ErrorCode.INTERNAL_SERVER_ERROR: 500,
}


class ApiError(Exception):
    """An intended top-level error: its message and its facts are written for the client.

    Raised by resolvers it becomes the error of one field; raised before execution it refuses the whole request.
    ``facts`` stand beside the code in ``extensions`` (JSON values only). ``status`` and ``headers`` are those of an
    HTTP response that consists of this error alone; the code gives the status when none is named.
    """

    def __init__(
        self,
        message: str,
        code: ErrorCode,
        *,
        facts: Mapping[str, object] | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.facts = facts or {}
        self.status = status or _STATUSES.get(code, 400)
        self.headers = headers or {}


class DocumentError(Exception):
    """A well-formed request whose document or variables cannot be run; the faults, not yet stamped, say why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__()
        self.faults = faults


def document_refused(error: ApiError) -> DocumentError:
    """Give the refusal of a document for one reason."""
    return DocumentError(from_refusal(error, ""))


def from_refusal(error: ApiError, request_id: str) -> Fault:
    """Give the fault of an error that no place in the document is to blame for."""
    return _fault(error.message, error.code, request_id, error.facts)


def internal(request_id: str) -> Fault:
    """Give the fault that says nothing but where to look it up."""
    return _fault(INTERNAL_MESSAGE, ErrorCode.INTERNAL_SERVER_ERROR, request_id)


def from_document(errors: Iterable[GraphQLError], code: ErrorCode) -> tuple[Fault, ...]:
    """Give the faults of a document or of its variables, to be stamped for every request that meets them."""
    return tuple(_located(_fault(_safe_message(error), code, ""), error) for error in errors)


def stamped(faults: Iterable[Fault], request_id: str) -> list[Fault]:
    """Give copies of faults that bear this request's id."""
    return [{**fault, "extensions": {**fault["extensions"], "requestId": request_id}} for fault in faults]


def from_execution(errors: Iterable[GraphQLError], request_id: str) -> list[Fault]:
    """Give the faults of fields that failed; what was not intended is logged and masked."""
    logged: set[int] = set()
    return [_located(_field_fault(error, request_id, logged), error) for error in errors]


def log_unexpected(error: BaseException, request_id: str, path: object = None) -> None:
    """Write an unforeseen exception with its traceback under the request's id.

    A store that is away is told in a line: every request would repeat the same traceback.
    """
    if isinstance(error, ConnectionError):
        logger.error("request %s: a store is away: %s", request_id, error)
        return
    logger.error("request %s failed unexpectedly at %s", request_id, path or "the request", exc_info=error)


def _fault(message: str, code: ErrorCode, request_id: str, facts: Mapping[str, object] | None = None) -> Fault:
    return {"message": message, "extensions": {"code": code.value, "requestId": request_id, **(facts or {})}}


def _located(fault: Fault, error: GraphQLError) -> Fault:
    if error.locations:
        fault["locations"] = [location.formatted for location in error.locations]
    if error.path:
        fault["path"] = error.path
    return fault


def _field_fault(error: GraphQLError, request_id: str, logged: set[int]) -> Fault:
    cause = list(_causes(error))[-1]
    if isinstance(cause, ApiError):
        return from_refusal(cause, request_id)
    if _is_input_error(cause):
        return _fault(_safe_message(error), ErrorCode.BAD_USER_INPUT, request_id)
    if id(cause) not in logged and len(logged) < LOGGED_FAULTS_MAX:
        logged.add(id(cause))
        log_unexpected(cause, request_id, error.path)
    return internal(request_id)


def _is_input_error(cause: BaseException) -> bool:
    # The executor of graphql-core raises a bare GraphQLError both for an argument that turns out null at run time and
    # for a resolver's wrong result; the latter quotes the value, so only the former, known by its words, is shown.
    return isinstance(cause, StrawberryInputCoercionError) or (
        isinstance(cause, GraphQLError) and cause.message.startswith("Argument '")
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    while isinstance(error, GraphQLError) and error.original_error is not None:
        error = error.original_error
        yield error


def _safe_message(error: GraphQLError) -> str:
    """Give the message, shortened, unless a scalar's parser broke instead of refusing.

    Parsers refuse with ValueError or TypeError, and graphql-core quotes them; any other exception is a bug of ours.
    """
    cause = list(_causes(error))[-1]
    if isinstance(cause, (GraphQLError, ValueError, TypeError)):
        message = error.message
        return message if len(message) <= QUOTED_CHARACTERS_MAX else message[:QUOTED_CHARACTERS_MAX] + "…"
    log_unexpected(cause, "", "a scalar's parser")
    return "A value cannot be read."
