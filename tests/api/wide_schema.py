"""A schema with every shape of value, good and broken, to compare two ways of running the same document."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import Maybe, relay
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField


@strawberry.enum
class Tone(Enum):
    """An enum whose values differ from their names."""

    WARM = "warm"
    COLD = "cold"


@dataclass(frozen=True, slots=True)
class Values:
    """The domain's side of ``Leaf``: some good values, some that no schema should get."""

    text: Any = "a"
    number: Any = 1
    ratio: Any = 1.5
    flag: Any = True
    tone: Any = Tone.WARM
    moment: Any = datetime(2030, 1, 2, 3, 4, tzinfo=UTC)
    amount: Any = Decimal("1.20")
    maybe: Any = None
    names: Any = ("a", "b")
    grid: Any = ((1, 2), (3,))
    inner: Any = None
    many: Any = ()
    guarded: Any = "attribute"
    name: str = "thing"


GOOD = Values(inner=Values(text="inner"), many=(Values(number=7), Values(tone=Tone.COLD)))
BROKEN = (
    Values(text=None),
    Values(text=3),
    Values(number="x"),
    Values(number=2**40),
    Values(number=True),
    Values(ratio="x"),
    Values(flag=1),
    Values(tone="warm"),
    Values(tone="nothing"),
    Values(tone=[]),
    Values(moment="yesterday"),
    Values(maybe=4),
    Values(names=("a", None)),
    Values(names=None),
    Values(names="ab"),
    Values(names=iter(())),
    Values(grid=((1, None), None)),
    Values(inner=3),
    Values(inner=Values(text=None)),
    Values(many=(GOOD, None)),
    Values(many=(GOOD, Values(number=None))),
    Values(many=5),
    Values(name="secret"),
    Values(inner=Values(name="secret")),
)


async def later(value: Any) -> Any:
    """Give a value that must be awaited."""
    await asyncio.sleep(0)
    return value


def soon(value: Any) -> "asyncio.Future[Any]":
    """Give a value in a future, as a loader does."""
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, value)
    return future


class Guarded(StrawberryField):
    """A field that refuses some values, though it claims to be a mere attribute if it has no resolver."""

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        """Refuse a name that is not the usual one."""
        if source.name == "secret":
            raise PermissionError("guarded")
        return super().get_result(source, info, args, kwargs)


class Shouting(FieldExtension):
    """An extension around a resolver."""

    def resolve(self, next_: Any, source: Any, info: strawberry.Info, **arguments: Any) -> Any:
        """Change the result."""
        return next_(source, info, **arguments).upper()


@strawberry.interface
class Named:
    """What several types have in common."""

    name: str


@strawberry.type
class Leaf(Named):
    """Attributes only: a plain subtree."""

    text: str
    number: int
    ratio: float | None
    flag: bool
    tone: Tone | None
    moment: datetime | None
    amount: Decimal
    maybe: str | None
    names: list[str]
    grid: list[list[int] | None] | None
    inner: "Leaf | None"
    guarded: str | None = Guarded()  # type: ignore[assignment]
    many: list["Leaf | None"] | None

    @staticmethod
    def is_type_of(value: object, _info: object) -> bool:
        """Tell whether the domain's object is served by this type."""
        return isinstance(value, Values)


@strawberry.type
class Branch(Named):
    """Attributes and resolvers: a subtree that is not plain, with plain ones in it."""

    values: strawberry.Private[Values]
    leaf: Leaf | None
    leaves: list[Leaf]

    @strawberry.field
    def again(self) -> "Branch":
        return branch(self.values)

    @strawberry.field
    async def awaited(self) -> Leaf:
        return await later(self.values)  # type: ignore[no-any-return]

    @strawberry.field
    def loaded(self, info: strawberry.Info) -> Leaf | None:
        assert info.path.key
        return soon(self.values)  # type: ignore[return-value]

    @strawberry.field
    def from_parent(self, parent: strawberry.Parent["Branch"]) -> str:
        return f"{parent.name} {self is parent}"

    @strawberry.field
    def named(self) -> list[Named]:
        return [self, self.values]  # type: ignore[list-item]

    @strawberry.field
    def either(self) -> Annotated["Leaf | Branch", strawberry.union("Either")] | None:
        return self.values  # type: ignore[return-value]

    @strawberry.field
    def fails(self) -> str | None:
        raise ValueError("fails")

    @strawberry.field
    async def fails_hard(self) -> str:
        await asyncio.sleep(0)
        raise ValueError("fails hard")

    @strawberry.field
    def gives_error(self) -> Leaf | None:
        return ValueError("given")  # type: ignore[return-value]

    @strawberry.field(extensions=[Shouting()])  # type: ignore[untyped-decorator]
    def shouted(self, word: str = "a", tone: Tone = Tone.COLD) -> str:
        return f"{word} {tone} {self.name}"

    @Guarded()
    def guarded(self, info: strawberry.Info, times: int = 2) -> str | None:
        return f"{info.field_name} {self.name}" * times

    @strawberry.field
    def branches(self, count: int = 2) -> list["Branch"]:
        return [branch(self.values) for _ in range(min(count, 3))]


def branch(values: Values) -> Branch:
    """Give a branch around these values."""
    return Branch(name=values.name, values=values, leaf=values, leaves=[GOOD, values])  # type: ignore[arg-type, list-item]


@strawberry.input(one_of=True)
class Reference:
    """Exactly one way to name something."""

    id: strawberry.ID | None = strawberry.UNSET
    number: int | None = strawberry.UNSET


@strawberry.input
class Filter:
    """An input with every kind of field, itself included."""

    text: str
    tone: Tone = Tone.COLD
    tags: list[str] | None = None
    amounts: list[Decimal] | None = None
    since: date | None = strawberry.UNSET
    owner: relay.GlobalID | None = None
    reference: Reference | None = None
    change: Maybe[str | None] = None
    children: list["Filter"] | None = None


@strawberry.type
class Query:
    """The root: each field gives the same values to both ways of running."""

    @strawberry.field
    def good(self) -> Leaf:
        return GOOD  # type: ignore[return-value]

    @strawberry.field
    def branch(self) -> Branch:
        return branch(GOOD)

    @strawberry.field
    async def broken(self, index: int = 0) -> Branch | None:
        return branch(await later(BROKEN[index % len(BROKEN)]))

    @strawberry.field
    def describe(
        self,
        filter: Filter | None = None,  # noqa: A002
        numbers: list[int] = [1, 2],  # noqa: B006
        tone: Tone | None = Tone.WARM,
        key: UUID | None = strawberry.UNSET,
        owner: relay.GlobalID | None = None,
        change: Maybe[int] = None,
    ) -> str:
        numbers.append(0)
        return repr((filter, numbers, tone, key, owner, change))


@strawberry.type
class Mutation:
    """Serial by definition: the calls are counted."""

    @strawberry.mutation
    async def count(self, info: strawberry.Info, by: int = 1) -> list[int]:
        before = info.context["count"]
        await asyncio.sleep(0)
        info.context["count"] = before + by
        return [before, info.context["count"]]


schema = strawberry.Schema(query=Query, mutation=Mutation, types=[Leaf, Branch])
