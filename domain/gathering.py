"""Deciding about many things in one command without asking for what each of them needs one after the other."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from domain.kernel import NotLoaded, Want

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(items: Iterable[Item], decide: Callable[[Item], Result]) -> list[Result]:
    """What is decided about each item. What any of them misses is asked for together, so that many take no more
    rounds than one; they must not build on each other. Beside the engine this alone catches `NotLoaded`, to pass it on.
    """
    results: list[Result] = []
    missing: dict[Want, None] = {}
    for item in items:
        try:
            results.append(decide(item))
        except NotLoaded as lacking:
            missing.update(dict.fromkeys(lacking.wants))
    if missing:
        raise NotLoaded(*missing)
    return results
