"""What ids and codes are called where members read of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from domain.earning.rules import Campaign
from domain.terms import wording
from domain.terms.wording import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """The names of a program's things by id or code, its currency, and the zone of its calendar.

    What has no name here is told by its id or code; only a campaign must be here, since its frame is told too.
    """

    currency_code: str
    time_zone: str
    tiers: Mapping[UUID, str] = field(default_factory=dict[UUID, str])
    stores: Mapping[UUID, str] = field(default_factory=dict[UUID, str])
    segments: Mapping[str, str] = field(default_factory=dict[str, str])
    campaigns: Mapping[str, Campaign] = field(default_factory=dict[str, Campaign])
    activities: Mapping[str, str] = field(default_factory=dict[str, str])
    # Vouchers by the pool that they come out of.
    vouchers: Mapping[UUID, str] = field(default_factory=dict[UUID, str])
    rewards: Mapping[UUID, str] = field(default_factory=dict[UUID, str])
    lotteries: Mapping[UUID, str] = field(default_factory=dict[UUID, str])

    def amount(self, amount_minor: int) -> Terms:
        """Money in the program's currency."""
        return wording.amount(amount_minor, self.currency_code)

    def members_of(self, tier_ids: Iterable[UUID]) -> Terms:
        """Members of tiers: 银卡、金卡会员 / Silver and Gold members."""
        tiers = wording.listed([wording.name(self.tiers.get(tier_id, str(tier_id))) for tier_id in tier_ids])
        # Many shops call a tier 金卡会员, and nobody says 会员 twice.
        ending = "" if tiers.chinese.endswith("会员") else "会员"
        return Terms(f"{tiers.chinese}{ending}", f"{tiers.english} members")

    def stores_of(self, store_ids: Iterable[UUID]) -> Terms:
        """Stores by name."""
        return wording.listed([wording.name(self.stores.get(store_id, str(store_id))) for store_id in store_ids])

    def segments_of(self, codes: Iterable[str]) -> Terms:
        """Segments by name."""
        return wording.quoted(self.segments.get(code, code) for code in codes)

    def activity(self, activity_type: str) -> Terms:
        """A type of activity by name."""
        return wording.quoted([self.activities.get(activity_type, activity_type)])

    def campaign(self, code: str) -> Campaign:
        """The campaign that a rule names."""
        assert code in self.campaigns, "a rule's campaign is saved with it and named with it"
        return self.campaigns[code]
