"""Which of several languages a tag means (RFC 4647)."""

import pytest

from domain.languages import lookup


@pytest.mark.parametrize(
    ("told", "tags", "found"),
    [
        ("en", ("zh-CN", "en"), "en"),
        ("EN", ("en",), "en"),
        (" en ", ("en",), "en"),
        # What is told is wider than what there is.
        ("zh", ("en", "zh-CN", "zh-TW"), "zh-CN"),
        ("zh", ("zh-TW", "zh"), "zh"),
        ("zh-Hant", ("zh-Hans-CN", "zh-Hant-TW"), "zh-Hant-TW"),
        # What is told is narrower.
        ("zh-Hant-TW", ("zh", "zh-Hant"), "zh-Hant"),
        ("zh-Hant-TW", ("zh",), "zh"),
        ("en-GB", ("en-US", "en"), "en"),
        ("en-GB", ("en-US",), "en-US"),
        ("zh-Hant-CN-x-private1-private2", ("zh-Hant",), "zh-Hant"),
        ("de-a-x", ("de",), "de"),
        # Neither.
        ("fr", ("en", "zh-CN"), None),
        ("z", ("zh",), None),
        ("zh", (), None),
        ("zh", ("zhx",), None),
        ("", ("en",), None),
        ("-en", ("en",), None),
        ("x" * 10_000, ("en",), None),
        ("-".join("a" * 9_999), ("en",), None),
    ],
)
def test_the_tag_that_suits_best_is_found(told: str, tags: tuple[str, ...], found: str | None) -> None:
    assert lookup(told, tags) == found
