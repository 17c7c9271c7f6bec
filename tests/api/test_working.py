"""What `tessera worker` tells of its work."""

from collections import Counter

import pytest

from api import working
from domain.duties import Work


@pytest.mark.parametrize("work", Work)
def test_every_kind_of_work_is_told_in_words(work: Work) -> None:
    told = working._told(Counter({work: 1234}))
    assert told.startswith("Done: 1,234 ")
    assert work not in told


def test_no_work_is_told_too() -> None:
    assert working._told(Counter()) == "Nothing was due."
