"""Codes: what they are made of, and how what people type is read."""

import pytest

from domain import codes
from domain.codes import CodeInvalid


def test_codes_have_no_letters_or_digits_that_look_alike() -> None:
    assert not set("01OILU") & set(codes.ALPHABET)
    assert len(set(codes.ALPHABET)) == len(codes.ALPHABET) == 30
    assert codes.ALPHABET.upper() == codes.ALPHABET


def test_a_seed_makes_the_same_code_every_time_and_another_another() -> None:
    first, second = bytes(31) + b"\x01", bytes(31) + b"\x02"
    assert codes.made(first) == codes.made(first) != codes.made(second)
    assert codes.made(bytes(32)) == "2" * codes.LENGTH
    assert len(codes.made(first, 10)) == 10
    assert set(codes.made(b"\xff" * 32)) <= set(codes.ALPHABET)


@pytest.mark.parametrize("told", ["abc-123", " ABC-123 ", "Abc-123"])
def test_what_people_type_is_read_as_it_is_kept(told: str) -> None:
    assert codes.read("code", told) == "ABC-123"


@pytest.mark.parametrize("told", ["", "ABC12", "ABC 1234", "-ABCDEF", "A" * 65, "ABC123é", "ABC\x00123"])
def test_what_is_no_code_is_refused(told: str) -> None:
    with pytest.raises(CodeInvalid) as refused:
        codes.read("code", told)
    assert refused.value.field == ("code",)
    assert codes.find(told) is None
