"""What holds of all criteria: they are a conjunction, and what is refused is met by nobody (S51)."""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from domain import segments
from domain.members import Gender, Member
from domain.segments import Criteria, CriteriaContradictory, Figures
from domain.stores import Channel
from tests.domain.memory import PROGRAM_ID, START
from tests.domain.shop import SHANGHAI

_KEYS = st.sampled_from((UUID(int=1), UUID(int=2), UUID(int=3)))
_TAGS = st.sampled_from(("tea", "vip", "new"))
_SMALL = st.none() | st.integers(0, 4)
_INSTANTS = st.integers(0, 5 * 48).map(lambda halves: START - timedelta(minutes=30 * halves))
_BIRTHDAYS = st.dates(date(2021, 1, 1), date(2026, 1, 15))


def some(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=2).map(tuple)


CRITERIA: Final = st.builds(
    Criteria,
    tiers=some(_KEYS),
    tags=some(_TAGS),
    without_tags=some(_TAGS),
    genders=some(st.sampled_from(Gender)),
    channels=some(st.sampled_from(Channel)),
    stores=some(_KEYS),
    birthday_months=some(st.integers(1, 12)),
    **{field.name: _SMALL for field in fields(Criteria) if field.default is None},
)
MEMBERS: Final = st.builds(
    Member,
    id=_KEYS,
    program_id=st.just(PROGRAM_ID),
    birthday=st.none() | _BIRTHDAYS,
    gender=st.none() | st.sampled_from(Gender),
    tags=some(_TAGS),
    channel=st.sampled_from(Channel),
    store_id=st.none() | _KEYS,
    enrolled_at=_INSTANTS,
)
FIGURES: Final = st.builds(
    Figures,
    tier_id=st.none() | _KEYS,
    available=st.integers(0, 5),
    purchases=st.integers(0, 5),
    spend_minor=st.integers(0, 5),
    last_purchase_at=st.none() | _INSTANTS,
)


def is_in(criteria: Criteria, member: Member, figures: Figures) -> bool:
    return segments.includes(criteria, member, figures, now=START, time_zone=SHANGHAI)


@given(CRITERIA, MEMBERS, FIGURES)
def test_criteria_are_met_when_each_of_them_is(criteria: Criteria, member: Member, figures: Figures) -> None:
    alone = [Criteria(**{field.name: getattr(criteria, field.name)}) for field in fields(Criteria)]
    assert is_in(criteria, member, figures) == all(is_in(one, member, figures) for one in alone)


@given(CRITERIA, CRITERIA, MEMBERS, FIGURES)
def test_a_further_criterion_never_adds_a_member(
    criteria: Criteria, other: Criteria, member: Member, figures: Figures
) -> None:
    for field in fields(Criteria):
        if getattr(criteria, field.name) == field.default:
            more = replace(criteria, **{field.name: getattr(other, field.name)})
            assert is_in(criteria, member, figures) >= is_in(more, member, figures)


@given(CRITERIA, MEMBERS, FIGURES)
def test_nobody_meets_what_is_refused_and_what_is_checked_means_the_same(
    criteria: Criteria, member: Member, figures: Figures
) -> None:
    try:
        checked = segments.checked(criteria)
    except CriteriaContradictory:
        assert not is_in(criteria, member, figures)
    else:
        assert is_in(checked, member, figures) == is_in(criteria, member, figures)
        assert segments.checked(checked) == checked
