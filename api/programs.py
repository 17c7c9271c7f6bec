"""The program in the API: its settings and earning rules."""

from datetime import date, datetime
from typing import Self

import strawberry

from api import access, inputs, moneys, payloads, scalars, shapes
from api.context import Context, Info
from api.inputs import MoneyInput
from api.moneys import Money
from domain import earning, programs
from domain.access import Scope

shapes.named(
    earning.EarningKind,
    programs.ExpiryKind,
    programs.PendingKind,
    programs.ReturnPolicy,
    programs.ShortfallPolicy,
)

_INTERNAL = access.staff(Scope.PROGRAM_READ)


@shapes.shape()
class PendingPolicy:
    """When earned points may be spent: `days` with AFTER, `onDate` with ON_DATE."""

    kind: programs.PendingKind
    days: int | None
    on_date: date | None


@shapes.shape()
class ExpiryPolicy:
    """When points expire, the last local day inclusive: `count` days or periods, or `onDate` with FIXED_DATE."""

    kind: programs.ExpiryKind
    count: int | None
    on_date: date | None


@shapes.shape()
class EarningRule:
    """What a purchase earns: `points` for every `amount` paid (PER_AMOUNT), or once from there on (BONUS_AT)."""

    code: str
    kind: earning.EarningKind
    points: scalars.Points
    amount: Money = moneys.field("amount_minor")
    includes_freight: bool
    minimum: Money = moneys.field("minimum_minor", description="Below this a purchase earns nothing by this rule.")


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
    rules: list[EarningRule] = strawberry.field(name="earningRules")
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
class PendingPolicyInput:
    """When earned points may be spent: `days` (1 to 3,650) with AFTER, `onDate` with ON_DATE."""

    kind: programs.PendingKind
    days: int | None = None
    on_date: date | None = None

    def policy(self) -> programs.PendingPolicy:
        """The policy for the domain."""
        return programs.PendingPolicy(kind=self.kind, days=self.days, on_date=self.on_date)


@shapes.given()
class ExpiryPolicyInput:
    """When points expire: `count` days (1 to 3,650) or periods (0 to 120), or `onDate` with FIXED_DATE."""

    kind: programs.ExpiryKind
    count: int | None = None
    on_date: date | None = None

    def policy(self) -> programs.ExpiryPolicy:
        """The policy for the domain."""
        return programs.ExpiryPolicy(kind=self.kind, count=self.count, on_date=self.on_date)


@shapes.given()
class EarningRuleInput:
    """A rule: `points` for every `amount` paid (PER_AMOUNT), or once from there on (BONUS_AT)."""

    code: str
    kind: earning.EarningKind
    points: scalars.Points
    amount: MoneyInput
    includes_freight: bool = False
    minimum: MoneyInput | None = None

    def rule(self, context: Context) -> earning.EarningRule:
        """The rule for the domain. Refuses another currency than the program's."""
        return earning.EarningRule(
            code=self.code,
            kind=self.kind,
            points=self.points,
            amount_minor=self.amount.minor(context, "earningRules.amount"),
            includes_freight=self.includes_freight,
            minimum_minor=0 if self.minimum is None else self.minimum.minor(context, "earningRules.minimum"),
        )


@shapes.given()
class ProgramUpdateInput(inputs.RepeatableInput):
    """What to change; what is left out stays. Earning rules are replaced as a whole and hold for new purchases."""

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
    earning_rules: list[EarningRuleInput] | None = inputs.bounded(earning.RULES_MAX, default=None)

    def command(self, context: Context) -> programs.UpdateProgram:
        """The command for the domain. Refuses another currency than the program's."""
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
        )
        rules = None if self.earning_rules is None else tuple(rule.rule(context) for rule in self.earning_rules)
        return programs.UpdateProgram(settings=settings, rules=rules)


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
        """Change settings or earning rules."""
        return await payloads.run(info, input, ProgramUpdatePayload)
