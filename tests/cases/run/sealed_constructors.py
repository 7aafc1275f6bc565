"""Objects of sealed classes made by compiled code: arguments, defaults, what stays a call, objects that nobody sees."""
# native: fleeting, pair, keywords, defaults, wide, number, boxed, flags, nested, tree, count, hidden, same, told, chosen, looped, caught, argued, late, finalised, weak, kept, raising, swapped, shown, unread, twice, local_class, many

from __future__ import annotations

import gc
import sys
import weakref
from dataclasses import field

import support
from support import show

from castiron import frozen, jit


@frozen
class Pair:
    x: float
    y: float = 0.5
    n: int = 0

    @jit
    def plus(self, other: Pair) -> Pair:
        return Pair(self.x + other.x, self.y + other.y, self.n + other.n)


@frozen(immutable=True)
class Fixed:
    a: int
    b: bool = False
    c: str = "c"


@frozen(kw_only=True)
class Named:
    a: int
    b: float = 2.5


@frozen
class Holder:
    left: Pair
    right: Pair | None = None
    anything: object = None


@frozen
class Node:
    left: Node | None
    right: Node | None


@frozen
class Made:
    a: int
    items: list = field(default_factory=list)
    hidden: int = field(default=7, init=False)


@frozen
class Odd:
    a: int = None
    b: float = 1.5


@frozen
class Posted:
    a: int

    def __post_init__(self):
        print("  posted", self.a)


@frozen
class Own:
    a: int

    def __init__(self, a: int):
        print("  own", a)
        self.a = a + 1


@frozen
class New:
    a: int

    def __new__(cls, *args, **kwargs):
        print("  new")
        return object.__new__(cls)


@frozen
class Mortal:
    a: int

    def __del__(self):
        print("  dead", self.a)


class Meta(type):
    def __call__(cls, *args, **kwargs):
        print("  called")
        return type.__call__(cls, *args, **kwargs)


@frozen
class Governed(metaclass=Meta):
    a: int


@frozen
class Weak:
    a: float


@frozen
class Empty:
    pass


class Heir(Pair):
    pass


@jit
def pair(x: float, y: float, n: int) -> Pair:
    return Pair(x, y, n)


@jit
def keywords(x: float, n: int) -> Pair:
    return Pair(n=n, x=x)


@jit
def defaults(a: int) -> tuple:
    return (Fixed(a), Fixed(a, True), Fixed(c="d", a=a), Named(a=a), Odd(), Odd(b=3.0), Odd(a))


@jit
def wide(n: int) -> Pair:
    return Pair(1.0, n=n * n * n)


@jit
def number(n: int) -> Pair:
    return Pair(n, n)


@jit
def boxed(x, y) -> Pair:
    return Pair(x, y)


@jit
def flags(a: bool, b: int) -> tuple:
    return (Fixed(a), Fixed(b, a), Fixed(1, b))


@jit
def nested(x: float) -> Holder:
    p = Pair(x)
    return Holder(p, Pair(x + 1.0, x), p)


@jit
def tree(depth: int) -> Node:
    if depth == 0:
        return Node(None, None)
    return Node(tree(depth - 1), tree(depth - 1))


@jit
def count(node: Node) -> int:
    left = node.left
    right = node.right
    if left is None or right is None:
        return 1
    return 1 + count(left) + count(right)


@jit
def hidden(x: float, y: float, z: float) -> float:
    """Nobody sees what is made here, unless the division fails."""
    p = Pair(x, y, 3)
    h = Holder(p, p, x)
    q = Pair(h.left.y, h.left.x)
    return q.x / z + q.y + h.left.n


@jit
def same(x: float) -> tuple:
    p = Pair(x)
    q = Pair(x)
    r = p
    return (p is p, p is q, p is r, p is not q, q is None)


@jit
def told(x: float, act) -> tuple:
    """One object in several variables, wanted after all."""
    p = Pair(x)
    q = p
    h = Holder(p)
    first = p.x + 1.0
    act()
    return (p is q, h.left is p, p, h, first)


@jit
def chosen(x: float, n: int) -> float:
    p = Pair(x)
    if n > 2:
        p = Pair(x + 1.0)
    elif n > 1:
        print("  seen", p)
    return p.x * p.y


@jit
def looped(n: int) -> Pair:
    total = Pair(0.0)
    step = Pair(0.5, 0.25, 1)
    for i in range(n):
        total = total.plus(step)
        if i == 1000:
            step = Pair(float(i), 2.0)
    return total


@jit
def caught(x: float, z: float) -> str:
    p = Pair(x)
    try:
        q = Pair(p.x / z)
        return str(q.x)
    except ZeroDivisionError as error:
        return str(error) + str(p)


@jit
def argued(act) -> Pair:
    """The class is read before its arguments, which may be anything's doing."""
    return Pair(act(1), act(2.0))


@jit
def late(act, x: float) -> tuple:
    p = Pair(x)
    before = p.y
    act()
    return (before + p.x, Pair(x))


@jit
def finalised(a: int) -> int:
    m = Mortal(a)
    return m.a + 1


@jit
def weak(x: float) -> bool:
    w = Weak(x)
    ref = weakref.ref(w)
    return ref() is w


@jit
def kept(x: float, kept_in: list) -> float:
    p = Pair(x)
    h = Holder(p)
    kept_in.append(h)
    return p.x


@jit
def raising(x: float, n: int) -> Pair:
    first = Pair(x)
    second = Holder(first)  # noqa: F841
    if n == 1:
        raise ValueError(n)
    return Pair(first.x / n)


@jit
def swapped(p: Pair, n: int) -> Pair:
    for _ in range(n):
        p = Pair(p.y, p.x, p.n + 1)
    return p


