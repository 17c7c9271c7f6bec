"""Running one operation: from parameters to the content of a response, the same for HTTP and for sockets."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import strawberry
from graphql import ExecutionResult, GraphQLError, OperationDefinitionNode, OperationType
from graphql.execution import Executor
from starlette.requests import HTTPConnection

from api import documents, errors, limits, parameters, plans

ExecutorType = TypeVar("ExecutorType", bound=Executor[Any])

ContextGetter = Callable[[HTTPConnection], Awaitable[Any]]
"""Builds the context of one request or subscription; raises ``ApiError`` to refuse it."""


class Runner:
    """Prepares operations of one schema, remembering the documents it has seen.

    Raises ValueError for a schema with extensions, operation directives or an execution context of its own: documents
    are run without Strawberry's extension runner, so these would be silently ignored.
    """

    def __init__(self, schema: strawberry.Schema, bounds: limits.Limits) -> None:
        if schema.extensions or schema.directives or schema.execution_context_class not in plans.Executor.__mro__:
            raise ValueError("the schema must have no extensions, operation directives or execution context class")
        self._schema = schema
        self._graphql_schema = schema._schema  # noqa: SLF001 - Strawberry has no public name for it.
        self._documents = documents.Documents(self._graphql_schema, bounds)

    def prepare(
        self, request: parameters.Parameters, context: object, require: Callable[[OperationType], None]
    ) -> plans.Executor:
        """Give what will run an operation, or each event of a subscription, once ``require`` has accepted its type.

        Raises ``DocumentError`` if the document or the variables do not allow it.
        """
        document, operation = self._operation(request, require)
        plan: plans.OperationPlan | None = document.plans.get(request.operation_name)
        if plan is None:
            assert document.node is not None, "a document without faults has been read"
            plan = plans.OperationPlan(self._schema, document.node, operation, document.conditions())
            document.plans[request.operation_name] = plan
        executor = plan.executor(context, request.variables, request.extensions)
        return _without_errors(executor)

    def _operation(
        self, request: parameters.Parameters, require: Callable[[OperationType], None]
    ) -> tuple[documents.Document, OperationDefinitionNode]:
        document = self._documents.get(self._documents.text(request.query, request.extensions))
        if document.faults:
            raise errors.DocumentError(*document.faults)
        operation = document.operation(request.operation_name)
        require(operation.operation)
        return document, operation


def _without_errors(executor: ExecutorType | list[GraphQLError]) -> ExecutorType:
    if isinstance(executor, list):
        raise errors.DocumentError(*errors.from_document(executor, errors.ErrorCode.BAD_USER_INPUT))
    return executor


def content(result: ExecutionResult, request_id: str) -> dict[str, Any]:
    """Give the content of the response to an operation that was run; ``data`` is there, if only as null."""
    if result.errors:
        return {"errors": errors.from_execution(result.errors, request_id), "data": result.data}
    return {"data": result.data}
