"""Programs about frozen classes that compiled code knows: fields, methods and operators, subclasses that come and go.

The module has a class of numbers with operators, a class of links between objects, and often subclasses, some of which
are made while the functions run. Values that keep the promises only with other classes (an int in a float field, a NaN,
an int beyond 64 bits, an ordinary subclass) are as likely as not; what is unset or None raises where it is used. A
caller in Python keeps what it passes: a native callee can't drop that earlier than its own return.
"""

from __future__ import annotations

import random

from tests.fuzz.arrays import Shape

HEAD = [
    "from __future__ import annotations",
    "",
    "import sys",
    "import types",
    "",
    "from castiron import frozen, jit",
    "",
    "# Classes with annotations as text want their module.",
    "sys.modules.setdefault(__name__, types.ModuleType(__name__))",
]
NUMBERS = ["x", "p.x", "q.x", "p.a", "q.a", "i", "0.5", "3", "-2", "p.dot(q)", "p.norm()", "p.more(i)", "k"]
FLOATS = ["1.5", "-0.0", "2", "True", "float('nan')", "float('inf')", "7", "1e300"]
INTS = ["0", "1", "-3", str(2**31), str(2**62), str(2**63 - 1), str(2**64), "True"]


SEARCH = """
@jit
def nearest(items: list[P], wanted: P, step: int) -> tuple[int, float]:
    best, far = -1, 1e9
    i = 1
    for k in range(len(items)):
        one = items[k]
        away = (one.x - wanted.x) * (one.x - wanted.x) + one.a
        i = i * step
        if away < far:
            best, far = k, away
    return best, far


@jit
def following(n: N) -> N | None:
    return n.next


@jit
def mixed(t: tuple[float, int, tuple[float, int]]) -> float:
    return t[0] * t[1] + t[-1][0] + t[2][1]


"""
"""Functions that the others call: a loop that gives a tuple, a result that is a field, tuples that are indexed."""


def method(rng: random.Random, head: str, *lines: str) -> list[str]:
    """A method, compiled more often than not."""
    decorator = ["    @jit"] if rng.random() < 0.85 else []
    return [*decorator, f"    def {head}:", *(f"        {line}" for line in lines), ""]


def number_class(rng: random.Random, decorator: str) -> list[str]:
    is_immutable = "(" in decorator
    noisy = ["    def __del__(self):", "        print('gone', self.a)", ""] if rng.random() < 0.1 else []
    fails = f"if self.a % {rng.choice([5, 7, 11])} == {rng.randrange(5)}: raise ValueError(self.a)"
    declines = f"if other.a % {rng.choice([5, 9])} == 4: return DECLINED"
    change = [] if is_immutable else ["self.a = n % 100003", "self.x += 0.5"]
    maybe = [rng.choice([line, "pass"]) for line in (fails, declines)]
    return [
        decorator,
        "class P:",
        "    a: int",
        f"    x: float{rng.choice([' = 0.0', ' = 0.0', ' = 2', ' = None'])}",
        "    f: bool = False",
        "",
        *noisy,
        *method(rng, "__add__(self, other: P) -> P", "return P(self.a + other.a, self.x + other.x, other.f)"),
        *method(rng, "__sub__(self, other: P) -> P", maybe[1], "return P(self.a - 1, other.x)"),
        *method(rng, "__mul__(self, n: float) -> P", "return P(self.a, self.x * n)"),
        *method(rng, "dot(self, other: P) -> float", "return self.x * other.x + self.a"),
        *method(rng, "norm(self) -> float", "return self.dot(self) + 0.25"),
        *method(rng, "more(self, n: int, m: int = 2) -> int", maybe[0], "return (self.a + n * m) % 1000003"),
        *method(rng, "set(self, n: int) -> P", *change, "return self"),
    ]


def subclass(rng: random.Random, name: str, decorator: str) -> list[str]:
    body = [f"    y: float = {rng.choice(['1.0', '2'])}", ""] if decorator else []
    body += method(rng, "dot(self, other: P) -> float", "return self.x - other.x") if rng.random() < 0.5 else []
    if rng.random() < 0.3:
        body += ["    @property", "    def x(self):", "        return 41", ""] if not decorator else []
    if rng.random() < 0.3:
        body += method(rng, "more(self, n: int, m: int = 2) -> int", "return super().more(n, m) + 1")
    if rng.random() < 0.3:
        result = rng.choice(["self", "P(n % 7, 1.5)", "super().set(n)", "self if n % 3 else P(n % 5)"])
        body += method(rng, "set(self, n: int) -> P", f"return {result}")
    if rng.random() < 0.15:
        body += method(rng, f"__r{rng.choice(['add', 'sub'])}__(self, other: P) -> P", "return P(self.a + 7, other.x)")
    return [*decorator.split("\n"), f"class {name}(P):", *(body or ["    pass"]), ""]


def link_class(rng: random.Random) -> list[str]:
    return [
        "@frozen",
        "class N:",
        "    p: P",
        "    next: N | None = None",
        f"    n: int = {rng.randrange(4)}",
        "",
        *method(rng, "last(self) -> N", "n = self", "while n.next is not None:", "    n = n.next", "return n"),
        *method(rng, "total(self) -> float", "return self.p.x + (0.0 if self.next is None else self.next.total())"),
    ]


