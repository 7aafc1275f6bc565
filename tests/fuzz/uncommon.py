"""Random statements that programs hold now and then and hot loops hardly ever, on numbers that were just computed.

Deletions, stars, small classes and functions, patterns over mappings, formatted text. `single` puts one of them into
a function of its own, so that no exit in front of it hides those that it has.
"""

from __future__ import annotations

import random

from tests.fuzz.arrays import HEAD, Shape
from tests.fuzz.scope import Type
from tests.fuzz.statements import Statements

PICKED = [
    "@jit",
    "def picked(items: list, n: int) -> int:",
    "    return items[n % len(items)]",
    "",
    "",
    "G7 = 3",
]
"""A function small enough to be inlined, whose result is only likely what it says; a global to write."""

OWN: dict[str, Type] = {"l7": "list", "m7": "dict"}
"""Containers that these statements make and change."""


class Uncommon(Statements):
    """Statements that are rare in hot loops."""

    def start_uncommon(self) -> None:
        self.writes_global = False

    def about_uncommon(self, depth: int) -> bool:
        """A loop over a few of them, or one of them."""
        if depth > 0 and self.loop_depth < 2 and self.cost < 2500 and self.rng.random() < 0.6:
            self.line("l7, m7 = [1, 2, 3], {0: 1, 1: 2.5, 2: True}")
            for name, kind in OWN.items():
                self.scope.bind(name, kind)
            known = "j7" in self.scope.types and "j7" not in self.scope.unsure
            self.line(f"for j7 in range({self.rng.choice([5, 12, 12])}):")
            self.scope.bind("j7", "int", sure=False)
            self.scope.unsure.discard("j7")
            weight, self.weight = self.weight, self.weight * 12
            self.loop_depth += 1
            self.indent += 1
            for _ in range(self.rng.choice([1, 2, 3])):
                self.uncommon()
            self.indent -= 1
            self.loop_depth -= 1
            self.weight = weight
            if not known:
                self.scope.unsure.add("j7")
        else:
            if any(self.scope.types.get(name) != kind or name in self.scope.unsure for name, kind in OWN.items()):
                self.line("l7, m7 = [1, 2, 3], {0: 1, 1: 2.5, 2: True}")
                for name, kind in OWN.items():
                    self.scope.bind(name, kind)
            self.uncommon()
        return False

    def uncommon(self) -> None:
        """One of them, on `l7` and `m7`; both hold something again behind it."""
        n, m = self.integer(1), self.integer(0)
        x = self.number(1)
        texts = self.rng.choice([
            [f"m7[{n} % 3] = {x}", f"del m7[{n} % 3]", "m7 = {0: 1, 1: 2.5, 2: True}"],
            [f"del l7[{n} % 3]", f"l7 = [1, {m}, 3]"],
            [f"del l7[{n} % 3:{m} % 4]", f"l7 = [{n}, 2, 3]"],
            [f"l7 = l7[{n} % 2:{m} % 4] or [4, 5, 6]"],
            [f"print(l7[{n} % 3::-1], l7[{m} % 3:])"],
            [f"q7, *l7 = [{n}, {m}, *l7][:4]", "print(q7)", "l7 = [*l7, 5, 6, 7][:3]"],
            [f"*l7, q7 = ({n}, 2, 3, {x})", "print(q7, l7)"],
            [f"l7 = [*l7, {n}][-3:]"],
            [f"l7[{n} % 2:{m} % 3] = [{n}, {x}]", "l7 = [*l7, 1, 2, 3][:3]"],
            [f"l7 += [{n}]", "l7 = l7[-3:]"],
            [f"m7 = {{**m7, {n} % 3: {x}}}"],
            [f"m7 |= {{{n} % 3: {m}}}"],
            [f"q8, q9 = {n}, {x}", "print(f'{q8:>12} {q9!r:<9} {l7}')"],
            [f"print(len({{{n}, {m}, {x}}}))"],
            [f"print(sorted({{{n} % 7, {m} % 5, *l7}}, key=repr))"],
            [f"match {{'a': {n} % 2, 'b': {x}}}:", "    case {'a': 0, **c7}:", "        print(c7)",
             f"    case {{'b': c7}} if {self.truth(0)}:", "        print(c7)"],
            [f"match [{n}, {m} % 2, *l7]:", "    case [c7, 0, *_]:", "        print(c7)", "    case [_, c7]:",
             "        print('two', c7)", "    case [int(), 1, c7, *_]:", "        print('one', c7)"],
            [f"match {x}:", "    case int(c7) | bool(c7):", "        print('int', c7)", "    case float(c7):",
             "        print('float', c7)"],
            ["class C7:", f"    kept = {n}", "    def get(self):", "        return self.kept",
             "print(C7.kept, C7().get())"],
            [f"def h7(p={n}, *, q={x}):", "    return p", "print(h7(), h7(2))"],
            [f"print((lambda p={n}: p)())"],
            [f"print(sum(p * {m} for p in l7 if type(p) is int) % 1000003)"],
            [f"print(len(l7) + {n}, len(m7) * {m})"],
            [f"print(picked(l7, {n}) == {m})"],
            [f"l7[picked([0, 1, 2], {n})] = {x}"],
            [f"print(all([{n}, l7]), any((0, {m})))"],
            [f"print(('a', 'b', 'c')[{n} % 3], 'text'[{m} % 4:])"],
            [f"assert {n} != {m} or l7, {x}"],
            ["try:", f"    del m7[{n} % 5]", "except KeyError:", f"    print('no', {m})",
             "m7 = {0: 1, 1: 2.5, 2: True}"],
            ["try:", "    del u7", "    print(u7)", "except UnboundLocalError:", f"    u7 = {n}"],
            ["global G7", f"G7 = {n} % 2**64", f"print(G7 + {m})"],
        ])  # fmt: skip
        if texts[0] == "global G7":
            if self.writes_global:
                texts = texts[1:]
            self.writes_global = True
        for text in texts:
            self.line(text)


