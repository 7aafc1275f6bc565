"""What classes of three fields cost whose annotations somebody enforces, or that are frozen, beside plain ones.

Figures: defining the class (microseconds); creation, reading, writing, comparing (nanoseconds); bytes per instance; and
what the class refuses.
"""

from __future__ import annotations

import dataclasses
import gc
import timeit
import tracemalloc
import typing as t
from collections.abc import Callable
from typing import Any

from enforce_calls import CALLS, WINDOW, turns_in

INSTANCES = 20_000
#: The row of the class that refuses everything.
SEALED = "castiron.frozen(immutable, final)"
FIELDS = {"a": int, "b": float, "c": str}
TEXT = "class P{base}:\n    a: int\n    b: float\n    c: str\n"


def body(base: str = "", **space: Any) -> Any:
    """The class of three annotated fields with these bases."""
    exec(TEXT.format(base=base), space)
    return space["P"]


def plain() -> Any:
    class P:
        def __init__(self, a, b, c):
            self.a = a
            self.b = b
            self.c = c

    return P


def slots() -> Any:
    class P:
        __slots__ = ("a", "b", "c")

        def __init__(self, a, b, c):
            self.a = a
            self.b = b
            self.c = c

    return P


def attrs_define(**options: Any) -> Any:
    import attrs

    return attrs.define(**options)(body())


def attrs_validated() -> Any:
    import attrs

    class P:
        a: int = attrs.field(validator=attrs.validators.instance_of(int))
        b: float = attrs.field(validator=attrs.validators.instance_of(float))
        c: str = attrs.field(validator=attrs.validators.instance_of(str))

    return attrs.define(P)


def pydantic_model(**options: Any) -> Any:
    import pydantic

    return pydantic.create_model(
        "P", __config__=pydantic.ConfigDict(**options), **{name: (kind, ...) for name, kind in FIELDS.items()}
    )


def pydantic_dataclass() -> Any:
    import pydantic

    return pydantic.dataclasses.dataclass(slots=True, frozen=True)(body())


def msgspec_struct(**options: Any) -> Any:
    import msgspec

    return msgspec.defstruct("P", list(FIELDS.items()), **options)


def beartype_dataclass() -> Any:
    import beartype

    return beartype.beartype(dataclasses.dataclass(slots=True)(body()))


def castiron_typed() -> Any:
    import castiron

    return castiron.typed(dataclasses.dataclass(slots=True)(body()))


def castiron_frozen(**options: Any) -> Any:
    import castiron

    return castiron.frozen(**options)(body())


#: For each row, what makes the class.
CLASSES: dict[str, Callable[[], Any]] = {
    "a plain class": plain,
    "__slots__": slots,
    "dataclass": lambda: dataclasses.dataclass(body()),
    "dataclass(slots)": lambda: dataclasses.dataclass(slots=True)(body()),
    "dataclass(slots, frozen)": lambda: dataclasses.dataclass(slots=True, frozen=True)(body()),
    "NamedTuple": lambda: body("(NamedTuple)", NamedTuple=t.NamedTuple),
    "attrs.define": attrs_define,
    "attrs.define(frozen)": lambda: attrs_define(frozen=True),
    "attrs.define, instance_of": attrs_validated,
    "pydantic BaseModel": pydantic_model,
    "pydantic BaseModel(frozen)": lambda: pydantic_model(frozen=True),
    "pydantic, checks assignments": lambda: pydantic_model(validate_assignment=True),
    "pydantic dataclass(slots, frozen)": pydantic_dataclass,
    "msgspec.Struct": msgspec_struct,
    "msgspec.Struct(frozen)": lambda: msgspec_struct(frozen=True),
    "msgspec.Struct(frozen, gc=False)": lambda: msgspec_struct(frozen=True, gc=False),
    "beartype, dataclass(slots)": beartype_dataclass,
    "castiron.typed, dataclass(slots)": castiron_typed,
    "castiron.frozen": castiron_frozen,
    SEALED: lambda: castiron_frozen(immutable=True, final=True),
    "castiron.frozen(immutable, final, weakref=False)": lambda: castiron_frozen(
        immutable=True, final=True, weakref=False
    ),
}

#: What a class may refuse, and the statement that tries it.
REFUSALS = {
    "bad init": 'C(a="x", b=2.0, c="s")',
    "bad write": 'o.a = "x"',
    "any write": "o.a = 5",
    "new attribute": "o.other = 1",
    "new on class": "C.other = 1",
    "subclass": "type('S', (C,), {})",
}
TIMES = ("define us", "create ns", "by name ns", "read ns", "write ns", "== ns", "bytes")


def least(statement: str, space: dict[str, Any], rounds: int, scale: float) -> float:
    timed = timeit.Timer("; ".join([statement] * CALLS), globals=space)
    turns = turns_in(WINDOW * scale, timed)
    return min(timed.timeit(turns) / turns for _ in range(rounds)) / CALLS * 1e9


def refuses(make: Callable[[], Any], statement: str) -> bool:
    """Whether a class that is made for this refuses the statement."""
    kind = make()
    try:
        exec(statement, {"C": kind, "o": kind(a=1, b=2.0, c="s")})
    except Exception:
        return True
    return False


def bytes_per_instance(kind: Any) -> float:
    kept = [None] * INSTANCES
    a, b, c = 1, 2.0, "s"
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(INSTANCES):
        kept[number] = kind(a=a, b=b, c=c)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / INSTANCES


def row(make: Callable[[], Any], rounds: int, scale: float) -> dict[str, float | bool]:
    begun = timeit.default_timer()
    kind = make()
    figures: dict[str, float | bool] = {"define us": (timeit.default_timer() - begun) * 1e6}
    one, other = kind(a=1, b=2.0, c="s"), kind(a=1, b=2.0, c="s")
    space = {"C": kind, "o": one, "p": other}
    nothing = least("o", space, rounds, scale)
    statements = {"create ns": 'C(1, 2.0, "s")', "by name ns": 'C(a=1, b=2.0, c="s")', "== ns": "o == p"}
    for name, statement in {**statements, "read ns": "o.a", "write ns": "o.a = 5"}.items():
        try:
            exec(statement, space)
        except Exception:
            continue
        figures[name] = least(statement, space, rounds, scale) - (nothing if name == "read ns" else 0)
    figures["bytes"] = bytes_per_instance(kind)
    figures.update((name, refuses(make, statement)) for name, statement in REFUSALS.items())
    return figures


def measure(rounds: int, scale: float) -> tuple[dict[str, dict[str, float | bool]], list[str]]:
    """The figures of each class that can be made here, and which can't."""
    rows, notes = {}, []
    for name, make in CLASSES.items():
        try:
            make()
        except ImportError as error:
            notes.append(f"{name}: {error}")
            continue
        rows[name] = row(make, rounds, scale)
    passed = [refusal for refusal in REFUSALS if not rows[SEALED][refusal]]
    notes += [f"castiron: {SEALED} lets pass: {refusal}" for refusal in passed]
    return rows, notes