def statement(rng: random.Random) -> list[str]:
    """One or two lines on the variables p, q: P, n: N, m: N or None, i: int, x: float, items: list of P."""
    number = rng.choice(NUMBERS)
    some = rng.choice(["p", "q", "n.p", "items[i % len(items)]"])
    return rng.choice([
        [f"x = x + {number}"],
        [f"x += {some}.x * {number}"],
        [f"i = (i * 3 + {some}.a) % 1000003"],
        [f"i = (i + {some}.more(i{rng.choice(['', ', 5', ', m=3'])})) % 1000003"],
        [f"{some}.a = (i + {rng.choice(INTS)}) % {rng.choice([97, 2**40, 2**66])}"],
        [f"{some}.x = {rng.choice(['x', 'x', 'i', '0.5', *FLOATS])}"],
        [f"{some}.f = not {some}.f", f"x -= {some}.f"],
        ["p, q = q, p"],
        [f"p = {some}"],
        [f"q = {some}.set(i)"],
        [f"p = P(i, {rng.choice(['x', '1.5', '2'])})"],
        [f"p = p {rng.choice('+-')} {some}"],
        [f"q += {some}", "q.a %= 1000003" if rng.random() < 0.7 else "pass"],
        [f"p = {some} * {rng.choice(['0.5', '2', 'x'])}"],
        [f"n = N({some}, n)"],
        [f"n.p = {some}"],
        ["m = n.next", f"if m is {rng.choice(['', 'not '])}None:", "    n = N(p, m)"],
        ["m = n.next", f"x += m.{rng.choice(['p.x', 'n', 'total()'])}"] if rng.random() < 0.4 else ["x += n.n"],
        ["x = n.total()"],
        ["n = n.last()"],
        ["n.next = None"],
        ["for one in items:", f"    x += one.x * {rng.choice(['0.5', 'one.a'])}"],
        [f"x += helper({some}, n)"],
        [f"x += {some}.x * {some}.x + {some}.a", f"{some}.x = {some}.x + 0.5", f"x += {some}.x"],
        [f"{some}.a += {rng.choice(['70000', 'i', '-1', str(2**30)])}", f"i = (i + {some}.a) % 1000003"],
        [f"at, far = nearest(items, {some}, {rng.choice(['1', '3', 'i'])})", "x += far + at"],
        [f"x += nearest(items, P(i, {rng.choice(['x', '2'])}), 1)[1]"],
        ["m = following(n)"] if rng.random() < 0.7 else ["n = following(n)", "if n is None:", "    n = N(q)"],
        [f"x += mixed(({rng.choice(['x', 'x', '2'])}, i, (x, {rng.choice(['i', 'i', '2**70'])})))"],
        [f"print({some}.a, x)"],
        [f"print(n.n, {some})"] if rng.random() < 0.3 else ["n.n += 1"],
        [f"if isinstance({some}, P) and {some}.a > 3:", "    i += 1"],
        [f"if {some} is {rng.choice(['p', 'q'])}:", "    x += 1.0"],
        [f"if i % 5 == {rng.randrange(5)}:", f"    {rng.choice(['make()', 'swap()', 'items.append(p)', 'x = -x'])}"],
    ])  # fmt: skip


def function(rng: random.Random, name: str) -> list[str]:
    turns = rng.choice([3, 10, 400])
    body = [line for _ in range(rng.randrange(2, 5)) for line in statement(rng)]
    inner = [f"        {line}" for _ in range(rng.randrange(2, 7)) for line in statement(rng)]
    return [
        "@jit",
        f"def {name}(p: P, q: P, n: N, items: list[P]) -> float:",
        "    i = 1",
        "    x = 0.5",
        "    m = None",
        *(f"    {line}" for line in body),
        f"    for k in range({turns}):",
        *inner,
        rng.choice(["    print(p, q, i)", "    print(n.n, i)"]),
        "    return x",
        "",
        "",
    ]


def sealed(rng: random.Random) -> Shape:
    """A module of such classes, and calls of functions over them."""
    decorator = "@frozen(immutable=True)" if rng.random() < 0.15 else "@frozen"
    lines = [*HEAD, "", ""]
    lines += [*number_class(rng, decorator), "", *link_class(rng), ""]
    early = [subclass(rng, "S", decorator), subclass(rng, "O", "")] if rng.random() < 0.5 else []
    lines += [line for part in early for line in part]
    declined = rng.choice(["NotImplemented", "NotImplemented", "P(1, 2.5)"])
    lines += [f"DECLINED = {declined}", "LATE = []", "HELD = []", "", ""]
    lines += ["def make():", "    if len(LATE) > 2:", "        return", ""]
    lines += [f"    {line}" for line in subclass(rng, "L", decorator)]
    lines += ["    LATE.append(L)", "", ""]
    lines += ["def hold(*args):", "    HELD[:] = args", "    return args", "", ""]
    lines += ["def swap():", "    names = globals()", "    names['DECLINED'] = NotImplemented", "", ""]
    lines += [
        "@jit",
        "def helper(p: P, n: N) -> float:",
        f"    return p.x * 0.5 + {rng.choice(['n.n', 'n.p.x', 'p.norm()'])}",
    ]
    lines += ["", "", *SEARCH.splitlines()]
    for number in range(rng.choice([0, 0, 0, 9])):
        lines += subclass(rng, f"M{number}", decorator)
    count = rng.choice([1, 2])
    for number in range(count):
        lines += function(rng, f"f{number}")
    makers = ["P", "P", "P", *(["S", "O"] if early else [])]
    makers += [f"M{number}" for number in range(9) if f"class M{number}(P):" in lines]

    def one() -> str:
        return (
            f"{rng.choice(makers)}({rng.choice(INTS[:4] * 2 + INTS)}, {rng.choice(['1.5', '-2.25', '3.0', *FLOATS])})"
        )

    def call() -> str:
        many = ", ".join(one() for _ in range(rng.randrange(1, 4)))
        links = f"N({one()}, N({one()}))" if rng.random() < 0.6 else f"N({one()})"
        return f"f{rng.randrange(count)}(*hold({one()}, {one()}, {links}, [{many}]))"

    calls = [call() for _ in range(6)]
    return lines, [*calls, "make()", *calls[:2], call()]
