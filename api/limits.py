"""How much one document may ask for, measured in one linear pass.

Each definition is walked once, and each fragment's totals are computed once and then added wherever it is spread, so
a document of doubled fragments costs as little as any other of its length. What is counted is what the document
would expand to: a fragment with three aliases that is spread twice counts six.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from api import errors

COUNT_MAX = 10**9
"""Counts stop here: doubled fragments reach numbers that JSON readers cannot hold."""

SPREAD = "..."
"""Spreads are counted among the response names, under a name that no field can have."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest document that is answered; every bound is inclusive.

    ``depth_max``: fields within fields (the introspection query of the common tools is 15 deep).
    ``root_fields_max``, ``fields_max``, ``aliases_max``, ``directives_max``: counted with all fragments expanded.
    ``comparisons_max``: sum over response names of the square of how often the text selects them, plus the square of
    the number of spreads. Validation compares fields of one name pair by pair, so this bounds its time.
    ``tokens_max``: lexical tokens and comments of the whole document, counted while it is read.
    """

    depth_max: int = 16
    root_fields_max: int = 20
    fields_max: int = 1_000
    aliases_max: int = 30
    directives_max: int = 50
    comparisons_max: int = 20_000
    tokens_max: int = 2_000


class Size(NamedTuple):
    """What a selection expands to. ``depth`` counts levels of fields; the others count nodes."""

    depth: int = 0
    root_fields: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0


class _Definition(NamedTuple):
    """One operation or fragment by itself: its own size, and its spreads with the depth they stand at."""

    own: Size
    spreads: list[tuple[str, int]]


def check(document: DocumentNode, limits: Limits) -> None:
    """Raise ``QUERY_TOO_COMPLEX`` for the first limit that an operation of the document exceeds."""
    sizes, comparisons = measure(document)
    _require("comparisons", comparisons, limits.comparisons_max)
    for size in sizes:
        _require("depth", size.depth, limits.depth_max)
        _require("rootFields", size.root_fields, limits.root_fields_max)
        _require("fields", size.fields, limits.fields_max)
        _require("aliases", size.aliases, limits.aliases_max)
        _require("directives", size.directives, limits.directives_max)


def exceeded(name: str, value: int, maximum: int) -> errors.ApiError:
    """Give the error that names the limit, the document's value and the most that is allowed."""
    return errors.ApiError(
        f"The document is too complex: {name} is {value}, the maximum is {maximum}.",
        errors.ErrorCode.QUERY_TOO_COMPLEX,
        facts={"limit": name, "value": value, "maximum": maximum},
    )


def measure(document: DocumentNode) -> tuple[list[Size], int]:
    """Give the size of every operation, in the document's order, and the comparisons of the whole document.

    Unknown and cyclic spreads count as empty: validation refuses them afterwards.
    """
    names: Counter[str] = Counter()
    fragments: dict[str, _Definition] = {}
    operations: list[_Definition] = []
    for definition in document.definitions:
        if isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = _measure_alone(definition, names)
        elif isinstance(definition, OperationDefinitionNode):
            operations.append(_measure_alone(definition, names))
    sizes: dict[str, Size] = {}
    for name in _spread_first(fragments):
        sizes[name] = _expand(fragments[name], sizes)
    comparisons = sum(count**2 for count in names.values())
    return [_expand(operation, sizes) for operation in operations], comparisons


def _require(name: str, value: int, maximum: int) -> None:
    if value > maximum:
        raise exceeded(name, value, maximum)


def _measure_alone(definition: OperationDefinitionNode | FragmentDefinitionNode, names: Counter[str]) -> _Definition:
    depth = root_fields = fields = aliases = 0
    directives = _directives_of(definition)
    spreads: list[tuple[str, int]] = []
    for node, level in _selections(definition.selection_set):
        directives += len(node.directives or ())
        if isinstance(node, FragmentSpreadNode):
            spreads.append((node.name.value, level))
            names[SPREAD] += 1
        elif isinstance(node, FieldNode):
            fields += 1
            root_fields += level == 0
            aliases += node.alias is not None
            depth = max(depth, level + 1)
            names[(node.alias or node.name).value] += 1
    return _Definition(Size(depth, root_fields, fields, aliases, directives), spreads)


def _directives_of(definition: OperationDefinitionNode | FragmentDefinitionNode) -> int:
    on_variables = sum(len(variable.directives or ()) for variable in definition.variable_definitions or ())
    return len(definition.directives or ()) + on_variables


def _selections(
    root: SelectionSetNode,
) -> Iterator[tuple[FieldNode | FragmentSpreadNode | InlineFragmentNode, int]]:
    """Walk all selections of one definition without recursion, each with the number of fields around it."""
    waiting = [(root, 0)]
    while waiting:
        selection_set, level = waiting.pop()
        for node in selection_set.selections:
            assert isinstance(node, (FieldNode, FragmentSpreadNode, InlineFragmentNode))
            yield node, level
            if isinstance(node, FieldNode) and node.selection_set:
                waiting.append((node.selection_set, level + 1))
            elif isinstance(node, InlineFragmentNode):
                waiting.append((node.selection_set, level))


def _spread_first(fragments: dict[str, _Definition]) -> Iterator[str]:
    """Order the fragments so that each comes after those it spreads; a spread that closes a cycle is passed over."""
    entered: set[str] = set()
    for root, fragment in fragments.items():
        path = [(root, iter(fragment.spreads))] if root not in entered else []
        entered.add(root)
        while path:
            name, spreads = path[-1]
            for spread, _ in spreads:
                if spread in fragments and spread not in entered:
                    entered.add(spread)
                    path.append((spread, iter(fragments[spread].spreads)))
                    break
            else:
                path.pop()
                yield name


def _expand(definition: _Definition, sizes: dict[str, Size]) -> Size:
    depth, root_fields, fields, aliases, directives = definition.own
    for name, level in definition.spreads:
        spread = sizes.get(name, Size())
        depth = max(depth, level + spread.depth)
        root_fields += spread.root_fields if level == 0 else 0
        fields += spread.fields
        aliases += spread.aliases
        directives += spread.directives
    return Size(
        depth,
        min(root_fields, COUNT_MAX),
        min(fields, COUNT_MAX),
        min(aliases, COUNT_MAX),
        min(directives, COUNT_MAX),
    )
