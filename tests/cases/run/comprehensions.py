"""Comprehensions and generator expressions: scoping, order, conditions, walrus, errors inside, what they leave behind."""
# native: simple, conditions, nested_loops, nested_comprehensions, kinds, walrus, shadows, captures, generator, fails, in_try, first_iterable, single, unpacks, unbound_after, with_attributes, in_loop, of_cells
# repetitions: 300

from castiron import jit
from support import show


class Noisy:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Noisy({self.name})"

    def __del__(self):
        print("  del", self.name)


class many:
    def __init__(self, *names):
        self.names = names

    def __repr__(self):
        return f"many{self.names}"

    def __iter__(self):
        for name in self.names:
            if name == "stop":
                raise KeyError(name)
            yield Noisy(name)


def give(value):
    print("  gives", value)
    return value


@jit
def simple(items):
    return [item * 2 for item in items]


@jit
def conditions(n: int, limit):
    return [i for i in range(n) if i % 2 if i < limit], {i % 3 for i in range(n) if not i & 1}


@jit
def nested_loops(rows):
    return [(x, y) for row in rows for x in row if x for y in range(x)]


@jit
def nested_comprehensions(n: int):
    return [[i * j for j in range(i)] for i in range(n)], {i: {j for j in range(i)} for i in range(n)}


@jit
def kinds(items):
    return [give(x) for x in items], sorted({give(x) for x in items}), {give(x): give(-x) for x in items}


@jit
def walrus(items):
    last = None
    kept = [last := item for item in items if (found := item) != 2]
    return kept, last, found


@jit
def shadows(x, items):
    y = [x for x in items]
    z = {x: x for x in y if x}
    return x, y, z, [[x for x in range(x)] for x in y]


@jit
def captures(items, n):
    functions = [lambda: (item, n) for item in items]
    return [function() for function in functions], list((lambda: n)() for _ in items)


@jit
def generator(items, n: int):
    lazy = (item + n for item in items if item)
    return sum(lazy), sum(item * n for item in items), list(zip((a for a in items), (b for b in items)))


@jit
def fails(items):
    held = Noisy("held")
    return [10 // len(noisy.name) for noisy in items]


@jit
def in_try(items):
    try:
        return [10 // (len(noisy.name) - 1) for noisy in items]
    except ZeroDivisionError:
        return give("no zero")
    except KeyError:
        return give("no key")
    finally:
        give("finally")


@jit
def first_iterable(items):
    return [give(x) for x in give(items)]


@jit
def single(items):
    return [y + 1 for x in items for y in [x * 2] for z in (y,) if z > 2]


@jit
def unpacks(pairs):
    return [a + b for a, b in pairs], [rest for _, *rest in pairs]


@jit
def unbound_after(items):
    [item for item in items]
    return item


@jit
def with_attributes(target, items):
    [None for target.x in items]
    return target.x


@jit
def in_loop(rows):
    total = 0
    for row in rows:
        total += sum([x for x in row])
        row = [x for x in row if x > total]
        total += len(row)
    return total


@jit
def of_cells(n: int):
    base = n

    def inner(x):
        return x + base

    return [inner(i) + base for i in range(n)], base


class Target:
    def __repr__(self):
        return "Target()"


def main():
    for items in ([1, 2, 3], (), "ab", range(3), 5, {1: 2}):
        show(simple, items)
    show(conditions, 10, 6)
    show(conditions, 10, None)
    show(nested_loops, [[1, 2], [0, 3], []])
    show(nested_loops, [[1], 5])
    show(nested_comprehensions, 4)
    show(kinds, [3, 1, 2])
    show(walrus, [1, 2, 3])
    show(walrus, [])
    show(shadows, "x", [1, 0, 2])
    show(captures, "ab", 5)
    show(generator, [1, 0, 2], 3)
    show(generator, ["a"], 3)
    show(fails, many("a", "bb"))
    show(in_try, many("aa", "bb"))
    show(in_try, many("aa", "b", "cc"))
    show(in_try, many("aa", "stop"))
    show(first_iterable, [1, 2])
    show(single, [1, 2])
    show(unpacks, [(1, 2), (3, 4)])
    show(unpacks, [(1, 2), (3,)])
    show(unpacks, [(1, 2, 3)])
    show(unbound_after, [1])
    show(with_attributes, Target(), [1, 2])
    show(in_loop, [[1, 2], [10, 20], []])
    show(of_cells, 4)
