"""What no library checks of how the house is built: sizes, names, words, and where writing begins."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
FLOORS: Final = ("api", "persistence", "domain")
MODULE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 50
ARGUMENTS_MAX: Final = 6
BANNED_FILES: Final = {"utils", "helpers", "services", "common", "models", "misc"}
# The glossary's "never" words, as whole words of a class's or field's name.
NEVER: Final = re.compile(
    r"(?<![a-z])(customer|outlet|wallet|purse|coupon|promo|seckill|raffle|mission|quest|affiliate|invite|merchant)(?![a-z])"
)
# One statement each has a reason that is written beside it.
WRITERS: Final = {
    "persistence/engine.py",
    "persistence/journal.py",
    "persistence/migrations",
    "persistence/duties.py",
    "persistence/relay.py",
    "persistence/leaderboards/counting.py",
    "persistence/leaderboards/closing.py",
}


def _modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path


MODULES: Final = tuple(_modules(*FLOORS))
OURS: Final = tuple(_modules(*FLOORS, "tests", "benchmarks", "examples"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", OURS, ids=_name)
def test_modules_and_functions_fit_a_screen(path: Path) -> None:
    """A long module becomes a package; a long function becomes several."""
    source = path.read_text(encoding="utf-8")
    if "migrations" not in path.parts:
        assert len(source.splitlines()) <= MODULE_LINES_MAX
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= FUNCTION_LINES_MAX, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_functions_take_few_arguments_in_order(path: Path) -> None:
    """What is told by place is at most six; more are told by name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            told = [argument.arg for argument in node.args.args if argument.arg not in ("self", "cls")]
            assert len(told) <= ARGUMENTS_MAX, f"{node.name} takes {told}"


@pytest.mark.parametrize("path", OURS, ids=_name)
def test_no_drawer_for_everything(path: Path) -> None:
    """A module is named for its one idea."""
    assert path.stem not in BANNED_FILES


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_one_word_for_each_thing(path: Path) -> None:
    """No class, field or argument has a word the glossary says never to use."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.name] if isinstance(node, ast.ClassDef) else []
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(node.target.id)
        for name in names:
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
            assert not NEVER.search(words), f"{name} in {_name(path)}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_only_the_engine_writes(path: Path) -> None:
    """No other module begins a transaction, or inserts, updates or deletes: every write is a command."""
    name = _name(path)
    if any(name.startswith(writer) for writer in (*WRITERS, "persistence/tables.py")):
        return
    source = path.read_text(encoding="utf-8")
    for word in ("in_transaction", "INSERT INTO", "UPDATE ", "DELETE FROM", '"BEGIN"', ".transaction("):
        # `FOR UPDATE` is the engine's too; the word alone may stand in prose.
        statements = [
            line
            for line in source.splitlines()
            if word in line and "readonly=True" not in line and not line.lstrip().startswith(("#", '"""'))
        ]
        assert not statements, f"{word}: {statements}"


@pytest.mark.parametrize("path", tuple(_modules("domain")), ids=_name)
def test_the_domain_reads_no_clock_and_rolls_no_dice(path: Path) -> None:
    """Time, ids and chance arrive from above."""
    names = {
        node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)
    }
    assert not names & {"now_utc", "utcnow", "uuid4", "uuid1", "monotonic", "perf_counter", "token_hex", "randbits"}


def test_every_feature_has_its_file_on_every_floor() -> None:
    """A feature is one word: whoever looks for it finds it three times."""
    for feature in (
        "programs",
        "stores",
        "members",
        "tiers",
        "points",
        "purchases",
        "rewards",
        "redemptions",
        "flash_sales",
        "vouchers",
        "offsets",
        "trade",
        "segments",
        "earning",
        "activities",
        "leaderboards",
        "check_ins",
        "lotteries",
        "challenges",
        "quizzes",
        "identities",
        "referrals",
        "group_deals",
    ):
        for floor in FLOORS:
            assert (ROOT / floor / f"{feature}.py").exists() or (ROOT / floor / feature).is_dir(), (floor, feature)
