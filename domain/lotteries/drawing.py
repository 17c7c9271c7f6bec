"""Drawing: limits, chances, points, the draw, stock, and the prize, in one step or not at all (D2)."""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from uuid import UUID

from domain import checks, members, prizes
from domain.chances import LotteryStanding, Paid
from domain.kernel import Command, Decision, State, Want
from domain.lotteries import fairness, odds, playing
from domain.lotteries.draw import Draw, Drawn, told_of, with_won
from domain.lotteries.lottery import Lottery, LotteryKind, LotteryPrize, LotterySeed
from domain.lotteries.odds import Table
from domain.lotteries.playing import Game
from domain.members import MemberRef
from domain.points.account import SourceType
from domain.points.book import Source
from domain.points.posting import account_wants
from domain.prizes import PrizeKind, Won
from domain.vouchers.pool import PoolClosed, PoolEmpty
from domain.vouchers.voucher import VoucherExpired, VoucherLimitReached

CLIENT_SEED_MAX: Final = 64
# A prize that cannot be handed over is as good as out of stock.
GONE: Final = (PoolEmpty, PoolClosed, VoucherExpired, VoucherLimitReached)


class _Outcome(NamedTuple):
    """What a draw was made among, the point, what was drawn and what was won."""

    table: Table
    point: int
    drawn: LotteryPrize
    prize: LotteryPrize
    won: Won


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawLottery(Command[Drawn]):
    """Draw once in an instant lottery: pay, draw, take from stock and give, in one step (D2).

    Chances won are used first, then the day's free ones, then those given, then points. `client_seed` is any text of
    1 to 64 characters that the member likes; the lottery's code if none is told. Refuses an unknown member or lottery,
    a ticketed lottery, and then what `playing.obstacles` finds; whatever is refused has cost nothing.
    """

    member: MemberRef
    lottery_id: UUID
    client_seed: str | None = None

    def wants(self, program_id: UUID) -> tuple[Want, ...]:
        """What finds the member, and with its id all the rest."""
        if self.member.id is None:
            return account_wants(self.member)
        return playing.wants_to_play(program_id, self.member.id, self.lottery_id)

    def decide(self, state: State) -> Decision[Drawn]:
        told = checks.optional_text("clientSeed", self.client_seed, length_max=CLIENT_SEED_MAX)
        member_id = members.resolve(state, self.member)
        game = playing.begin(state, member_id, self.lottery_id, LotteryKind.INSTANT)
        paid = playing.judged(state, game, 1)
        draw_id = state.new_id()
        lottery, posting = game.playing.lottery, game.posting
        points = (lottery.points or 0) * paid.points
        spent = posting.redeem(points, Source(SourceType.DRAW, draw_id)) if points else None
        client_seed, nonce = told or lottery.code, fairness.nonce_of(game.standing.id, game.standing.draws + 1)
        outcome = _drawn(state, game, fairness.message_of(client_seed, nonce), Source(SourceType.PRIZE, draw_id))
        draw = Draw(
            id=draw_id,
            program_id=state.program_id,
            member_id=member_id,
            lottery_id=lottery.id,
            number=game.playing.run.draws + 1,
            client_seed=client_seed,
            nonce=nonce,
            among=outcome.table.among.places,
            total=outcome.table.among.total,
            point=outcome.point,
            drawn=outcome.drawn.code,
            prize=outcome.prize.code,
            is_guaranteed=outcome.table.is_guaranteed,
            payment=paid.each()[0],
            points=points,
            transaction_id=None if spent is None else spent.id,
            drawn_at=state.now,
            actor=state.actor,
        )
        return _decided(game, with_won(draw, outcome.won), outcome, paid)


def _decided(game: Game, draw: Draw, outcome: _Outcome, paid: Paid) -> Decision[Drawn]:
    lottery, posting = game.playing.lottery, game.posting
    standing = _after(game.standing.after(paid), lottery, outcome.prize)
    posting.put(standing)
    stock = game.playing.stocks[outcome.prize.code].taken(game.today)
    run = replace(game.playing.run, draws=draw.number)
    rows = posting.close()
    return Decision(
        Drawn(draw=draw, standing=standing, account=posting.account),
        save=(*rows, run, stock, *outcome.won.save, draw),
        events=(told_of(draw, outcome.prize), *outcome.won.events, *posting.events),
    )


def _drawn(state: State, game: Game, message: str, source: Source) -> _Outcome:
    """Draw, and give what was won. What cannot be given is out of stock for this draw, which is made again without."""
    lottery = game.playing.lottery
    seed = bytes.fromhex(state.get(LotterySeed, lottery.id).seed)
    live = game.playing.live(game.today)
    while True:
        table = odds.table_for(lottery, live, game.standing.dry_draws)
        if table is None:
            raise playing.NothingLeft(requested=1, left=0)
        point, place = odds.draw(seed, message, table.among)
        won_place = table.won(place)
        prize = lottery.prizes[won_place - 1]
        try:
            won = _given(game, prize, source)
        except GONE:
            live = tuple(place for place in live if place != won_place)
            continue
        return _Outcome(table, point, lottery.prizes[place - 1], prize, won)


def _given(game: Game, prize: LotteryPrize, source: Source) -> Won:
    if prize.prize.kind is PrizeKind.CHANCE:
        # One in this very lottery, which the standing keeps apart, because it counts against no limit.
        return Won(prize=prize.prize)
    return prizes.give(game.posting, prize.prize, source)


def _after(standing: LotteryStanding, lottery: Lottery, prize: LotteryPrize) -> LotteryStanding:
    """The standing after a draw has won a prize."""
    is_good = lottery.guarantee_rank is None or prize.rank >= lottery.guarantee_rank
    return replace(
        standing,
        draws=standing.draws + 1,
        dry_draws=0 if is_good else standing.dry_draws + 1,
        won_chances=standing.won_chances + prize.prize.chances,
    )