SINGLE = [
    ["del m[y]"],
    ["del l[n % 3]", "del l[n - 1:]"],
    ["l[n % 3] = y", "return l"],
    ["m[y] = n", "return m"],
    ["m[n] = y", "return m"],
    ["return l[n:], t[:n], l[y:]"],
    ["first, *rest = (y, n, *l)", "return first, rest"],
    ["*rest, last = l", "return rest, last, y"],
    ["a, b, *_ = y"],
    ["return [*l, y, n, *t]"],
    ["return {*t, y, n}"],
    ["return {y, n, y}"],
    ["return {**m, y: n}, {'y': y, **m}"],
    ["m |= {y: n}", "return m"],
    ["l += [y]", "l.append(n)", "l.append(y)", "return l"],
    ["return [z * 2 for z in (y, n)], {z: y for z in t}, {y for z in t}"],
    ["return f'{y!r:>9} {n} {y:.3}', f'{y}'"],
    ["return y in t, y in l, n in m, y in m"],
    ["return y is n, y is y, l is y"],
    ["return len(l) + n, len((y, n)), max(y, n), min(l)"],
    [
        "match y:",
        "    case int(c) | bool(c):",
        "        return 'int', c",
        "    case float(c):",
        "        return 'float', c",
    ],
    ["match (y, n):", "    case (0.0, c):", "        return c", "    case (c, d) if d > 3:", "        return d, c"],
    [
        "match [n, y, *l]:",
        "    case [c, 1.5, *_]:",
        "        return c",
        "    case [c, d, *e]:",
        "        return c, d, e",
    ],
    [
        "match {'a': n, 'b': y}:",
        "    case {'a': 3, **c}:",
        "        return c",
        "    case {'b': c}:",
        "        return c",
    ],
    [
        "match y:",
        "    case {'a': c}:",
        "        return c",
        "    case [c]:",
        "        return c",
        "    case c:",
        "        return c",
    ],
    ["class C:", "    kept = y", "    other = n", "return C.kept, C.other"],
    ["def inner(p=y, *, q=n):", "    return p, q", "return inner(), inner(n, q=y)"],
    ["def inner():", "    nonlocal y", "    y = y + 1.0", "    return y", "return inner(), y, n"],
    ["def inner():", "    return y, n", "y = y * 0.5", "n = n + 1", "return inner()"],
    ["return (lambda p=y: (p, n))()"],
    ["global G8", "G8 = y", "G8 = n", "return G8"],
    ["o.a = y", "o.b = n", "return o.a, o.b"],
    ["del o.a", "o.a = y", "return vars(o)"],
    ["assert n != 3, y", "return not y, y and n, y or l"],
    ["raise KeyError(y, n)"],
    ["try:", "    del u", "    return u", "except UnboundLocalError:", "    u = y", "return u, n"],
    ["try:", "    raise ValueError(y)", "except ValueError as error:", "    return error.args, n"],
    ["with o as held:", "    held.a = y", "    return n, held.a"],
    ["return [*map(abs, (y, n))], sorted([y, n]), print(y, n, sep=str(y))"],
    ["return o.method(y, n), o.method(b=y, a=n), o.method(*[y], **{'b': n})"],
    ["return within(y, n), within(n, y)"],
    ["return stored(o, y, n)"],
    ["return surest(y)"],
    ["return sure(y), surer(y)"],
    ["return {**y}"],
]
"""Bodies of functions of `n: int`, `y: float` that was just computed, `l: list`, `m: dict`, `t: tuple`, an object."""

