"""Changing frozen values comes to what `dataclasses.replace` comes to."""

from dataclasses import dataclass, replace

import pytest

from domain.points.account import PointsAccount
from domain.values import changed
from tests.domain.memory import PROGRAM_ID, START


@dataclass(frozen=True, slots=True)
class Plain:
    """Without keyword-only fields, and with a default."""

    one: int
    other: str = "other"


def test_a_changed_value_is_the_replaced_one_and_the_first_stays() -> None:
    account = PointsAccount(id=PROGRAM_ID, program_id=PROGRAM_ID, available=5, enrolled_at=START)
    assert changed(account, available=7, pending=1) == replace(account, available=7, pending=1)
    assert (account.available, account.pending) == (5, 0)
    assert changed(account) == account
    assert changed(Plain(1), one=2) == Plain(2)


def test_a_field_that_there_is_not_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        changed(Plain(1), another=2)
