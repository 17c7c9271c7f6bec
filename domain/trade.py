"""Where points are earned and redeemed: rules by store, group of stores and channel, and what their caps have left."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID, uuid5

from domain import calendars, checks
from domain.kernel import Command, Decision, Event, Refusal, Row, State
from domain.stores import Channel, Store, StoreGroup

TRADE_RULES_MAX: Final = 500


class TradeKind(StrEnum):
    """What a rule is about."""

    EARNING = "EARNING"  # what purchases earn
    REDEEMING = "REDEEMING"  # rewards taken, and points used as money


class TradeEffect(StrEnum):
    """What a rule does where it holds."""

    ALLOWED = "ALLOWED"
    REFUSED = "REFUSED"  # purchases earn nothing; redeeming is refused
    CAPPED = "CAPPED"  # up to `points_max` a local day, for all that the rule covers together


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRule(Row):
    """A rule for a store or a group of stores, in a channel; what is not told, it holds for all of.

    Of several that hold, the narrowest decides: store and channel, store, group and channel, group,
    channel, everywhere; of equally narrow ones the latest.
    """

    is_configuration: ClassVar[bool] = True
    parent: ClassVar[str | None] = "program_id"

    kind: TradeKind
    effect: TradeEffect
    store_id: UUID | None = None
    group_id: UUID | None = None
    channel: Channel | None = None
    points_max: int | None = None
    is_active: bool = True

    @property
    def is_open(self) -> bool:
        return self.is_active

    @property
    def narrowness(self) -> tuple[int, int]:
        """How narrow it is, to be compared; then how late it came."""
        place = 4 if self.store_id is not None else 2 if self.group_id is not None else 0
        return place + (self.channel is not None), self.id.int

    def holds(self, kind: TradeKind, store: Store | None, channel: Channel) -> bool:
        """Whether it is about this."""
        if self.kind is not kind or self.channel not in (None, channel):
            return False
        if self.store_id is not None:
            return store is not None and store.id == self.store_id
        return self.group_id is None or (store is not None and store.group_id == self.group_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeAllowance(Row):
    """What of a rule's cap was used on a local day. Its id comes of the rule's and the day."""

    rule_id: UUID
    day: date
    points: int


class TradeRuleInvalid(Refusal):
    """A rule names a store and a group, or has no cap where it needs one, or one where not. Details: `why`."""

    code = "TRADE_RULE_INVALID"
    text = "The rule cannot be so: {why}."


class RedeemingRefused(Refusal):
    """Points are not redeemed in this channel, or at this store. Details: `store`, `channel`."""

    code = "REDEEMING_REFUSED"
    text = "Points are not redeemed in the channel {channel}."


class RedeemingRefusedAtStore(RedeemingRefused):
    """Like `RedeemingRefused`, where a store is told."""

    code = "REDEEMING_REFUSED"
    text = "Points are not redeemed at the store {store!r} in the channel {channel}."


class RedeemingCapped(Refusal):
    """The day's cap for redeeming here is reached. Details: `limit`, `used`, `requested`, in points."""

    code = "REDEEMING_CAPPED"
    text = "{limit} points a day are redeemed here; {used} were, and {requested} more are requested."


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRuleSaved(Event):
    """A rule was made, or switched on or off."""

    rule_id: UUID


