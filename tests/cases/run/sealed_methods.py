"""Methods and operators of sealed classes, called directly, and stores into fields at known places."""
# native: lengths, sums, scaled, mixed_types, fall, steps, count_down, relink, replace, keyed, walk, deep, declines
# native: overridden, gathered, attributes, trail, boxes, noisy, augment

from __future__ import annotations

import sys

import support
from support import show

from castiron import frozen, jit

ANSWER = NotImplemented


@frozen
class Vec:
    x: float
    y: float = 0.0
    tag: int = 0

    @jit
    def __add__(self, other: Vec) -> Vec:
        return Vec(self.x + other.x, self.y + other.y, self.tag)

    @jit
    def __mul__(self, factor: float) -> Vec:
        return Vec(self.x * factor, self.y * factor)

    @jit
    def __sub__(self, other: Vec) -> Vec:
        if other.tag > 5:
            return ANSWER
        return Vec(self.x - other.x, self.y - other.y)

    @jit
    def __pow__(self, times: int) -> Vec:
        if self.tag == times:
            return ANSWER
        return Vec(self.x**times)

    @jit
    def dot(self, other: Vec) -> float:
        return self.x * other.x + self.y * other.y

    @jit
    def norm(self) -> float:
        return self.dot(self)

    @jit
    def scale(self, factor: float) -> Vec:
        return Vec(self.x * factor, self.y * factor, self.tag + 1)

    @jit
    def divide(self, by: float) -> float:
        return self.x / by

    @jit
    def move(self, dx: float, dy: float = 1.0) -> None:
        self.x += dx
        self.y += dy

    @jit
    def pick(self, first: int, *, second: int) -> int:
        return first * 10 + second + self.tag

    def plain(self, n):
        return (self.tag, n)

    @property
    def half(self):
        return self.x / 2

    @classmethod
    def make(cls):
        return cls(1.0)

    @staticmethod
    def fixed(n):
        return n + 1


@frozen
class Node:
    value: int
    left: Node | None = None
    right: Node | None = None

    @jit
    def total(self) -> int:
        found = self.value
        if self.left is not None:
            found += self.left.total()
        if self.right is not None:
            found += self.right.total()
        return found

    @jit
    def forever(self, n: int) -> int:
        return self.forever(n + 1) + 1


@frozen
class Base:
    n: int

    @jit
    def step(self, k: int) -> int:
        return self.n + k

    @jit
    def twice(self, k: int) -> int:
        return self.step(k) * 2


@frozen
class Derived(Base):
    m: float = 0.5

    @jit
    def step(self, k: int) -> int:
        return self.n - k


@frozen
class Adder:
    """An operator of its own for `+=`."""

    n: int

    @jit
    def __add__(self, other: Adder) -> Adder:
        return Adder(self.n + other.n)

    def __iadd__(self, other):
        return Adder(self.n * 100 + other.n)


class Noisy:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name

    def __del__(self):
        print("  gone", self.name)


@frozen
class Holder:
    one: object
    many: list
    name: str
    point: Vec
    maybe: Vec | None = None


class Watched(Vec):
    """An ordinary subclass with other methods."""

    def dot(self, other):
        return -1.0

    def __add__(self, other):
        return "added"

    def __radd__(self, other):
        return "reflected"


@jit
def lengths(vectors: list[Vec], turns: int) -> float:
    total = 0.0
    for _ in range(turns):
        for i in range(len(vectors)):
            total += vectors[i].norm() + vectors[i].dot(vectors[0])
    return total


@jit
def sums(a: Vec, b: Vec) -> Vec:
    return a + b + a.scale(2.0) + b * 0.5


@jit
def scaled(a: Vec, turns: int) -> Vec:
    for _ in range(turns):
        a = a.scale(0.5) + a
    return a


@jit
def mixed_types(a: Vec, b):
    return a + b


@jit
def fall(a: Vec, by: float) -> float:
    return a.norm() + a.divide(by)


@jit
def steps(a: Vec, turns: int) -> float:
    for i in range(turns):
        a.move(0.25)
        a.move(i * 1.0, 2.0)
        a.tag = a.tag + i
    return a.x


@jit
def count_down(node: Node, turns: int) -> int:
    for _ in range(turns):
        node.value -= 3
    return node.value


@jit
def relink(node: Node) -> Node:
    node.left, node.right = node.right, node.left
    if node.left is not None:
        node.left.right = None
    return node


@jit
def replace(holder: Holder, vec: Vec, name: str) -> Vec:
    before = holder.point
    holder.point = vec
    holder.maybe = vec
    holder.name = name
    holder.many = [before]
    holder.maybe = None
    return before


@jit
def keyed(a: Vec) -> int:
    return a.pick(1, second=2) + a.pick(second=3, first=4)


@jit
def walk(node: Node) -> int:
    return node.total() * 2


@jit
def deep(node: Node) -> int:
    return node.forever(0)


@jit
def declines(a: Vec, b: Vec, n: int) -> tuple:
    one = a - b
    two = a**n
    return (one, two)


@jit
def overridden(b: Base, k: int) -> int:
    return b.step(k) + b.twice(k)


@jit
def attributes(a: Vec) -> tuple:
    return (a.half, a.plain(2), a.make(), a.fixed(3), a.__class__.__name__)


