"""What is asked about challenges, and what shops and members do with them."""

from typing import Annotated, Final, Self

import strawberry

from api import access, payloads, scalars, shapes
from api.challenges import inputs as told
from api.challenges.challenge import Challenge, ChallengeProgress, is_for, set_in_force
from api.context import Info
from api.inputs import MemberRefInput
from api.members import Member
from api.rewards import standings
from domain.access import Scope
from domain.achievements import claiming, editing

_SETTINGS: Final = access.staff(Scope.PROGRAM_WRITE)
_PERSONAL: Final = access.staff_or_member(Scope.ACTIVITIES_WRITE)


@shapes.shape()
class ChallengeQueries:
    """What can be asked about challenges."""

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def challenges(
        self, info: Info, for_: Annotated[MemberRefInput | None, strawberry.argument(name="for")] = None
    ) -> list[Challenge]:
        """Challenges in the order in which they were saved; at most 200.

        Whoever is not staff sees those that are active and not over. A member sees those that are for it, as does the
        shop `for` whomever it names.
        """
        context = info.context
        found = await set_in_force(context)
        who = await standings.somebody(context, for_)
        if found is None or (who is None and for_ is not None):
            return []
        shown = [
            challenge
            for challenge in found.challenges
            if (context.caller.is_staff and who is None)
            or (challenge.is_active and (challenge.ends_at is None or context.now < challenge.ends_at))
        ]
        shown = [challenge for challenge in shown if who is None or is_for(challenge, who)]
        context.take_nodes(len(shown))
        return [shapes.shown(challenge) for challenge in shown]

    @access.field(access.everyone(Scope.PROGRAM_READ))
    async def challenge(self, info: Info, code: str) -> Challenge | None:
        """A challenge by its code, over or not; null if there is none. Only staff sees one that is not active."""
        found = await set_in_force(info.context)
        known = () if found is None else found.challenges
        is_staff = info.context.caller.is_staff
        shown = [one for one in known if one.code == code.strip() and (one.is_active or is_staff)]
        return shapes.as_shape(Challenge, shown[0] if shown else None)


@shapes.shape()
class _ChallengePayload(payloads.KeyedPayload):
    challenge_version: int | None = strawberry.field(default=None, description="The version in force from now on.")

    @classmethod
    def of(cls, edited: editing.Edited) -> Self:
        """The payload of an edit."""
        return cls(challenge_version=edited.challenge_set.version)


@shapes.shape()
class ChallengeSavePayload(_ChallengePayload):
    """The challenge as it is now."""

    challenge: Challenge | None = None

    @classmethod
    def of(cls, edited: editing.Edited) -> Self:
        """The payload of an edit."""
        return cls(challenge_version=edited.challenge_set.version, challenge=shapes.shown(edited.challenge))


@shapes.shape()
class ChallengeRemovePayload(_ChallengePayload):
    """The challenges without it."""


@shapes.shape()
class ChallengeClaimPayload(payloads.KeyedPayload):
    """The member's progress and figures after claiming, and what was given."""

    progress: ChallengeProgress | None = None
    member: Member | None = None
    rounds: int | None = strawberry.field(default=None, description="How many rounds were rewarded.")
    points: scalars.Points | None = strawberry.field(default=None, description="What rules gave for them.")

    @classmethod
    def of(cls, claimed: claiming.Claimed) -> Self:
        """The payload of a claim."""
        return cls(
            progress=shapes.shown(claimed.progress),
            member=shapes.shown(claimed.account),
            rounds=claimed.rounds,
            points=scalars.Points(claimed.points),
        )


@shapes.shape()
class ChallengeMutations:
    """What can be done with challenges."""

    @access.field(_SETTINGS)
    async def challenge_save(self, info: Info, input: told.ChallengeSaveInput) -> ChallengeSavePayload:  # noqa: A002
        """Save a challenge. Refuses one that contradicts itself, could never be completed, or has begun otherwise."""
        return await payloads.run(info, input, ChallengeSavePayload)

    @access.field(_SETTINGS)
    async def challenge_remove(self, info: Info, input: told.ChallengeRemoveInput) -> ChallengeRemovePayload:  # noqa: A002
        """Remove a challenge; what it gave stays. Refuses one that others require."""
        return await payloads.run(info, input, ChallengeRemovePayload)

    @access.field(_PERSONAL)
    async def challenge_claim(self, info: Info, input: told.ChallengeClaimInput) -> ChallengeClaimPayload:  # noqa: A002
        """Take what the completed rounds of a challenge promise. Refuses what is not completed, or claimed already."""
        return await payloads.run(info, input, ChallengeClaimPayload)
