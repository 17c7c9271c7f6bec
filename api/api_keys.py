"""Keys of calling systems in the API."""

from datetime import datetime
from typing import Final, Self

import strawberry

from api import access, connections, ids, inputs, minting, payloads, shapes
from api.connections import Connection
from api.context import Context, Info
from domain import access as domain_access
from domain.access import KeyKind, Scope
from persistence import access as stored

shapes.named(KeyKind)

_OWNERS: Final = access.staff(Scope.KEYS_WRITE)


@shapes.shape(domain_access.ApiKey)
class ApiKey(shapes.Node):
    """A calling system's key. The key itself was shown once, when it was made."""

    name: str
    kind: KeyKind
    hint: str = strawberry.field(description="The last characters of the key.")
    scopes: list[Scope]
    created_at: datetime
    revoked_at: datetime | None


@shapes.shape()
class ApiKeyQueries:
    """What can be asked about keys."""

    @access.field(_OWNERS)
    async def api_keys(
        self, info: Info, first: int = connections.FIRST_DEFAULT, after: str | None = None
    ) -> Connection[ApiKey]:
        """Keys of the program, revoked ones too, the oldest first."""
        part = connections.asked(info.context, stored.KEY_KEYSET, first, after)
        found = await stored.keys(info.context.caller.program_id, part)
        return connections.page(found, stored.KEY_KEYSET, part)


@shapes.given()
class ApiKeyCreateInput:
    """A key to make. A secret key needs scopes, all of which the caller has; a publishable key has none."""

    name: str
    kind: KeyKind
    scopes: list[Scope] | None = inputs.bounded(len(Scope), default=None)


@shapes.given()
class ApiKeyRevokeInput(inputs.RepeatableInput):
    """A key to revoke, for ever."""

    api_key_id: strawberry.ID

    def command(self, _: Context) -> domain_access.RevokeApiKey:
        """The command for the domain. Refuses an id that is none of a key."""
        return domain_access.RevokeApiKey(key_id=ids.require("ApiKey", self.api_key_id, "apiKeyId"))


@shapes.shape()
class ApiKeyCreatePayload(payloads.Payload):
    """The new key. `secret` is what calls are made with; it is shown this once."""

    api_key: ApiKey | None = None
    secret: str | None = None


@shapes.shape()
class ApiKeyRevokePayload(payloads.KeyedPayload):
    """The revoked key."""

    api_key: ApiKey | None = None

    @classmethod
    def of(cls, key: domain_access.ApiKey) -> Self:
        """The payload of a key."""
        return cls(api_key=shapes.shown(key))


@shapes.shape()
class ApiKeyMutations:
    """What can be done with keys."""

    @access.field(_OWNERS)
    async def api_key_create(self, info: Info, input: ApiKeyCreateInput) -> ApiKeyCreatePayload:  # noqa: A002
        """Make a key. Nobody can give scopes that they do not have."""
        return await payloads.answered(ApiKeyCreatePayload, _create(info.context, input))

    @access.field(_OWNERS)
    async def api_key_revoke(self, info: Info, input: ApiKeyRevokeInput) -> ApiKeyRevokePayload:  # noqa: A002
        """Revoke a key. Other processes forget it within seconds. Again changes nothing."""
        payload = await payloads.run(info, input, ApiKeyRevokePayload)
        key_id = ids.find("ApiKey", input.api_key_id)
        if key_id is not None:
            info.context.backend.credentials.forget(key_id)
        return payload


async def _create(context: Context, given: ApiKeyCreateInput) -> ApiKeyCreatePayload:
    inputs.check(context, given)
    scopes = tuple(given.scopes or ())
    access.require_scopes(frozenset(scopes), context.caller)
    minted = minting.new_key(given.kind, context.caller.program_id)
    command = domain_access.CreateApiKey(
        name=given.name, kind=given.kind, secret_hash=minted.secret_hash, hint=minted.hint, scopes=scopes
    )
    outcome = await context.execute(command)
    return ApiKeyCreatePayload(api_key=shapes.shown(outcome.result), secret=minted.secret)
