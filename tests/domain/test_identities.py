"""Identities: one however it is written, hashed under a key, in each program another (R2, P1)."""

import re
from uuid import UUID

import pytest

from domain import identities
from domain.enrollments import EnrollMember
from domain.identities import IdentityInvalid, IdentityKind, MemberIdentity, hashed
from domain.members import Profile
from tests.domain.friends import Club, seen
from tests.domain.memory import IDENTITY_KEY, PROGRAM_ID

ADDRESS, DEVICE, NETWORK, PHONE = (
    IdentityKind.ADDRESS,
    IdentityKind.DEVICE,
    IdentityKind.NETWORK,
    IdentityKind.PHONE,
)
NO_PHONE = "a phone number is written with its country, like +8613812345678, +86 138-1234-5678 or 008613812345678"


@pytest.mark.parametrize(
    "kind, one, same",
    [
        (DEVICE, "d-1", "  d-1 "),
        (ADDRESS, "杭州市 西湖区，湖滨路１号", "杭州市西湖区湖滨路1号"),
        (ADDRESS, "1 Lake Road, Apt. 5", "1 lake road apt 5"),
        (NETWORK, "203.0.113.7", "203.0.113.200"),
        (NETWORK, "203.0.113.7", "::ffff:203.0.113.9"),
        (NETWORK, "2001:db8:1:2::7", "2001:DB8:1:ffff::1"),
        (PHONE, "+8613800138000", " +8613800138000 "),
        (PHONE, "+8613800138000", "+86 138 0013-8000"),
        (PHONE, "+8613800138000", "008613800138000"),
        (PHONE, "+8613800138000", "00 86 (138) 0013.8000"),
        (PHONE, "+8613800138000", "＋８６ １３８００１３８０００"),
        (PHONE, "+442079460958", "+44 (0)20 7946 0958"),
    ],
)
def test_r2_one_identity_is_the_same_however_it_is_written(kind: IdentityKind, one: str, same: str) -> None:
    assert seen(kind, one).digest == seen(kind, same).digest


@pytest.mark.parametrize(
    "kind, one, other",
    [
        (DEVICE, "d-1", "D-1"),
        (ADDRESS, "1 Lake Road", "11 Lake Road"),
        (NETWORK, "203.0.113.7", "203.0.114.7"),
        (NETWORK, "2001:db8:1::7", "2001:db8:2::7"),
        (PHONE, "+8613800138000", "+113800138000"),
    ],
)
def test_r2_another_identity_is_another(kind: IdentityKind, one: str, other: str) -> None:
    assert seen(kind, one).digest != seen(kind, other).digest


def test_p1_without_the_key_the_kind_and_the_program_a_hash_says_nothing() -> None:
    told = (IDENTITY_KEY, PROGRAM_ID, DEVICE, "d-1")
    digests = {
        hashed(*told).digest,
        hashed(b"another key", *told[1:]).digest,
        hashed(IDENTITY_KEY, UUID(int=7), DEVICE, "d-1").digest,
        hashed(IDENTITY_KEY, PROGRAM_ID, IdentityKind.OPENID, "d-1").digest,
    }
    assert len(digests) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)


@pytest.mark.parametrize(
    "kind, value, why",
    [
        (DEVICE, "  ", "it has 1 to 500 characters"),
        (DEVICE, "x" * 501, "it has 1 to 500 characters"),
        (ADDRESS, " , . ", "an address has letters or digits"),
        (NETWORK, "300.0.0.1", "an internet address is written like 203.0.113.7 or 2001:db8::7"),
        (PHONE, "13800138000", NO_PHONE),
        (PHONE, "+86 138 call me", NO_PHONE),
        (PHONE, "+86+13800138000", NO_PHONE),
        (PHONE, "00 0138001380", NO_PHONE),
        (PHONE, "+8613800138000138", NO_PHONE),
    ],
)
def test_what_is_no_identity_is_refused_and_says_what_would_be(kind: IdentityKind, value: str, why: str) -> None:
    with pytest.raises(IdentityInvalid) as refused:
        seen(kind, value)
    assert refused.value.details == {"kind": kind, "why": why}
    assert refused.value.message == f"This is no identity of the kind {kind}: {why}."
    assert why[0].islower(), "it goes on with the sentence"


def test_a_member_keeps_each_identity_once_and_no_more_than_100() -> None:
    club = Club()
    told = tuple(seen(DEVICE, f"d-{number}") for number in (1, 1, 2))
    member = club.run(EnrollMember(profile=Profile(external_id="li"), identified=told)).member.id
    kept = [row for row in club.state.rows(MemberIdentity) if row.member_id == member]
    assert [(row.kind, row.digest, row.seen_at) for row in kept] == [
        (DEVICE, told[0].digest, club.now),
        (DEVICE, told[2].digest, club.now),
    ]
    club.buy(member, 100, identified=told)
    assert len(club.state.rows(MemberIdentity)) == 2
    for number in range(110):
        club.buy(member, 100, identified=(seen(DEVICE, f"e-{number}"),))
    assert len(club.state.rows(MemberIdentity)) == identities.KEPT_MAX


def test_only_the_hash_is_kept() -> None:
    club = Club()
    phone = seen(PHONE, "+8613800138000")
    club.run(EnrollMember(profile=Profile(external_id="li"), identified=(phone,)))
    (row,) = club.state.rows(MemberIdentity)
    assert (row.kind, row.digest) == (PHONE, phone.digest)
    assert "13800138000" not in f"{row}{phone}", "no log shows it"
