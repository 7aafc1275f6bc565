"""Values that the calls of a program pass, as text: extremes, subclasses, wrong ones, items that nobody promised."""

from __future__ import annotations

import random

from tests.fuzz.expressions import FLOATS, INTS, some_int
from tests.fuzz.items import ELEMENTS, WORDS
from tests.fuzz.scope import Type
from tests.fuzz.things import MAKERS

ODD_ITEMS = [
    "True",
    "SubInt(4)",
    str(2**64),
    "1.5",
    "math.nan",
    "None",
    "'x'",
    "SubFloat(2.5)",
    str(-(2**63)),
    "(1, 2)",
]
"""What stands in a list that is annotated to hold something else."""


def value(rng: random.Random, kind: Type) -> str:
    """A value of the type, as text; extremes are likely."""
    match kind:
        case "int":
            return str(some_int(rng))
        case "float":
            return rng.choice(FLOATS) if rng.random() < 0.7 else repr(rng.uniform(-100, 100))
        case "bool":
            return rng.choice(["True", "False"])
        case "None":
            return "None"
        case "maybe":
            return value(rng, rng.choice(["int", "None"]))
        case "list":
            return f"[{', '.join(value(rng, 'int') for _ in range(rng.randrange(4)))}]"
        case "dict":
            return rng.choice(["{}", "{0: 5, 1: 2.5}", "{1: -7}", "{0: True, 2: 10**20}"])
        case "box":
            return f"Box({value(rng, 'int')}, {value(rng, rng.choice(['float', 'int']))})"
        case "thing":
            return f"{rng.choice(MAKERS[:-1])}({value(rng, 'int')}, {value(rng, rng.choice(['float', 'int']))})"
        case "text":
            return rng.choice(WORDS)
        case "octets":
            return rng.choice(["b''", "b'hello'", "bytes(range(250, 256))", "b'aaaa'"])
        case "buffer":
            return rng.choice(["bytearray()", "bytearray(b'hello')", "bytearray(range(9))", "bytearray(40)"])
        case str() if kind in ELEMENTS:
            return items_of(rng, kind)
        case "any":
            return value(rng, rng.choice(["int", "float", "bool", "None", "list", ("int", "int")]))
    items = [value(rng, item) for item in kind]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def argument(rng: random.Random, kind: Type) -> str:
    """Mostly a value of the type; else of a subclass, of what the annotation accepts too, or a wrong one."""
    roll = rng.random()
    if roll < 0.86:
        return value(rng, kind)
    if kind == "int" and roll < 0.96:
        return rng.choice(["True", "False", f"SubInt({rng.choice(INTS)})", str(rng.choice([-1, 1]) * 2**200)])
    if kind == "float" and roll < 0.96:
        return rng.choice([str(rng.choice(INTS)), "True", "SubFloat(1.5)", "SubFloat('nan')"])
    if isinstance(kind, tuple) and roll < 0.97:
        items = [argument(rng, item) for item in kind] + (["1"] if roll < 0.88 else [])
        text = f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        return f"SubTuple({text})" if rng.random() < 0.5 else text
    return rng.choice(["'text'", "None", "1.5", "(1, 2.5)", "[1]", "3", "1j"])


def items_of(rng: random.Random, kind: Type) -> str:
    """A list of what it is annotated to hold, now and then with something else in it, or one item many times."""
    item = ELEMENTS[kind]
    texts = [value(rng, item) for _ in range(rng.choice([0, 1, 2, 3, 4, 6]))]
    if texts and rng.random() < 0.08:
        texts[rng.randrange(len(texts))] = rng.choice(ODD_ITEMS)
    if texts and rng.random() < 0.1:
        return f"[{texts[0]}] * {rng.choice([2, 3, 20])}"
    return f"[{', '.join(texts)}]"
