"""Changing frozen values comes to what `dataclasses.replace` comes to."""

from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from domain.points.account import PointsAccount
from domain.points.commands import SettleAccount
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


def test_a_changed_value_is_closed_again() -> None:
    """It is of its own kind, and no more can be set in it than in any other."""
    made = changed(Plain(1), one=2)
    assert type(made) is Plain
    with pytest.raises(FrozenInstanceError):
        made.one = 3  # type: ignore[misc]


def test_a_command_is_changed_like_any_value() -> None:
    """Though its base is abstract."""
    command = SettleAccount(member_id=PROGRAM_ID)
    made = changed(command)
    assert made == command
    assert made.decide.__func__ is SettleAccount.decide  # type: ignore[attr-defined]
