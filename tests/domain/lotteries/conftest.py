"""A hall to play in."""

from uuid import UUID

import pytest

from tests.domain.lotteries.hall import Hall


@pytest.fixture
def hall() -> Hall:
    """A mall with lotteries."""
    return Hall()


@pytest.fixture
def member(hall: Hall) -> UUID:
    """A member with 1,000 points."""
    return hall.enroll(1_000)
