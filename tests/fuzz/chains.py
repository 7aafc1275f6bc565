"""Programs whose exits lie deep in inlined calls: chains of objects, and ladders of functions and of methods.

A method that calls itself on the next object of a chain is inlined a few times, and so is a ladder whose steps each
call the one below. What does not fit (an int in a float field, a subclass, no object, a sum beyond 64 bits) stands at a
chosen place of the chain or comes from the lowest step, so that the exit that it takes lies that deep.
"""

from __future__ import annotations

import random

from tests.fuzz.arrays import Shape
from tests.fuzz.sealed import HEAD

STEPS = 6
"""Steps of a ladder."""

NUMBERS = [
    "0",
    "1",
    "-3",
    "5",
    "97",
    str(2**31),
    str(2**61),
    str(2**62),
    str(2**63 - 1),
    str(2**64),
    str(2**70),
    "True",
]
REALS = ["0.5", "1.5", "-2.25", "3.0", "2", "True", "float('nan')", "7", "1e300"]

LINK = """
@frozen
class L:
    n: int
    x: float = 0.5
    other: int | None = 3
    next: L | None = None

    @jit
    def deep(self, k: int) -> int:
        return self.n if k <= 0 else self.next.deep(k - 1)

    @jit
    def weighed(self, k: int) -> int:
        return self.n * k if self.next is None else self.next.weighed(k + 1) + self.n

    @jit
    def total(self) -> float:
        return self.x if self.next is None else self.x + self.next.total()

    @jit
    def put(self, k: int, n: int) -> int:
        if k > 0:
            return self.next.put(k - 1, n)
        self.n = self.n + n
        self.x = self.n % 7
        return n

    @jit
    def reset(self, k: int, n: int) -> int:
        if k > 0:
            return self.next.reset(k - 1, n)
        self.n = n
        return n

    @jit
    def settle(self, k: int, x: float) -> float:
        if k > 0:
            return self.next.settle(k - 1, x)
        self.x = x
        return x

    @jit
    def some(self, k: int) -> int:
        return self.other + k if k <= 0 else self.next.some(k - 1)

    @jit
    def kind(self, k: int) -> int:
        return k + 1

    @jit
    def kinds(self, k: int) -> int:
        return self.kind(k) if self.next is None else self.next.kinds(k) + self.kind(k)


@jit
def picked(items: list, n: int) -> int:
    return items[n % len(items)]


@jit
def twice(items: list, n: int) -> int:
    return picked(items, n) + picked(items, n + 1)
"""


def subclass(name: str, rng: random.Random) -> list[str]:
    bodies = ["return k * 3", "return k << 62", "return super().kind(k) + 2", "return self.n", "return 2**70"]
    lines = [rng.choice(["@frozen", "@frozen", "# An ordinary class."]), f"class {name}(L):"]
    lines += ["    @jit", "    def kind(self, k: int) -> int:", f"        {rng.choice(bodies)}"]
    if rng.random() < 0.3:
        lines += ["", "    @jit", "    def total(self) -> float:", "        return self.x * 2"]
    if rng.random() < 0.3:
        lines += ["", "    @property", "    def x(self):", "        return 41"] if "@frozen" not in lines else []
    return ["", "", *lines]


def ladder(rng: random.Random) -> list[str]:
    """Functions and methods of which each calls the one below; the lowest one is a loop."""
    change = [f"k += {rng.choice(['1', 'i', 'k', 'k * k'])}", "k = k * 3 - i"]
    lines = ["", "", "@jit", "def h0(k: int, items: list) -> int:", "    for i in range(3):"]
    lines += [f"        {rng.choice(change)}", rng.choice(["    return k", "    return k % 1000003"])]
    for step in range(1, STEPS):
        below = f"h{step - 1}(k{rng.choice(['', ' + 1', ' - 2', ' * 3'])}, items)"
        more = rng.choice(["1", "K", "picked(items, k)", "len(items)", "items[k % len(items)]", "k"])
        result = rng.choice([f"{below} + {more}", f"{more} - {below}", f"{below} ^ 3", f"{below} * {more}"])
        lines += ["", "", "@jit", f"def h{step}(k: int, items: list) -> int:", f"    return {result}"]
    steps = []
    for step in range(1, STEPS):
        below = f"self.m{step - 1}(k{rng.choice(['', ' + 1', ' - 2'])})"
        more = rng.choice(["self.a", "self.b", "k", "self.add(k)", "K"])
        result = rng.choice([f"{below} + {more}", f"{more} - {below}", f"{below} ^ {more}"])
        steps += ["", "    @jit", f"    def m{step}(self, k: int) -> int:", f"        return {result}"]
    lines += ["", "", "@frozen", "class S:", "    a: int", "    b: int = 2", "", "    @jit"]
    lines += [
        "    def add(self, k: int) -> int:",
        "        self.b = k % 1000",
        "        return self.a + k",
        "",
        "    @jit",
    ]
    lines += ["    def m0(self, k: int) -> int:", "        for i in range(3):", f"            {rng.choice(change)}"]
    return [*lines, rng.choice(["        return k + self.a", "        return (k + self.a) % 1000003"]), *steps]


