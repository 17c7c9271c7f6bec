"""One text in two languages, and how such texts are filled, listed and joined into sentences."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain import money


@dataclass(frozen=True, slots=True)
class Terms:
    """The same words in Chinese and in English: a name, a clause, a sentence or a paragraph."""

    chinese: str
    english: str


# Before the last item of a list.
AND: Final = Terms("、", " and ")
OR: Final = Terms("或", " or ")

_FACTORS: Final = {
    2 * money.BASIS: Terms("双倍积分", "double points (×2)"),
    3 * money.BASIS: Terms("三倍积分", "triple points (×3)"),
}
_UNITS: Final = {"CNY": Terms("元", " yuan")}
_TIMES: Final = {1: "once", 2: "twice"}
_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}


def said(chinese: str, english: str, **parts: Terms) -> Terms:
    """A template of each language, filled with the parts in that language."""
    return Terms(
        chinese.format_map({name: part.chinese for name, part in parts.items()}),
        english.format_map({name: part.english for name, part in parts.items()}),
    )


def name(text: str) -> Terms:
    """A name that the shop gave: it has no translation."""
    return Terms(text, text)


def quoted(texts: Iterable[str], last: Terms = OR) -> Terms:
    """Codes and labels of the shop's own, in quotation marks, one or several."""
    return listed([name(f"“{text}”") for text in texts], last)


def listed(items: Sequence[Terms], last: Terms = AND) -> Terms:
    """Items one after the other: A、B、C / A, B and C."""
    if len(items) == 1:
        return items[0]
    *others, final = items
    return Terms(
        "、".join(item.chinese for item in others) + last.chinese + final.chinese,
        ", ".join(item.english for item in others) + last.english + final.english,
    )


def joined(clauses: Sequence[Terms]) -> Terms:
    """Clauses of one sentence, with commas between them."""
    return Terms("，".join(clause.chinese for clause in clauses), ", ".join(clause.english for clause in clauses))


def offered(conditions: Sequence[Terms], effect: Terms, *, is_close: bool) -> Terms:
    """What is given under which conditions: in Chinese the gift comes last, in English first.

    With `is_close` the last condition is what the Chinese gift is for, and no comma stands between them.
    """
    if not conditions:
        return effect
    pause = "" if is_close else "，"
    return Terms(
        "，".join(condition.chinese for condition in conditions) + pause + effect.chinese,
        f"{effect.english} " + ", ".join(condition.english for condition in reversed(conditions)),
    )


def paragraph(sentences: Iterable[Terms]) -> Terms:
    """Sentences with their full stops; an English one begins with a capital letter."""
    told = tuple(sentences)
    return Terms(
        "".join(f"{sentence.chinese}。" for sentence in told),
        " ".join(f"{sentence.english[:1].upper()}{sentence.english[1:]}." for sentence in told),
    )


# Numbers.


def number(value: int) -> Terms:
    """An integer as each language writes it: 10000 / 10,000."""
    return Terms(str(value), f"{value:,}")


def counted(value: int, measure: str, noun: str) -> Terms:
    """So many of something: 3件 / 3 items. The English plural is regular."""
    return Terms(f"{value}{measure}", f"{value:,} {noun}" if value == 1 else f"{value:,} {noun}s")


def points(value: int) -> Terms:
    """So many points: 50积分 / 50 points."""
    return counted(value, "积分", "point")


def times(value: int) -> Terms:
    """How often: 5次 / 5 times."""
    return Terms(f"{value}次", _TIMES.get(value, f"{value:,} times"))


def amount(amount_minor: int, currency_code: str) -> Terms:
    """Money in major units with the currency's name: 300元 / 300 yuan; of other currencies with the code: 300 USD."""
    major = money.major_units(amount_minor, currency_code)
    if major == major.to_integral_value():
        major = major.to_integral_value()
    unit = _UNITS.get(currency_code, name(f" {currency_code}"))
    return said("{plain}{unit}", "{plain}{unit}", plain=Terms(f"{major:f}", f"{major:,f}"), unit=unit)


def decimal(value: int, places: int) -> str:
    """An integer of the last of so many decimal places, without idle zeros: 15000 with 4 places is 1.5."""
    return f"{Decimal(value).scaleb(-places).normalize():f}"


def multiplied(multiplier_bp: int) -> Terms:
    """How many points a factor makes: 双倍积分 / double points (×2)."""
    factor = decimal(multiplier_bp, 4)
    return _FACTORS.get(multiplier_bp, Terms(f"{factor}倍积分", f"{factor} times the points (×{factor})"))


def nth(value: int) -> str:
    """An English ordinal number: 1st, 2nd, 3rd, 11th."""
    is_teen = value % 100 in (11, 12, 13)
    return f"{value:,}{'th' if is_teen else _ENDINGS.get(value % 10, 'th')}"
