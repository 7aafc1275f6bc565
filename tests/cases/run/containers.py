"""Items, slices, displays, membership, attributes and globals: CPython's operations in CPython's order."""
# native: read, write, remove, in_place, slices, displays, inside, members, attributes, count_up, swap, matrix

from castiron import jit
from support import show

counter = 0


class Loud:
    """Says what is asked of it, and when it dies."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name

    def __getitem__(self, key):
        print("get", self, key)
        if key == "bad":
            raise KeyError(key)
        return Loud(f"{self}[{key}]")

    def __setitem__(self, key, value):
        print("set", self, key, value)

    def __delitem__(self, key):
        print("del", self, key)

    def __contains__(self, item):
        print("asked", self, item)
        return item == 1

    def __getattr__(self, name):
        print("attribute", self, name)
        raise AttributeError(name)

    def __delattr__(self, name):
        print("forget", self, name)

    def __iadd__(self, other):
        print("add", self, other)
        return Loud(f"{self}+")

    def __hash__(self):
        print("hash", self)
        return 1

    def __eq__(self, other):
        print("equal", self, other)
        return False

    def __del__(self):
        print("gone", self.name)


@jit
def read(container, key):
    return container[key]


@jit
def write(container, key, value):
    container[key] = value
    return container


@jit
def remove(container, key):
    del container[key]
    return container


@jit
def in_place(container, key, value):
    container[key] += value
    return container[key]


@jit
def slices(items, a, b):
    return items[a:b], items[a:], items[:b], items[::a], items[a:b, b], items[:]


@jit
def displays(a, b):
    return [a, b, [a]], {a: b, b: a}, [], {}, [1, 2, 3], (a, [b])


@jit
def inside(item, container):
    if item in container:
        return "in"
    elif item not in container and not item in container:
        return "out"
    return item in container, item not in container


@jit
def members(a, b, c):
    return a in b in c, a < b not in c if a else a in b


@jit
def attributes(thing, value):
    thing.size = value
    thing.size += value
    thing.__private = value
    del thing.__private
    return thing.size


@jit
def count_up(by: int) -> int:
    global counter
    counter += by
    for counter in range(counter, counter + 3):
        pass
    return counter


@jit
def swap(items, i, j):
    items[i], items[j] = items[j], items[i]
    return items


@jit
def matrix(rows, n: int):
    total = 0
    for i in range(n):
        row = rows[i]
        for j in range(len(row)):
            total += row[j]
            row[j] = total
        rows[i][0] -= 1
    return total, rows


class Named:
    __slots__ = ()

    def __repr__(self):
        return type(self).__name__


class Plain(Named):
    pass


class Slotted(Named):
    __slots__ = ("size",)


class Property(Named):
    @property
    def size(self):
        return 5

    @size.setter
    def size(self, value):
        print("size", value)


def loud_things():
    show(read, Loud("a"), 1)
    show(read, Loud("a"), "bad")
    show(write, Loud("a"), 1, Loud("v"))
    show(remove, Loud("a"), 1)
    show(in_place, Loud("a"), Loud("k"), 2)
    show(inside, 1, Loud("c"))
    show(inside, 2, Loud("c"))
    show(displays, Loud("k"), Loud("v"))
    show(attributes, Loud("a"), 2)


def plain_things():
    show(read, [1, 2, 3], -1)
    show(read, [1, 2, 3], 3)
    show(read, {1: 2}, 5)
    show(read, {}, [])
    show(read, "text", 2)
    show(read, 5, 2)
    show(read, [1], "a")
    show(write, [1, 2], 1, "x")
    show(write, [1, 2], 2, "x")
    show(write, (1, 2), 0, "x")
    show(write, {}, {}, 1)
    show(remove, [1, 2], 0)
    show(remove, {1: 2}, 2)
    show(remove, "ab", 0)
    show(in_place, [1, 2], 1, 2.5)
    show(in_place, [[1], 2], 0, [2])
    show(in_place, {"a": 2**63 - 1}, "a", 1)
    show(in_place, ([],), 0, [1])
    show(slices, [1, 2, 3, 4], 1, 3)
    show(slices, "abcdef", 1, 4)
    show(slices, [1, 2], 0, 1)
    show(displays, 1, 2)
    show(displays, [], 2)
    show(inside, 3, [1, 2, 3])
    show(inside, "b", "abc")
    show(inside, 3, "abc")
    show(inside, 3, 5)
    show(inside, [], {1: 2})
    show(members, 1, [1], [[1]])
    show(members, 0, [1], [[1]])
    show(members, 1, 2, 3)
    show(swap, [1, 2, 3], 0, 2)
    show(swap, [1, 2, 3], 0, 5)


def main():
    global counter
    plain_things()
    loud_things()
    for thing in (Plain(), Slotted(), Property(), 5, Plain):
        show(attributes, thing, 3)
    counter = 10
    show(count_up, 5)
    show(count_up, 2**63)
    show(count_up, 1)
    print(counter)
    show(matrix, [[1, 2], [3, 4.5], [2**62, 2**62, 2**62]], 3)
    show(matrix, [[1, 2], (3, 4)], 2)
    show(matrix, [[1, 2], [3]], 3)
