"""Programs of a given shape, with random parts, for what random statements hardly ever come to.

- `wide`: long loops whose ints go beyond 64 bits and come back, so that loop versions compute in two words;
- `deep`: recursion that ends next to the limit, where inlined calls count;
- `patched`: a signal handler or another thread rebinds a global while a compiled caller runs;
- `likely`: globals that keep changing, read as what they were, and results that only look like the promised type;
- `classes`: objects of frozen classes and of their subclasses (`sealed.py`).
- `chains`: chains of objects and ladders of functions, where exits lie deep in inlined calls (`chains.py`);
- `single`: functions of one statement each (`uncommon.py`);
- `vectors`: frozen classes, whose objects compiled code makes or does not make.

Each gives the lines of a module and the calls to make.
"""

from __future__ import annotations

import random

from tests.fuzz.arrays import HEAD, Shape, edges, kernels
from tests.fuzz.chains import chains
from tests.fuzz.sealed import sealed
from tests.fuzz.uncommon import single
from tests.fuzz.vectors import TRUSTED, vectors


def wide(rng: random.Random) -> Shape:
    """Sums, products, quotients, shifts, masks and comparisons of ints up to about 126 bits."""
    turns = rng.choice([700, 1500, 2500])
    names = ["a", "b", "c"]
    lines = [*HEAD, "", "@jit", "def f1(n: int) -> int:", f"    return n % {rng.choice([1000, 2**31])} + 1"]
    lines += ["", "", "@jit", "def f0(a: int, b: int, n: int) -> int:", "    c = 1", "    seen = 0"]
    lines.append(rng.choice([f"    for i in range({turns}):", "    i = 0"]))
    if lines[-1].endswith("0"):
        lines += [f"    while i < {turns}:", "        i += 1"]
    for _ in range(rng.randrange(2, 7)):
        lines += [f"        {text}" for text in wide_step(rng, names)]
    for name in names:
        limit = rng.choice([2**70, 2**100, 2**126, 2**126, 2**127 - 1, 2**64])
        back = rng.choice(
            ["n + i", f"{name} % {rng.choice([2**61 - 1, 2**31, 2**64 + 13])}", f"({name} >> 40) % {2**90}", "-i"]
        )
        test = rng.choice([f"if not -{limit} < {name} < {limit}:", f"if abs({name}) > {limit}:"])
        lines += [f"        {test}", f"            {name} = {back}"]
        if rng.random() < 0.5:
            lines.append(f"        if {name} {rng.choice(['<', '>', '==', '<=', '!=', '>='])} {some_edge(rng, names)}:")
            lines.append("            seen = (seen * 3 + i) % 1000000007")
    lines += ["    print(a, b, c, i)", "    return seen"]
    starts = ["0", "1", "-5", str(2**62), str(2**63 - 3), str(-(2**63)), str(2**64 + 1), str(-(2**90)), "True"]
    calls = [f"f0({rng.choice(starts)}, {rng.choice(starts)}, {rng.choice(starts)})" for _ in range(4)]
    return lines, calls


def some_edge(rng: random.Random, names: list[str]) -> str:
    edges = ["0", "i", str(2**63 - 1), str(2**63), str(-(2**63)), str(2**64), str(2**100)]
    return rng.choice([*names, *edges])