def deciding(rules: Sequence[TradeRule], kind: TradeKind, store: Store | None, channel: Channel) -> TradeRule | None:
    """The rule that decides; None where none holds, and everything is allowed."""
    holding = [rule for rule in rules if rule.holds(kind, store, channel)]
    return max(holding, key=lambda rule: rule.narrowness, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many points may be earned here today; None: any number. `used` counts them where a cap asks for it."""

    points: int | None = None
    allowance: TradeAllowance | None = None

    def used(self, points: int) -> tuple[Row, ...]:
        """The rows that count so many points."""
        if self.allowance is None or not points:
            return ()
        return (replace(self.allowance, points=self.allowance.points + points),)


def earning_room(state: State, store: Store | None, channel: Channel, at: datetime, zone_name: str) -> Room:
    """What a purchase may earn at a store and in a channel at a business time, on its local day."""
    rule = deciding(state.all(TradeRule, of=state.program_id), TradeKind.EARNING, store, channel)
    if rule is None or rule.effect is TradeEffect.ALLOWED:
        return Room()
    if rule.effect is TradeEffect.REFUSED or rule.points_max is None:
        return Room(points=0)
    before = _allowance(state, rule, calendars.local_date(at, zone_name))
    return Room(points=max(0, rule.points_max - before.points), allowance=before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemable:
    """How many points may still be redeemed somewhere today; None: any number. `refusal` says why none are at all."""

    points: int | None = None
    refusal: RedeemingRefused | None = None


ANY_NUMBER: Final = Redeemable()


def redeemable_by(rule: TradeRule | None, used: int, store: Store | None, channel: Channel) -> Redeemable:
    """What a rule that decides leaves, of whose cap so many points were used today."""
    if rule is None or rule.effect is TradeEffect.ALLOWED:
        return ANY_NUMBER
    if rule.effect is TradeEffect.REFUSED or rule.points_max is None:
        return Redeemable(points=0, refusal=refused(store, channel))
    return Redeemable(points=max(0, rule.points_max - used))


def redeemable(state: State, store: Store | None, channel: Channel, day: date) -> Redeemable:
    """What may still be redeemed at a store and in a channel on a local day; nothing is counted by asking."""
    rule = deciding(state.all(TradeRule, of=state.program_id), TradeKind.REDEEMING, store, channel)
    used = 0 if rule is None or rule.points_max is None else _allowance(state, rule, day).points
    return redeemable_by(rule, used, store, channel)


def redeem(state: State, store: Store | None, channel: Channel, points: int, day: date) -> tuple[Row, ...]:
    """The rows that count points redeemed here. Refuses `RedeemingRefused` and `RedeemingCapped`."""
    rule = deciding(state.all(TradeRule, of=state.program_id), TradeKind.REDEEMING, store, channel)
    if rule is None or rule.effect is TradeEffect.ALLOWED:
        return ()
    if rule.effect is TradeEffect.REFUSED or rule.points_max is None:
        raise refused(store, channel)
    before = _allowance(state, rule, day)
    if before.points + points > rule.points_max:
        raise RedeemingCapped(limit=rule.points_max, used=before.points, requested=points)
    return (replace(before, points=before.points + points),)


def refused(store: Store | None, channel: Channel) -> RedeemingRefused:
    """The refusal where points are not redeemed."""
    if store is None:
        return RedeemingRefused(store=None, channel=channel)
    return RedeemingRefusedAtStore(store=store.code, channel=channel)


def allowance_id(rule: TradeRule, day: date) -> UUID:
    """The id of what was used of a rule's cap on a local day."""
    return uuid5(rule.id, day.isoformat())


def _allowance(state: State, rule: TradeRule, day: date) -> TradeAllowance:
    key = allowance_id(rule, day)
    known = state.find(TradeAllowance, key)
    return known or TradeAllowance(id=key, program_id=state.program_id, rule_id=rule.id, day=day, points=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTradeRule(Command[TradeRule]):
    """Allow, refuse or cap earning or redeeming somewhere. Refuses `TradeRuleInvalid` and what is not there."""

    kind: TradeKind
    effect: TradeEffect
    store_id: UUID | None = None
    group_id: UUID | None = None
    channel: Channel | None = None
    points_max: int | None = None

    def decide(self, state: State) -> Decision[TradeRule]:
        if self.store_id is not None and self.group_id is not None:
            raise TradeRuleInvalid(field=("groupId",), why="it names a store or a group of stores, not both")
        if (self.effect is TradeEffect.CAPPED) != (self.points_max is not None):
            raise TradeRuleInvalid(field=("pointsMax",), why="a cap is told with CAPPED, and with nothing else")
        if self.points_max is not None:
            checks.points("pointsMax", self.points_max)
        if self.store_id is not None:
            state.get(Store, self.store_id)
        if self.group_id is not None:
            state.get(StoreGroup, self.group_id)
        checks.at_most("tradeRules", (*state.all(TradeRule, of=state.program_id), self), TRADE_RULES_MAX)
        rule = TradeRule(
            id=state.new_id(),
            program_id=state.program_id,
            kind=self.kind,
            effect=self.effect,
            store_id=self.store_id,
            group_id=self.group_id,
            channel=self.channel,
            points_max=self.points_max,
        )
        return Decision(rule, save=(rule,), events=(TradeRuleSaved(rule_id=rule.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTradeRule(Command[TradeRule]):
    """Take a rule away, for good. Again changes nothing."""

    rule_id: UUID

    def decide(self, state: State) -> Decision[TradeRule]:
        rule = state.change(TradeRule, self.rule_id)
        if not rule.is_active:
            return Decision(rule)
        rule = replace(rule, is_active=False)
        return Decision(rule, save=(rule,), events=(TradeRuleSaved(rule_id=rule.id),))