@jit
def trail(a: Vec, turns: int) -> list:
    seen = []
    for i in range(turns):
        a.x = a.x * 1.5
        a.tag = i * 1000
        seen.append((a.x, a.tag))
    return seen


@jit
def boxes(a: Vec, b: Vec, value: float) -> tuple:
    a.x = value
    b.x = a.x
    kept = a.x
    a.x = a.x + 1.0
    return (kept, a.x, b.x)


@frozen
class Crowd:
    members: list[Vec]
    counts: list[int]
    names: list[str]


@jit
def gathered(crowd: Crowd, turns: int) -> float:
    total = 0.0
    for k in range(turns):
        i = k % len(crowd.members)
        total += crowd.members[i].x + crowd.counts[i]
        crowd.counts[i] += k
        crowd.members[i].tag = crowd.counts[i]
    return total


@jit
def noisy(holder: Holder, one) -> str:
    holder.one = one
    return holder.name


@jit
def augment(a: Adder, b: Adder) -> Adder:
    c = a + b
    c += a
    return c


@jit
def augment_plain(a: Vec, b: Vec) -> Vec:
    a += b
    a *= 2.0
    return a


def main():
    sys.modules.setdefault(__name__, support)
    a, b = Vec(1.5, 2.0, 3), Vec(-0.5, 4.0, 1)
    for _ in range(3):
        show(lengths, [a, b], 40)
        show(sums, a, b)
        show(scaled, a, 5)
        show(keyed, a)
        show(fall, a, 2.0)
        show(augment_plain, a, b)
        show(augment, Adder(2), Adder(3))
    show(fall, a, 0.0)
    show(fall, Vec(1, 2), 2.0)
    show(lengths, [a, Vec(1, 2), Vec(float("nan"))], 3)
    show(lengths, [a, Watched(1.0)], 3)
    show(lambda: lengths([a, None], 3))
    show(lambda: lengths([Vec.__new__(Vec)], 3))
    show(lambda: sums(a, Watched(2.0)))
    show(lambda: sums(Watched(2.0), a))
    show(mixed_types, a, b)
    show(lambda: mixed_types(a, Watched(1.0)))
    for turns in (0, 1, 50):
        show(steps, Vec(0.5, 0.5), turns)
    show(steps, Vec(1, 2), 3)
    show(steps, Vec(float("nan"), float("inf")), 3)
    show(steps, Vec(0.0, 0.0, 2**63 - 2), 5)
    show(count_down, Node(1000), 700)
    show(count_down, Node(-(2**63) + 5), 4)
    tree = Node(1, Node(2, Node(3)), Node(2**62, None, Node(2**62)))
    show(walk, tree)
    show(relink, tree)
    show(walk, tree)
    show(relink, Node(1))
    show(lambda: deep(Node(1)))
    show(declines, a, b, 2)
    show(declines, a, Vec(1.0, 1.0, 6), 2)
    show(declines, a, b, 3)
    show(declines, Vec(1, 2), Vec(1, 1, 6), 2)
    show(declines, Vec(1, 2, 2), Vec(1, 1), 2)
    globals()["ANSWER"] = b
    show(declines, a, Vec(1.0, 1.0, 6), 3)
    globals()["ANSWER"] = NotImplemented
    show(declines, a, Vec(1.0, 1.0, 6), 3)
    for one in (Base(3), Derived(4), Base(2**63 - 1), Derived(5, 1.5)):
        show(overridden, one, 2)
    show(attributes, a)
    show(trail, Vec(1.0), 40)
    show(boxes, Vec(1.0), Vec(2.0), 2.5)
    same = Vec(1.0)
    show(boxes, same, same, 2.5)
    nan = float("nan")
    show(lambda: boxes(Vec(1.0), Vec(2.0), nan)[0] is nan)
    kept = same.x
    show(boxes, same, Vec(3.0), 7.25)
    show(lambda: kept)

    show(gathered, Crowd([a, b, Vec(2.5)], [1, 2, 3], ["x"]), 30)
    show(gathered, Crowd([a, Vec(1, 2), Watched(1.0)], [1, 2**70, True], []), 30)
    show(lambda: gathered(Crowd([a, None], [1, 2], []), 30))
    show(lambda: gathered(Crowd([a, b], [1, "x"], []), 30))
    show(lambda: gathered(Crowd([a, b], [1], []), 30))

    holder = Holder(Noisy("first"), [], "h", a)
    show(replace, holder, b, "renamed")
    show(lambda: (holder.point is b, holder.maybe, holder.name, holder.many))
    show(lambda: noisy(holder, Noisy("second")))
    show(lambda: noisy(holder, None))
    empty = Holder.__new__(Holder)
    show(lambda: replace(empty, b, "x"))
    show(lambda: noisy(empty, 1))
    half = Vec.__new__(Vec)
    show(lambda: boxes(half, half, 1.5))
    show(lambda: steps(Vec.__new__(Vec), 2))

    class Reviving:
        def __del__(self):
            print("  last words", holder.name)
            holder.one = 17

    show(lambda: noisy(holder, Reviving()))
    show(lambda: noisy(holder, Noisy("third")))
    show(lambda: holder.one)
