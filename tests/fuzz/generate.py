"""The text of a random module, from a seed: constants, annotated functions, and the calls to make."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.fuzz.objects import BOX
from tests.fuzz.rich import Rich, prelude, some_topics
from tests.fuzz.scope import Callee, Scope, Type, spelling
from tests.fuzz.shapes import shaped
from tests.fuzz.values import argument, value

RESULTS: list[Type] = [
    "int",
    "int",
    "int",
    "float",
    "float",
    "bool",
    "None",
    ("int", "float"),
    ("int", "int"),
    ("bool", ("float", "int")),
    ("int", "float", "bool", "int"),
    ("float", "bool", "int", "float"),
]
PARAMETERS: list[Type] = [
    *("int", "int", "int", "int", "int", "float", "float", "float", "bool", "bool", "None", "maybe"),
    *(
        ("int", "float"),
        ("int", "int"),
        ("int", "None", "bool"),
        ("int", ("None", "bool")),
        ("int", "float", "int", "int", "bool", "float", "None", "int"),
    ),
]
OBJECTS: list[Type] = ["list", "list", "dict", "box", "any"]
SEQUENCES: list[Type] = [
    "ints",
    "ints",
    "ints",
    "floats",
    "floats",
    "bools",
    "grid",
    "rows",
    "octets",
    "buffer",
    "text",
    "text",
]
SHARED: list[Type] = ["ints", "floats", "grid", "buffer"]
"""Kinds of lists that live in the module and are passed again and again, also twice in one call."""
CALLS_PER_FUNCTION = 8
MANY_CALLS = 40
"""Now and then: each takes another exit where exits are forced."""


@dataclass(frozen=True)
class Program:
    """A module, and the statements and expressions to run in it, in order."""

    seed: int
    module: str
    calls: tuple[str, ...]


def program(seed: int) -> Program:
    """The program of a seed."""
    rng = random.Random(seed)
    special = shaped(rng)
    if special:
        lines, calls = special
        return Program(seed, "\n".join(lines) + "\n", tuple(calls))
    constants = make_constants(rng)
    topics = some_topics(rng) if rng.random() < 0.55 else frozenset()
    objects = rng.random() < 0.35
    callees = make_signatures(rng, possible_types(topics, objects=objects))
    texts = ["import math", "import sys", "", "from castiron import jit", ""]
    texts += [f"{name} = {text}" for name, (_, text) in constants.items()]
    if objects:
        texts += ["", "", *BOX]
    texts += prelude(rng, topics)
    maker = Rich(rng, {name: kind for name, (kind, _) in constants.items()})
    maker.topics = topics
    maker.objects = objects
    for number, callee in enumerate(callees):
        maker.callees = callees[:number]
        if callee.recursive:
            maker.callees = [*maker.callees, callee]
            if number + 1 < len(callees) and callees[number + 1].recursive:
                maker.callees.append(callees[number + 1])
        texts += ["", "", "@jit", header(rng, callee), *body(rng, maker, callee)]
    shared = make_shared(rng, topics)
    texts += ["", *(f"{name} = {text}" for name, (_, text) in shared.items())]
    calls = make_calls(rng, callees, constants, {kind: name for name, (kind, _) in shared.items()})
    seen = ["frames_of(HELD)"] if "handlers" in topics else []
    return Program(seed, "\n".join(texts) + "\n", (*calls, *shared, *seen))


def possible_types(topics: frozenset[str], *, objects: bool) -> list[Type]:
    """Types of parameters and results besides numbers and tuples."""
    found = OBJECTS if objects else []
    if "items" in topics:
        found = [*found, *SEQUENCES]
    return [*found, "thing", "thing", "thing", "thing"] if "things" in topics else found


def make_shared(rng: random.Random, topics: frozenset[str]) -> dict[str, tuple[Type, str]]:
    """Names, types and texts of objects that several calls get and change."""
    kinds = [kind for kind in SHARED if rng.random() < 0.6] if "items" in topics else []
    shared = {f"L{number}": (kind, value(rng, kind)) for number, kind in enumerate(kinds)}
    if "things" in topics:
        shared["O0"] = ("thing", "Loud(5, 1.5)")
    return shared


def make_constants(rng: random.Random) -> dict[str, tuple[Type, str]]:
    """Names, types and texts of module constants."""
    constants: dict[str, tuple[Type, str]] = {}
    for number in range(rng.randrange(4)):
        kind: Type = rng.choice(["int", "int", "float", "bool"])
        constants[f"K{number}"] = (kind, value(rng, kind))
    return constants


def make_signatures(rng: random.Random, more: list[Type]) -> list[Callee]:
    callees = []
    results, possible = [*RESULTS, *more[::2]], [*PARAMETERS, *more]
    count = rng.randrange(1, 4)
    for number in range(count):
        recursive = rng.random() < 0.25
        kinds = [rng.choice(possible) for _ in range(rng.randrange(0 if number else 1, 5))]
        parameters: list[tuple[str, Type]] = [("d", "int")] if recursive else []
        for position, kind in enumerate(kinds):
            parameters.append((f"p{position}", kind))
        callee = Callee(
            f"f{number}", parameters, rng.choice(results), cost=1200 if recursive else 1, recursive=recursive
        )
        if rng.random() < 0.3 and len(kinds) > 1:
            callee.keyword_only = rng.randrange(0, 2)
            callee.positional_only = rng.randrange(0, 2)
            callee.defaults = rng.randrange(0, len(kinds) - callee.keyword_only)
        callees.append(callee)
    return callees


def header(rng: random.Random, callee: Callee) -> str:
    texts = []
    count = len(callee.parameters)
    for number, (name, kind) in enumerate(callee.parameters):
        if callee.keyword_only and number == count - callee.keyword_only:
            texts.append("*")
        text = f"{name}: {spelling(kind)}"
        ends = count - callee.keyword_only
        if ends - callee.defaults <= number < ends:
            text += f" = {value(rng, kind)}"
        texts.append(text)
        if callee.positional_only and number == callee.positional_only - 1:
            texts.append("/")
    return f"def {callee.name}({', '.join(texts)}) -> {spelling(callee.result)}:"


def body(rng: random.Random, maker: Rich, callee: Callee) -> list[str]:
    """The statements of a function; what it costs is noted for its callers."""
    maker.start(Scope(dict(callee.parameters)), callee.result)
    names = list(maker.constants)
    if names and rng.random() < 0.15:
        maker.rebound = rng.sample(names, rng.randrange(1, len(names) + 1))
        maker.line(f"global {', '.join(maker.rebound)}")
    if callee.recursive:
        maker.line("if d <= 0 or d > 5:")
        callees, maker.callees = maker.callees, [known for known in maker.callees if not known.recursive]
        maker.indent += 1
        maker.line(f"return {maker.of(callee.result, 2)}")
        maker.indent -= 1
        maker.callees = callees
    for _ in range(rng.randrange(1, 8)):
        if maker.statement(3) or maker.length < 0:
            break
    maker.return_(3 if maker.length > 0 else 2)
    callee.cost = min(maker.cost * 30, 2900) if callee.recursive else maker.cost
    return maker.lines


# Calls.


def make_calls(
    rng: random.Random, callees: list[Callee], constants: dict[str, tuple[Type, str]], shared: dict[Type, str]
) -> list[str]:
    calls = []
    count = MANY_CALLS if rng.random() < 0.2 else CALLS_PER_FUNCTION
    for callee in reversed(callees):
        for _ in range(count):
            calls.append(f"{callee.name}({', '.join(call_arguments(rng, callee, shared))})")
    rng.shuffle(calls)
    for position in sorted(rng.sample(range(len(calls)), rng.choice([0, 0, 1, 2])), reverse=True):
        calls.insert(position, change(rng, callees, constants))
    return calls


def call_arguments(rng: random.Random, callee: Callee, shared: dict[Type, str]) -> list[str]:
    texts = []
    count = len(callee.parameters)
    ends = count - callee.keyword_only
    by_name = rng.random() < 0.12
    omitted = rng.random() < 0.02
    for number, (name, kind) in enumerate(callee.parameters):
        text = str(rng.randrange(-1, 5)) if callee.recursive and number == 0 else argument(rng, kind)
        if kind in shared and rng.random() < 0.3:
            text = shared[kind]
        if number == count - 1 and omitted:
            break
        if number >= ends or (by_name and number >= max(callee.positional_only, count // 2)):
            texts.append(f"{name}={text}")
        elif number >= ends - callee.defaults and rng.random() < 0.3:
            by_name = True
        else:
            texts.append(text)
    if rng.random() < 0.02:
        texts.append(rng.choice(["zz=1", "**{'p0': 1}"]))
    return texts


def change(rng: random.Random, callees: list[Callee], constants: dict[str, tuple[Type, str]]) -> str:
    """A statement that changes what the functions see: a constant, a builtin's name, a function."""
    if constants and rng.random() < 0.7:
        name = rng.choice(list(constants))
        kind: Type = constants[name][0] if rng.random() < 0.7 else rng.choice(["int", "float", "bool"])
        return f"{name} = {value(rng, kind)}"
    if len(callees) > 1 and rng.random() < 0.5:
        return f"{callees[0].name} = other"
    return rng.choice(
        ["abs = float", "min = max", "math = Fake", "round = int", "len = abs", "sum = max", "range = range"]
    )
