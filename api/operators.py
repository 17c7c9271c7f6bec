"""Operators in the API: staff who sign in with e-mail and password."""

from datetime import datetime
from typing import Final, Self

from api import access, connections, passwords, payloads, refusals, shapes
from api.access import CallerKind
from api.connections import Connection
from api.context import Context, Info
from api.errors import ApiError, ErrorCode
from api.tokens import TokenKind
from domain import access as domain_access
from domain.access import Role, Scope
from persistence import access as stored
from persistence.throttles import Limit

LOGINS: Final = Limit("login", count_max=10, seconds=15 * 60)

_OWNERS: Final = access.only(CallerKind.OPERATOR, Scope.KEYS_WRITE)


@shapes.shape(domain_access.Operator)
class Operator(shapes.Node):
    """A staff person."""

    email: str
    name: str
    role: Role
    is_disabled: bool
    created_at: datetime


@shapes.shape()
class OperatorQueries:
    """What can be asked about operators."""

    @access.field(_OWNERS)
    async def operators(
        self, info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
    ) -> Connection[Operator]:
        """Operators of the program, the oldest first."""
        part = connections.asked(info.context, stored.OPERATOR_KEYSET, first, after)
        found = await stored.operators(info.context.caller.program_id, part)
        return connections.page(found, stored.OPERATOR_KEYSET, part)


@shapes.given()
class OperatorLoginInput:
    """E-mail address and password."""

    email: str
    password: str


@shapes.given()
class OperatorCreateInput:
    """A staff person; the password has 10 to 200 characters."""

    email: str
    name: str
    password: str
    role: Role


@shapes.shape()
class OperatorLoginPayload(payloads.Payload):
    """A token for `Authorization: Bearer`, and whose it is."""

    token: str | None = None
    expires_at: datetime | None = None
    operator: Operator | None = None


@shapes.shape()
class OperatorCreatePayload(payloads.Payload):
    """The new operator."""

    operator: Operator | None = None

    @classmethod
    def of(cls, operator: domain_access.Operator) -> Self:
        """The payload of an operator."""
        return cls(operator=shapes.shown(operator))


@shapes.shape()
class OperatorMutations:
    """What can be done with operators."""

    @access.field(access.only(CallerKind.PUBLISHABLE_KEY))
    async def operator_login(self, info: Info, input: OperatorLoginInput) -> OperatorLoginPayload:  # noqa: A002
        """Sign in. At most 10 attempts in 15 minutes for an e-mail address; then `THROTTLED`."""
        return await payloads.answered(OperatorLoginPayload, _log_in(info.context, input))

    @access.field(_OWNERS)
    async def operator_create(self, info: Info, input: OperatorCreateInput) -> OperatorCreatePayload:  # noqa: A002
        """Make an operator. Refuses an e-mail address that is taken."""
        access.require_scopes(domain_access.SCOPES_OF[input.role], info.context.caller)
        return await payloads.answered(OperatorCreatePayload, _create(info.context, input))


async def _log_in(context: Context, given: OperatorLoginInput) -> OperatorLoginPayload:
    program_id, email = context.caller.program_id, given.email.strip().lower()
    await _require_attempt(context, email)
    operator = None if "\0" in email else await stored.find_operator(program_id, email)
    kept = None if operator is None or operator.is_disabled else operator.password_hash
    # Checked even where there is nobody, so that the time taken does not tell who exists.
    is_right = await context.backend.passwords.matches(kept, given.password)
    if not is_right or operator is None:
        raise refusals.CredentialsWrong
    await context.backend.throttle.reset(LOGINS, program_id, email)
    issued = context.backend.tokens.issue(TokenKind.OPERATOR, operator.id, program_id, context.now)
    return OperatorLoginPayload(token=issued.token, expires_at=issued.expires_at, operator=shapes.shown(operator))


async def _require_attempt(context: Context, email: str) -> None:
    wait = await context.backend.throttle.wait_seconds(LOGINS, context.caller.program_id, email)
    if wait:
        raise ApiError(
            "Too many attempts to sign in; try again later.", ErrorCode.THROTTLED, facts={"retryAfterSeconds": wait}
        )


async def _create(context: Context, given: OperatorCreateInput) -> OperatorCreatePayload:
    length = len(given.password)
    if not passwords.LENGTH_MIN <= length <= passwords.LENGTH_MAX:
        raise refusals.PasswordInvalid(
            field=("password",), length=length, lengthMin=passwords.LENGTH_MIN, lengthMax=passwords.LENGTH_MAX
        )
    command = domain_access.CreateOperator(
        email=given.email,
        name=given.name,
        password_hash=await context.backend.passwords.hashed(given.password),
        role=given.role,
    )
    return OperatorCreatePayload.of((await context.execute(command)).result)
