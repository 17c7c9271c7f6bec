"""Challenges in the API."""

from api import shapes
from domain.challenges import challenge, progress

# Named before any module of this package tells or shows them.
shapes.named(
    challenge.Difficulty,
    challenge.ProfileField,
    challenge.Recurrence,
    challenge.StepKind,
    challenge.UndoPolicy,
    progress.ChallengeState,
)
