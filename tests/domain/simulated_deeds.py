"""What members of a simulated shop do beside buying, and what its clock and staff do with tiers and occasions."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from domain import calendars
from domain.activities import RecordActivity, ReverseActivity
from domain.enrollments import EnrollMember
from domain.grants import GrantBirthday, GrantMemberDay
from domain.kernel import Command
from domain.members import MemberRef, Profile
from domain.points import commands as moves
from domain.points.tiers import EndSetTier, ReviewTier, SetTier, WarnOfTier
from domain.purchases.recording import ConfirmPurchase
from domain.stores import Channel
from domain.tiers.standing import WARNING_DAYS
from tests.domain.simulated_rules import ACTIVITIES, MEMBER_DAYS

NOBODY: Final = UUID(int=99)

if TYPE_CHECKING:
    from tests.domain.simulation import Life


class Deeds:
    """Thinks of deeds in a life."""

    def __init__(self, life: "Life") -> None:
        self.life = life
        self.random = life.random

    def act(self) -> Command[Any]:
        days_ago = self.random.choice((0, 0, 0, self.random.randint(0, 40)))
        return RecordActivity(
            member=self.life.named(self.life.someone()),
            type=self.random.choice(ACTIVITIES),
            external_id=f"a{self.life.number if self.random.random() < 0.95 else self.life.number // 50}",
            channel=self.random.choice(tuple(Channel)),
            data=self.random.choice((None, {"stars": 5, "text": "good"})),
            occurred_at=None if days_ago == 0 else self.life.now - timedelta(days=days_ago),
        )

    def reverse(self) -> Command[Any] | None:
        activities = self.life.someone().activities
        if not activities:
            return None
        return ReverseActivity(activity_id=self.random.choice(activities), reason="simulated")

    def set_tier(self) -> Command[Any]:
        until = self.today() + timedelta(days=self.random.choice((-1, 0, 1, 5, 30)))
        tier = self.random.choice(self.life.settings.tiers)
        return SetTier(member=self.life.named(self.life.someone()), tier_id=tier.id, until=until, reason="simulated")

    def end_set_tier(self) -> Command[Any]:
        return EndSetTier(member=self.life.named(self.life.someone()), reason="simulated")

    def review(self) -> Command[Any]:
        return ReviewTier(member_id=self.life.someone().id)

    def warn(self) -> Command[Any]:
        return WarnOfTier(member_id=self.life.someone().id, days=self.random.choice(WARNING_DAYS))

    def celebrate(self) -> Command[Any]:
        """Mostly on the birthday of this year, though late; sometimes on another day."""
        person = self.life.someone()
        day = self.today()
        if person.birthday is not None and self.random.random() < 0.8:
            day = min(day, calendars.add_years(person.birthday, day.year - person.birthday.year))
        return GrantBirthday(member_id=person.id, day=day)

    def give_member_day(self) -> Command[Any]:
        day = self.today().replace(day=self.random.choice(MEMBER_DAYS))
        return GrantMemberDay(member_id=self.life.someone().id, day=min(day, self.today()))

    def today(self) -> date:
        """A day that has begun everywhere."""
        return (self.life.now - timedelta(hours=12)).date()

    def nonsense(self) -> Command[Any]:
        """What only a mistaken caller would say."""
        person = self.life.someone()
        return self.random.choice(
            (
                moves.HoldPoints(member=MemberRef(id=NOBODY), points=1),
                moves.AdjustPoints(member=MemberRef(id=person.id), points=0, reason="simulated"),
                moves.TransferPoints(sender=MemberRef(id=person.id), recipient=MemberRef(id=person.id), points=1),
                ConfirmPurchase(purchase_id=NOBODY),
                EnrollMember(profile=Profile(external_id=person.external_id)),
                EnrollMember(profile=Profile(name="Nobody in particular")),
            )
        )
