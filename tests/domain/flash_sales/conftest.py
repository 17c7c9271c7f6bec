"""A shop floor for tests of flash sales."""

import pytest

from tests.domain.flash_sales.floor import Floor


@pytest.fixture
def floor() -> Floor:
    """A shop in Shanghai at noon, an hour before its flash sales open."""
    return Floor()
