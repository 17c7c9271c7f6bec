"""Finding a member in a check-in activity, read for all that a request asks about together."""

from uuid import UUID

from api.context import Context
from domain import calendars, checks
from domain.check_ins import activity as offering
from domain.check_ins.reading import Standing
from domain.kernel import Refusal
from persistence import check_ins as stored


async def standing(context: Context, member_id: UUID, activity: offering.CheckInActivity) -> Standing:
    """A member in an activity, as of now."""
    loaders = context.loaders
    program, account = await loaders.program(), await loaders.account(member_id)
    assert account is not None, "a member has an account"
    return Standing(
        activity=activity,
        member_id=member_id,
        enrolled_at=account.enrolled_at,
        streak=await loaders.keyed(stored.streaks, (member_id, activity.id)),
        time_zone=program.time_zone,
        today=calendars.local_date(context.now, program.time_zone),
    )


async def of_code(context: Context, member_id: UUID, code: str) -> Standing | None:
    """A member in the activity with a code; None if there is none that the caller sees."""
    try:
        code = checks.text("activity", code, length_max=offering.CODE_MAX)
    except Refusal:
        return None
    activity = await context.loaders.keyed(stored.by_codes, code)
    if activity is None or not (activity.is_active or context.caller.is_staff):
        return None
    return await standing(context, member_id, activity)
