"""Connections: pages of a list by keyset cursors, the same for every list (Relay)."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

import orjson
import strawberry

from api import access, shapes
from api.context import Context, Info
from api.errors import ApiError, ErrorCode
from api.loaders import FamilyReader
from domain.kernel import Row
from persistence import pages

Item = TypeVar("Item")

FIRST_DEFAULT: Final = 20
FIRST_MAX: Final = 100
_CURSOR_LENGTH_MAX: Final = 300
_INTEGER_MAX: Final = 2**63 - 1


@shapes.shape()
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@shapes.shape()
class Edge(Generic[Item]):
    """An item and its place in the list."""

    cursor: str
    node: Item


@shapes.shape()
class Connection(Generic[Item]):
    """A page of a list: the items after a place. Ask for the next one with `after: pageInfo.endCursor`."""

    nodes: list[Item]
    edges: list[Edge[Item]]
    page_info: PageInfo


class ShownEdge(NamedTuple):
    """An item and its place in the list."""

    cursor: str
    node: Any


class ShownPageInfo(NamedTuple):
    """Where a page stands in its list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


class Keyset(Protocol):
    """A total order: each item's place, of values of these types."""

    @property
    def types(self) -> tuple[type, ...]:
        """The types of a place's values."""

    def place(self, row: Any, /) -> pages.Place:
        """Where an item stands."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows, in the shape of a connection. `keyset` says each row's place.

    `looked_until` is where a search ended that showed less than was asked: its next page goes on from there.
    """

    nodes: Sequence[Any]
    keyset: Keyset
    has_next_page: bool
    has_previous_page: bool
    looked_until: pages.Place | None = None

    @property
    def edges(self) -> list[ShownEdge]:
        """The rows with their cursors."""
        return [ShownEdge(self._cursor(row), row) for row in self.nodes]

    @property
    def page_info(self) -> ShownPageInfo:
        """Where the page stands."""
        first, last = (self._cursor(self.nodes[0]), self._cursor(self.nodes[-1])) if self.nodes else (None, None)
        end = last if self.looked_until is None else encode(self.looked_until)
        return ShownPageInfo(self.has_next_page, self.has_previous_page, first, end)

    def _cursor(self, row: Row) -> str:
        return encode(self.keyset.place(row))


def asked(context: Context, keyset: Keyset, first: int, after: str | None) -> pages.Slice:
    """What a page asks of the store: one row more than it shows, to know whether there is a next page.

    Raises `BAD_USER_INPUT` unless `first` is from 1 to 100 and `after` a cursor of this list.
    """
    if not 1 <= first <= FIRST_MAX:
        raise ApiError(f"first must be from 1 to {FIRST_MAX}; it is {first}.", ErrorCode.BAD_USER_INPUT)
    context.take_nodes(first)
    return slice_of(keyset, first, after)


def slice_of(keyset: Keyset, count: int, after: str | None) -> pages.Slice:
    """So many items after a cursor, and one more. Raises `BAD_USER_INPUT` for what is no cursor of the list."""
    return pages.Slice(count + 1, None if after is None else decode(after, keyset.types))


def page(found: Sequence[Any], keyset: Keyset, part: pages.Slice) -> Connection[Any]:
    """The page of what the store answered."""
    count = part.count - 1
    shown = Page(found[:count], keyset, len(found) > count, part.after is not None)
    return shapes.as_shape(Connection, shown)


def page_so_far(found: Sequence[Any], keyset: Keyset, part: pages.Slice, looked_until: pages.Place) -> Connection[Any]:
    """A page that is not full, for the search for more of it ended at a place, and goes on from there when asked."""
    return shapes.as_shape(Connection, Page(found, keyset, True, part.after is not None, looked_until))  # noqa: FBT003


def page_of_all(items: Sequence[Any], keyset: Keyset, part: pages.Slice) -> Connection[Any]:
    """The page of a list that is in memory, in its order, as a whole."""
    after = part.after
    if after is not None:
        items = [item for item in items if keyset.place(item) > after]
    return page(items[: part.count], keyset, part)


def family(read: FamilyReader, keyset: pages.Keyset, policy: access.Requires | None = None, *, description: str) -> Any:
    """A field that shows what belongs to its parent, read for all parents of a request together."""

    async def resolve(
        parent: strawberry.Parent[Row], info: Info, first: int = FIRST_DEFAULT, after: str | None = None
    ) -> Any:
        part = asked(info.context, keyset, first, after)
        return page(await info.context.loaders.family(read, part, parent.id), keyset, part)

    if policy is None:
        return strawberry.field(resolver=resolve, description=description)
    return access.resolved_by(policy, resolve, description=description)


def encode(place: pages.Place) -> str:
    """A place as a cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(place, default=str)).decode()


def decode(cursor: str, types: Sequence[type]) -> pages.Place:
    """The place in a cursor, whose values are of these types. Raises `BAD_USER_INPUT`."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor[:_CURSOR_LENGTH_MAX].encode()))
        return tuple(_read(value, kind) for value, kind in zip(values, types, strict=True))
    except (binascii.Error, ValueError, TypeError, AttributeError):
        message = "after is no cursor of this list; take it as it is from pageInfo.endCursor."
        raise ApiError(message, ErrorCode.BAD_USER_INPUT) from None


def _read(value: Any, kind: type) -> Any:
    if kind is UUID:
        return UUID(value)
    if kind is datetime:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError
        return at
    if not isinstance(value, int) or abs(value) > _INTEGER_MAX:
        raise ValueError
    return value
