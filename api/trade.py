"""Where points are earned and redeemed: rules by store, group of stores and channel."""

from typing import Final, Self

import strawberry

from api import access, connections, ids, inputs, payloads, scalars, shapes
from api.connections import Connection
from api.context import Context, Info
from api.stores import Store, StoreGroup
from domain import stores, trade
from domain.access import Scope
from domain.stores import Channel
from persistence import trade as stored

shapes.named(trade.TradeKind, trade.TradeEffect)

_WRITES: Final = access.staff(Scope.PROGRAM_WRITE)


@shapes.shape(trade.TradeRule)
class TradeRule(shapes.Node):
    """A rule for earning or redeeming. Of several that hold, the narrowest decides.

    Store and channel, store, group and channel, group, channel, everywhere; of equally narrow ones the latest. A cap
    is for all that its rule covers together, a day of the program's calendar.
    """

    kind: trade.TradeKind
    effect: trade.TradeEffect
    store: Store | None = shapes.linked(stores.Store, "store_id")
    group: StoreGroup | None = shapes.linked(stores.StoreGroup, "group_id")
    channel: Channel | None
    points_max: scalars.Points | None
    is_active: bool


@shapes.shape()
class TradeQueries:
    """What can be asked about such rules."""

    @access.field(access.staff(Scope.PROGRAM_READ))
    async def trade_rules(
        self, info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
    ) -> Connection[TradeRule]:
        """The rules that hold, the oldest first."""
        part = connections.asked(info.context, stored.KEYSET, first, after)
        found = await stored.page(info.context.caller.program_id, part)
        return connections.page(found, stored.KEYSET, part)


@shapes.given()
class TradeRuleCreateInput(inputs.RepeatableInput):
    """A rule: for a store or a group of stores, in a channel. `pointsMax` is told with CAPPED alone."""

    kind: trade.TradeKind
    effect: trade.TradeEffect
    store_id: strawberry.ID | None = None
    group_id: strawberry.ID | None = None
    channel: Channel | None = None
    points_max: scalars.Points | None = None

    def command(self, _: Context) -> trade.CreateTradeRule:
        """The command for the domain. Refuses malformed ids."""
        return trade.CreateTradeRule(
            kind=self.kind,
            effect=self.effect,
            store_id=ids.optional("Store", self.store_id, "storeId"),
            group_id=ids.optional("StoreGroup", self.group_id, "groupId"),
            channel=self.channel,
            points_max=self.points_max,
        )


@shapes.given()
class TradeRuleEndInput(inputs.RepeatableInput):
    """A rule to take away."""

    rule_id: strawberry.ID

    def command(self, _: Context) -> trade.EndTradeRule:
        """The command for the domain. Refuses an id that is none of a rule."""
        return trade.EndTradeRule(rule_id=ids.require("TradeRule", self.rule_id, "ruleId"))


@shapes.shape()
class _RulePayload(payloads.KeyedPayload):
    rule: TradeRule | None = None

    @classmethod
    def of(cls, rule: trade.TradeRule) -> Self:
        """The payload of a rule."""
        return cls(rule=shapes.shown(rule))


@shapes.shape()
class TradeRuleCreatePayload(_RulePayload):
    """The new rule."""


@shapes.shape()
class TradeRuleEndPayload(_RulePayload):
    """The rule, which no longer holds."""


@shapes.shape()
class TradeMutations:
    """What can be done with such rules."""

    @access.field(_WRITES)
    async def trade_rule_create(self, info: Info, input: TradeRuleCreateInput) -> TradeRuleCreatePayload:  # noqa: A002
        """Allow, refuse or cap earning or redeeming somewhere."""
        return await payloads.run(info, input, TradeRuleCreatePayload)

    @access.field(_WRITES)
    async def trade_rule_end(self, info: Info, input: TradeRuleEndInput) -> TradeRuleEndPayload:  # noqa: A002
        """Take a rule away, for good. Again changes nothing."""
        return await payloads.run(info, input, TradeRuleEndPayload)
