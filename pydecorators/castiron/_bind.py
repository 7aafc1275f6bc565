"""Puts a decorator into the text of a module, on CPython 3.11, whose functions have no entry of their own.

In: a module's text and which of its functions are chosen. Out: its code, in which each chosen `def` outside of
functions has one decorator more, the innermost, which is a constant of the code: no name is looked up. The code
objects of functions are those of the plain text. On later versions nothing is put in.
"""

from __future__ import annotations

import ast
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

#: What these decorate, they compile or check themselves.
_EXEMPT = {"frozen", "jit", "typed"}

#: Stands for the decorator until the text is compiled.
_PLACE = "\0castiron: the innermost decorator"

#: Whether a function's entry can be replaced; else a decorator puts another object in its place.
HAS_ENTRIES = sys.version_info >= (3, 12)


def bound(data: bytes | str, path: str, chosen: set[tuple[str, int]], decorator: object) -> CodeType:
    """Compile the text of a module with the decorators in it."""
    return decorated(marked(data, path, chosen), decorator)


def marked(data: bytes | str, path: str, chosen: set[tuple[str, int]]) -> CodeType:
    """Compile the text of a module with marks where the decorators come; this code can be marshalled."""
    # The import has shown the text's warnings already.
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if HAS_ENTRIES or not chosen:
            plain: CodeType = compile(data, path, "exec", dont_inherit=True)
            return plain
        tree: Any = compile(data, path, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
        _mark(tree, chosen)
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code


def _mark(tree: ast.AST, chosen: set[tuple[str, int]]) -> None:
    pending: list[tuple[ast.AST, str]] = [(tree, "")]
    while pending:
        node, scope = pending.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.ClassDef)) and _is_exempt(child):
                continue
            if isinstance(child, ast.FunctionDef):
                _decorate(child, scope, chosen)
            elif isinstance(child, ast.ClassDef):
                pending.append((child, f"{scope}{child.name}."))
            elif isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)):
                pending.append((child, scope))


def _is_exempt(node: ast.FunctionDef | ast.ClassDef) -> bool:
    decorators = (one.func if isinstance(one, ast.Call) else one for one in node.decorator_list)
    return any(getattr(one, "attr", getattr(one, "id", None)) in _EXEMPT for one in decorators)


def _decorate(node: ast.FunctionDef, scope: str, chosen: set[tuple[str, int]]) -> None:
    first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
    if (f"{scope}{node.name}", first) in chosen:
        place = ast.Constant(_PLACE)
        place.lineno = place.end_lineno = node.lineno
        place.col_offset = place.end_col_offset = node.col_offset
        node.decorator_list.append(place)


def decorated(code: CodeType, decorator: object) -> CodeType:
    """Put the decorator in the place of what stands for it, in the module's code and in that of classes."""
    if HAS_ENTRIES:
        return code
    kind = type(code)
    constants = tuple(
        decorator
        if type(constant) is str and constant == _PLACE
        else decorated(constant, decorator)
        if type(constant) is kind
        else constant
        for constant in code.co_consts
    )
    if all(one is other for one, other in zip(constants, code.co_consts, strict=True)):
        return code
    return code.replace(co_consts=constants)
