"""What the members of a simulated shop do with redemptions that cost cash, or that they have had."""

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from domain.kernel import Command
from domain.purchases.purchase import Purchase
from domain.redemptions.ending import (
    CancelRedemption,
    FulfillRedemption,
    LapseRedemption,
    PayRedemption,
    ReturnRedemption,
)
from domain.redemptions.redemption import Redemption


@dataclass(slots=True)
class Person:
    """What a shop remembers of a member, from the answers it got."""

    id: UUID
    external_id: str
    available: int = 0
    birthday: date | None = None
    activities: list[UUID] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    holds: list[UUID] = field(default_factory=list)
    redemptions: list[UUID] = field(default_factory=list)
    unpaid: list[Redemption] = field(default_factory=list)
    fulfilled: list[UUID] = field(default_factory=list)


class Mall(ABC):
    """Thinks of what comes after a redemption was placed."""

    random: random.Random

    @abstractmethod
    def someone(self) -> Person:
        """One of those who are busy."""

    def a_redemption(self) -> UUID | None:
        redemptions = self.someone().redemptions
        if not redemptions:
            return None
        place = self.random.randrange(len(redemptions))
        return redemptions[place] if self.random.random() < 0.1 else redemptions.pop(place)

    def cancel(self) -> Command[Any] | None:
        redemption_id = self.a_redemption()
        quantity = self.random.choice((None, None, 1, 2))
        if redemption_id is None:
            return None
        return CancelRedemption(redemption_id=redemption_id, reason="simulated", quantity=quantity)

    def fulfill(self) -> Command[Any] | None:
        redemption_id = self.a_redemption()
        quantity = self.random.choice((None, None, 1))
        return None if redemption_id is None else FulfillRedemption(redemption_id=redemption_id, quantity=quantity)

    def pay(self) -> Command[Any] | None:
        """In time, too late, too little, or once more: whatever is left of what somebody has to pay."""
        unpaid = self.someone().unpaid
        if not unpaid:
            return None
        redemption = unpaid[-1] if self.random.random() < 0.2 else unpaid.pop()
        amount = redemption.cash_minor - (self.random.random() < 0.1)
        return PayRedemption(
            redemption_id=redemption.id, amount_minor=amount, currency_code="CNY", reference=f"p-{redemption.id}"
        )

    def lapse(self) -> Command[Any] | None:
        unpaid = self.someone().unpaid
        return LapseRedemption(redemption_id=self.random.choice(unpaid).id) if unpaid else None

    def give_back(self) -> Command[Any] | None:
        fulfilled = self.someone().fulfilled
        if not fulfilled:
            return None
        return ReturnRedemption(
            redemption_id=fulfilled.pop(),
            reason="simulated",
            quantity=self.random.choice((None, 1)),
            is_restocked=self.random.random() < 0.5,
        )
