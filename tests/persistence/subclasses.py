"""Every class of the domain that is of some kind."""

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import domain


def of(kind: type[Any]) -> list[type[Any]]:
    """The classes below `kind` that the domain has, by name."""
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        import_module(module.name)
    # A dataclass with slots is a second class; the first one lives until it is collected.
    found = {getattr(import_module(one.__module__), one.__name__) for one in _below(kind)}
    return sorted((one for one in found if not inspect.isabstract(one)), key=lambda one: one.__name__)


def _below(kind: type[Any]) -> set[type[Any]]:
    children = kind.__subclasses__()
    in_domain = {child for child in children if child.__module__.startswith("domain.")}
    return in_domain.union(*map(_below, children))