def wide_step(rng: random.Random, names: list[str]) -> list[str]:
    """One or two lines that change a variable."""
    x, y, z = (rng.choice(names) for _ in range(3))
    constant = rng.choice(["3", "7", "1103515245", "6364136223846793005", "-11", str(2**62), "i", str(2**65 + 1)])
    modulus = rng.choice(["7", "-13", "1000000007", "2147483648", str(2**63 - 25), str(2**64 + 13), f"({y} | 1)"])
    shift = rng.choice(["1", "12", "31", "63", "64", "65", "100"])
    mask = rng.choice(["255", str(2**31 - 1), str(2**63 - 1), str(2**64 - 1), str(2**100 - 1), "-16"])
    return rng.choice([
        [f"{x} = {y} * {constant} + {z}"],
        [f"{x} = {y} * {z} - {constant}"],
        [f"{x} += {y}"],
        [f"{x} -= {y} * {constant}"],
        [f"{x} = ({y} * {constant} + 12345) % {modulus}"],
        [f"{x} = {y} * {z} % {modulus}"],
        [f"{x} = ({y} * {z}) & {mask}"],
        [f"{x} = ({y} * {constant}) >> {shift}"],
        [f"{x} = {y} * {z} // {modulus}"],
        [f"{x} = {y} * {constant} {rng.choice('&|^')} {z}"],
        [f"{x} //= {modulus}"],
        [f"{x} = -{y} * {constant}"],
        [f"t = {y} * {z}", f"{x} = {rng.choice(['min', 'max'])}(t, {z} * {constant})"],
        [f"if {y} * {z} {rng.choice(['<', '>=', '=='])} {constant}:", f"    {x} = {z} * 5 + {y} * {y}"],
        [f"{x} = f1({y}) ^ {z}"],
        [f"{x} = {y} + {y} + {z}"],
        [f"{x} = -{y} - {z} - {z}"],
    ])  # fmt: skip


def deep(rng: random.Random) -> Shape:
    """Recursive functions that are called with little room left; the bodies are small enough to be inlined.

    They compare nothing: how much room a comparison takes depends on how warm CPython's instruction is.
    """
    term = rng.choice(["n", "n * 3 - 1", "(n & 5)", "n % 7", "1"])
    op = rng.choice(["+", "-", "^", "|"])
    lines = [TRUSTED, *HEAD, "", "@jit", "def f0(n: int) -> int:", "    if not n:", "        return 1"]
    shape = rng.randrange(4)
    if shape == 0:
        lines += [f"    return f0(n - 1) {op} {term}"]
    elif shape == 1:
        lines += [f"    return f1(n - 1) {op} {term}", "", "", "@jit", "def f1(n: int) -> int:"]
        lines += ["    if not n:", "        return 2", f"    return {term} {op} f0(n - {rng.choice([1, 2])})"]
    elif shape == 2:
        lines += [f"    if not n % {rng.choice([5, 9, 17])}:", "        return f0(n - 1)"]
        lines += [f"    return f0(n - 2) {op} {term}"]
    else:
        lines += [f"    k = f2(n) {op} {term}", "    return f0(n - 1) + k % 3"]
    lines += ["", "", "@jit", "def f2(n: int) -> int:", f"    return f3(n) {op} 1"]
    lines += ["", "", "@jit", "def f3(n: int) -> int:", f"    return {term} + n"]
    calls = []
    for _ in range(24):
        room = rng.randrange(1, 40)
        depth = max(0, room + rng.randrange(-4, 5)) if rng.random() < 0.8 else rng.randrange(40)
        name = rng.choice(["f0", "f0", "f0", "f2"])
        calls.append(f"with_room({room}, {name}, {depth})")
    rng.shuffle(calls)
    return lines, ["f0(3)", "f2(4)", *calls, "f0(2)"]


def patched(rng: random.Random) -> Shape:
    """A function turns until a global has another value, which it and its recursive callee read under guards."""
    old, new = rng.sample([1, 2, 3, 50, -7, 2**40], 2)
    reads = rng.choice(["K0", "K0 + 0", "K0 * 1", "K0 if n < 100 else 0"])
    depth = rng.choice([3, 10, 25, 60])
    lines = [*HEAD, f"K0 = {old}", f"K1 = {rng.choice([1, 5])}", "", ""]
    callee = ["@jit", "def f0(n: int) -> int:", "    if n <= 0:", f"        return {reads}"]
    callee.append(rng.choice(["    return f0(n - 1)", "    return f0(n - 1) + 0", "    return (f0(n - 1) ^ K1) ^ K1"]))
    loop = rng.choice([f"f0({depth}) == {old}", f"K0 == {old}", f"(f0({depth}) + K1) == {old} + K1"])
    caller = ["@jit", "def f1(n: int) -> int:", "    k = 0", f"    while k < 100000000 and {loop}:"]
    caller += ["        k += 1", f"    return K0 * n + f0({depth}) % 1000 + (0 if k < 100000000 else 10**9)"]
    lines += [*callee, "", "", *caller]
    calls = ["f0(2)", f"K0 = {new}", "f1(2)", f"K0 = {old}", f"f0({depth})"]
    for _ in range(rng.choice([2, 4, 8])):
        how = rng.choice(["signal", "signal", "signal", "thread"])
        value = rng.choice([str(new), str(new), "1.5", str(2**70), "True" if old != 1 else "False"])
        calls += [f"with_change(globals(), 'K0', {value}, {how!r}, f1, {rng.choice([1, 3, 2**62])})", f"K0 = {old}"]
        calls += ["f0(5)"]
    return lines, calls


