"""Parameters that may be anything: the compiled function works on objects, in CPython's order and with its errors."""
# native: add, compare, loop_over, call_it, attribute, drop, identity

from castiron import jit
from support import show


class Noisy:
    def __init__(self, name):
        self.name = name

    def __add__(self, other):
        print("  add", self.name, getattr(other, "name", other))
        return Noisy(f"({self.name}+{getattr(other, 'name', other)})")

    def __lt__(self, other):
        print("  lt", self.name)
        return True

    def __bool__(self):
        print("  bool", self.name)
        return False

    def __repr__(self):
        return f"Noisy({self.name})"

    def __del__(self):
        print("  del", self.name)


@jit
def add(a, b, c):
    return a + b + c


@jit
def compare(a, b):
    return 1 if a < b else 2


@jit
def loop_over(items):
    total = 0
    for item in items:
        total = total + item
    return total


@jit
def call_it(function, x: int):
    return function(x) + function(x + 1)


@jit
def attribute(a):
    return a.name


@jit
def drop(a):
    b = a + 1
    b = b + 2
    a = None
    return b


@jit
def identity(a):
    return a


def twice(x):
    return x * 2


def main():
    show(add, 1, 2, 3)
    show(add, "a", "b", "c")
    show(add, 1, "b", 3)
    show(add, Noisy("x"), Noisy("y"), 5)
    show(compare, Noisy("x"), 3)
    show(compare, 1, "a")
    show(loop_over, [1, 2.5, True])
    show(loop_over, (2**63 - 1, 5))
    show(loop_over, 5)
    show(loop_over, range(4))
    show(call_it, twice, 5)
    show(call_it, abs, -3)
    show(call_it, 5, 5)
    show(attribute, Noisy("z"))
    show(attribute, 5)
    show(drop, Noisy("w"))
    thing = [1]
    print(identity(thing) is thing)
