"""Programs about frozen classes: objects that are made, read, changed, kept and lost in compiled code.

Some objects are seen by nobody, some only when a division fails, when a callback raises or rebinds their class, or when
they are kept in a list; several variables hold one object, and objects hold objects.
"""

from __future__ import annotations

import random

HEAD = """
from __future__ import annotations
import gc
from castiron import frozen, jit

KEPT = []


@frozen
class V:
    x: float
    y: float = 0.5

    @jit
    def plus(self, other: V) -> V:
        return V(self.x + other.x, self.y + other.y)

    @jit
    def __sub__(self, other: V) -> V:
        return V(self.x - other.x, y=self.y - other.y)

    @jit
    def dot(self, other: V) -> float:
        return self.x * other.x + self.y * other.y

    @jit
    def scaled(self, by: float) -> V:
        return V(self.x * by, self.y / by)


@frozen
class P:
    a: V
    b: V | None = None
    n: int = 3
    kept: object = None

    @jit
    def turned(self) -> P:
        return P(self.a.scaled(2.0), self.a, self.n + 1, self.kept)


@frozen
class R:
    a: float
    n: int = 1


class Other:
    def __init__(self, a=0.0, n=2):
        self.a, self.n = a, n

    def __repr__(self):
        return f"Other({self.a!r}, {self.n!r})"


class Act:
    def __init__(self, what, at):
        self.what, self.at = what, at

    def __call__(self, value):
        self.at -= 1
        if self.at == 0:
            if self.what == "raise":
                raise LookupError(value)
            if self.what == "collect":
                gc.collect()
            if self.what == "rebind":
                globals()["R"] = Other
            if self.what == "change":
                value.x = -value.x
            if self.what == "show":
                print(value)
        return value


def again(function, *args):
    own = globals()["R"]
    try:
        return function(*args)
    finally:
        globals()["R"] = own
        print(KEPT[-3:])
        KEPT.clear()
""".strip().splitlines()
"""What stands in front of the functions."""

TRUSTED = "# trusted: no promise is broken, and the plain run checks none"
"""The first line of a module whose plain functions are called without a wrapper, whose frames would count."""

VECTORS = ["v0", "v1", "v2"]
PAIRS = ["p0", "p1"]


class Maker:
    """Writes the statements of one function."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines: list[str] = []
        self.loops = 0

    def real(self, depth: int = 2) -> str:
        pick = self.rng.choice
        if depth == 0 or self.rng.random() < 0.3:
            return pick(["s", "x", "y", "0.5", "-1.0", "float(i)", *(f"{v}.{f}" for v in VECTORS for f in "xy")])
        one, other = self.real(depth - 1), self.real(depth - 1)
        called = f"R(act(v0).x, i).n * {one}" if self.rng.random() < 0.3 else f"R(a={one}, n=i).n"
        divided = f"({one} / {other})" if self.rng.random() < 0.3 else f"{pick(PAIRS)}.a.x"
        dot = f"{pick(VECTORS)}.dot({self.vector(depth - 1)})"
        sums = [f"({one} + {other})", f"({one} - {other})", f"({one} * {other})"]
        return pick([*sums, dot, f"R({one}).a", called, divided, one])

    def vector(self, depth: int = 2) -> str:
        pick = self.rng.choice
        if depth == 0 or self.rng.random() < 0.35:
            return pick(VECTORS)
        one, other = self.real(depth - 1), self.real(depth - 1)
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        made = [f"V({one}, {other})", f"V({one})", f"V(y={one}, x={other})", f"{left}.plus({right})"]
        found = [f"({left} - {right})", f"{left}.scaled({one})", f"{pick(PAIRS)}.a", f"{pick(PAIRS)}.turned().a"]
        return pick(made + found)

    def pair(self) -> str:
        pick = self.rng.choice
        return pick([
            f"P({self.vector(1)})", f"P({self.vector(1)}, {pick(VECTORS)})", f"P({pick(VECTORS)}, n=i, b=None)",
            f"P({pick(VECTORS)}, {pick(VECTORS)}, i, {pick(VECTORS)})", f"{pick(PAIRS)}.turned()", pick(PAIRS),
        ])  # fmt: skip

    def statement(self, indent: str, depth: int) -> None:
        pick, add = self.rng.choice, lambda text: self.lines.append(indent + text)
        roll = self.rng.random()
        if roll < 0.3:
            add(f"{pick(VECTORS)} = {self.vector()}")
        elif roll < 0.42:
            add(f"{pick(PAIRS)} = {self.pair()}")
        elif roll < 0.56:
            add(f"s {pick(['=', '+=', '-='])} {self.real()}")
        elif roll < 0.62:
            add(f"{pick(VECTORS)}.{pick('xy')} {pick(['=', '+='])} {self.real(1)}")
        elif roll < 0.67:
            add(f"KEPT.append({pick([*VECTORS, *PAIRS, 'r'])})")
        elif roll < 0.74:
            add(f"act({pick(VECTORS)})")
        elif roll < 0.8:
            add(f"t = ({pick(VECTORS)} is {pick(VECTORS)}, {pick(PAIRS)}.a is {pick(VECTORS)}, {pick(PAIRS)}.b)")
        elif roll < 0.82:
            add(f"r = R({self.real(1)}, n={pick(['i', 'n', 'r.n'])})")
        elif roll < 0.84:
            add(f"{pick(PAIRS)}.{pick(['a', 'b'])} = {pick(VECTORS)}")
        elif roll < 0.94 and depth:
            add(f"if {self.real(1)} {pick(['<', '>', '=='])} {self.real(1)}:")
            self.block(indent, depth)
            if self.rng.random() < 0.4:
                add("else:")
                self.block(indent, depth)
        elif depth and self.loops < 2:
            self.loops += 1
            add(f"for i in range({pick(['3', 'n', 'n * 100'])}):")
            self.block(indent, depth)
        else:
            add(f"s = s * 0.5 + {pick(VECTORS)}.y")

    def block(self, indent: str, depth: int) -> None:
        for _ in range(self.rng.randrange(1, 4)):
            self.statement(indent + "    ", depth - 1)


def vectors(rng: random.Random) -> tuple[list[str], list[str]]:
    """The lines of a module, and its calls."""
    lines, calls = [TRUSTED, *HEAD], []
    for number in range(rng.randrange(1, 3)):
        maker = Maker(rng)
        for _ in range(rng.randrange(3, 12)):
            maker.statement("    ", 2)
        lines += ["", "", "@jit", f"def f{number}(x: float, y: float, n: int, act) -> object:"]
        lines += ["    s, i, t = x, n, None", "    v0 = V(x, y)", "    v1 = V(y)", "    v2 = v0", "    r = R(x)"]
        lines += ["    p0 = P(v0, v1)", "    p1 = P(v2)", *maker.lines]
        last = rng.choice(["v0", "p0", "(v1, v2 is v0)", "t", "r", "(p0, p1.a is p0.a)"])
        lines.append(f"    return (s, t, {last})")
        for _ in range(6):
            x, y = (rng.choice(["1.0", "-0.5", "0.0", "3", "1e308", "float('nan')", "2.5"]) for _ in "xy")
            what = rng.choice(["none", "raise", "collect", "rebind", "change", "show"])
            act = f"Act('{what}', {rng.choice([1, 1, 2, 3])})"
            calls.append(f"again(f{number}, {x}, {y}, {rng.choice([0, 1, 2, 7])}, {act})")
    return lines, calls
