"""Nested annotations with values for and against them, and a slow checker of its own to compare with.

A type is a tuple of its kind and its parts. The reference reads those tuples, never annotations, and shares no code
with castiron: values are compared with the contract's sentences one by one.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union

Kind = tuple[Any, ...]

LEAVES: list[type | None] = [int, float, complex, bool, str, bytes, None]
LITERALS: list[Any] = [1, 2, True, "a", "b", b"x", None]
VALUES: list[Any] = [0, 1, 2, -5, 10**30, True, False, 1.5, float("inf"), 2j, "a", "b", "", b"x", b"", None, ..., int]


def a_type(source: random.Random, depth: int) -> Kind:
    """Make a type that nests up to the depth."""
    choice = source.randrange(12) if depth else source.randrange(3)
    inner = depth - 1
    if choice < 2:
        return ("leaf", source.choice(LEAVES))
    if choice == 2:
        return ("literal", tuple(source.sample(LITERALS, source.randint(1, 3))))
    if choice == 3:
        return ("any",)
    if choice in (4, 5):
        return ("union", tuple(a_type(source, inner) for _ in range(source.randint(2, 3))))
    if choice == 6:
        return ("fixed", tuple(a_type(source, inner) for _ in range(source.randint(0, 3))))
    if choice in (7, 8):
        kind = source.choice([list, deque, Sequence, "tuple"])
        return ("items", kind, a_type(source, inner))
    if choice == 9:
        return ("items", source.choice([set, frozenset]), a_type(source, 0))
    return ("entries", source.choice([dict, Mapping]), a_type(source, 0), a_type(source, inner))


def annotation(kind: Kind) -> Any:
    """Write the type as an annotation."""
    name = kind[0]
    if name == "leaf":
        return kind[1]
    if name == "any":
        return Any
    if name == "literal":
        return Literal[kind[1]]
    if name == "union":
        return Union[tuple(annotation(part) for part in kind[1])]  # noqa: UP007 - as many as there are
    if name == "fixed":
        return tuple[tuple(annotation(part) for part in kind[1])]  # type: ignore[misc]
    if name == "items":
        return tuple[annotation(kind[2]), ...] if kind[1] == "tuple" else kind[1][annotation(kind[2])]
    return kind[1][annotation(kind[2]), annotation(kind[3])]


def a_value(source: random.Random, kind: Kind) -> Any:
    """Make a value that keeps the type, or nearly: now and then a part is whatever comes."""
    if source.random() < 0.07:
        return any_value(source, 2)
    name = kind[0]
    if name == "leaf":
        wanted = kind[1]
        fitting = [value for value in VALUES if keeps(("leaf", wanted), value, deep=True)]
        return source.choice(fitting)
    if name == "literal":
        return source.choice(kind[1])
    if name == "any":
        return any_value(source, 1)
    if name == "union":
        return a_value(source, source.choice(kind[1]))
    if name == "fixed":
        return tuple(a_value(source, part) for part in kind[1])
    if name == "items":
        make = {"tuple": tuple, Sequence: list}.get(kind[1], kind[1])
        return _made(make, [a_value(source, kind[2]) for _ in range(source.randrange(4))])
    pairs = [(a_value(source, kind[2]), a_value(source, kind[3])) for _ in range(source.randrange(4))]
    return {key: value for key, value in pairs if _is_hashable(key)}


def any_value(source: random.Random, depth: int) -> Any:
    """Make any value."""
    choice = source.randrange(10) if depth else 0
    if choice < 4:
        return source.choice(VALUES)
    parts = [any_value(source, depth - 1) for _ in range(source.randrange(3))]
    if choice == 9:
        return {part: part for part in parts if _is_hashable(part)}
    return _made([list, tuple, set, frozenset, deque][choice - 4], parts)


def _made(make: Any, parts: list[Any]) -> Any:
    return make([part for part in parts if make not in (set, frozenset) or _is_hashable(part)])


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def keeps(kind: Kind, value: Any, deep: bool) -> bool:
    """Tell whether the value keeps the type: the reference."""
    name = kind[0]
    if name == "any":
        return True
    if name == "leaf":
        wanted = kind[1]
        if wanted is None:
            return value is None
        promoted = {float: (float, int), complex: (complex, float, int)}
        return isinstance(value, promoted.get(wanted, wanted))
    if name == "literal":
        return any(type(value) is type(one) and value == one for one in kind[1])
    if name == "union":
        return any(keeps(part, value, deep) for part in kind[1])
    if name == "fixed":
        if not isinstance(value, tuple) or len(value) != len(kind[1]):
            return False
        return all(keeps(part, item, deep) for part, item in zip(kind[1], value, strict=True))
    if not isinstance(value, tuple if kind[1] == "tuple" else kind[1]):
        return False
    if not deep:
        return True
    if name == "items":
        return all(keeps(kind[2], item, deep) for item in value)
    return all(keeps(kind[2], key, deep) and keeps(kind[3], item, deep) for key, item in value.items())


def compare(seed: int, pairs: int, make: Callable[[Any, bool], Callable[[Any], bool]]) -> tuple[int, int, list[str]]:
    """Compare a checker with the reference: how many pairs kept and broke their annotation, and what was wrong.

    `make` takes an annotation and whether every element counts, and gives a function that tells the verdict.
    """
    source = random.Random(seed)
    counts = [0, 0]
    faults: list[str] = []
    while sum(counts) < pairs:
        kind = a_type(source, source.randint(0, 4))
        deep = source.random() < 0.7
        hint = annotation(kind)
        verdict = make(hint, deep)
        for _ in range(10):
            value = a_value(source, kind)
            right = keeps(kind, value, deep)
            counts[right] += 1
            if verdict(value) is not right:
                faults.append(f"deep={deep} {hint!r} {'refuses' if right else 'accepts'} {value!r}")
    return counts[1], counts[0], faults
