"""Takes the annotation of a generator function apart.

`Generator[Y, S, R]`, `Iterator[Y]` and their asynchronous twins are said of the object that a call makes at once; what
can be checked are the values that it yields, is sent and returns. Equal to `check::generator`, node by node.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

CO_GENERATOR, CO_ASYNC_GENERATOR = 0x20, 0x200
MAX_DEPTH = 40

#: The names of the parts among a function's annotations; what it returns is `return`.
YIELDED, SENT, MADE = "<yield>", "<send>", "<made>"

#: How many parts the arguments of each class name.
_GENERATORS = {"Generator": 3, "Iterator": 1, "Iterable": 1}
_ASYNC_GENERATORS = {"AsyncGenerator": 2, "AsyncIterator": 1, "AsyncIterable": 1}

# An annotation that names no parts is tested against one of these.
GENERATOR = (number for number in range(0))


async def _async_generator() -> AsyncIterator[None]:
    yield


ASYNC_GENERATOR = _async_generator()


def with_parts(annotations: dict[str, object], flags: int) -> dict[str, object]:
    """Replace the result's annotation by those of a generator's parts; `flags` are the code object's.

    >>> from collections.abc import Iterator
    >>> with_parts({"return": Iterator[int]}, CO_GENERATOR)
    {'<yield>': <class 'int'>}
    """
    if "return" not in annotations or not flags & (CO_GENERATOR | CO_ASYNC_GENERATOR):
        return annotations
    annotations = dict(annotations)
    hint = annotations.pop("return")
    parts = _parts(hint, _ASYNC_GENERATORS if flags & CO_ASYNC_GENERATOR else _GENERATORS, 0)
    if parts is None:
        annotations[MADE] = hint
    else:
        annotations.update(zip((YIELDED, SENT, "return"), parts, strict=False))
    return annotations


def _parts(hint: Any, known: dict[str, int], depth: int) -> list[Any] | None:
    """Give the parts that the annotation names, None where it is no annotation of a generator."""
    if depth == MAX_DEPTH:
        return None
    kind = type(hint).__name__
    if kind == "TypeAliasType":
        try:
            value = hint.__value__
        except Exception:  # an alias holds any expression
            return None
        return _parts(value, known, depth + 1)
    if kind == "_AnnotatedAlias":
        return _parts(hint.__origin__, known, depth + 1)
    if kind in ("UnionType", "_UnionGenericAlias"):
        found = [parts for parts in (_parts(arg, known, depth + 1) for arg in hint.__args__) if parts is not None]
        return None if not found else found[0] if len(found) == 1 else []
    origin = getattr(hint, "__origin__", hint)
    if not isinstance(origin, type) or origin.__module__ != "collections.abc" or origin.__name__ not in known:
        return None
    args = list(getattr(hint, "__args__", ()))
    count = known[origin.__name__]
    # What is left out after the first is None (PEP 696).
    return (args + [None] * count)[:count] if args else []
