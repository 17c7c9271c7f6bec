"""Who may do what: scopes of keys, roles of operators, and the rows that credentials are checked against."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain import checks, members
from domain.kernel import Command, Decision, Event, NotFound, Refusal, Row, State
from domain.members import Member, MemberRef


class Scope(StrEnum):
    """What a caller may do. A secret key is given scopes; a role has them."""

    PROGRAM_READ = "PROGRAM_READ"  # settings, tiers, stores, rewards
    PROGRAM_WRITE = "PROGRAM_WRITE"  # change them
    MEMBERS_READ = "MEMBERS_READ"  # any member's profile, points and history
    MEMBERS_WRITE = "MEMBERS_WRITE"  # enroll, edit, freeze
    MEMBER_TOKENS = "MEMBER_TOKENS"  # sign a member in
    PURCHASES_WRITE = "PURCHASES_WRITE"  # record, confirm, refund
    ACTIVITIES_WRITE = "ACTIVITIES_WRITE"  # record activities, and take them back
    POINTS_WRITE = "POINTS_WRITE"  # transfer, hold, capture, release
    POINTS_ADJUST = "POINTS_ADJUST"  # credit and debit by hand
    REWARDS_WRITE = "REWARDS_WRITE"  # put rewards into the mall
    REDEMPTIONS_WRITE = "REDEMPTIONS_WRITE"  # redeem, cancel, fulfill, draw
    PRIZES_ABOVE_CAP = "PRIZES_ABOVE_CAP"  # let what can be won be worth more than the program's cap
    KEYS_WRITE = "KEYS_WRITE"  # make and revoke keys, make operators


class Role(StrEnum):
    """What an operator is at the shop."""

    OWNER = "OWNER"  # everything
    MANAGER = "MANAGER"  # everything but keys, operators and prizes above the cap
    CLERK = "CLERK"  # the counter: enroll, record, redeem
    VIEWER = "VIEWER"  # reads


_READS: Final = frozenset({Scope.PROGRAM_READ, Scope.MEMBERS_READ})
_COUNTER: Final = _READS | {
    Scope.MEMBERS_WRITE,
    Scope.PURCHASES_WRITE,
    Scope.ACTIVITIES_WRITE,
    Scope.REDEMPTIONS_WRITE,
}
SCOPES_OF: Final = {
    Role.OWNER: frozenset(Scope),
    Role.MANAGER: frozenset(Scope) - {Scope.KEYS_WRITE, Scope.PRIZES_ABOVE_CAP},
    Role.CLERK: _COUNTER,
    Role.VIEWER: _READS,
}


class KeyKind(StrEnum):
    """What a key is for."""

    PUBLISHABLE = "PUBLISHABLE"  # in a storefront's code: public data, sign-in
    SECRET = "SECRET"  # on a shop's server: what its scopes say


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey(Row):
    """A calling system's key. It is shown once; `secret_hash` is its SHA-256, `hint` its last characters."""

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("secret_hash",)

    name: str
    kind: KeyKind
    secret_hash: str
    hint: str
    scopes: tuple[Scope, ...] = ()
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Row):
    """A staff person. `password_hash` is Argon2id; the e-mail address is unique in the program."""

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("email",)

    email: str
    name: str
    password_hash: str
    role: Role
    is_disabled: bool = False
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSession(Row):
    """A member signed in on a device: the hash of a refresh token, which gives access tokens until it expires."""

    is_configuration: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("token_hash",)

    member_id: UUID
    token_hash: str
    created_at: datetime
    expires_at: datetime


class OperatorExists(Refusal):
    """Another operator of the program has this e-mail address."""

    code = "OPERATOR_EXISTS"
    text = "Another operator of this program has this e-mail address."


class ScopesInvalid(Refusal):
    """A secret key without scopes, or a publishable key with some."""

    code = "SCOPES_INVALID"
    text = "A secret key needs at least one scope; a publishable key has none."


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanged(Event):
    """A key was made or revoked."""

    key_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCreated(Event):
    """An operator was made."""

    operator_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSignedIn(Event):
    """A session was opened for a member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateApiKey(Command[ApiKey]):
    """Keep a new key, of which only the hash arrives here. Refuses `ScopesInvalid`."""

    name: str
    kind: KeyKind
    secret_hash: str
    hint: str
    scopes: tuple[Scope, ...] = ()

    def decide(self, state: State) -> Decision[ApiKey]:
        name = checks.text("name", self.name)
        if bool(self.scopes) != (self.kind is KeyKind.SECRET):
            raise ScopesInvalid(field=("scopes",))
        key = ApiKey(
            id=state.new_id(),
            program_id=state.program_id,
            name=name,
            kind=self.kind,
            secret_hash=self.secret_hash,
            hint=self.hint,
            scopes=tuple(dict.fromkeys(self.scopes)),
            created_at=state.now,
        )
        return Decision(key, save=(key,), events=(KeyChanged(key_id=key.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeApiKey(Command[ApiKey]):
    """Revoke a key, for ever. Again changes nothing."""

    key_id: UUID

    def decide(self, state: State) -> Decision[ApiKey]:
        key = state.change(ApiKey, self.key_id)
        if key.revoked_at is not None:
            return Decision(key)
        key = replace(key, revoked_at=state.now)
        return Decision(key, save=(key,), events=(KeyChanged(key_id=key.id),))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOperator(Command[Operator]):
    """Make an operator. Refuses `OperatorExists` and a malformed address or name."""

    email: str
    name: str
    password_hash: str
    role: Role

    def decide(self, state: State) -> Decision[Operator]:
        email = checks.email(self.email).lower()
        name = checks.text("name", self.name)
        if state.find_by(Operator, "email", email) is not None:
            raise OperatorExists(field=("email",))
        operator = Operator(
            id=state.new_id(),
            program_id=state.program_id,
            email=email,
            name=name,
            password_hash=self.password_hash,
            role=self.role,
            created_at=state.now,
        )
        event = OperatorCreated(operator_id=operator.id)
        return Decision(operator, save=(operator,), events=(event,))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenMemberSession(Command[MemberSession]):
    """Sign a member in: keep the hash of a refresh token until `expires_at`. Refuses `NotFound`."""

    member: MemberRef
    token_hash: str
    expires_at: datetime

    def decide(self, state: State) -> Decision[MemberSession]:
        member_id = members.resolve(state, self.member)
        if state.find(Member, member_id) is None:
            raise NotFound(field=("member",), kind="Member", key=str(member_id))
        session = MemberSession(
            id=state.new_id(),
            program_id=state.program_id,
            member_id=member_id,
            token_hash=self.token_hash,
            created_at=state.now,
            expires_at=self.expires_at,
        )
        return Decision(session, save=(session,), events=(MemberSignedIn(member_id=member_id),))
