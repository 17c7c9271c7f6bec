"""Every refusal is named, says its sentence with its own details, and is raised by some test here."""

import importlib
import inspect
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import domain
from domain.kernel import Refusal

# Several refusals may share a code only where a client is to treat them alike.
SHARED_CODES = {
    "AMOUNT_INVALID",
    "CATEGORY_IN_USE",
    "LIMIT_REACHED",
    "NOT_ELIGIBLE",
    "NOT_FOUND",
    "NUMBER_INVALID",
    "OFFSET_NOT_ALLOWED",
    "REDEEMING_REFUSED",
    "SOLD_OUT",
    "VOUCHER_NOT_HERE",
}


def refusals() -> Iterator[type[Refusal]]:
    for module in pkgutil.walk_packages(domain.__path__, "domain."):
        members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        yield from (kind for _, kind in members if issubclass(kind, Refusal) and kind.__module__ == module.name)


def test_every_refusal_has_a_code_a_sentence_and_a_docstring() -> None:
    for kind in refusals():
        assert re.fullmatch(r"[A-Z]+(_[A-Z]+)*", kind.code), kind
        assert kind.text.endswith((".", "{why}", "{hint}")), kind
        assert kind.__doc__, kind
        if kind is not Refusal:
            assert "code" in vars(kind), f"{kind} has no code of its own"


def test_no_two_refusals_share_a_code_by_accident() -> None:
    by_code: dict[str, set[str]] = defaultdict(set)
    for kind in refusals():
        by_code[kind.code].add(kind.__name__)
    assert {code for code, kinds in by_code.items() if len(kinds) > 1} <= SHARED_CODES


def test_every_refusal_is_raised_by_some_test_of_the_domain() -> None:
    tests = "\n".join(path.read_text() for path in Path(__file__).parent.rglob("test_*.py"))
    unproved = [kind.__name__ for kind in refusals() if not re.search(rf"\b{kind.__name__}\b", tests)]
    assert unproved == []
