"""Members' sessions in the API: the shop's server signs a member in, and the member's app stays signed in."""

from datetime import datetime, timedelta
from typing import Final

from api import access, inputs, minting, payloads, refusals, shapes
from api.access import CallerKind
from api.context import Context, Info
from api.inputs import MemberRefInput
from api.tokens import TokenKind
from domain import access as domain_access
from domain.access import Scope
from persistence import access as stored

REFRESH_DAYS: Final = 30


@shapes.given()
class MemberTokenCreateInput:
    """Whom to sign in, after the shop has made sure who it is."""

    member: MemberRefInput


@shapes.given()
class MemberSignInInput:
    """The refresh token that `memberTokenCreate` gave."""

    refresh_token: str


@shapes.shape()
class MemberTokenCreatePayload(payloads.Payload):
    """A token for `Authorization: Bearer`, and a refresh token that gives further ones by `memberSignIn`."""

    token: str | None = None
    expires_at: datetime | None = None
    refresh_token: str | None = None
    refresh_expires_at: datetime | None = None


@shapes.shape()
class MemberSignInPayload(payloads.Payload):
    """A fresh token for `Authorization: Bearer`, and whose it is."""

    token: str | None = None
    expires_at: datetime | None = None


@shapes.shape()
class SessionMutations:
    """How members sign in."""

    @access.field(access.only(CallerKind.SECRET_KEY, Scope.MEMBER_TOKENS))
    async def member_token_create(self, info: Info, input: MemberTokenCreateInput) -> MemberTokenCreatePayload:  # noqa: A002
        """Sign a member in. Refuses an unknown member."""
        return await payloads.answered(MemberTokenCreatePayload, _open(info.context, input))

    @access.field(access.only(CallerKind.PUBLISHABLE_KEY))
    async def member_sign_in(self, info: Info, input: MemberSignInInput) -> MemberSignInPayload:  # noqa: A002
        """Get a fresh token. Refuses a refresh token that is wrong or expired."""
        return await payloads.answered(MemberSignInPayload, _sign_in(info.context, input))


async def _open(context: Context, given: MemberTokenCreateInput) -> MemberTokenCreatePayload:
    minted = minting.new_refresh_token()
    # Idempotent enough: a repeated call opens a further session, as a further device would.
    command = domain_access.OpenMemberSession(
        member=inputs.member(context, given.member),
        token_hash=minted.secret_hash,
        expires_at=context.now + timedelta(days=REFRESH_DAYS),
    )
    session = (await context.execute(command)).result
    issued = context.backend.tokens.issue(TokenKind.MEMBER, session.member_id, session.program_id, context.now)
    return MemberTokenCreatePayload(
        token=issued.token,
        expires_at=issued.expires_at,
        refresh_token=minted.secret,
        refresh_expires_at=session.expires_at,
    )


async def _sign_in(context: Context, given: MemberSignInInput) -> MemberSignInPayload:
    program_id = context.caller.program_id
    session = await stored.find_session(program_id, minting.hashed(given.refresh_token))
    if session is None or session.expires_at <= context.now:
        raise refusals.RefreshTokenInvalid(field=("refreshToken",))
    issued = context.backend.tokens.issue(TokenKind.MEMBER, session.member_id, program_id, context.now)
    return MemberSignInPayload(token=issued.token, expires_at=issued.expires_at)