HELPERS = """
class O:
    def __init__(self):
        self.a, self.b = 1, 2.5

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return False

    def method(self, a, b):
        return [a, b]


@jit
def within(a, b):
    return [a, (b, a)], {a: b}, a == b


@jit
def stored(o, a: float, b: int):
    o.a = a * 2.0
    o.b = b * 3
    return stored_below(o, a * 3.0, b)


@jit
def stored_below(o, a: float, b: int):
    o.a = a + 1.0
    o.b = b * 5 + 1
    return [o.a, o.b], a, b


@jit
def sure(x: float) -> float:
    assert x == x, x
    return x


@jit
def surer(x: float) -> float:
    return sure(x * 0.5)


@jit
def surest(x: float) -> float:
    return surer(x * 0.5)


G8 = 1
"""


def single(rng: random.Random) -> Shape:
    """Functions of one statement each, on a float that may be NaN and an int that may be large."""
    lines = [*HEAD, *HELPERS.splitlines()]
    calls = []
    for number, body in enumerate(rng.sample(SINGLE, 8)):
        change = rng.choice(["y = x * 1.5", "y = x + n % 7", "y = x - 0.5", "y = x - x", "y = x * 0.0 + 1.5", "y = -x"])
        more = rng.choice([[], [], ["n = n * 3 + 1"], ["n = n << 3", "n = n - 5"]])
        lines += ["", "", "@jit", f"def f{number}(n: int, x: float, l: list, m: dict, t: tuple, o: object) -> object:"]
        lines += [f"    {text}" for text in [change, *more, *body]]
        for _ in range(8):
            real = rng.choice(
                ["1.5", "0.0", "-0.0", "2.5", "float('nan')", "float('inf')", "float('-inf')", "1", "1.0"]
            )
            whole = rng.choice(["0", "1", "2", "3", "-1", str(2**61), str(2**63 - 1), str(2**64), "True"])
            calls.append(f"f{number}({whole}, {real}, [1, 2.5, 3], {{1.5: 'a', 3: 'b', 'a': 1}}, (1, 1.5, 2), O())")
    rng.shuffle(calls)
    return lines, calls
