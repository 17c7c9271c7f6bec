"""Members: keys that belong to one member at most, and what of a profile may be told (S1, S3, P1)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import checks, members
from domain.enrollments import EnrollMember
from domain.kernel import NotFound
from domain.members import Consent, Gender, Member, MemberRef, Profile
from domain.profiles import UpdateMember
from tests.domain.memory import START, ref
from tests.domain.shop import Shop

PHONE = "+8613812345678"
NOBODY = UUID(int=99)


def enroll(shop: Shop, **profile: Any) -> Member:
    return shop.run(EnrollMember(profile=Profile(**{"external_id": f"m{shop.number}", **profile}))).member


def update(shop: Shop, member: Member, **profile: Any) -> Member:
    return shop.run(UpdateMember(member=ref(member.id), profile=Profile(**profile)))


def consent(purpose: str = "email", *, is_granted: bool = True, version: str = "1", at: datetime = START) -> Consent:
    return Consent(purpose=purpose, is_granted=is_granted, version=version, at=at)


# Naming.


def test_a_member_is_found_by_each_of_its_names(shop: Shop) -> None:
    member = enroll(shop, external_id="li", phone=PHONE, card_number="C1")
    for named in (
        MemberRef(id=member.id),
        MemberRef(external_id="li"),
        MemberRef(phone=PHONE),
        MemberRef(card_number="C1"),
    ):
        assert members.resolve(shop.state, named) == member.id


@pytest.mark.parametrize(
    ("named", "field"),
    [
        (MemberRef(external_id="x"), ("member", "externalId")),
        (MemberRef(phone="x"), ("member", "phone")),
        (MemberRef(card_number="x"), ("member", "cardNumber")),
    ],
)
def test_an_unknown_name_is_not_found_and_says_which(shop: Shop, named: MemberRef, field: tuple[str, ...]) -> None:
    with pytest.raises(NotFound) as refused:
        members.resolve(shop.state, named)
    assert refused.value.field == field


def test_exactly_one_name_is_told(shop: Shop) -> None:
    for named in (MemberRef(), MemberRef(external_id="x", phone="y")):
        with pytest.raises(members.MemberRefInvalid):
            members.resolve(shop.state, named)


# Keys.


@pytest.mark.parametrize(
    ("key", "value"), [("external_id", "li"), ("phone", PHONE), ("card_number", "C1"), ("email", "li@example.com")]
)
def test_a_key_belongs_to_one_member_at_most(shop: Shop, key: str, value: str) -> None:
    holder = enroll(shop, **{key: value})
    other = enroll(shop)
    with pytest.raises(members.MemberExists) as refused:
        enroll(shop, **{key: value})
    assert refused.value.details["value"] == value
    with pytest.raises(members.MemberExists):
        update(shop, other, **{key: value})
    assert update(shop, holder, **{key: value}) == holder, "its own key is no conflict"


def test_a_key_that_was_given_up_is_free(shop: Shop) -> None:
    first = enroll(shop, phone=PHONE)
    update(shop, first, phone="+8613800000000")
    second = enroll(shop, phone=PHONE)
    assert members.resolve(shop.state, MemberRef(phone=PHONE)) == second.id


def test_keys_that_differ_only_in_blanks_or_the_case_of_a_domain_are_the_same(shop: Shop) -> None:
    enroll(shop, external_id=" li ", email="Li@Example.com")
    for profile in ({"external_id": "li"}, {"email": "Li@EXAMPLE.COM"}):
        with pytest.raises(members.MemberExists):
            enroll(shop, **profile)


# What may be told.


def test_what_is_not_told_stays(shop: Shop) -> None:
    member = enroll(
        shop, name="Li", birthday=date(1990, 2, 28), gender=Gender.FEMALE, tags=("vip",), attributes={"a": 1}
    )
    assert update(shop, member) == member
    assert update(shop, member, name="Li Lei") == replace(member, name="Li Lei")
    assert shop.events == (members.MemberUpdated(member_id=member.id),)


def test_attributes_are_merged_by_name_and_null_removes(shop: Shop) -> None:
    member = enroll(shop, attributes={"size": "M", "age": 30, "vip": True})
    member = update(shop, member, attributes={"size": "L", "age": None, "new": 0, "never": None})
    assert member.attributes == {"size": "L", "vip": True, "new": 0}


@pytest.mark.parametrize(
    ("name", "value"),
    [("", 1), ("x" * 51, 1), ("a\0", 1), ("a", "y" * 501), ("a", "\0"), ("a", 2**53), ("a", 1.5), ("a", [1])],
)
def test_attributes_are_short_texts_whole_numbers_and_truth_values(shop: Shop, name: str, value: Any) -> None:
    with pytest.raises(members.AttributeInvalid) as refused:
        enroll(shop, attributes={name: value})
    assert refused.value.details == {"attribute": name[:50]}


def test_there_are_at_most_fifty_attributes_also_after_merging(shop: Shop) -> None:
    with pytest.raises(checks.TooMany):
        enroll(shop, attributes={str(number): 1 for number in range(51)})
    member = enroll(shop, attributes={str(number): 1 for number in range(50)})
    with pytest.raises(checks.TooMany):
        update(shop, member, attributes={"one more": 1})


def test_tags_are_replaced_and_each_stands_once(shop: Shop) -> None:
    member = enroll(shop, tags=("a", " b ", "a"))
    assert member.tags == ("a", "b")
    assert update(shop, member, tags=()).tags == ()
    with pytest.raises(checks.TextInvalid):
        update(shop, member, tags=("",))
    with pytest.raises(checks.TooMany):
        update(shop, member, tags=tuple(map(str, range(51))))


def test_p1_a_consent_replaces_the_earlier_one_of_its_purpose(shop: Shop) -> None:
    member = enroll(shop, consents=(consent("email"), consent("sms")))
    revoked = consent("email", is_granted=False, version="2")
    member = update(shop, member, consents=(revoked,))
    assert member.consents == (revoked, consent("sms"))
    with pytest.raises(checks.TimeInvalid):
        update(shop, member, consents=(consent(at=START + timedelta(days=1)),))
    with pytest.raises(checks.TextInvalid):
        update(shop, member, consents=(consent(version=""),))
    with pytest.raises(checks.TooMany):
        update(shop, member, consents=tuple(consent(str(number)) for number in range(19)))


def test_a_birthday_lies_in_the_past_of_the_programs_calendar(shop: Shop) -> None:
    shop.now = datetime(2026, 1, 15, 17, tzinfo=UTC)  # already the 16th in Shanghai
    assert enroll(shop, birthday=date(2026, 1, 16)).birthday == date(2026, 1, 16)
    assert enroll(shop, birthday=date(1876, 1, 1)).birthday == date(1876, 1, 1)
    for birthday in (date(2026, 1, 17), date(1875, 12, 31)):
        with pytest.raises(members.BirthdayInvalid):
            enroll(shop, birthday=birthday)


@pytest.mark.parametrize(
    ("profile", "refusal"),
    [
        ({"external_id": ""}, checks.TextInvalid),
        ({"phone": "138"}, checks.PhoneInvalid),
        ({"card_number": "x" * 51}, checks.TextInvalid),
        ({"email": "li"}, checks.EmailInvalid),
        ({"name": "a\0b"}, checks.TextInvalid),
    ],
)
def test_malformed_fields_are_refused(shop: Shop, profile: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        enroll(shop, **profile)
    with pytest.raises(refusal):
        update(shop, enroll(shop), **profile)


def test_what_is_wrong_with_an_update_is_told_in_order(shop: Shop) -> None:
    enroll(shop, external_id="taken")
    member = enroll(shop)
    told: list[tuple[type[Exception], MemberRef, str]] = [
        (checks.TextInvalid, MemberRef(), ""),
        (members.MemberRefInvalid, MemberRef(), "taken"),
        (NotFound, ref(NOBODY), "taken"),
        (members.MemberExists, ref(member.id), "taken"),
    ]
    for refusal, named, external_id in told:
        with pytest.raises(refusal):
            shop.run(UpdateMember(member=named, profile=Profile(external_id=external_id)))
