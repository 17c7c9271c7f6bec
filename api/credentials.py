"""From the `Authorization` header to the caller: keys and tokens are looked up, and remembered for a few seconds."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from api import minting
from api.access import NOBODY, Caller, CallerKind
from api.errors import ApiError, ErrorCode
from api.tokens import Claims, TokenKind, Tokens
from domain.access import SCOPES_OF, KeyKind, Operator
from domain.points.account import AccountStatus, PointsAccount
from domain.programs import Program
from persistence import access, rows

_REMEMBERED_MAX: Final = 10_000
_KINDS: Final = {KeyKind.PUBLISHABLE: CallerKind.PUBLISHABLE_KEY, KeyKind.SECRET: CallerKind.SECRET_KEY}


@dataclass(frozen=True, slots=True)
class _Remembered:
    caller: Caller
    until_seconds: float


class Credentials:
    """Knows callers by their tokens. What it remembers is at most `cache_seconds` old; 0 remembers nothing."""

    def __init__(self, tokens: Tokens, *, cache_seconds: int, now: Callable[[], datetime]) -> None:
        self._tokens = tokens
        self._cache_seconds = cache_seconds
        self._now = now
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()
        # A program's currency never changes.
        self._currencies: dict[UUID, str] = {}

    async def caller(self, authorization: str | None) -> Caller:
        """Who calls; nobody without a header. Raises `UNAUTHENTICATED` for a credential that is no good."""
        if authorization is None:
            return NOBODY
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ApiError("The header must read Authorization: Bearer <token>.", ErrorCode.UNAUTHENTICATED)
        now = self._now()
        remembered = self._remembered.get(token)
        if remembered is not None and remembered.until_seconds > now.timestamp():
            return remembered.caller
        return await self._looked_up(token, now)

    def forget(self, subject_id: UUID) -> None:
        """Forget every credential of a key, an operator or a member, because it has changed."""
        for token in [token for token, known in self._remembered.items() if known.caller.id == subject_id]:
            del self._remembered[token]

    async def _looked_up(self, token: str, now: datetime) -> Caller:
        until = now.timestamp() + self._cache_seconds
        if minting.is_key(token):
            caller = await self._by_key(token)
        else:
            claims = self._tokens.read(token, now)
            caller = await self._by_claims(claims) if claims else None
            until = min(until, claims.expires_at_seconds) if claims else until
        if caller is None:
            raise ApiError("The credential is wrong, revoked or expired.", ErrorCode.UNAUTHENTICATED)
        if self._cache_seconds:
            self._remember(token, _Remembered(caller, until))
        return caller

    def _remember(self, token: str, known: _Remembered) -> None:
        self._remembered[token] = known
        self._remembered.move_to_end(token)
        if len(self._remembered) > _REMEMBERED_MAX:
            self._remembered.popitem(last=False)

    async def _by_key(self, token: str) -> Caller | None:
        program_id = minting.program_of(token)
        key = await access.find_key(program_id, minting.hashed(token)) if program_id else None
        if key is None or key.revoked_at is not None:
            return None
        return Caller(
            kind=_KINDS[key.kind],
            id=key.id,
            program_id=key.program_id,
            currency_code=await self._currency_of(key.program_id),
            scopes=frozenset(key.scopes),
        )

    async def _by_claims(self, claims: Claims) -> Caller | None:
        if claims.kind is TokenKind.MEMBER:
            return await self._member(claims)
        return await self._operator(claims)

    async def _member(self, claims: Claims) -> Caller | None:
        found = await rows.by_ids(PointsAccount, claims.program_id, [claims.subject_id])
        account = found.get(claims.subject_id)
        if account is None:
            return None
        return Caller(
            kind=CallerKind.MEMBER,
            id=account.id,
            program_id=account.program_id,
            currency_code=await self._currency_of(account.program_id),
            is_frozen=account.status is AccountStatus.FROZEN,
        )

    async def _operator(self, claims: Claims) -> Caller | None:
        found = await rows.by_ids(Operator, claims.program_id, [claims.subject_id])
        operator = found.get(claims.subject_id)
        if operator is None or operator.is_disabled:
            return None
        return Caller(
            kind=CallerKind.OPERATOR,
            id=operator.id,
            program_id=operator.program_id,
            currency_code=await self._currency_of(operator.program_id),
            scopes=SCOPES_OF[operator.role],
        )

    async def _currency_of(self, program_id: UUID) -> str:
        known = self._currencies.get(program_id)
        if known is None:
            found = await rows.by_ids(Program, program_id, [program_id])
            known = self._currencies[program_id] = found[program_id].currency_code
        return known
