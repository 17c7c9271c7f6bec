"""Segments: who is in one, on which local day, and what may be asked (S51)."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from domain import checks, segments
from domain.audiences import Audience
from domain.earning.rules import ONE_POINT_A_UNIT, Conditions
from domain.kernel import NotFound
from domain.members import Gender, Member
from domain.points import segmenting
from domain.segments import (
    ArchiveSegment,
    Criteria,
    CriteriaContradictory,
    Figures,
    SaveSegment,
    Segment,
    SegmentArchived,
    SegmentInUse,
    SegmentLimitReached,
    SegmentSaved,
)
from domain.stores import Channel, CreateStore
from domain.tiers.tier import CreateTier
from tests.domain.memory import PROGRAM_ID, START
from tests.domain.shop import SHANGHAI, Shop

ONE, TWO, NOWHERE = UUID(int=1), UUID(int=2), UUID(int=99)
# Noon of Thursday, the 15th of January 2026, in Shanghai.
MEMBER: Final = Member(
    id=UUID(int=7),
    program_id=PROGRAM_ID,
    birthday=date(1990, 1, 15),
    gender=Gender.FEMALE,
    tags=("tea", "vip"),
    channel=Channel.ONLINE,
    store_id=ONE,
    enrolled_at=START - timedelta(days=30),
)
FIGURES: Final = Figures(
    tier_id=ONE, available=100, purchases=3, spend_minor=5000, last_purchase_at=START - timedelta(days=10)
)


def is_in(
    criteria: Criteria, member: Member = MEMBER, figures: Figures = FIGURES, *, now: datetime = START, **told: Any
) -> bool:
    return segments.includes(criteria, replace(member, **told), figures, now=now, time_zone=SHANGHAI)


def save(shop: Shop, code: str = "vip", name: str = "Regulars", **asked: Any) -> Segment:
    return shop.run(SaveSegment(code=code, name=name, criteria=Criteria(**asked)))


# Who is in a segment.


@pytest.mark.parametrize(
    ("meets", "misses"),
    [
        ({"tiers": (TWO, ONE)}, {"tiers": (TWO,)}),
        ({"tags": ("new", "vip")}, {"tags": ("new",)}),
        ({"without_tags": ("new",)}, {"without_tags": ("new", "tea")}),
        ({"genders": (Gender.OTHER, Gender.FEMALE)}, {"genders": (Gender.MALE,)}),
        ({"channels": (Channel.ONLINE,)}, {"channels": (Channel.PHONE, Channel.IN_STORE)}),
        ({"stores": (ONE,)}, {"stores": (TWO,)}),
        ({"enrolled_within_days": 30}, {"enrolled_within_days": 29}),
        ({"enrolled_before_days": 30}, {"enrolled_before_days": 31}),
        ({"birthday_months": (1, 2)}, {"birthday_months": (2, 12)}),
        ({"age_min": 36}, {"age_min": 37}),
        ({"age_max": 36}, {"age_max": 35}),
        ({"purchases_min": 3}, {"purchases_min": 4}),
        ({"purchases_max": 3}, {"purchases_max": 2}),
        ({"spend_min_minor": 5000}, {"spend_min_minor": 5001}),
        ({"spend_max_minor": 5000}, {"spend_max_minor": 4999}),
        ({"bought_within_days": 10}, {"bought_within_days": 9}),
        ({"not_bought_for_days": 10}, {"not_bought_for_days": 11}),
        ({"available_min": 100}, {"available_min": 101}),
        ({"available_max": 100}, {"available_max": 99}),
    ],
    ids=lambda told: next(iter(told)),
)
def test_each_criterion_is_met_or_missed(meets: dict[str, Any], misses: dict[str, Any]) -> None:
    assert is_in(Criteria(**meets))
    assert not is_in(Criteria(**misses))


def test_every_criterion_is_tried_above() -> None:
    (mark,) = test_each_criterion_is_met_or_missed.pytestmark  # type: ignore[attr-defined]
    assert [next(iter(meets)) for meets, _ in mark.args[1]] == [field.name for field in fields(Criteria)]


def test_everybody_meets_what_asks_nothing() -> None:
    nobody = Member(id=ONE, program_id=PROGRAM_ID, channel=Channel.PHONE, enrolled_at=START)
    nothing = Figures(tier_id=None, available=0, purchases=0, spend_minor=0, last_purchase_at=None)
    assert is_in(Criteria(), nobody, nothing)
    # What asks for nothing that the member lacks is met too.
    assert is_in(Criteria(without_tags=("vip",), purchases_max=0, spend_max_minor=0, available_max=0), nobody, nothing)


def test_what_is_not_known_of_a_member_is_not_met() -> None:
    assert not is_in(Criteria(genders=tuple(Gender)), gender=None)
    assert not is_in(Criteria(stores=(ONE,)), store_id=None)
    assert not is_in(Criteria(tiers=(ONE,)), figures=replace(FIGURES, tier_id=None))
    assert not is_in(Criteria(tags=("vip",)), tags=())
    for asked in ({"birthday_months": tuple(range(1, 13))}, {"age_min": 0}, {"age_max": 150}):
        assert not is_in(Criteria(**asked), birthday=None)


def test_who_never_bought_has_not_bought_for_any_number_of_days() -> None:
    never = replace(FIGURES, purchases=0, last_purchase_at=None)
    assert is_in(Criteria(not_bought_for_days=36_500), figures=never)
    assert not is_in(Criteria(bought_within_days=36_500), figures=never)


def test_days_change_at_local_midnight() -> None:
    """The 15th of January ends in Shanghai at 16:00 UTC."""
    midnight = datetime(2026, 1, 15, 16, tzinfo=UTC)
    instant = timedelta(microseconds=1)
    today, tomorrow = midnight - instant, midnight
    for asked in ({"enrolled_within_days": 0}, {"bought_within_days": 0}):
        bought = replace(FIGURES, last_purchase_at=today)
        assert is_in(Criteria(**asked), figures=bought, now=today, enrolled_at=today)
        assert not is_in(Criteria(**asked), figures=bought, now=tomorrow, enrolled_at=today)
    for asked in ({"enrolled_before_days": 1}, {"not_bought_for_days": 1}):
        bought = replace(FIGURES, last_purchase_at=today)
        assert not is_in(Criteria(**asked), figures=bought, now=today, enrolled_at=today)
        assert is_in(Criteria(**asked), figures=bought, now=tomorrow, enrolled_at=today)
    # All but an instant of two whole days lies between, and it is one local day.
    first, late = midnight - timedelta(days=1), midnight + timedelta(days=1) - instant
    assert is_in(Criteria(enrolled_within_days=1), now=late, enrolled_at=first)
    assert not is_in(Criteria(enrolled_within_days=1), now=late, enrolled_at=first - instant)


def test_days_are_those_of_the_time_zone() -> None:
    at = datetime(2026, 1, 15, 16, tzinfo=UTC)
    told = {"now": at, "time_zone": "America/New_York"}
    enrolled = replace(MEMBER, enrolled_at=at - timedelta(hours=1))
    assert segments.includes(Criteria(enrolled_within_days=0), enrolled, FIGURES, **told)  # type: ignore[arg-type]
    assert not is_in(Criteria(enrolled_within_days=0), enrolled, now=at)


def test_a_birthday_makes_older_at_local_midnight() -> None:
    eve = datetime(2026, 1, 14, 15, 59, 59, 999999, tzinfo=UTC)
    assert is_in(Criteria(age_max=35), now=eve)
    assert is_in(Criteria(age_min=36), now=eve + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("day", "years"),
    [
        (date(2000, 2, 29), 0),
        (date(2001, 2, 27), 0),
        (date(2001, 2, 28), 1),
        (date(2001, 3, 1), 1),
        (date(2004, 2, 28), 3),
        (date(2004, 2, 29), 4),
        (date(2004, 12, 31), 4),
        (date(2005, 1, 1), 4),
        # No leap year.
        (date(2100, 2, 27), 99),
        (date(2100, 2, 28), 100),
    ],
)
def test_who_was_born_on_the_29th_of_february_is_older_on_the_28th_in_other_years(day: date, years: int) -> None:
    assert segments.age(date(2000, 2, 29), day) == years


def test_the_29th_of_february_is_a_day_like_any_other_for_who_was_born_around_it() -> None:
    assert segments.age(date(2000, 2, 28), date(2004, 2, 28)) == 4
    assert segments.age(date(2000, 3, 1), date(2004, 2, 29)) == 3
    assert segments.age(date(2000, 3, 1), date(2003, 2, 28)) == 2
    leapling = {"birthday": date(2000, 2, 29), "now": datetime(2026, 2, 28, 4, tzinfo=UTC)}
    assert is_in(Criteria(birthday_months=(2,), age_min=26, age_max=26), **leapling)  # type: ignore[arg-type]


def test_a_member_is_in_those_segments_that_are_open(shop: Shop) -> None:
    mine, _, archived = save(shop, "a", tags=("vip",)), save(shop, "b", tags=("new",)), save(shop, "c")
    archived = shop.run(ArchiveSegment(code=archived.code))
    known = shop.state.rows(Segment)
    assert segments.of_member(known, MEMBER, FIGURES, now=START, time_zone=SHANGHAI) == (mine,)


def test_the_figures_are_those_of_the_account(shop: Shop) -> None:
    tier = shop.run(CreateTier(name="Silver", rank=1, threshold=0))
    account = shop.account(shop.enroll(50))
    figures = segmenting.figures_of(account)
    assert (figures.tier_id, figures.available) == (tier.id, 50)
    # Accounts do not count purchases yet.
    assert (figures.purchases, figures.spend_minor, figures.last_purchase_at) == (0, 0, None)


# Saving and archiving.


def test_a_segment_is_saved_replaced_archived_and_saved_again(shop: Shop) -> None:
    made = save(shop, " vip ", " Regulars ", tags=(" tea ", "tea"), genders=(Gender.MALE,) * 2, birthday_months=(12, 2))
    criteria = Criteria(tags=("tea",), genders=(Gender.MALE,), birthday_months=(2, 12))
    assert made == Segment(
        id=made.id, program_id=PROGRAM_ID, code="vip", name="Regulars", criteria=criteria, created_at=START
    )
    assert shop.events == (SegmentSaved(segment_id=made.id),)
    shop.later(days=1)
    replaced = save(shop, "vip", "Everybody")
    assert replaced == replace(made, name="Everybody", criteria=Criteria())
    archived = shop.run(ArchiveSegment(code=" vip "))
    assert archived == replace(replaced, archived_at=shop.now)
    assert not archived.is_open
    assert shop.events == (SegmentArchived(segment_id=made.id),)
    shop.later(days=1)
    assert shop.run(ArchiveSegment(code="vip")) == archived
    assert shop.events == ()
    assert save(shop, "vip", "Everybody") == replaced
    assert shop.state.rows(Segment) == (replaced,)


def test_tiers_and_stores_are_the_program_s(shop: Shop) -> None:
    tier = shop.run(CreateTier(name="Silver", rank=1, threshold=0))
    store = shop.run(CreateStore(code="S1", name="Tea house"))
    saved = save(shop, tiers=(tier.id, tier.id), stores=(store.id,))
    assert saved.criteria == Criteria(tiers=(tier.id,), stores=(store.id,))
    for asked, kind, field in (
        ({"tiers": (tier.id, NOWHERE)}, "Tier", "criteria.tierIds"),
        ({"stores": (store.id, NOWHERE)}, "Store", "criteria.storeIds"),
        ({"tiers": (store.id,)}, "Tier", "criteria.tierIds"),
    ):
        with pytest.raises(NotFound) as refused:
            save(shop, **asked)
        assert refused.value.details["kind"] == kind
        assert refused.value.field == (field,)


@pytest.mark.parametrize(
    ("asked", "field", "numbers"),
    [
        ({"age_min": 40, "age_max": 39}, "ageMin", (40, 39)),
        ({"purchases_min": 1, "purchases_max": 0}, "purchasesMin", (1, 0)),
        ({"spend_min_minor": 2, "spend_max_minor": 1}, "spendMin", (2, 1)),
        ({"available_min": 2, "available_max": 1}, "availableMin", (2, 1)),
        ({"enrolled_before_days": 8, "enrolled_within_days": 7}, "enrolledBeforeDays", (8, 7)),
        ({"not_bought_for_days": 8, "bought_within_days": 7}, "notBoughtForDays", (8, 7)),
    ],
)
def test_criteria_that_exclude_each_other_are_refused(
    shop: Shop, asked: dict[str, int], field: str, numbers: tuple[int, int]
) -> None:
    with pytest.raises(CriteriaContradictory) as refused:
        save(shop, **asked)
    assert refused.value.field == (f"criteria.{field}",)
    assert (refused.value.details["minimum"], refused.value.details["maximum"]) == numbers
    assert f"criteria.{field} is {numbers[0]}" in refused.value.message
    # One day, year or point that both allow is enough.
    save(shop, **dict.fromkeys(asked, 7))


def test_tags_that_are_all_excluded_are_refused(shop: Shop) -> None:
    with pytest.raises(CriteriaContradictory) as refused:
        save(shop, tags=("tea",), without_tags=("vip", " tea"))
    assert refused.value.field == ("criteria.tags",)
    save(shop, tags=("tea", "vip"), without_tags=("vip",))


@pytest.mark.parametrize(
    ("asked", "refusal", "field"),
    [
        ({"birthday_months": (0,)}, checks.NumberInvalid, "birthdayMonths"),
        ({"birthday_months": (1, 13)}, checks.NumberInvalid, "birthdayMonths"),
        ({"birthday_months": (1,) * 13}, checks.TooMany, "birthdayMonths"),
        ({"tiers": (ONE,) * 101}, checks.TooMany, "tierIds"),
        ({"stores": (ONE,) * 101}, checks.TooMany, "storeIds"),
        ({"tags": ("a",) * 101}, checks.TooMany, "tags"),
        ({"without_tags": ("a",) * 101}, checks.TooMany, "withoutTags"),
        ({"genders": (Gender.MALE,) * 4}, checks.TooMany, "genders"),
        ({"channels": (Channel.PHONE,) * 4}, checks.TooMany, "channels"),
        ({"tags": ("",)}, checks.TextInvalid, "tags"),
        ({"without_tags": ("x" * 51,)}, checks.TextInvalid, "withoutTags"),
        ({"age_min": -1}, checks.NumberInvalid, "ageMin"),
        ({"age_max": 151}, checks.NumberInvalid, "ageMax"),
        ({"enrolled_within_days": 36_501}, checks.NumberInvalid, "enrolledWithinDays"),
        ({"enrolled_before_days": -1}, checks.NumberInvalid, "enrolledBeforeDays"),
        ({"bought_within_days": 36_501}, checks.NumberInvalid, "boughtWithinDays"),
        ({"not_bought_for_days": -1}, checks.NumberInvalid, "notBoughtForDays"),
        ({"purchases_min": 10**9 + 1}, checks.NumberInvalid, "purchasesMin"),
        ({"purchases_max": -1}, checks.NumberInvalid, "purchasesMax"),
        ({"spend_min_minor": -1}, checks.AmountInvalid, "spendMin"),
        ({"spend_max_minor": 2**53}, checks.AmountInvalid, "spendMax"),
        ({"available_min": -1}, checks.PointsInvalid, "availableMin"),
        ({"available_max": 2**53}, checks.PointsInvalid, "availableMax"),
    ],
)
def test_criteria_out_of_bounds_are_refused(
    shop: Shop, asked: dict[str, Any], refusal: type[Exception], field: str
) -> None:
    with pytest.raises(refusal) as refused:
        save(shop, **asked)
    assert refused.value.field == (f"criteria.{field}",)  # type: ignore[attr-defined]


def test_malformed_codes_and_names_are_refused(shop: Shop) -> None:
    for told in ({"code": "x" * 51}, {"code": " "}, {"name": ""}, {"code": "a\0"}):
        with pytest.raises(checks.TextInvalid):
            save(shop, **told)
    with pytest.raises(checks.TextInvalid):
        shop.run(ArchiveSegment(code=""))
    with pytest.raises(NotFound) as refused:
        shop.run(ArchiveSegment(code="vip"))
    assert refused.value.field == ("code",)


def test_a_program_has_so_many_segments_and_no_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert segments.SEGMENTS_MAX == 200
    monkeypatch.setattr(segments, "SEGMENTS_MAX", 2)
    save(shop, "a")
    save(shop, "b")
    with pytest.raises(SegmentLimitReached) as refused:
        save(shop, "c")
    assert refused.value.details == {"segmentsMax": 2}
    # One that is there may be replaced, and what is archived makes room.
    save(shop, "b", "Another name")
    shop.run(ArchiveSegment(code="a"))
    save(shop, "c")
    with pytest.raises(SegmentLimitReached):
        save(shop, "a")


def test_a_segment_that_a_rule_or_a_campaign_is_for_is_not_archived(shop: Shop) -> None:
    shop.run(SaveSegment(code="vip", name="VIP", criteria=Criteria()))
    rule = replace(ONE_POINT_A_UNIT[0], when=Conditions(audience=Audience(segments=("vip",))))
    shop.edit(rules=(rule,))
    with pytest.raises(SegmentInUse) as refused:
        shop.run(ArchiveSegment(code="vip"))
    assert refused.value.message == "The earning rule 'base' is for members of the segment 'vip'; change that first."
    shop.edit(rules=ONE_POINT_A_UNIT)
    assert shop.run(ArchiveSegment(code="vip")).archived_at == shop.now
