"""The counter of a round: which of its stocks a caller may take from, in which order, and one unit of it (F1, F4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain import claims
from domain.claims import FlashSaleHold, FlashSaleStock
from domain.flash_sales.rounds import Moment, Phase
from domain.flash_sales.sale import FlashSaleItem
from domain.kernel import FAMILY, Row, State, Want


def tiers_open_to(item: FlashSaleItem, phase: Phase, tier_id: UUID | None) -> tuple[UUID | None, ...]:
    """Whose stocks a member of a tier may take from, the first to be asked first (F4).

    In a head start it is the share of its tier alone, or the common units if that has none. When the round is open for
    everybody it is the common units, then what is left of every share, in the order they are told.
    """
    match phase:
        case Phase.OPEN:
            return tuple(item.allotments())
        case Phase.EARLY_ACCESS:
            return (None if item.share(tier_id) is None else tier_id,)
        case _:
            return ()


def left_for(item: FlashSaleItem, stocks: Sequence[FlashSaleStock], tier_id: UUID | None, moment: Moment) -> int:
    """How many units a member of a tier may choose among now; `stocks` are those of the round that there are."""
    return _left(item, tiers_open_to(item, moment.phase, tier_id), stocks)


def left_in_all(item: FlashSaleItem, stocks: Sequence[FlashSaleStock]) -> int:
    """How many units of a round are left, reserved ones too."""
    return _left(item, tuple(item.allotments()), stocks)


def _left(item: FlashSaleItem, open_to: Sequence[UUID | None], stocks: Sequence[FlashSaleStock]) -> int:
    known = {stock.tier_id: stock for stock in stocks}
    sizes = item.allotments()
    return sum(known[key].of_size(sizes[key]).left if key in known else sizes[key] for key in open_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """The stocks that a caller may take from, as a decision leaves them; `lapsed` are the holds that it took back."""

    stocks: tuple[FlashSaleStock, ...]
    lapsed: tuple[Row, ...] = ()

    @property
    def left(self) -> int:
        """Units that the caller may have."""
        return sum(stock.left for stock in self.stocks)

    def take(self, *, is_held: bool) -> tuple[FlashSaleStock, tuple[Row, ...]]:
        """One unit of the first stock that has any, and all that is to be saved: there must be one."""
        taken = next(stock for stock in self.stocks if stock.left).taken(is_held=is_held)
        # Where holds lapsed, the stocks they were taken back to have changed too.
        others = [stock for stock in self.stocks if stock.id != taken.id] if self.lapsed else []
        return taken, (*others, taken, *self.lapsed)


def counter(state: State, item: FlashSaleItem, opens_at: datetime, open_to: Sequence[UUID | None]) -> Counter:
    """The stocks of a round that are open to a caller, locked; if nothing is left, with what lapsed taken back."""
    sizes = item.allotments()
    keys = {tier_id: claims.stock_id(item.id, opens_at, tier_id) for tier_id in open_to}
    # All at once, in the order of their ids: whoever locked some first and others later could meet another halfway.
    state.need(*(Want(FlashSaleStock, key, is_locked=True) for key in keys.values()))
    found = {tier_id: state.find(FlashSaleStock, key) for tier_id, key in keys.items()}
    stocks = tuple(
        _new(state, item, opens_at, tier_id, sizes[tier_id]) if stock is None else stock.of_size(sizes[tier_id])
        for tier_id, stock in found.items()
    )
    if any(stock.left for stock in stocks) or not any(stock.held for stock in stocks):
        return Counter(stocks=stocks)
    return _with_lapsed(state, stocks)


def _new(state: State, item: FlashSaleItem, opens_at: datetime, tier_id: UUID | None, total: int) -> FlashSaleStock:
    """The stock of a round that nobody has claimed of yet."""
    return FlashSaleStock(
        id=claims.stock_id(item.id, opens_at, tier_id),
        program_id=state.program_id,
        item_id=item.id,
        opens_at=opens_at,
        tier_id=tier_id,
        total=total,
    )


def _with_lapsed(state: State, stocks: Sequence[FlashSaleStock]) -> Counter:
    held = [stock for stock in stocks if stock.held]
    state.need(*(Want(FlashSaleHold, stock.id, FAMILY) for stock in held))
    after = list(_taken_back(state, stocks))
    lapsed = tuple(row for _, rows in after for row in rows)
    return Counter(stocks=tuple(stock for stock, _ in after), lapsed=lapsed)


def _taken_back(state: State, stocks: Sequence[FlashSaleStock]) -> Iterator[tuple[FlashSaleStock, list[Row]]]:
    for stock in stocks:
        holds = state.all(FlashSaleHold, of=stock.id) if stock.held else ()
        yield claims.take_back(stock, holds, state.now)
