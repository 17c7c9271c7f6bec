"""What a group deal is: the reward, its lower price, how many must join and in which time, and its own units."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID

from domain import audiences
from domain.audiences import Audience
from domain.kernel import Event, Refusal, Row
from domain.rewards.reward import Reward, is_within
from domain.values import changed

SIZE_MIN: Final = 2
# One command fills a group: so many accounts are locked in it at most.
SIZE_MAX: Final = 50
MINUTES_MAX: Final = 60 * 24 * 30
UNITS_MAX: Final = 10**9
LIMIT_MAX: Final = 1000
CODE_MAX: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDeal(Row):
    """A reward for `points` each when `size` members join within `minutes`: points only, no cash.

    Groups are opened and joined in `[starts_at, ends_at)`, and none waits beyond its end. What a group was
    opened with (reward, points, size, deadline) stays its own, whatever is edited later.
    """

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("code",)

    code: str
    name: str
    reward_id: UUID
    points: int
    size: int
    minutes: int
    audience: Audience = audiences.EVERYBODY
    # In how many groups a member may be, those that failed or that it left not counted; None: any number.
    limit_per_member: int | None = None
    is_active: bool = True
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    created_at: datetime

    def is_running(self, now: datetime) -> bool:
        """Whether groups may be opened and joined now."""
        return self.is_active and is_within(self.starts_at, self.ends_at, now)

    def deadline(self, now: datetime) -> datetime:
        """Before when a group that is opened now must be full."""
        filled_by = now + timedelta(minutes=self.minutes)
        return filled_by if self.ends_at is None else min(filled_by, self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDealStock(Row):
    """The units of a deal; its id is the deal's. `held` are for seats of open groups, `sold` in filled ones (F1).

    They are the deal's own, beside the reward's shelf; `units` None: without end. The row guards the deal's groups.
    """

    units: int | None = None
    held: int = 0
    sold: int = 0

    @property
    def left(self) -> int | None:
        """How many are neither held nor sold; None: without end."""
        return None if self.units is None else self.units - self.held - self.sold

    def moved(self, *, held: int = 0, sold: int = 0) -> "GroupDealStock":
        """With so many more held and sold, or fewer."""
        return changed(self, held=self.held + held, sold=self.sold + sold)


class DealCodeTaken(Refusal):
    """Another group deal of the program has this code. Details: `taken`."""

    code = "GROUP_DEAL_CODE_TAKEN"
    text = "Another group deal of this program has the code {taken!r}."


class DealNotOpen(Refusal):
    """No groups are opened or joined now. Details: `why`, `starts_at`, `ends_at`."""

    code = "DEAL_NOT_OPEN"
    text = "Groups of this deal are not opened or joined now: {why}."


class UnitsInUse(Refusal):
    """A deal would have fewer units than are sold or held already. Details: `units`, `sold`, `held`."""

    code = "UNITS_IN_USE"
    text = "{sold} units are sold and {held} held for open groups; the deal cannot have {units} in all."


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDealSaved(Event):
    """A group deal was made or edited."""

    deal_id: UUID


def require_running(deal: GroupDeal, reward: Reward, now: datetime) -> None:
    """Refuses `DealNotOpen`: not active, its reward no longer given, before its start, or from its end on."""
    if deal.is_running(now) and reward.is_active:
        return
    starts_at = None if deal.starts_at is None else deal.starts_at.isoformat()
    ends_at = None if deal.ends_at is None else deal.ends_at.isoformat()
    if not deal.is_active:
        why = "it is not active"
    elif not reward.is_active:
        why = "its reward is not active"
    elif deal.starts_at is not None and now < deal.starts_at:
        why = f"it starts at {starts_at}"
    else:
        why = f"it ended at {ends_at}"
    raise DealNotOpen(why=why, starts_at=starts_at, ends_at=ends_at)
