"""Documents are read once, and their memory is bounded."""

import hashlib

import pytest

from api import documents, errors, limits
from tests.api import tiny_schema

QUERY = "{ node { name } }"
WEIGHT = len(QUERY) + 6 * documents.TOKEN_BYTES


def known_documents(cache_bytes_max: int = documents.CACHE_BYTES_MAX) -> documents.Documents:
    """Give an empty memory."""
    return documents.Documents(tiny_schema.build_schema()._schema, limits.Limits(), cache_bytes_max)


def other(number: int) -> str:
    """Give another document of nearly the same weight."""
    return QUERY + " " * (number + 1)


@pytest.mark.parametrize("query", [QUERY, "{ nod }", "{", "{ node {" + "name " * 500 + "}}"])
def test_a_document_is_read_once(query: str) -> None:
    known = known_documents()
    assert known.get(query) is known.get(query)


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    known = known_documents(documents.CACHE_SHARE_MAX * (WEIGHT + 20))
    first = known.get(QUERY)
    others = [known.get(other(number)) for number in range(15)]
    assert known.get(QUERY) is first
    known.get(other(16))
    known.get(other(17))
    assert known.get(QUERY) is first
    assert known.get(other(14)) is others[14]
    assert known.get(other(0)) is not others[0]


def test_a_document_that_would_fill_the_memory_is_not_remembered() -> None:
    known = known_documents(documents.CACHE_SHARE_MAX * WEIGHT - 1)
    assert known.get(QUERY) is not known.get(QUERY)


def test_a_hash_is_forgotten_with_its_document() -> None:
    known = known_documents(documents.CACHE_SHARE_MAX * (WEIGHT + 20))
    persisted = {"persistedQuery": {"sha256Hash": hashlib.sha256(QUERY.encode()).hexdigest()}}
    assert known.text(QUERY, persisted) == QUERY
    assert known.text(None, persisted) == QUERY
    for number in range(17):
        known.get(other(number))
    with pytest.raises(errors.DocumentError) as refused:
        known.text(None, persisted)
    assert refused.value.faults[0]["extensions"]["code"] == errors.ErrorCode.PERSISTED_QUERY_NOT_FOUND
