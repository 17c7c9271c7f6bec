"""GraphQL documents: read, measured against the limits and validated once, then answered from memory.

What a text turned out to be, good or bad, is remembered under the text itself, so the limits, the parser and the
validator cost a repeated document nothing. The memory is bounded in bytes: documents with inlined values are all
different, and would otherwise fill it.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    Node,
    OperationDefinitionNode,
    StringValueNode,
    VariableNode,
    specified_rules,
    validate,
)
from graphql.language.ast import QUERY_DOCUMENT_KEYS
from graphql.language.parser import MAX_NESTING_DEPTH, Parser
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from api import errors, limits

TOKEN_BYTES = 2_048
"""A token's share of what is remembered: measured 50 to 550 bytes of syntax tree and about 800 of plans."""

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)

REFUSED_BYTES = 8_192
"""What a refused document keeps: ten faults at most."""

CACHE_BYTES_MAX = 32 * 1_024 * 1_024
CACHE_SHARE_MAX = 16
"""A document that would fill more than this part of the memory is not remembered, so that few cannot drive out all."""


class Document:
    """A text that has been read: its operations by name, or the faults for which it is refused.

    ``plans`` is for whoever runs the operations, to keep what it learns about them for as long as the document.
    """

    __slots__ = ("faults", "node", "operations", "plans", "tokens")

    def __init__(self, node: DocumentNode | None, faults: tuple[errors.Fault, ...], tokens: int) -> None:
        self.node = node
        self.faults = faults
        self.tokens = tokens
        self.plans: dict[str | None, Any] = {}
        self.operations: dict[str | None, OperationDefinitionNode] = {
            definition.name.value if definition.name else None: definition
            for definition in (node.definitions if node else ())
            if isinstance(definition, OperationDefinitionNode)
        }

    def conditions(self) -> set[str]:
        """Give the names of the variables that directives of the document use."""
        assert self.node is not None
        directives = [node for node in nodes(self.node) if isinstance(node, DirectiveNode)]
        return {
            node.name.value for directive in directives for node in nodes(directive) if isinstance(node, VariableNode)
        }

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Find the operation to run: the named one, or the only one. Refuses the document when it is not there."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        try:
            return self.operations[name]
        except KeyError:
            message = (
                "The document has several operations: operationName must name one."
                if name is None
                else "The document has no operation of the name in operationName."
            )
            raise errors.document_refused(errors.ApiError(message, errors.ErrorCode.BAD_REQUEST)) from None


class Documents:
    """All documents a process remembers, the least recently used forgotten first."""

    def __init__(self, schema: GraphQLSchema, bounds: limits.Limits, cache_bytes_max: int = CACHE_BYTES_MAX) -> None:
        self._schema = schema
        self._bounds = bounds
        self._cache_bytes_max = cache_bytes_max
        self._cache_bytes = 0
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._texts: dict[str, str] = {}

    def get(self, text: str) -> Document:
        """Give the document of this text; refused texts give a document with faults."""
        document = self._documents.get(text)
        if document is None:
            document = self._read(text)
            if _weight(text, document) * CACHE_SHARE_MAX <= self._cache_bytes_max:
                self._remember(text, document)
        else:
            self._documents.move_to_end(text)
        return document

    def text(self, query: str | None, extensions: dict[str, Any] | None) -> str:
        """Give the text to run, by itself or by its SHA-256 as clients of automatic persisted queries send it.

        Raises ``PERSISTED_QUERY_NOT_FOUND`` for a hash this process does not remember: the client then sends the
        text along with the hash. Raises ``BAD_REQUEST`` without either, and for a hash that is not the text's.
        """
        persisted = extensions.get("persistedQuery") if extensions else None
        if persisted is None:
            if query is None:
                raise errors.ApiError("The request has no query.", errors.ErrorCode.BAD_REQUEST)
            return query
        digest = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
        if not isinstance(digest, str):
            raise errors.ApiError("extensions.persistedQuery needs a sha256Hash.", errors.ErrorCode.BAD_REQUEST)
        return self._stored(digest) if query is None else self._store(digest, query)

    def _stored(self, digest: str) -> str:
        text = self._texts.get(digest)
        if text is None or text not in self._documents:
            not_found = errors.ErrorCode.PERSISTED_QUERY_NOT_FOUND
            raise errors.document_refused(errors.ApiError("PersistedQueryNotFound", not_found))
        return text

    def _store(self, digest: str, query: str) -> str:
        if hashlib.sha256(query.encode()).hexdigest() != digest:
            raise errors.ApiError("The sha256Hash is not that of the query.", errors.ErrorCode.BAD_REQUEST)
        self.get(query)
        if query in self._documents:
            self._texts[digest] = query
        return query

    def _remember(self, text: str, document: Document) -> None:
        self._documents[text] = document
        self._cache_bytes += _weight(text, document)
        while self._cache_bytes > self._cache_bytes_max:
            old_text, old = self._documents.popitem(last=False)
            self._cache_bytes -= _weight(old_text, old)
            if self._texts:
                self._texts.pop(hashlib.sha256(old_text.encode()).hexdigest(), None)

    def _read(self, text: str) -> Document:
        parser = Parser(text, max_tokens=self._bounds.tokens_max)
        try:
            node = _parse(parser, self._bounds)
            limits.check(node, self._bounds)
            _refuse_nul(node, text)
        except errors.ApiError as error:
            return Document(None, (errors.from_refusal(error, ""),), parser.token_count)
        except GraphQLSyntaxError as error:
            faults = errors.from_document([error], errors.ErrorCode.GRAPHQL_PARSE_FAILED)
            return Document(None, faults, parser.token_count)
        found = validate(self._schema, node, RULES, max_errors=errors.FAULTS_MAX)
        if found:
            faults = errors.from_document(found, errors.ErrorCode.GRAPHQL_VALIDATION_FAILED)
            return Document(None, faults, parser.token_count)
        return Document(node, (), parser.token_count)


def _parse(parser: Parser, bounds: limits.Limits) -> DocumentNode:
    """Read the document, stopping at the first token too many."""
    try:
        return parser.parse_document()
    except RecursionError:
        pass
    except GraphQLSyntaxError as error:
        # Comments are skipped before they are counted, so the parser's own count does not tell.
        if not error.description.startswith("Document contains more than"):
            raise
        raise limits.exceeded("tokens", bounds.tokens_max + 1, bounds.tokens_max) from None
    # Raised outside the handler, so that it does not keep the thousand frames of the recursion alive.
    raise limits.exceeded("nesting", MAX_NESTING_DEPTH + 1, MAX_NESTING_DEPTH)


def _refuse_nul(document: DocumentNode, text: str) -> None:
    """Refuse string values with a NUL, which PostgreSQL cannot store; in GraphQL text only an escape can make one."""
    if "\\u" in text and any("\0" in node.value for node in nodes(document) if isinstance(node, StringValueNode)):
        raise errors.ApiError(
            "A string contains the character U+0000, which cannot be stored.", errors.ErrorCode.BAD_USER_INPUT
        )


def nodes(root: Node) -> Iterator[Node]:
    """Visit a node and all within it, without recursion."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        for key in QUERY_DOCUMENT_KEYS.get(node.kind, ()):
            child = getattr(node, key)
            waiting.extend(child if isinstance(child, tuple) else [child] if child else [])


def _weight(text: str, document: Document) -> int:
    return len(text) + (document.tokens * TOKEN_BYTES if document.node else REFUSED_BYTES)
