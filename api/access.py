"""Who calls, what each field of the schema asks of a caller, and the one place where the two are compared.

A policy is a directive, so that the contract prints it: `@requires(callers: […], scope: …)`. Scopes are asked of secret
keys and of operators, whose role has them; publishable keys and members have no scopes, and a field that names them is
open to them: a member only ever reaches its own rows.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import strawberry
from strawberry.schema_directive import Location

from api.errors import ApiError, ErrorCode
from domain.access import Role, Scope

Resolver = TypeVar("Resolver", bound=Callable[..., Any])
Info = strawberry.Info[Any, Any]


class CallerKind(StrEnum):
    """Who calls, by the credential in the header `Authorization: Bearer …`."""

    PUBLISHABLE_KEY = "PUBLISHABLE_KEY"  # a storefront's code, before anybody signs in
    SECRET_KEY = "SECRET_KEY"  # a shop's server
    OPERATOR = "OPERATOR"  # a staff person
    MEMBER = "MEMBER"  # a member, for itself


strawberry.enum(CallerKind, description=inspect.getdoc(CallerKind))
strawberry.enum(Scope, description=inspect.getdoc(Scope))
strawberry.enum(Role, description=inspect.getdoc(Role))

_SCOPED: Final = frozenset({CallerKind.SECRET_KEY, CallerKind.OPERATOR})
_NOTHING: Final = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, of which program. `id` is the key's, the operator's or the member's; kind None is nobody."""

    kind: CallerKind | None
    id: UUID
    program_id: UUID
    currency_code: str
    scopes: frozenset[Scope] = frozenset()
    is_frozen: bool = False

    @property
    def actor(self) -> str:
        """How facts name who caused them."""
        return f"{(self.kind or '').lower()}:{self.id}"

    @property
    def is_member(self) -> bool:
        """Whether a member calls for itself."""
        return self.kind is CallerKind.MEMBER

    @property
    def member_id(self) -> UUID | None:
        """The member that calls for itself; None for anybody else."""
        return self.id if self.is_member else None

    @property
    def is_staff(self) -> bool:
        """Whether the shop calls: its server or an operator."""
        return self.kind in _SCOPED


NOBODY: Final = Caller(kind=None, id=_NOTHING, program_id=_NOTHING, currency_code="")


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION, Location.INPUT_FIELD_DEFINITION],
    name="requires",
    description="Who may reach a field; keys and operators also need the scope.",
)
class Requires:
    """A policy: the kinds of callers, and the scope that those with scopes need."""

    callers: list[CallerKind]
    scope: Scope | None = strawberry.UNSET


def everyone(scope: Scope | None = None) -> Requires:
    """Any credential; keys with scopes and operators need the scope."""
    return _requires(tuple(CallerKind), scope)


def staff(scope: Scope) -> Requires:
    """The shop's server and operators."""
    return _requires((CallerKind.SECRET_KEY, CallerKind.OPERATOR), scope)


def staff_or_member(scope: Scope) -> Requires:
    """The shop's server and operators for anybody, and a member for itself."""
    return _requires((CallerKind.SECRET_KEY, CallerKind.OPERATOR, CallerKind.MEMBER), scope)


def server_or_member(scope: Scope) -> Requires:
    """The shop's server for anybody, and a member for itself: what staff must not see."""
    return _requires((CallerKind.SECRET_KEY, CallerKind.MEMBER), scope)


def only(kind: CallerKind, scope: Scope | None = None) -> Requires:
    """One kind of caller."""
    return _requires((kind,), scope)


def _requires(callers: tuple[CallerKind, ...], scope: Scope | None) -> Requires:
    return Requires(callers=list(callers), scope=scope or strawberry.UNSET)


def permits(policy: Requires, caller: Caller) -> bool:
    """Whether a policy lets a caller in."""
    if caller.kind not in policy.callers:
        return False
    return caller.kind not in _SCOPED or not policy.scope or policy.scope in caller.scopes


def require(policy: Requires, caller: Caller) -> None:
    """Raises `UNAUTHENTICATED` or `FORBIDDEN`, saying what is missing, unless the policy lets the caller in."""
    if permits(policy, caller):
        return
    if caller.kind is None:
        raise ApiError("This needs a credential in the header Authorization: Bearer.", ErrorCode.UNAUTHENTICATED)
    if caller.kind not in policy.callers:
        allowed = ", ".join(policy.callers)
        raise ApiError(f"This is open to {allowed}; the credential is a {caller.kind}.", ErrorCode.FORBIDDEN)
    raise ApiError(f"This needs the scope {policy.scope}.", ErrorCode.FORBIDDEN)


def require_scopes(scopes: frozenset[Scope], caller: Caller) -> None:
    """Nobody gives away what they do not have. Raises `FORBIDDEN`."""
    missing = ", ".join(sorted(scopes - caller.scopes))
    if missing:
        raise ApiError(f"Only who has a scope can give it; missing: {missing}.", ErrorCode.FORBIDDEN)


def require_itself(caller: Caller, member_id: UUID | None) -> None:
    """A member names nobody but itself. Raises `FORBIDDEN`."""
    if caller.is_member and member_id != caller.id:
        raise ApiError("A member acts for itself only: leave the member out.", ErrorCode.FORBIDDEN)


def field(policy: Requires) -> Callable[[Resolver], Resolver]:
    """Make a resolver, which takes `info`, a field with a policy; its docstring is the description."""

    def decorate(resolver: Resolver) -> Resolver:
        policed: Any = resolved_by(policy, resolver, description=inspect.getdoc(resolver))
        return cast("Resolver", policed)

    return decorate


def resolved_by(policy: Requires, resolver: Callable[..., Any], *, description: str | None = None) -> Any:
    """A field with a policy and a resolver that stands elsewhere and takes `info`."""
    return strawberry.field(resolver=checked(policy, resolver), directives=[policy], description=description)


def guarded(policy: Requires, attribute: str, *, description: str | None = None) -> Any:
    """A field with a policy that shows an attribute of its parent."""

    def resolve(parent: strawberry.Parent[object], info: Info) -> Any:  # noqa: ARG001 - the policy looks at it
        return getattr(parent, attribute)

    return resolved_by(policy, resolve, description=description)


def veiled(policy: Requires, attribute: str, *, description: str | None = None) -> Any:
    """Like `guarded`, but null to whom the policy does not let in: what was done must not look as if it had failed."""

    def resolve(parent: strawberry.Parent[object], info: Info) -> Any:
        return getattr(parent, attribute) if permits(policy, info.context.caller) else None

    return strawberry.field(resolver=resolve, directives=[policy], description=description)


def checked(policy: Requires, resolver: Callable[..., Any]) -> Callable[..., Any]:
    """The resolver, run only for callers whom the policy lets in; compared before anything is awaited."""

    @functools.wraps(resolver)
    def resolve(*parents: Any, info: Info, **arguments: Any) -> Any:
        require(policy, info.context.caller)
        return resolver(*parents, info=info, **arguments)

    return resolve
