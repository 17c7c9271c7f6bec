"""How these tests run: examples that are the same on every machine, and no server at all."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.domain.mall import POINT_VALUE_BP, Mall
from tests.domain.shop import Shop

_QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "ci", max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=_QUIET
)
# For a person who hunts: HYPOTHESIS_PROFILE=hunt tries much more, and other examples every time.
settings.register_profile("hunt", max_examples=2000, deadline=None, suppress_health_check=_QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def shop() -> Shop:
    """A shop in Shanghai, one point a yuan, points at once and for ever."""
    return Shop()


@pytest.fixture
def mall() -> Mall:
    """A shop with a mall, where 100 points are 10 yuan."""
    return Mall(point_value_bp=POINT_VALUE_BP)
