"""Who may do what: scopes, roles, keys, operators, sessions."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain import checks
from domain.access import (
    SCOPES_OF,
    ApiKey,
    CreateApiKey,
    CreateOperator,
    KeyChanged,
    KeyKind,
    MemberSignedIn,
    OpenMemberSession,
    Operator,
    OperatorCreated,
    OperatorExists,
    RevokeApiKey,
    Role,
    Scope,
    ScopesInvalid,
)
from domain.kernel import NotFound
from tests.domain.memory import START, ref
from tests.domain.shop import Shop

NOBODY = UUID(int=99)


def secret_key(*scopes: Scope, kind: KeyKind = KeyKind.SECRET, name: str = "till") -> CreateApiKey:
    return CreateApiKey(name=name, kind=kind, secret_hash="hash", hint="abcd", scopes=scopes)


def operator(email: str = "Li@Example.com", name: str = "Li") -> CreateOperator:
    return CreateOperator(email=email, name=name, password_hash="argon", role=Role.CLERK)


def test_roles_grow_from_reading_to_everything() -> None:
    viewer, clerk, manager, owner = (SCOPES_OF[role] for role in (Role.VIEWER, Role.CLERK, Role.MANAGER, Role.OWNER))
    assert viewer < clerk < manager < owner == frozenset(Scope)
    assert owner - manager == {Scope.KEYS_WRITE, Scope.PRIZES_ABOVE_CAP}
    assert not {Scope.POINTS_ADJUST, Scope.PROGRAM_WRITE, Scope.KEYS_WRITE} & clerk
    assert set(SCOPES_OF) == set(Role)


def test_a_key_is_kept_without_its_secret_and_each_scope_once(shop: Shop) -> None:
    key = shop.run(secret_key(Scope.MEMBERS_READ, Scope.MEMBERS_READ, Scope.POINTS_WRITE, name=" till "))
    assert (key.name, key.scopes, key.revoked_at) == ("till", (Scope.MEMBERS_READ, Scope.POINTS_WRITE), None)
    assert shop.row(ApiKey, key.id) == key
    assert shop.events == (KeyChanged(key_id=key.id),)


def test_a_secret_key_needs_scopes_and_a_publishable_one_has_none(shop: Shop) -> None:
    assert shop.run(secret_key(kind=KeyKind.PUBLISHABLE)).scopes == ()
    for command in (secret_key(), secret_key(Scope.MEMBERS_READ, kind=KeyKind.PUBLISHABLE)):
        with pytest.raises(ScopesInvalid):
            shop.run(command)
    with pytest.raises(checks.TextInvalid):
        shop.run(secret_key(name=""))


def test_a_revoked_key_stays_revoked_since_the_first_time(shop: Shop) -> None:
    key = shop.run(secret_key(Scope.MEMBERS_READ))
    revoked = shop.run(RevokeApiKey(key_id=key.id))
    assert revoked.revoked_at == START
    shop.later(days=1)
    assert shop.run(RevokeApiKey(key_id=key.id)) == revoked
    assert shop.decision.save == ()
    assert shop.events == ()
    with pytest.raises(NotFound):
        shop.run(RevokeApiKey(key_id=NOBODY))


def test_an_operators_address_is_unique_in_any_case(shop: Shop) -> None:
    made = shop.run(operator())
    assert (made.email, made.role, made.is_disabled) == ("li@example.com", Role.CLERK, False)
    assert shop.row(Operator, made.id) == made
    assert shop.events == (OperatorCreated(operator_id=made.id),)
    with pytest.raises(OperatorExists):
        shop.run(operator("LI@example.COM"))
    with pytest.raises(checks.EmailInvalid):
        shop.run(operator("li"))
    with pytest.raises(checks.TextInvalid):
        shop.run(operator("wang@example.com", name=""))


def test_a_session_belongs_to_a_member_that_exists(shop: Shop) -> None:
    member = shop.enroll()
    ends = START + timedelta(days=30)
    session = shop.run(OpenMemberSession(member=ref(member), token_hash="hash", expires_at=ends))
    assert (session.member_id, session.created_at, session.expires_at) == (member, START, ends)
    assert shop.events == (MemberSignedIn(member_id=member),)
    with pytest.raises(NotFound) as refused:
        shop.run(OpenMemberSession(member=ref(NOBODY), token_hash="hash", expires_at=ends))
    assert refused.value.field == ("member",)
