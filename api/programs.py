"""The program in the API: its terms and its settings."""

from datetime import datetime
from typing import Any, Self

import strawberry

from api import access, inputs, moneys, payloads, scalars, shapes, terms
from api.context import Context, Info
from api.earning import EarningRule
from api.inputs import MoneyInput
from api.moneys import Money
from api.policies import (
    ExpiryPolicy,
    ExpiryPolicyInput,
    PendingPolicy,
    PendingPolicyInput,
    TierPolicy,
    TierPolicyInput,
)
from api.terms import PublishedRule
from domain import programs
from domain.access import Scope

shapes.named(programs.ReturnPolicy, programs.ShortfallPolicy)

_INTERNAL = access.staff(Scope.PROGRAM_READ)


async def _published(parent: strawberry.Parent[programs.Program], info: Info) -> Any:
    found = await terms.published(info.context, parent)
    info.context.take_nodes(len(found))
    return found


async def _earning_rules(parent: strawberry.Parent[programs.Program], info: Info) -> Any:
    found = terms.shown_rules(await info.context.loaders.rule_set(parent.rule_version), info.context)
    # No connection, but items of a list all the same, of which a request may have so many in all.
    info.context.take_nodes(len(found))
    return found


@shapes.shape(programs.Program)
class Program(shapes.Node):
    """A loyalty program: its public terms, and for staff the rest of its settings."""

    name: str
    currency_code: scalars.CurrencyCode
    time_zone: str = strawberry.field(description="Business days are local days of this IANA time zone.")
    sign_up_points: scalars.Points
    pending: PendingPolicy
    expiry: ExpiryPolicy
    return_policy: programs.ReturnPolicy
    replacement_days: int
    point_value_bp: scalars.BasisPoints = strawberry.field(
        description="What a point is worth, in basis points of the currency's minor unit."
    )
    tier_policy: TierPolicy
    prize_value_max: Money = moneys.field(
        "prize_value_max_minor", description="What an item that is won in a lottery may be worth at most."
    )
    categories: list[str] = strawberry.field(description="Those of products that earning rules may name.")
    rules: list[PublishedRule] = strawberry.field(
        resolver=_published, description="The program's terms in plain Chinese and English, made from its data."
    )
    earning_rules: list[EarningRule] = strawberry.field(
        resolver=_earning_rules, description="What gives points, as data; for members to read, take `rules`."
    )
    rule_version: int = access.guarded(_INTERNAL, "rule_version")
    shortfall_policy: programs.ShortfallPolicy = access.guarded(_INTERNAL, "shortfall_policy")
    hold_minutes: int = access.guarded(
        _INTERNAL, "hold_minutes", description="How long points are held, unless a hold says otherwise."
    )
    created_at: datetime


@shapes.shape()
class ProgramQueries:
    """What can be asked about the program."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def program(self, info: Info) -> Program:
        """The caller's program."""
        return shapes.as_shape(Program, await info.context.loaders.program())


@shapes.given()
class ProgramUpdateInput(inputs.RepeatableInput):
    """What to change; what is left out stays."""

    name: str | None = None
    time_zone: str | None = None
    sign_up_points: scalars.Points | None = None
    pending: PendingPolicyInput | None = None
    expiry: ExpiryPolicyInput | None = None
    shortfall_policy: programs.ShortfallPolicy | None = None
    return_policy: programs.ReturnPolicy | None = None
    replacement_days: int | None = None
    hold_minutes: int | None = None
    point_value_bp: scalars.BasisPoints | None = None
    tier_policy: TierPolicyInput | None = None
    prize_value_max: MoneyInput | None = None
    categories: list[str] | None = inputs.bounded(programs.CATEGORIES_MAX, default=None)

    def command(self, context: Context) -> programs.UpdateProgram:
        """The command for the domain. Refuses money in another currency."""
        value_max = None if self.prize_value_max is None else self.prize_value_max.minor(context, "prizeValueMax")
        settings = programs.ProgramSettings(
            name=self.name,
            time_zone=self.time_zone,
            sign_up_points=self.sign_up_points,
            pending=None if self.pending is None else self.pending.policy(),
            expiry=None if self.expiry is None else self.expiry.policy(),
            shortfall_policy=self.shortfall_policy,
            return_policy=self.return_policy,
            replacement_days=self.replacement_days,
            hold_minutes=self.hold_minutes,
            point_value_bp=self.point_value_bp,
            tier_policy=None if self.tier_policy is None else self.tier_policy.policy(),
            prize_value_max_minor=value_max,
            categories=None if self.categories is None else tuple(self.categories),
        )
        return programs.UpdateProgram(settings=settings)


@shapes.shape()
class ProgramUpdatePayload(payloads.KeyedPayload):
    """The program as it is now."""

    program: Program | None = None

    @classmethod
    def of(cls, program: programs.Program) -> Self:
        """The payload of a program."""
        return cls(program=shapes.shown(program))


@shapes.shape()
class ProgramMutations:
    """What can be done with the program."""

    @access.field(access.staff(Scope.PROGRAM_WRITE))
    async def program_update(self, info: Info, input: ProgramUpdateInput) -> ProgramUpdatePayload:  # noqa: A002
        """Change settings. A new tier policy has every member looked at again, in the background."""
        return await payloads.run(info, input, ProgramUpdatePayload)