@jit
def shown(x: float, n: int) -> float:
    p = Pair(x)
    h = Holder(p, p)  # noqa: F841
    return fails(p.x, n)


@jit
def fails(x: float, n: int) -> float:
    q = Pair(x)
    if n == 0:
        raise KeyError(n)
    return q.y


@jit
def fleeting(act, x: float) -> tuple:
    """The class may die while an object of it is still wanted."""
    f = Fleeting(x)  # noqa: F821
    act()
    return (f.a + 1.0, f, f.a)


def make_fleeting():
    @frozen
    class Fleeting:
        a: float

    return Fleeting


@jit
def unread(x: float) -> float:
    Pair(x)
    Holder(Pair(x))
    return x


@jit
def twice(x: float) -> tuple:
    p = Pair(x, x)
    return (p.x == p.y, Pair(p.x, p.x), Pair(p.x, p.y))


@jit
def many(n: int) -> list[Pair]:
    return [Pair(float(i), n=i) for i in range(n)]


@jit
def local_class(n: int) -> float:
    total = 0.0
    for i in range(n):
        p = Pair(float(i), 1.5, i)
        if p.n % 7 == 3:
            total += Pair(p.y).x
        total += p.x
    return total


def tracebacks(function, *args):
    try:
        function(*args)
    except (ValueError, KeyError, ZeroDivisionError) as error:
        step = error.__traceback__
        while step:
            if step.tb_frame.f_code.co_filename == __file__:
                names = {k: v for k, v in step.tb_frame.f_locals.items() if len(k) == 1 or k in ("first", "second")}
                print("  ", step.tb_frame.f_code.co_name, names)
                if "h" in names and "p" in names:
                    print("  one", names["h"].left is names["p"], names["h"].right is names["p"])
                if "first" in names and "second" in names:
                    print("  one", names["second"].left is names["first"])
            step = step.tb_next


class Loud:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("  gone", self.name)


def main():
    sys.modules.setdefault(__name__, support)
    nan = float("nan")
    for _ in range(3):
        show(pair, 1.5, 2.5, 3)
        show(keywords, 1.5, 2)
        show(defaults, 4)
        show(wide, 10)
        show(flags, True, 2)
        show(nested, 1.25)
        show(hidden, 1.5, 2.5, 0.5)
        show(same, 1.0)
        show(lambda: count(tree(6)))
    show(pair, nan, 1.0, 2)
    show(lambda: pair(nan, 1.0, 2).x is nan)
    show(twice, nan)
    show(twice, 1.0)
    show(wide, 2**30)
    show(wide, 2**70)
    show(number, 3)
    show(boxed, 1.5, 2)
    show(boxed, 1, 2.0)
    show(boxed, "x", 2)
    show(boxed, 1.0, None)
    show(flags, True, 2**80)
    show(hidden, 1.5, 2.5, 0.0)
    show(hidden, nan, 1.0, 2.0)
    show(hidden, 1e308, 1e308, 1e-308)
    for n in range(4):
        show(chosen, 1.5, n)
    show(looped, 3000)
    show(caught, 1.0, 2.0)
    show(caught, 1.0, 0.0)
    show(lambda: [p.n for p in many(300)])
    show(lambda: many(3)[2])
    show(swapped, Pair(1.0, 2.0), 1001)
    show(swapped, Heir(1.0, 2.0), 0)
    show(lambda: swapped(Heir(1, 2.0), 1))
    show(local_class, 2000)
    show(unread, 1.0)

    for x in (1.0, 3.5):
        show(told, x, lambda: None)
    show(told, 1.0, lambda: gc.collect() and None)

    def fail():
        raise LookupError("act")

    show(told, 1.0, fail)
    show(argued, lambda x: x)
    show(argued, float)
    show(argued, str)
    names = globals()
    own = names["Pair"]

    def rebind():
        names["Pair"] = Holder

    def unbind():
        del names["Pair"]

    for act in (rebind, unbind):
        show(lambda act=act: late(act, 2.0))
        names["Pair"] = own
        show(lambda: late(lambda: None, 2.0))

    def replace(x):
        names["Pair"] = Fixed
        return float(x)

    show(argued, replace)
    show(argued, float)
    names["Pair"] = own
    show(argued, float)

    names["Fleeting"] = make_fleeting()
    show(fleeting, lambda: None, 1.5)

    def forget():
        del names["Fleeting"]
        gc.collect()

    show(fleeting, forget, 2.5)
    show(fleeting, forget, 3.5)

    show(finalised, 4)
    show(weak, 1.0)
    show(lambda: [weakref.ref(one) is not None for one in (others()[5], others()[5])])
    kept_in = []
    show(kept, 2.0, kept_in)
    show(lambda: kept_in)
    show(lambda: sys.getrefcount(kept_in[0].left) == sys.getrefcount(Holder(Pair(2.0)).left))
    show(lambda: gc.is_tracked(kept_in[0]) and gc.is_tracked(pair(1.0, 2.0, 3)))
    show(lambda: gc.get_referents(nested(1.0))[1:])
    show(lambda: len([one for one in gc.get_objects() if type(one) is Fixed]))
    for n in range(3):
        show(raising, 2.0, n)
        tracebacks(raising, 2.0, n)
        tracebacks(shown, 2.5, n)

    for cls in (Posted, Own, New, Governed, Made, Empty):
        show(lambda cls=cls: cls(1))
    show(others)
    show(lambda: Holder(Pair(1.0), anything=Loud("a")) and None)
    gc.collect()


@jit
def others() -> tuple:
    return (Posted(1), Own(2), Governed(4), Made(5), Made(6, [1]), Empty(), New(a=3).a)
