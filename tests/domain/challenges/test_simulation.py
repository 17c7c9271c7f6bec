"""A simulated shop's life with challenges in it: the books stay balanced, and progress is what the facts say."""

from collections import Counter
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from domain.achievements.claiming import ClaimChallenge
from domain.achievements.editing import SaveBadge, SaveChallenge
from domain.activities import Activity
from domain.challenges import progress
from domain.challenges.challenge import Badge, Challenge, ChallengeReward, Recurrence, Step
from domain.challenges.progress import ChallengeCompletion, ChallengeMark, ChallengeProgress
from domain.kernel import Command
from domain.points.account import PointsAccount
from domain.programs import Program
from domain.purchases.purchase import Purchase, counted
from domain.purchases.refund import Refund
from domain.purchases.remaining import rest_of
from tests.domain import invariants, rooms, simulation
from tests.domain.goals import acts, buys, spends
from tests.domain.memory import PROGRAM_ID, START, ref
from tests.domain.simulated_rules import ACTIVITIES
from tests.domain.simulator import Simulation

COUNT: Final = 8_000
SEED: Final = 20260118
# The shop stands, and the first members have come.
OPENED: Final = 60
CLAIM_EVERY: Final = 7
AUTOMATIC: Final = ("spend", "often", "daily")


def challenge(code: str, *steps: Step, **more: Any) -> SaveChallenge:
    long_ago = START - timedelta(days=3_650)
    reward = ChallengeReward(points=25, badge="fan" if code == "spend" else None)
    return SaveChallenge(
        challenge=Challenge(code=code, name=code, steps=steps, starts_at=long_ago, reward=reward, **more)
    )


FOUNDING: Final[tuple[Command[Any], ...]] = (
    SaveBadge(badge=Badge(code="fan", name="Fan", unlock_points=400)),
    challenge("spend", spends(50_000), qualifying_points=40),
    challenge("often", buys(3, qualifying_points=5), recurrence=Recurrence.REPEATABLE, rounds_max=20),
    challenge("daily", acts(ACTIVITIES[0]), recurrence=Recurrence.DAILY),
    challenge("week", buys(1, minimum_minor=2_000), recurrence=Recurrence.WEEKLY, is_automatic=False),
    challenge("month", spends(9_000), requires=("spend",), recurrence=Recurrence.MONTHLY, is_automatic=False),
)


def live() -> Simulation:
    """The life of the simulation, with challenges saved early, and claims between its commands."""
    life = Simulation()
    steps = simulation.commands(SEED, COUNT)
    step = next(steps)
    beside = COUNT
    for number in range(1, COUNT):
        answer = life.run(number, step)
        told = FOUNDING if number == OPENED else _claims(life, number)
        for command in told:
            beside += 1
            life.run(beside, simulation.Step(step.now, command, "staff", None))
        step = steps.send(answer)
    return life


def _claims(life: Simulation, number: int) -> tuple[Command[Any], ...]:
    if number < OPENED or number % CLAIM_EVERY:
        return ()
    members = [row.id for row in life.state.rows(PointsAccount)]
    code = ("week", "month")[number % 2]
    return (ClaimChallenge(member=ref(members[number % len(members)]), code=code),)


def test_a_life_with_challenges_leaves_the_books_balanced_and_progress_true() -> None:
    life = live()
    invariants.replay_members(life.state)
    rooms.prove(life.state)
    prove_that_progress_is_of_its_marks(life)
    prove_that_completions_are_of_progress(life)
    prove_what_was_counted(life)
    done = Counter(row.challenge for row in life.state.rows(ChallengeCompletion) if not row.step)
    undone = Counter(row.challenge for row in life.state.rows(ChallengeCompletion) if not row.is_open)
    assert min(done[code] for code in ("spend", "often", "daily", "week", "month")) > 5
    assert min(undone[code] for code in ("spend", "often", "daily")) > 0
    assert life.done["ClaimChallenge"] > 10
    assert life.refused["CHALLENGE_NOT_COMPLETED"] > 10


def prove_that_progress_is_of_its_marks(life: Simulation) -> None:
    sums: dict[UUID, tuple[int, ...]] = {}
    for mark in life.state.rows(ChallengeMark):
        before = sums.get(mark.progress_id, (0,) * len(mark.amounts))
        sums[mark.progress_id] = tuple(map(sum, zip(before, mark.amounts, strict=True)))
    assert {row.id: row.counts for row in life.state.rows(ChallengeProgress)} == sums


def prove_that_completions_are_of_progress(life: Simulation) -> None:
    told = {each.challenge.code: each.challenge for each in FOUNDING if isinstance(each, SaveChallenge)}
    completions: dict[UUID, list[ChallengeCompletion]] = {}
    for row in life.state.rows(ChallengeCompletion):
        completions.setdefault(row.progress_id, []).append(row)
    for row in life.state.rows(ChallengeProgress):
        challenge = told[row.challenge]
        standing = [each for each in completions.get(row.id, ()) if each.is_open]
        whole = [each for each in standing if not each.step]
        assert row.made == len(completions.get(row.id, ()))
        assert row.completed == len(whole) == progress.rounds(challenge, row.counts)
        assert row.rewarded == sum(each.rewarded_at is not None for each in whole)
        assert not challenge.is_automatic or row.rewarded == row.completed
        assert sum(row.reached) == len(standing) - len(whole)


def prove_what_was_counted(life: Simulation) -> None:
    """What was bought since the challenges are there, less what was refunded; and activities that stand."""
    state = life.state
    zone_name = state.get(Program, PROGRAM_ID).time_zone
    opened_at = min(row.begun_at for row in state.rows(ChallengeProgress))
    spent: Counter[UUID] = Counter()
    bought: Counter[UUID] = Counter()
    for purchase in state.rows(Purchase):
        if purchase.recorded_at >= opened_at:
            rest = rest_of(state, purchase, state.all(Refund, of=purchase.id), zone_name)
            paid = counted(rest.lines).spend_minor
            spent[purchase.member_id] += paid
            bought[purchase.member_id] += paid > 0
    shared: Counter[UUID] = Counter(
        row.member_id
        for row in state.rows(Activity)
        if row.recorded_at >= opened_at and row.type == ACTIVITIES[0] and row.reversed_at is None
    )
    found: dict[str, Counter[UUID]] = {code: Counter() for code in AUTOMATIC}
    for row in state.rows(ChallengeProgress):
        if row.challenge in AUTOMATIC:
            found[row.challenge][row.member_id] += row.counts[0]
    assert (+found["spend"], +found["often"], +found["daily"]) == (+spent, +bought, +shared)
