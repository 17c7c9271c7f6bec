"""An executor that remembers, between requests, what depends on the document only.

It is graphql-core's executor with two shortcuts: a field with a resolver calls it with arguments that were prepared
once (``api.arguments``), and a plain subtree is projected by one function (``api.projections``). Everything else, and
everything that goes wrong, is left to graphql-core: locating errors, propagating nulls, running siblings concurrently,
interfaces, introspection.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeGuard, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLObjectType,
    OperationDefinitionNode,
    OperationType,
    Undefined,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet, collect_fields
from graphql.execution.executor import CollectedErrors
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values
from graphql.pyutils import AwaitableOrValue, Path
from graphql.utilities import coerce_input_value
from strawberry import Schema
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField

from api import arguments, errors, projections

VARIANTS_MAX = 8
"""One operation is planned for at most this many combinations of the variables in its directives."""

Resolve = Callable[["Executor", Any, Path], Any]


class FieldPlan:
    """What one selected field of one object type does in every request that runs the document.

    ``resolve`` is None for fields that are not the schema's own: introspection. ``project`` is None for subtrees that
    are not plain.
    """

    __slots__ = ("details", "field", "nodes", "parent_type", "project", "resolve")

    def __init__(self, executor: "Executor", parent_type: GraphQLObjectType, details: FieldDetailsList) -> None:
        name = details[0].node.name.value
        self.details = details
        self.nodes = [detail.node for detail in details]
        self.parent_type = parent_type
        field = executor.schema.get_field(parent_type, name)
        assert field is not None, "validation refuses fields that the schema does not have"
        self.field = field
        self.resolve = _resolver(executor.strawberry_schema, self)
        self.project = self._projection(executor)

    def _projection(self, executor: "Executor") -> projections.Projection | None:
        try:
            return self.resolve and projections.compile_type(executor, self.field.type, self.details)
        except GraphQLError:
            # A directive has no value: the general way meets the same error, and knows its place.
            return None


class Executor(StrawberryGraphQLCoreExecutionContext):
    """Runs one operation, under one combination of the conditions in its directives.

    The instance that is built is a template: ``renewed`` gives one for each request, and they share the plans.
    """

    strawberry_schema: Schema
    root_type: GraphQLObjectType
    root_fields: GroupedFieldSet | None
    plans: dict[int, FieldPlan]
    operation_extensions: dict[str, Any] | None

    def plan(self, strawberry_schema: Schema) -> None:
        """Collect the root fields and begin to remember plans."""
        root_type = self.schema.get_root_type(self.operation.operation)
        assert root_type is not None, "validation refuses operations that the schema does not have"
        self.strawberry_schema = strawberry_schema
        self.root_type = root_type
        self.plans = {}
        try:
            self.root_fields = self._collect_root_fields()
        except GraphQLError:
            # A directive has no value, which is for the request that ran into it to report.
            self.root_fields = None

    def renewed(self, context: object, variables: VariableValues, extensions: dict[str, Any] | None) -> "Executor":
        """Give an executor for one request: a copy with its own context, variables and errors."""
        executor = object.__new__(type(self))
        executor.__dict__.update(self.__dict__)
        executor.context_value = context
        executor.variable_values = variables
        executor.operation_extensions = extensions
        executor.collected_errors = CollectedErrors()
        return executor

    def run(self) -> AwaitableOrValue[ExecutionResult]:
        """Run the operation; awaitable as soon as one resolver is. Never raises for a field that fails."""
        serially = self.operation.operation is OperationType.MUTATION
        try:
            fields = self._collect_root_fields() if self.root_fields is None else self.root_fields
            data = self.execute_root_grouped_field_set(self.root_type, None, fields, serially, None)
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            return self._result(None)
        return self._run_later(data) if self.is_awaitable(data) else self._result(data)

    def _collect_root_fields(self) -> GroupedFieldSet:
        collected = collect_fields(self.schema, self.fragments, self.variable_values, self.root_type, self.operation)
        return collected.grouped_field_set

    async def _run_later(self, data: Awaitable[Any]) -> ExecutionResult:
        try:
            return self._result(await data)
        except GraphQLError as error:
            self.collected_errors.add(error, None)
            return self._result(None)

    def _result(self, data: Any) -> ExecutionResult:
        return ExecutionResult(data, self.collected_errors.errors or None)

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: Any,
    ) -> Any:
        """Resolve and complete one field by its plan."""
        plan = self.plans.get(id(field_details_list))
        if plan is None:
            plan = self.plans[id(field_details_list)] = FieldPlan(self, parent_type, field_details_list)
        if plan.resolve is None:
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        try:
            completed = plan.resolve(self, source, path)
            if self.is_awaitable(completed):
                return self._complete_later(plan, path, completed)
            completed = self._complete(plan, path, completed)
        except Exception as error:  # noqa: BLE001 - whatever a resolver raises becomes the error of its field.
            return self._fail(plan, path, error)
        return self._guard(plan, path, completed) if self.is_awaitable(completed) else completed

    def _complete(self, plan: FieldPlan, path: Path, value: Any) -> Any:
        if plan.project is not None and not isinstance(value, Exception):
            try:
                return plan.project(value)
            except Exception:  # noqa: BLE001 - the general way meets the same fault, and knows its place.
                pass
        info = self.build_resolve_info(plan.field, plan.nodes, plan.parent_type, path)
        return self.complete_value(plan.field.type, plan.details, info, path, value, None)

    async def _complete_later(self, plan: FieldPlan, path: Path, value: Awaitable[Any]) -> Any:
        try:
            completed = self._complete(plan, path, await value)
            return await completed if self.is_awaitable(completed) else completed
        except Exception as error:  # noqa: BLE001 - as above.
            return self._fail(plan, path, error)

    async def _guard(self, plan: FieldPlan, path: Path, completed: Awaitable[Any]) -> Any:
        try:
            return await completed
        except Exception as error:  # noqa: BLE001 - as above.
            return self._fail(plan, path, error)

    def _fail(self, plan: FieldPlan, path: Path, error: Exception) -> None:
        self.handle_field_error(error, plan.field.type, plan.details, path)


class OperationPlan:
    """One operation of a document, with an executor for every combination of conditions it was run under."""

    def __init__(
        self,
        strawberry_schema: Schema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        conditions: set[str],
    ) -> None:
        self._strawberry_schema = strawberry_schema
        self._schema = strawberry_schema._schema  # noqa: SLF001 - Strawberry has no public name for it.
        self._document = document
        self._operation = operation
        self._conditions = tuple(conditions)
        self._signatures = [
            cast(GraphQLVariableSignature, get_variable_signature(self._schema, definition))
            for definition in operation.variable_definitions or ()
        ]
        self._templates: dict[tuple[object, ...], Executor] = {}

    def executor(
        self, context: object, inputs: dict[str, Any] | None, extensions: dict[str, Any] | None
    ) -> Executor | list[GraphQLError]:
        """Give an executor for one request, or the errors of its variables."""
        variables = self._coerce(inputs or {})
        if isinstance(variables, list):
            return variables
        key = tuple(variables.coerced.get(name) for name in self._conditions)
        template = self._templates.get(key)
        if template is None:
            if len(self._templates) == VARIANTS_MAX:
                self._templates.clear()
            template = self._templates[key] = self._template(inputs)
        return template.renewed(context, variables, extensions)

    def _template(self, inputs: dict[str, Any] | None) -> Executor:
        executor = Executor.build(
            self._schema,
            self._document,
            raw_variable_values=inputs,
            operation_name=self._operation.name.value if self._operation.name else None,
            is_awaitable=cast(Callable[[Any], TypeGuard[Awaitable[Any]]], optimized_is_awaitable),
            operation_extensions=None,
        )
        assert isinstance(executor, Executor), "the variables have been coerced once already"
        executor.plan(self._strawberry_schema)
        return executor

    def _coerce(self, inputs: dict[str, Any]) -> VariableValues | list[GraphQLError]:
        """Coerce the variables as graphql-core does, which is asked itself when a default or an error is involved."""
        variables = VariableValues({}, {})
        for signature in self._signatures:
            value = inputs.get(signature.name, Undefined)
            variables.sources[signature.name] = VariableValueSource(signature, value)
            if value is Undefined and signature.default is None and not is_non_null_type(signature.type):
                continue
            coerced = _coerced(value, signature)
            if coerced is Undefined:
                definitions = self._operation.variable_definitions or ()
                return get_variable_values(self._schema, definitions, inputs, errors.FAULTS_MAX)
            variables.coerced[signature.name] = coerced
        return variables


def _coerced(value: Any, signature: GraphQLVariableSignature) -> Any:
    try:
        return Undefined if value is Undefined else coerce_input_value(value, signature.type)
    except GraphQLError:
        return Undefined


def _resolver(strawberry_schema: Schema, plan: FieldPlan) -> Resolve | None:
    definition = projections.definition_of(plan.field)
    if definition is None:
        return None
    if definition.is_subscription:
        # The event's own executor has what the event brought.
        return lambda executor, _source, _path: executor.root_value
    attribute = projections.attribute_of(plan.field)
    if attribute is not None:
        return lambda _executor, source, _path: attribute(source)
    read = arguments.reader(plan.field, plan.nodes[0])
    if definition.extensions or strawberry_schema.exception_handlers:
        return _wrapped_resolver(plan, read)
    return _direct_resolver(strawberry_schema, plan, definition, read)


def _wrapped_resolver(plan: FieldPlan, read: arguments.Reader) -> Resolve:
    """Call the field through all that Strawberry wraps around it, for fields with extensions."""
    wrapped = plan.field.resolve
    assert wrapped is not None, "Strawberry gives every field a resolver"

    def resolve(executor: Executor, source: Any, path: Path) -> Any:
        info = executor.build_resolve_info(plan.field, plan.nodes, plan.parent_type, path)
        return wrapped(source, info, **read(executor.variable_values))

    return resolve


def _direct_resolver(
    strawberry_schema: Schema, plan: FieldPlan, definition: StrawberryField, read: arguments.Reader
) -> Resolve:
    """Call the field itself, with what the parameters of its resolver ask for."""
    resolver = definition.base_resolver
    converters = arguments.converters(strawberry_schema, definition)
    parents = [each.name for each in (resolver.parent_parameter, resolver.root_parameter) if each] if resolver else []
    positional = resolver is not None and resolver.self_parameter is not None
    info_name = resolver.info_parameter.name if resolver and resolver.info_parameter else None
    # A class of fields with its own way of giving a result may want to know who asks.
    needs_info = info_name is not None or type(definition) is not StrawberryField
    info_class = strawberry_schema.config.info_class

    def resolve(executor: Executor, source: Any, path: Path) -> Any:
        values = read(executor.variable_values) if converters else {}
        given = {python: convert(values[name]) for name, python, convert in converters if name in values}
        for name in parents:
            given[name] = source
        info = None
        if needs_info:
            raw_info = executor.build_resolve_info(plan.field, plan.nodes, plan.parent_type, path)
            info = info_class(_raw_info=raw_info, _field=definition)
        if info_name is not None:
            given[info_name] = info
        return definition.get_result(source, info, [source] if positional else [], given)

    return resolve
