"""The program's terms for referrals and shares."""

from dataclasses import replace
from typing import Final, Self

import strawberry

from api import access, ids, inputs, moneys, payloads, scalars, shapes
from api.context import Context, Info
from api.earning import Cap, CapInput
from api.inputs import MoneyInput
from api.moneys import Money
from api.vouchers.pool import VoucherPool
from domain.access import Scope
from domain.earning import rules
from domain.referrals import policy as policies
from domain.vouchers import pool as pools
from persistence import referrals as stored

_STAFF: Final = access.staff(Scope.PROGRAM_READ)
CAPS_MAX: Final = 2
# What the input tells as the domain keeps it.
_TOLD: Final = (
    *("is_active", "window_days", "refund_days", "referrer_points", "referee_points", "cap_policy", "link"),
    *("share_points", "share_visitors", "share_daily_max", "sale_points", "hourly_max", "reviews_address"),
)


@shapes.shape()
class ReferralPolicy:
    """How members are rewarded for friends whom they bring, and for what they share."""

    is_active: bool = strawberry.field(description="Whether new friends are bound and new things shared.")
    window_days: int = strawberry.field(description="Local days in which a friend must qualify.")
    minimum: Money = moneys.field("minimum_minor", description="What the friend's order pays for goods at least.")
    refund_days: int = strawberry.field(description="Days after that order in which the points wait.")
    referrer_points: scalars.Points
    referee_points: scalars.Points = strawberry.field(description="For the friend.")
    referrer_pool: VoucherPool | None = access.resolved_by(
        _STAFF, shapes.linking(pools.VoucherPool, "referrer_pool_id")
    )
    referee_pool: VoucherPool | None = access.resolved_by(_STAFF, shapes.linking(pools.VoucherPool, "referee_pool_id"))
    caps: list[Cap] = strawberry.field(description="Of what one referrer is given in a local day and month.")
    cap_policy: rules.CapPolicy
    share_points: scalars.Points = strawberry.field(description="For a share that enough different people visit.")
    share_visitors: int = strawberry.field(description="How many are enough.")
    share_daily_max: int = strawberry.field(description="How many shares pay a member in a local day.")
    sale_points: scalars.Points = strawberry.field(
        description="For a friend who came by a share and qualifies, besides."
    )
    hourly_max: int = access.guarded(
        _STAFF, "hourly_max", description="Of more friends than this in an hour, the rest are looked into by staff."
    )
    reviews_address: bool = access.guarded(
        _STAFF, "reviews_address", description="Whether one address of both is looked into, in place of refused."
    )
    link: str | None = strawberry.field(description="Where links lead, with `{code}` in the place of the code.")


@shapes.given()
class ReferralPolicySaveInput(inputs.RepeatableInput):
    """The terms as a whole: what is left out is the default. Friends who are bound keep their window.

    Vouchers are given when the order stands; referrer and friend get them of pools of their own. `link` is an address
    with `{code}` once, at most 200 characters. `caps` are of a DAY and a MONTH.
    """

    is_active: bool = True
    window_days: int = 30
    minimum: MoneyInput | None = None
    refund_days: int = 7
    referrer_points: scalars.Points = scalars.Points(0)
    referee_points: scalars.Points = scalars.Points(0)
    referrer_pool_id: strawberry.ID | None = None
    referee_pool_id: strawberry.ID | None = None
    caps: list[CapInput] | None = inputs.bounded(CAPS_MAX, default=None)
    cap_policy: rules.CapPolicy = rules.CapPolicy.REDUCE
    share_points: scalars.Points = scalars.Points(5)
    share_visitors: int = 1
    share_daily_max: int = 5
    sale_points: scalars.Points = scalars.Points(5)
    hourly_max: int = 20
    reviews_address: bool = False
    link: str | None = None

    def command(self, context: Context) -> policies.SaveReferralPolicy:
        """The command for the domain. Refuses malformed ids and another currency than the program's."""
        policy = replace(
            policies.default_policy(context.caller.program_id),
            minimum_minor=0 if self.minimum is None else self.minimum.minor(context, "minimum"),
            referrer_pool_id=ids.optional("VoucherPool", self.referrer_pool_id, "referrerPoolId"),
            referee_pool_id=ids.optional("VoucherPool", self.referee_pool_id, "refereePoolId"),
            caps=tuple(cap.cap() for cap in self.caps or ()),
            **{name: getattr(self, name) for name in _TOLD},
        )
        return policies.SaveReferralPolicy(policy=policy)


@shapes.shape()
class ReferralPolicySavePayload(payloads.KeyedPayload):
    """The policy as it is now."""

    policy: ReferralPolicy | None = None

    @classmethod
    def of(cls, policy: policies.ReferralPolicy) -> Self:
        """The payload of a policy."""
        return cls(policy=shapes.shown(policy))


@shapes.shape()
class ReferralPolicyQueries:
    """What can be asked about the terms."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def referral_policy(self, info: Info) -> ReferralPolicy:
        """How referrals and shares are rewarded in the program; not active if it has saved nothing."""
        return shapes.as_shape(ReferralPolicy, await stored.policy_of(info.context.caller.program_id))


@shapes.shape()
class ReferralPolicyMutations:
    """What can be done with the terms."""

    @access.field(access.staff(Scope.PROGRAM_WRITE))
    async def referral_policy_save(self, info: Info, input: ReferralPolicySaveInput) -> ReferralPolicySavePayload:  # noqa: A002
        """Say how referrals and shares are rewarded."""
        return await payloads.run(info, input, ReferralPolicySavePayload)
