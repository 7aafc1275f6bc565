"""Puts enforcing decorators into the text of a module.

In: a module's text. Out: its code, in which each annotated function has the decorator `__castiron__.function` below all
its own, and each class that something may generate methods for has `__castiron__.generated` above all its own.

Invariants: positions and first lines of everything are those of the text; a function that `jit` or `no_type_check`
decorates, and what is defined in it, is left as it is.
"""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

#: The module's name for the decorators.
NAME = "__castiron__"

_EXEMPT = ("jit", "no_type_check")


def rewritten(data: Any, path: str, optimize: int = -1) -> CodeType:
    """Compile the text of a module with the decorators in it."""
    tree: Any = compile(data, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True, optimize=optimize)
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if any(_last_name(decorator) in _EXEMPT for decorator in node.decorator_list):
                continue
            _decorate(node)
        pending.extend(_blocks(node))
    code: CodeType = compile(tree, path, "exec", dont_inherit=True, optimize=optimize)
    return code


def _blocks(node: ast.AST) -> Iterator[ast.AST]:
    """Give what may hold definitions: statements, and what holds statements."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
            yield child


def _decorate(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
    if isinstance(node, ast.ClassDef):
        if node.decorator_list or node.bases:
            first: ast.AST = node.decorator_list[0] if node.decorator_list else node
            node.decorator_list.insert(0, _decorator("generated", first))
    elif _is_annotated(node):
        node.decorator_list.append(_decorator("function", node))


def _is_annotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    found = node.args
    parameters = [*found.posonlyargs, *found.args, *found.kwonlyargs, found.vararg, found.kwarg]
    return node.returns is not None or any(one is not None and one.annotation is not None for one in parameters)


def _decorator(name: str, place: Any) -> ast.expr:
    made = ast.Attribute(ast.Name(NAME, ast.Load()), name, ast.Load())
    for node in (made, made.value):
        node.lineno = node.end_lineno = place.lineno
        node.col_offset = node.end_col_offset = place.col_offset
    return made


def _last_name(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    if isinstance(decorator, ast.Attribute):
        return decorator.attr
    return decorator.id if isinstance(decorator, ast.Name) else ""