LIKELY = [("int", ["1", "-3", str(2**62)]), ("float", ["1.5", "-0.0", "1e300"]), ("bool", ["True", "False"]),
          ("None", ["None"]), ("tuple", ["(1, 2)", "(1, 2.5)", "(1,)", "(1, 2, 3)", "SubTuple((1, 2))"])]  # fmt: skip
"""Kinds of globals and values of each."""


def likely(rng: random.Random) -> Shape:
    """One global changes again and again, until code reads it as an object that is likely of a type."""
    name, wanted, bodies = rng.choice([
        ("K0", "int", ["    return K0 + n", "    a = K0", "    return K0 * n - K0"]),
        ("K0", "float", ["    return int(K0 * 0.5 + n) if -1e9 < K0 < 1e9 else n", "    return n if K0 < x else 3"]),
        ("K1", "bool", ["    return n + K1", "    return n if K1 else 4", "    return n if K1 and n > 3 else -n"]),
        ("K2", "tuple", ["    a, b = K2", "    return len(K2) + n"]),
        ("K3", "None", ["    return n if K3 is None else n + 5"]),
    ])  # fmt: skip
    lines = [
        *HEAD,
        "K0 = 1",
        "K1 = True",
        "K2 = (1, 2)",
        "K3 = None",
        "",
        "",
        "@jit",
        "def f0(n: int, x: float) -> int:",
    ]
    lines.append(rng.choice(bodies))
    if "return" not in lines[-1]:
        lines.append("    return a + n")
    lines += ["", "", "@jit", "def f1(n: int) -> int:", "    k = 0", "    for i in range(3):"]
    lines += ["        k = (k * 3 + f0(n + i, 1.5)) % 1000003", "    return k"]
    lines += ["", "", "@jit", f"def f2(n: int) -> {rng.choice(['int', 'bool', 'float', 'None'])}:"]
    lines += rng.choice([
        ["    return [n, True, None, 1.5][n]"],
        ["    t = {0: n, 1: n > 0, 2: None, 3: 1.5}", "    return t[n]"],
    ])  # fmt: skip
    calls = []
    for turn in range(rng.choice([20, 160, 320])):
        values = dict(LIKELY)[wanted] if turn % 9 else rng.choice(LIKELY)[1]
        calls += [f"{name} = {rng.choice(values)}", f"f{turn % 3}({turn % 4}{', 2.5' if turn % 3 == 0 else ''})"]
    return lines, calls


def classes(rng: random.Random) -> Shape:
    """Frozen classes, their methods and operators."""
    lines, calls = sealed(rng)
    return [TRUSTED, *lines], calls


def linked(rng: random.Random) -> Shape:
    """Exits deep in inlined calls."""
    lines, calls = chains(rng)
    return [TRUSTED, *lines], calls


SHAPES = {
    wide: 0.07,
    deep: 0.02,
    patched: 0.008,
    likely: 0.025,
    kernels: 0.09,
    edges: 0.02,
    classes: 0.07,
    vectors: 0.05,
    linked: 0.05,
    single: 0.03,
}
"""How often each is made."""


def shaped(rng: random.Random) -> Shape | None:
    """A program of one of the shapes, now and then."""
    roll = rng.random()
    for make, share in SHAPES.items():
        roll -= share
        if roll < 0:
            return make(rng)
    return None
