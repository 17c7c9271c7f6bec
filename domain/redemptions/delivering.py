"""How a redemption gets to its member: what is offered, what is chosen, and the code that is shown at a store."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from domain import checks, codes, stores
from domain.kernel import Command, Decision, State
from domain.points.posting import open_posting
from domain.redemptions.redemption import (
    Address,
    Delivery,
    DeliveryInvalid,
    Redeemed,
    Redemption,
    WrongStore,
    find,
    require_open,
)
from domain.rewards.reward import DeliveryKind, Reward, RewardKind
from domain.stores import Store

PICKUP_CODE_LENGTH: Final = 10
_SHOWN_AT_STORES: Final = frozenset({RewardKind.SERVICE, RewardKind.EVENT})


def pickup_code(state: State, reward: Reward, delivery: Delivery | None) -> str | None:
    """The code to show at a store, where something is handed out there; None where nothing is."""
    is_shown = reward.kind in _SHOWN_AT_STORES or (delivery is not None and delivery.kind is DeliveryKind.PICK_UP)
    return codes.made(state.new_seed(), PICKUP_CODE_LENGTH) if is_shown else None


def checked(state: State, reward: Reward, delivery: Delivery | None, store: Store | None) -> Delivery | None:
    """The delivery, checked. Refuses `WrongStore` and `DeliveryInvalid`."""
    if store is not None and delivery is None:
        require_store(state, reward, store)
    if delivery is None:
        if reward.deliveries:
            raise DeliveryInvalid(field=("delivery",), why=f"one of {', '.join(reward.deliveries)} is to be chosen")
        return None
    if delivery.kind not in reward.deliveries:
        raise DeliveryInvalid(field=("delivery", "kind"), why=f"{delivery.kind} is not offered for this reward")
    if delivery.kind is DeliveryKind.SHIPPING:
        if delivery.address is None:
            raise DeliveryInvalid(field=("delivery", "address"), why="an address is needed to send it")
        return Delivery(kind=delivery.kind, address=_checked_address(delivery.address))
    if delivery.store_id is None:
        raise DeliveryInvalid(field=("delivery", "storeId"), why="a store is needed to pick it up")
    chosen = stores.open_store(state, delivery.store_id)
    assert chosen is not None, "a store was named"
    require_store(state, reward, chosen)
    return Delivery(kind=delivery.kind, store_id=chosen.id)


def require_store(state: State, reward: Reward, store: Store) -> None:
    """Refuses `WrongStore` unless the reward can be had at the store."""
    if reward.store_ids and store.id not in reward.store_ids:
        expected = ", ".join(state.get(Store, store_id).code for store_id in reward.store_ids[:10])
        raise WrongStore(field=("storeId",), store=store.code, expected=expected)


def _checked_address(address: Address) -> Address:
    return Address(
        name=checks.text("delivery.address.name", address.name),
        phone=checks.phone(address.phone),
        country_code=checks.text("delivery.address.countryCode", address.country_code, length_max=2),
        region=checks.optional_text("delivery.address.region", address.region),
        city=checks.text("delivery.address.city", address.city),
        street=checks.text("delivery.address.street", address.street),
        postal_code=checks.optional_text("delivery.address.postalCode", address.postal_code, length_max=20),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseDelivery(Command[Redeemed]):
    """Say how an open redemption is to come, or come otherwise, of which nothing was handed out yet.

    What was won waits for this. `member_id`, where told, must be the redemption's. Refuses `NotFound`, what is not
    open, `DeliveryInvalid` where a part is on its way or the reward offers no such delivery, and `WrongStore`.
    """

    redemption_id: UUID
    delivery: Delivery
    member_id: UUID | None = None

    def decide(self, state: State) -> Decision[Redeemed]:
        redemption = require_open(find(state, self.redemption_id, self.member_id), state.now)
        account = open_posting(state, redemption.member_id).account
        if redemption.fulfilled or redemption.carrier or redemption.tracking_number:
            raise DeliveryInvalid(field=("delivery",), why="it is on its way already")
        after = with_delivery(state, redemption, self.delivery)
        return Decision(Redeemed(redemption=after, account=account), save=(after,))


def with_delivery(state: State, redemption: Redemption, delivery: Delivery) -> Redemption:
    """A redemption with another delivery; a code that was shown to nobody yet stays as it is."""
    reward = state.get(Reward, redemption.reward_id)
    chosen = checked(state, reward, delivery, None)
    code = pickup_code(state, reward, chosen)
    if code is not None and redemption.pickup_code is not None:
        code = redemption.pickup_code
    return replace(redemption, delivery=chosen, pickup_code=code)
