"""Something to sign in to on a real PostgreSQL, and short words for it."""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from domain import calendars
from domain.audiences import Audience
from domain.check_ins.activity import CheckInActivity, MakeUpTerms, Milestone
from domain.check_ins.cards import GrantMakeUpCards, MakeUpCardEntry, MakeUpCards
from domain.check_ins.check_in import CheckIn, MakeUpPayment
from domain.check_ins.saving import CheckInTerms, SaveCheckInActivity
from domain.check_ins.signing import CreateCheckIn, MakeUpCheckIn
from domain.check_ins.streak import Streak
from domain.prizes import Prize, PrizeKind
from persistence import clock
from tests.persistence import engines
from tests.persistence.engines import Shop

# The kinds whose tables are these.
NEW_KINDS: Final = (CheckInActivity, Streak, CheckIn, MakeUpCards, MakeUpCardEntry)
ZONE: Final = "Asia/Shanghai"
TERMS: Final = MakeUpTerms(days=7, per_month=31, points=5, takes_cards=True)
HUNDRED: Final = Milestone(day=20, prize=Prize(kind=PrizeKind.POINTS, points=100))


async def open_page(shop: Shop, code: str = "daily", **told: Any) -> CheckInActivity:
    """An activity of 10 points a day, 100 on day 20 and cheap make-up days."""
    terms = {"ladder": (10,), "milestones": (HUNDRED,), "make_up": TERMS, **told}
    saved: CheckInActivity = await shop.run(SaveCheckInActivity(code=code, name="Daily", terms=CheckInTerms(**terms)))
    return saved


def sign(member_id: UUID, code: str = "daily") -> CreateCheckIn:
    """Sign in now."""
    return CreateCheckIn(member=engines.ref(member_id), activity=code)


def make_up(member_id: UUID, day: date, payment: MakeUpPayment = MakeUpPayment.POINTS) -> MakeUpCheckIn:
    """Make a day up now."""
    return MakeUpCheckIn(member=engines.ref(member_id), activity="daily", day=day, payment=payment)


def give_cards(member_id: UUID, cards: int) -> GrantMakeUpCards:
    """Give cards by hand."""
    return GrantMakeUpCards(member=engines.ref(member_id), cards=cards, reason="sorry")


def today() -> date:
    """The local date of now."""
    return calendars.local_date(clock.now(), ZONE)


async def furnish(shop: Shop, member_id: UUID) -> None:
    """One of every kind, with every field told somewhere."""
    await open_page(
        shop,
        ladder=(1, 2, 3),
        milestones=(Milestone(day=1, prize=Prize(kind=PrizeKind.POINTS, points=5), cards=2),),
        replaces_base=True,
        audience=Audience(without_tags=("banned",)),
        reminder_hour=20,
    )
    await shop.run(sign(member_id))
    await shop.run(give_cards(member_id, 1))


def yesterday(days: int = 1) -> date:
    """The local date so many days ago."""
    return today() - timedelta(days=days)
