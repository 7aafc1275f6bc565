"""The text of a random module, from a seed: constants, annotated functions, and the calls to make."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.fuzz.expressions import FLOATS, INTS, Callee, Scope, Type, some_int, spelling
from tests.fuzz.objects import BOX
from tests.fuzz.shapes import shaped
from tests.fuzz.statements import Statements

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
CALLS_PER_FUNCTION = 8


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
    objects = rng.random() < 0.35
    callees = make_signatures(rng, objects=objects)
    texts = ["import math", "", "from castiron import jit", ""]
    texts += [f"{name} = {text}" for name, (_, text) in constants.items()]
    if objects:
        texts += ["", "", *BOX]
    maker = Statements(rng, {name: kind for name, (kind, _) in constants.items()})
    maker.objects = objects
    for number, callee in enumerate(callees):
        maker.callees = callees[:number]
        if callee.recursive:
            maker.callees = [*maker.callees, callee]
            if number + 1 < len(callees) and callees[number + 1].recursive:
                maker.callees.append(callees[number + 1])
        texts += ["", "", "@jit", header(rng, callee), *body(rng, maker, callee)]
    return Program(seed, "\n".join(texts) + "\n", tuple(make_calls(rng, callees, constants)))


def make_constants(rng: random.Random) -> dict[str, tuple[Type, str]]:
    """Names, types and texts of module constants."""
    constants: dict[str, tuple[Type, str]] = {}
    for number in range(rng.randrange(4)):
        kind: Type = rng.choice(["int", "int", "float", "bool"])
        constants[f"K{number}"] = (kind, value(rng, kind))
    return constants


def make_signatures(rng: random.Random, *, objects: bool) -> list[Callee]:
    callees = []
    results = [*RESULTS, *OBJECTS] if objects else RESULTS
    possible = [*PARAMETERS, *OBJECTS] if objects else PARAMETERS
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


def body(rng: random.Random, maker: Statements, callee: Callee) -> list[str]:
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


def make_calls(rng: random.Random, callees: list[Callee], constants: dict[str, tuple[Type, str]]) -> list[str]:
    calls = []
    for callee in reversed(callees):
        for _ in range(CALLS_PER_FUNCTION):
            calls.append(f"{callee.name}({', '.join(call_arguments(rng, callee))})")
    rng.shuffle(calls)
    for position in sorted(rng.sample(range(len(calls)), rng.choice([0, 0, 1, 2])), reverse=True):
        calls.insert(position, change(rng, callees, constants))
    return calls


def call_arguments(rng: random.Random, callee: Callee) -> list[str]:
    texts = []
    count = len(callee.parameters)
    ends = count - callee.keyword_only
    by_name = rng.random() < 0.12
    omitted = rng.random() < 0.02
    for number, (name, kind) in enumerate(callee.parameters):
        text = str(rng.randrange(-1, 5)) if callee.recursive and number == 0 else argument(rng, kind)
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
