"""The staff of a simulated shop: founds it, and changes its policies, rules, tiers and stores now and then."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from domain.kernel import Command
from domain.policies import (
    Downgrade,
    ExpiryKind,
    ExpiryPolicy,
    PendingKind,
    PendingPolicy,
    TierMetric,
    TierPolicy,
    TierWindow,
)
from domain.programs import CreateProgram, ProgramSettings, ReturnPolicy, ShortfallPolicy, UpdateProgram
from domain.rewards.commands import CreateReward, RewardTerms, Stocked
from domain.rewards.reward import Reward
from domain.stores import CreateStore, Store, UpdateStore
from domain.tiers.tier import CreateTier, Tier, TierBenefits, UpdateTier
from tests.domain import simulated_rules
from tests.domain.memory import PROGRAM_ID

ZONES: Final = ("Asia/Shanghai", "America/New_York", "Europe/Berlin", "America/Santiago", "UTC")
PRICES: Final = (1, 20, 90, 250, 700, 2_500)
TIERS: Final = (("Silver", 500), ("Gold", 3_000), ("Platinum", 20_000))
# What a shop begins with: tiers that end soon.
SHORT: Final = TierPolicy(
    window=TierWindow.ROLLING, months=2, validity_days=10, downgrade=Downgrade.ONE_LEVEL, grace_days=3
)


class Settings:
    """What the staff knows of the program, and what it thinks of next."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.rewards: list[Reward] = []
        self.stores: list[UUID] = []
        self.tiers: list[Tier] = []
        self.rules = simulated_rules.Rules(source)
        self._founding: list[Command[Any]] = [
            *self._rewards(),
            *self._stores(),
            *self.rules.segments(),
            *self._tiers(),
            self._program(),
        ]
        self._has_rules = False

    def founding(self, now: datetime) -> Command[Any] | None:
        """The next command that founds the shop; None when it stands."""
        if self._founding:
            return self._founding.pop()
        if not self._has_rules:
            self._has_rules = True
            return self.rules.founding(now, [tier.id for tier in self.tiers])
        return None

    def _program(self) -> Command[Any]:
        return CreateProgram(
            program_id=PROGRAM_ID,
            name="Simulated",
            currency_code="CNY",
            settings=ProgramSettings(sign_up_points=20, tier_policy=SHORT, categories=simulated_rules.CATEGORIES),
        )

    def _rewards(self) -> list[Command[Any]]:
        return [
            CreateReward(
                code=f"reward-{price}",
                name=f"Something for {price}",
                points=price,
                stock=None if price < 50 else 200,
                limit_per_member=5 if price == 90 else None,
                terms=RewardTerms(cash_minor=333, daily_stock=40) if price == 20 else RewardTerms(),
            )
            for price in PRICES
        ]

    def _stores(self) -> list[Command[Any]]:
        return [CreateStore(code=f"store-{number}", name=f"Store {number}") for number in range(3)]

    def _tiers(self) -> list[Command[Any]]:
        return [
            CreateTier(
                name=name,
                rank=rank,
                threshold=threshold,
                keep_threshold=threshold * 8 // 10 if rank == 2 else None,
                multiplier_bp=10_000 + 2_500 * rank,
                benefits=TierBenefits(upgrade_points=50 * rank, birthday_points=20, discount_bp=100 * rank),
            )
            for rank, (name, threshold) in enumerate(TIERS, start=1)
        ]

    def learn(self, answer: object) -> None:
        """Remember stores, tiers and rewards as they are now."""
        match answer:
            case Stocked(reward=reward):
                self.rewards = [known for known in self.rewards if known.id != reward.id] + [reward]
            case Store(id=store_id) if store_id not in self.stores:
                self.stores.append(store_id)
            case Tier():
                self.tiers = [tier for tier in self.tiers if tier.id != answer.id] + [answer]

    # Changing things.

    def change(self, now: datetime) -> Command[Any]:
        """Some change of what the shop offers, from `now` on."""
        changes: tuple[Callable[[datetime], Command[Any]], ...] = (
            self._new_pending,
            self._new_pending,
            self._new_expiry,
            self._new_expiry,
            self._new_policies,
            self._new_rules,
            self._new_rules,
            self._new_rules,
            self._new_tier_policy,
            self._new_tier_policy,
            self._new_tier_terms,
            self._new_tier_terms,
            self._new_store_hours,
            self._new_zone,
        )
        return self.random.choice(changes)(now)

    def _new_pending(self, now: datetime) -> Command[Any]:
        kind = self.random.choice((PendingKind.IMMEDIATE, PendingKind.IMMEDIATE, *PendingKind))
        on_date = (now + timedelta(days=self.random.randint(-5, 40))).date()
        pending = PendingPolicy(kind, days=self.random.randint(1, 20), on_date=on_date)
        return UpdateProgram(settings=ProgramSettings(pending=pending))

    def _new_expiry(self, now: datetime) -> Command[Any]:
        kind = self.random.choice(tuple(ExpiryKind))
        is_in_days = kind in (ExpiryKind.DAYS, ExpiryKind.INACTIVITY)
        count = self.random.randint(1, 90) if is_in_days else self.random.randint(0, 2)
        on_date = (now + timedelta(days=self.random.randint(-10, 200))).date()
        expiry = ExpiryPolicy(kind=kind, count=count, on_date=on_date)
        return UpdateProgram(settings=ProgramSettings(expiry=expiry))

    def _new_policies(self, _: datetime) -> Command[Any]:
        return UpdateProgram(
            settings=ProgramSettings(
                # Debt is the default, and the policy with most to go wrong.
                shortfall_policy=self.random.choice((ShortfallPolicy.DEBT, ShortfallPolicy.DEBT, *ShortfallPolicy)),
                return_policy=self.random.choice(tuple(ReturnPolicy)),
                replacement_days=self.random.randint(1, 10),
                hold_minutes=self.random.randint(1, 5_000),
                sign_up_points=self.random.choice((0, 20, 100)),
                point_value_bp=self.random.choice((0, 100_000, 5_000_000)),
            )
        )

    def _new_rules(self, now: datetime) -> Command[Any]:
        return self.rules.edit(now, [tier.id for tier in self.tiers])

    def _new_zone(self, _: datetime) -> Command[Any]:
        return UpdateProgram(settings=ProgramSettings(time_zone=self.random.choice(ZONES)))

    def _new_tier_policy(self, _: datetime) -> Command[Any]:
        """Short windows and validities mostly, so that tiers come and go."""
        window = self.random.choice(tuple(TierWindow))
        policy = TierPolicy(
            metric=self.random.choice((*(TierMetric.QUALIFYING_POINTS,) * 4, *TierMetric)),
            window=window,
            months=self.random.randint(1, 14) if window is TierWindow.ROLLING else None,
            validity_days=self.random.choice((None, self.random.randint(1, 60))),
            downgrade=self.random.choice((Downgrade.FULL, *Downgrade)),
            grace_days=self.random.choice((0, 0, self.random.randint(1, 40))),
        )
        return UpdateProgram(settings=ProgramSettings(tier_policy=policy))

    def _new_tier_terms(self, _: datetime) -> Command[Any]:
        tier = self.random.choice(self.tiers)
        threshold = tier.threshold * self.random.randint(60, 150) // 100 + 1
        return UpdateTier(
            tier_id=tier.id,
            threshold=threshold,
            keep_threshold=self.random.choice((None, threshold * self.random.randint(40, 160) // 100)),
            multiplier_bp=self.random.choice((10_000, 12_500, 20_000, 33_333)),
            benefits=TierBenefits(
                upgrade_points=self.random.choice((0, 40, 700)), birthday_points=self.random.choice((0, 88))
            ),
        )

    def _new_store_hours(self, _: datetime) -> Command[Any]:
        return UpdateStore(store_id=self.random.choice(self.stores), is_closed=self.random.random() < 0.15)
