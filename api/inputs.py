"""What several inputs share: money, references to members, idempotency keys, and bounds on lists."""

import dataclasses
from decimal import Decimal
from typing import Any, Final, NamedTuple

import strawberry
from strawberry.schema_directive import Location
from strawberry.types.base import StrawberryContainer, get_object_definition, has_object_definition
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from api import access, ids, scalars, shapes
from api.context import Context
from domain import checks, members, money, programs

_KEY_DESCRIPTION: Final = (
    "1 to 200 characters of the caller's choice. The same key with the same input gives the first result again, so that"
    " a call whose answer was lost can be repeated safely."
)


@strawberry.schema_directive(
    locations=[Location.ARGUMENT_DEFINITION, Location.INPUT_FIELD_DEFINITION],
    name="atMost",
    description="How many items a list may have.",
)
class AtMost:
    """A bound on a list."""

    items: int


def bounded(
    items_max: int,
    *,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    policy: access.Requires | None = None,
    description: str | None = None,
) -> Any:
    """A list in an input, of at most so many items; the contract prints the bound, and `check` holds it."""
    policies = [] if policy is None else [policy]
    directives = [AtMost(items=items_max), *policies]
    return strawberry.field(
        directives=directives, default=default, default_factory=default_factory, description=description
    )


class _Rules(NamedTuple):
    """What the directives on an input's fields ask: bounds on lists, policies, and parts that have rules themselves.

    Bounds and parts also have the name that the contract gives to the field.
    """

    bounds: tuple[tuple[str, str, int], ...]
    policies: tuple[tuple[str, access.Requires], ...]
    parts: tuple[tuple[str, str], ...]

    @property
    def are_any(self) -> bool:
        """Whether anything is asked."""
        return bool(self.bounds or self.policies or self.parts)


_known_rules: dict[type, _Rules] = {}


def _rules(kind: type) -> _Rules:
    known = _known_rules.get(kind)
    if known is None:
        fields = get_object_definition(kind, strict=True).fields
        told = [(field, rule) for field in fields for rule in field.directives]
        parts = [(field, part) for field in fields if (part := _part(field)) is not None]
        known = _known_rules[kind] = _Rules(
            bounds=tuple((*_names(field), rule.items) for field, rule in told if isinstance(rule, AtMost)),
            policies=tuple((field.python_name, rule) for field, rule in told if isinstance(rule, access.Requires)),
            parts=tuple(_names(field) for field, part in parts if _rules(part).are_any),
        )
    return known


def _names(field: StrawberryField) -> tuple[str, str]:
    """A field's name in Python and in the contract."""
    return field.python_name, field.graphql_name or to_camel_case(field.python_name)


def _part(field: StrawberryField) -> type | None:
    """The input that a field or its list holds; None for scalars and enumerations."""
    held: Any = field.type
    while isinstance(held, StrawberryContainer):
        held = held.of_type
    return held if isinstance(held, type) and has_object_definition(held) else None


def check(context: Context, given: Any) -> None:
    """Hold what the contract prints on an input's fields, before anything is done.

    Refuses `TooMany` for a list that is longer than it may be; raises `FORBIDDEN` for a field that is told by a caller
    who may not.
    """
    rules = _rules(type(given))
    for name, policy in rules.policies:
        if getattr(given, name) is not None:
            access.require(policy, context.caller)
    for name, shown, items_max in rules.bounds:
        items = getattr(given, name)
        if items is not None:
            checks.at_most(shown, items, items_max)
    for name, shown in rules.parts:
        for path, part in _places(shown, getattr(given, name)):
            with checks.below(*path):
                check(context, part)


def _places(name: str, given: Any) -> list[tuple[tuple[str, ...], Any]]:
    """What a part holds, each with its path: one input, those of a list, or nothing."""
    if isinstance(given, list):
        return [((name, str(place)), item) for place, item in enumerate(given)]
    return [] if given is None else [((name,), given)]


@shapes.given()
class KeyedInput:
    """An input whose effect must happen once."""

    idempotency_key: str = strawberry.field(description=_KEY_DESCRIPTION)


@shapes.given()
class RepeatableInput:
    """An input whose effect is the same if it happens again; a key is welcome."""

    idempotency_key: str | None = strawberry.field(default=None, description=_KEY_DESCRIPTION)


@shapes.given()
class MoneyInput:
    """An amount of money in the program's currency."""

    amount: Decimal
    currency_code: scalars.CurrencyCode

    def minor(self, context: Context, field: str) -> int:
        """The amount in minor units. Refuses `CurrencyMismatch` and more decimals than the currency has."""
        expected = context.caller.currency_code
        if self.currency_code != expected:
            raise programs.CurrencyMismatch(field=(field,), expected=expected, given=self.currency_code)
        return money.minor_units(field, self.amount, expected)


@shapes.given("MemberRef", one_of=True)
class MemberRefInput:
    """How a member is named: by exactly one of these."""

    id: strawberry.ID | None = strawberry.UNSET
    external_id: str | None = strawberry.UNSET
    phone: str | None = strawberry.UNSET
    card_number: str | None = strawberry.UNSET

    def ref(self) -> members.MemberRef:
        """The reference for the domain. Refuses what no member could be named by."""
        told = {name: getattr(self, name) or None for name in ("external_id", "phone", "card_number")}
        checked = {name: checks.optional_text(f"member.{name}", value) for name, value in told.items()}
        return members.MemberRef(id=ids.optional("Member", self.id or None, "member.id"), **checked)


def member(context: Context, given: MemberRefInput | None) -> members.MemberRef:
    """Whom a call is about: a member's own token need not say, and may say only itself. Raises `FORBIDDEN`."""
    if context.caller.is_member:
        itself = context.caller.id if given is None else ids.find("Member", given.id or None)
        access.require_itself(context.caller, itself)
        return members.MemberRef(id=itself)
    return members.MemberRef() if given is None else given.ref()
