"""Stars in calls, displays, targets and parameters: order, errors in the middle, and what is dropped when."""
# native: call_stars, call_names, call_mixed, displays, sets, dicts, long_dict, targets, nested_targets, gather, only_named, everything, methods
# repetitions: 300

from castiron import jit
from support import show


class Noisy:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Noisy({self.name})"

    def __eq__(self, other):
        return isinstance(other, Noisy) and self.name == other.name

    def __hash__(self):
        print("  hash", self.name)
        if self.name == "bad":
            raise ValueError("no hash")
        return hash(self.name)

    def __del__(self):
        print("  del", self.name)


class Method:
    def __repr__(self):
        return "Method()"

    def take(self, *args, **named):
        return args, sorted(named.items())


class noisy:
    def __init__(self, *names):
        self.names = names

    def __repr__(self):
        return f"noisy{self.names}"

    def __iter__(self):
        for name in self.names:
            print("  make", name)
            if name == "stop":
                raise KeyError(name)
            yield Noisy(name)


def make(name):
    print("  made", name)
    return Noisy(name)


def fail(name):
    print("  fails", name)
    raise RuntimeError(name)


def collect(*args, **named):
    return args, sorted(named.items())


@jit
def call_stars(function, first, rest):
    return function(first, *rest), function(*rest), function(*rest, first, *rest)


@jit
def call_names(function, names):
    return function(**names), function(a=1, **names), function(**names, z=2)


@jit
def call_mixed(function, rest, names):
    return function(make("first"), *rest, key=make("key"), **names)


@jit
def displays(a, b):
    return [a, *b], (*a, *b), [*a, 1, *b, 2]


@jit
def sets(a, b):
    return sorted({1, 2, 3}), {a, b} == {b, a}, sorted({a, *(4, 5), b}), {make("x"), make("y"), fail("z")}


@jit
def dicts(a, b):
    return {"x": 1, **a, "y": 2, **b}, {**a}, {}


@jit
def long_dict(a):
    return {
        1: a, 2: a, 3: a, 4: a, 5: a, 6: a, 7: a, 8: a, 9: a, 10: a, 11: a, 12: a, 13: a, 14: a, 15: a, 16: a, 17: a,
        18: a, 19: make("late"), **{"end": a},
    }  # fmt: skip


@jit
def targets(items):
    first, *middle, last = items
    return first, middle, last


@jit
def nested_targets(items):
    (a, *b), [*c, d] = items
    (*e,) = b
    return a, b, c, d, e


@jit
def gather(a, b=2, *rest, c=3, **named):
    return a, b, rest, c, sorted(named.items())


@jit
def only_named(*, a, b=2):
    return a, b


@jit
def everything(a, /, b, *args, c, **kw):
    return a, b, args, c, kw


@jit
def methods(object, args, named):
    return object.take(1, *args, x=2, **named)


def show_stars():
    for rest in ((), (1, 2), [3], "ab", range(2), 5, None, noisy("p", "q")):
        show(call_stars, collect, 0, rest)
    show(call_stars, 5, 0, ())
    for names in ({}, {"b": 2}, {"a": 1}, {"z": 1}, {1: 2}, 5, [("a", 1)]):
        show(call_names, collect, names)
    show(call_mixed, collect, noisy("r", "s"), {"other": 1})
    show(call_mixed, collect, noisy("r", "stop"), {"other": 1})
    show(call_mixed, collect, (), {"key": 1})
    show(call_mixed, collect, (), {1: 1})
    show(methods, Method(), (1, 2), {"y": 3})
    show(methods, Method(), 7, {"y": 3})
    show(methods, Method(), (), {"x": 3})


def show_displays():
    show(displays, (1, 2), [3, 4])
    show(displays, "ab", {5: 6})
    show(displays, 5, ())
    show(displays, (), 5)
    show(displays, (), noisy("t", "stop"))
    show(sets, 1, 2)
    show(sets, [], 2)
    show(dicts, {"a": 1}, {"x": 5})
    show(dicts, 5, {})
    show(dicts, {}, [1])
    show(long_dict, 0)


def show_targets():
    for items in (
        (1, 2),
        [1, 2, 3],
        "abcd",
        range(5),
        (1,),
        (),
        5,
        noisy("u", "v", "w"),
        noisy("u", "v", "stop"),
        noisy("u"),
    ):
        show(targets, items)
    show(nested_targets, ("abc", [1, 2]))
    show(nested_targets, ("", [1, 2]))
    show(nested_targets, ("abc", []))
    show(nested_targets, ("abc",))


def show_parameters():
    show(gather, 1)
    show(gather, 1, 2, 3, 4, c=5, d=6)
    show(gather, a=1, z=2)
    show(gather)
    show(gather, 1, a=2)
    show(gather, 1, 2, 3, b=4)
    show(only_named, a=1)
    show(only_named, 1)
    show(only_named)
    show(only_named, a=1, x=2)
    show(everything, 1, 2, 3, c=4, a=5)
    show(everything, 1, b=2, c=3)
    show(everything, 1, 2)
    show(everything, a=1, b=2, c=3)
    show(everything, Noisy("one"), Noisy("two"), Noisy("three"), c=Noisy("four"), d=Noisy("five"))


def main():
    show_stars()
    show_displays()
    show_targets()
    show_parameters()