def work(rng: random.Random) -> str:
    """A line of the loop, on `l: L`, `s: S`, `items`, `acc` and `i`."""
    place = rng.choice(["at", "i % (at + 1)", "i % 6", "i % 5", str(rng.randrange(6))])
    step = rng.randrange(STEPS)
    return rng.choice(
        [
            f"acc += l.deep({place})",
            f"acc ^= l.weighed({rng.choice(['1', 'i', 'acc'])})",
            "x += l.total()",
            f"acc += l.put({place}, {rng.choice(['i', '1', 'acc', str(2**40), str(2**62)])})",
            f"acc += l.some({place})",
            f"acc += l.reset({place}, {rng.choice(['i', 'acc'])})",
            f"x = l.settle({place}, {rng.choice(['x * 0.5', '0.25', 'i * 1.5'])})",
            f"acc += l.kinds({rng.choice(['1', 'i', 'acc'])})",
            f"acc -= l.kind({rng.choice(['i', 'acc'])})",
            f"acc += h{step}({rng.choice(['i', 'i', 'acc', '7'])}, items)",
            f"acc += s.m{step}({rng.choice(['i', 'i', 'acc', '7'])})",
            f"acc += twice(items, {rng.choice(['i', 'acc'])})",
            f"acc += picked(items, {rng.choice(['i', 'acc'])})",
            f"acc += s.add({rng.choice(['i', 'acc'])})",
        ]
    )


def function(rng: random.Random, name: str) -> list[str]:
    lines = ["", "", "@jit", f"def {name}(l: L, s: S, items: list, at: int) -> float:", "    acc = 1", "    x = 0.5"]
    lines.append(f"    for i in range({rng.choice([1, 3, 9, 60])}):")
    for _ in range(rng.choice([1, 2, 3])):
        lines.append(f"        {work(rng)}")
    lines.append(f"        acc %= {rng.choice([97, 2**31, 2**62, 2**63 - 25, 2**64])}")
    return [*lines, "    print(acc, x)", "    return x + acc % 1000"]


def chain(rng: random.Random) -> str:
    """A chain with something odd at one place."""
    length = rng.choice([3, 6, 6, 8, 9])
    odd = rng.randrange(length)
    text = "None"
    for number in reversed(range(length)):
        is_odd = number == odd
        maker = rng.choice(["L", "A", "B"]) if is_odd else "L"
        first = rng.choice(NUMBERS if is_odd else NUMBERS[:5])
        second = rng.choice(REALS if is_odd else REALS[:4])
        other = rng.choice(["None", "2", str(2**70)]) if is_odd else "3"
        text = f"{maker}({first}, {second}, {other}, {text})"
    return text


def chains(rng: random.Random) -> Shape:
    """A module of such classes and ladders, and calls; what breaks a promise lies within reach."""
    lines = [*HEAD, "", f"K = {rng.choice(NUMBERS)}", *LINK.splitlines()]
    lines += [*subclass("A", rng), *subclass("B", rng), *ladder(rng)]
    names = [f"f{number}" for number in range(rng.choice([1, 2, 3]))]
    for name in names:
        lines += function(rng, name)
    lines += ["", "", "def hold(*args):", "    HELD[:] = args", "    return args", "", "", "HELD = []", "", ""]
    lines += ["def repeat(times, function, *args):", "    return [function(*args) for _ in range(times)][-1]"]
    calls = []
    for name in names:
        for _ in range(8):
            odd = rng.random() < 0.4
            items = [rng.choice(NUMBERS if odd else NUMBERS[:5]) for _ in range(3)]
            maker = f"S({rng.choice(NUMBERS if rng.random() < 0.3 else NUMBERS[:5])})"
            times, links = rng.choice([1, 7, 60]), chain(rng)
            given = f"{links}, {maker}, [{', '.join(items)}], {rng.randrange(8)}"
            calls.append(f"repeat({times}, {name}, *hold({given}))")
    rng.shuffle(calls)
    calls.insert(rng.randrange(len(calls)), f"K = {rng.choice(NUMBERS)}")
    return lines, calls
