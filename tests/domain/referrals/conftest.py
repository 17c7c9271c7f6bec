"""What tests of referrals may ask for."""

import pytest

from tests.domain.friends import Club


@pytest.fixture
def club() -> Club:
    return Club()
