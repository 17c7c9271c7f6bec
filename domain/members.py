"""Members: who they are, how a caller refers to one, and what may be told of their profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import calendars, checks
from domain.kernel import Event, NotFound, Refusal, Row, State
from domain.programs import Program
from domain.stores import Channel

TAGS_MAX: Final = 50
ATTRIBUTES_MAX: Final = 50
CONSENTS_MAX: Final = 20

AttributeValue = str | int | bool | None


class Gender(StrEnum):
    """As the member states it."""

    FEMALE = "FEMALE"
    MALE = "MALE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a member agreed to, or no longer agrees to, per purpose, with the version of the text (P1)."""

    purpose: str
    is_granted: bool
    version: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Member(Row):
    """A person enrolled in a program. Each of the four keys is unique in the program, where it is known."""

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("external_id", "phone", "card_number", "email")

    external_id: str | None = None
    phone: str | None = None
    card_number: str | None = None
    email: str | None = None
    name: str | None = None
    birthday: date | None = None
    gender: Gender | None = None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict[str, AttributeValue])
    tags: tuple[str, ...] = ()
    consents: tuple[Consent, ...] = ()
    channel: Channel
    store_id: UUID | None = None
    enrolled_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRef:
    """How a caller names a member: exactly one of the four."""

    id: UUID | None = None
    external_id: str | None = None
    phone: str | None = None
    card_number: str | None = None


class MemberExists(Refusal):
    """Another member of the program has this key. Details: `key`, `value`."""

    code = "MEMBER_EXISTS"
    text = "Another member of this program has the {key} {value!r}."


class BirthdayInvalid(Refusal):
    """A birthday in the future, or more than 150 years ago."""

    code = "BIRTHDAY_INVALID"
    text = "A birthday lies in the past, at most 150 years ago; {given} does not."


class AttributeInvalid(Refusal):
    """An attribute's name or value is no short text, whole number or truth value. Details: `attribute`."""

    code = "ATTRIBUTE_INVALID"
    text = (
        "The attribute {attribute!r} must have a name of 1 to 50 characters and hold a text of at most"
        " 500 characters, a whole number within 2^53, true, false or null."
    )


class MemberRefInvalid(Refusal):
    """A member is named by no key, or by several."""

    code = "MEMBER_REF_INVALID"
    text = "A member is named by exactly one of id, externalId, phone and cardNumber."


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberUpdated(Event):
    """A member's profile changed."""


def masked(name: str | None) -> str:
    """What other members see of a name, its first letter: 李雷 is 李*, Ann is A*."""
    return f"{(name or '')[:1]}*"


def resolve(state: State, ref: MemberRef) -> UUID:
    """The id of the member a caller names. Refuses `MemberRefInvalid` and, for a key, `NotFound`.

    An id is not looked up: the account with the same id is, by whoever locks it.
    """
    told = [
        (key, value)
        for key in ("id", "external_id", "phone", "card_number")
        if (value := getattr(ref, key)) is not None
    ]
    if len(told) != 1:
        raise MemberRefInvalid(field=("member",))
    if ref.id is not None:
        return ref.id
    key, value = told[0]
    member = state.find_by(Member, key, value)
    if member is None:
        raise NotFound(field=("member", _input_name(key)), kind="Member", key=value)
    return member.id


def _input_name(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.capitalize() for part in rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What is told of a member; None is not told."""

    external_id: str | None = None
    phone: str | None = None
    card_number: str | None = None
    email: str | None = None
    name: str | None = None
    birthday: date | None = None
    gender: Gender | None = None
    attributes: Mapping[str, AttributeValue] | None = None
    tags: tuple[str, ...] | None = None
    consents: tuple[Consent, ...] | None = None


def checked(profile: Profile, program: Program, now: datetime) -> dict[str, object]:
    """What is told, checked. Refuses whatever is malformed, naming its field."""
    told: dict[str, object] = {
        "external_id": checks.optional_text("externalId", profile.external_id),
        "phone": None if profile.phone is None else checks.phone(profile.phone),
        "card_number": checks.optional_text("cardNumber", profile.card_number, length_max=50),
        "email": None if profile.email is None else checks.email(profile.email),
        "name": checks.optional_text("name", profile.name),
        "birthday": _checked_birthday(profile.birthday, calendars.local_date(now, program.time_zone)),
        "gender": profile.gender,
        "attributes": checked_attributes("attributes", profile.attributes),
        "tags": _checked_tags(profile.tags),
        "consents": _checked_consents(profile.consents, now),
    }
    return {name: value for name, value in told.items() if value is not None}


def _checked_birthday(birthday: date | None, today: date) -> date | None:
    if (birthday is not None and not today.year - 150 <= birthday.year) or (birthday or today) > today:
        raise BirthdayInvalid(field=("birthday",), given=str(birthday))
    return birthday


def checked_attributes(
    field_name: str, attributes: Mapping[str, AttributeValue] | None
) -> Mapping[str, AttributeValue] | None:
    """Names and their values, checked. Refuses `TooMany` and `AttributeInvalid`, naming the field."""
    if attributes is None:
        return None
    checks.at_most(field_name, tuple(attributes), ATTRIBUTES_MAX)
    for name, value in attributes.items():
        is_name = 0 < len(name) <= 50 and "\0" not in name
        if not is_name or not _is_attribute(value):
            raise AttributeInvalid(field=(field_name, str(name)[:50]), attribute=str(name)[:50])
    return dict(attributes)


def _is_attribute(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= 500 and "\0" not in value
    if isinstance(value, bool) or value is None:
        return True
    return isinstance(value, int) and abs(value) <= checks.POINTS_MAX


def _checked_tags(tags: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if tags is None:
        return None
    checks.at_most("tags", tags, TAGS_MAX)
    return tuple(dict.fromkeys(checks.text("tags", tag, length_max=50) for tag in tags))


def _checked_consents(consents: tuple[Consent, ...] | None, now: datetime) -> tuple[Consent, ...] | None:
    if consents is None:
        return None
    checks.at_most("consents", consents, CONSENTS_MAX)
    return tuple(
        Consent(
            purpose=checks.text("consents.purpose", consent.purpose, length_max=50),
            is_granted=consent.is_granted,
            version=checks.text("consents.version", consent.version, length_max=50),
            at=checks.past("consents.at", consent.at, now),
        )
        for consent in consents
    )


def refuse_taken_keys(state: State, told: Mapping[str, object], member_id: UUID | None) -> None:
    """Each key belongs to one member at most. Refuses `MemberExists` for the first that is taken."""
    for key in Member.keys:
        value = told.get(key)
        if value is None:
            continue
        holder = state.find_by(Member, key, value)
        if holder is not None and holder.id != member_id:
            raise MemberExists(field=(_input_name(key),), key=_input_name(key), value=str(value))
