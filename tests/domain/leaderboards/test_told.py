"""Whatever changes what a board counts is told as an event of that member: the relay counts nobody else."""

from uuid import UUID

from domain.kernel import Refusal, Row, State
from domain.points.account import PointsAccount, PointTransaction
from domain.purchases.purchase import Purchase
from domain.purchases.refund import Refund
from tests.domain import simulation, simulator
from tests.domain.memory import PROGRAM_ID

COUNT = 12_000


def test_every_member_whose_points_purchases_or_tier_change_is_told_of() -> None:
    state = State(PROGRAM_ID, is_complete=True)
    steps = simulation.commands(20260115, COUNT)
    step, result, changed = next(steps), object(), 0
    for number in range(1, COUNT):
        simulator.begin(state, number, step)
        try:
            decision = step.command.decide(state)
        except Refusal as refusal:
            result = refusal
        else:
            members = {member for row in decision.save for member in _counted(state, row)}
            assert members <= {event.member_id for event in decision.events}, step.command
            changed += len(members)
            state.keep(decision.save)
            result = decision.result
        step = steps.send(result)
    assert changed > COUNT // 2


def _counted(state: State, row: Row) -> list[UUID]:
    """The member for whom a row that is saved changes what is counted."""
    if isinstance(row, PointTransaction | Purchase | Refund):
        return [row.member_id]
    before = state.find(PointsAccount, row.id) if isinstance(row, PointsAccount) else None
    moved = before is not None and isinstance(row, PointsAccount) and before.tier_id != row.tier_id
    return [row.id] if moved else []
