"""What a GraphQL query may cost before the sandbox's Canvas refuses to run it: depth, complexity, aliases, directives.

Looks at the query only, never at data. Canvas does not publish how it weighs fields; the rule here is: every field
costs 1, and below a connection the fields of `nodes` and of `edges` count once for every row its page may hold
(`first`, 20 when absent, at most 100), whether there are so many or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

DEFAULT_PAGE = 20
MAX_PAGE = 100
MAX_DEPTH = 15
MAX_ALIASES = 20
MAX_DIRECTIVES = 5
MAX_TOKENS = 5000

_ROWS = frozenset({"nodes", "edges"})


class Weigher:
    """One document with its variables."""

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self._variables = variables
        self._operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }

    def complaint(self, max_complexity: int) -> str | None:
        """Why the document is refused, in the words of the library Canvas uses; None when it is not."""
        aliases = directives = 0
        for field, depth in (found for one in self._operations for found in self._walk(one.selection_set, 1)):
            aliases += field.alias is not None
            directives += len(field.directives or ())
            if depth > MAX_DEPTH:
                return f"Query has depth of {depth}, which exceeds max depth of {MAX_DEPTH}"
        if aliases > MAX_ALIASES:
            return f"Query has {aliases} aliases, which exceeds max aliases of {MAX_ALIASES}"
        if directives > MAX_DIRECTIVES:
            return f"Query has {directives} directives, which exceeds max directives of {MAX_DIRECTIVES}"
        cost = sum(self._cost(one.selection_set) for one in self._operations)
        if cost > max_complexity:
            return f"Query has complexity of {cost}, which exceeds max complexity of {max_complexity}"
        return None

    def _walk(self, within: SelectionSetNode | None, depth: int) -> Iterator[tuple[FieldNode, int]]:
        for field in self._fields(within):
            yield field, depth
            yield from self._walk(field.selection_set, depth + 1)

    def _fields(self, within: SelectionSetNode | None) -> Iterator[FieldNode]:
        """The fields of a selection, fragments opened, those left out by @include and @skip not counted."""
        for one in within.selections if within is not None else ():
            if not self._included(one):
                continue
            if isinstance(one, FieldNode):
                yield one
            elif isinstance(one, InlineFragmentNode):
                yield from self._fields(one.selection_set)
            elif isinstance(one, FragmentSpreadNode):
                yield from self._fields(self._fragments[one.name.value].selection_set)

    def _included(self, one: Any) -> bool:
        for directive in one.directives or ():
            value = next((argument.value for argument in directive.arguments), None)
            said = self._value(value)
            if (directive.name.value, said) in (("include", False), ("skip", True)):
                return False
        return True

    def _value(self, node: Any) -> Any:
        if isinstance(node, VariableNode):
            return self._variables.get(node.name.value)
        return int(node.value) if isinstance(node, IntValueNode) else getattr(node, "value", None)

    def _cost(self, within: SelectionSetNode | None, rows: int | None = None) -> int:
        total = 0
        for field in self._fields(within):
            times = rows if rows is not None and field.name.value in _ROWS else 1
            inside = self._rows_of(field) if field.name.value.endswith("Connection") else None
            total += 1 + times * self._cost(field.selection_set, inside)
        return total

    def _rows_of(self, field: FieldNode) -> int:
        arguments = {one.name.value: self._value(one.value) for one in field.arguments or ()}
        asked = arguments.get("first")
        return min(asked, MAX_PAGE) if isinstance(asked, int) else DEFAULT_PAGE
