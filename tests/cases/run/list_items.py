"""Items of lists, bytes and bytearrays: indices, wrong guesses about what is in them, and who else sees a store."""
# native: total, floats, truths, rows, put_int, put_float, put_bool, put_any, swap, count_down, reverse
# native: shared, kept, fill, numbers, rotate, grow, from_display, squares, octets, octet, put_octet, sieve
# native: mixed, cleared, own_row, pair, slice_of

from castiron import jit
from support import INTS, show


class Loud:
    """Says when it dies."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name

    def __del__(self):
        print("gone", self.name)


class Clearing:
    """Empties a list when it dies."""

    def __init__(self, victim):
        self.victim = victim

    def __del__(self):
        self.victim.clear()


@jit
def total(xs: list[int], first: int, stop: int):
    result = 0
    for i in range(first, stop):
        result += xs[i]
    return result


@jit
def floats(xs: list[float]):
    result = 0.0
    for i in range(len(xs)):
        result = result * 0.5 + xs[i]
    return result


@jit
def truths(xs: list[bool]):
    count = 0
    i = 0
    while i < len(xs):
        if xs[i]:
            count += 1
        i += 1
    return count


@jit
def rows(m: list[list[float]]):
    result = 0.0
    for i in range(len(m)):
        row = m[i]
        for j in range(len(row)):
            result += row[j] * m[j][i]
    return result


@jit
def put_int(xs: list[int], i: int, value: int):
    xs[i] = value
    return xs[i]


@jit
def put_float(xs: list[float], i: int, value: float):
    xs[i] = value
    return xs[i]


@jit
def put_bool(xs: list[bool], i: int, value: bool):
    xs[i] = value
    return xs[i]


@jit
def put_any(xs: list[int], i: int, value):
    xs[i] = value
    return len(xs)


@jit
def swap(xs: list[int], i: int, j: int):
    xs[i], xs[j] = xs[j], xs[i]


@jit
def count_down(xs: list[int], i: int):
    turns = 0
    while xs[i] > 0:
        xs[i] -= 1
        turns += xs[i] & 1
    return turns


@jit
def reverse(xs: list[float]):
    lo = 0
    hi = len(xs) - 1
    while lo < hi:
        xs[lo], xs[hi] = xs[hi], xs[lo]
        lo += 1
        hi -= 1


@jit
def shared(n: int, start: float):
    xs = [start] * n
    for i in range(n):
        xs[i] += i
        xs[i] *= 2.0
    return xs


@jit
def kept(xs: list[float], i: int):
    before = xs[i:]
    xs[i] = xs[i] + 1.0
    xs[i] = xs[i] + 1.0
    after = xs[i:]
    xs[i] = xs[i] + 1.0
    return before, after


@jit
def fill(n: int):
    xs = [None] * n
    for i in range(n):
        xs[i] = i * 1000
    result = 0
    for i in range(n):
        result += xs[-i]
    return xs, result


@jit
def numbers(start: int, stop: int, step: int):
    xs = list(range(start, stop, step))
    result = 0
    for i in range(len(xs)):
        result += xs[i] * i
    return xs, result


@jit
def rotate(xs: list[int]):
    head = xs[0]
    for i in range(len(xs) - 1):
        xs[i] = xs[i + 1]
    xs[-1] = head


@jit
def grow(n: int):
    xs = []
    for i in range(n):
        xs += [i * 300]
    result = 0
    for i in range(n):
        result += xs[i]
    return result


@jit
def from_display(a: int, b: float):
    ints = [a, a + 1, a + 2]
    floats = [b, b * 2.0]
    return ints[0] + ints[-1], floats[1], len(ints) + len(floats)


@jit
def squares(n: int) -> list[int]:
    xs = [0] * n
    for i in range(n):
        xs[i] = i * i * i * i * i * i
    return xs


@jit
def octets(data: bytes):
    result = 0
    for i in range(len(data)):
        result = result * 31 + data[i] & 0xFFFFFF
    return result


@jit
def octet(data: bytearray, i: int):
    return data[i]


@jit
def put_octet(data: bytearray, i: int, value: int):
    data[i] = value
    return data[i]


@jit
def sieve(n: int) -> int:
    flags = bytearray(n)
    count = 0
    for i in range(2, n):
        if not flags[i]:
            count += 1
            for j in range(i * i, n, i):
                flags[j] = 1
    return count


@jit
def mixed(xs: list[int]) -> list:
    seen = []
    for i in range(len(xs)):
        seen += [xs[i]]
    return seen


@jit
def cleared(xs: list[int], i: int):
    xs[i] = 7
    return len(xs)


@jit
def own_row(m: list[list[int]], i: int, j: int):
    row = m[i]
    m[i] = [0]
    row[j] += 1
    return row[j]


@jit
def pair(xs: list[int]):
    t = (xs[0], 2.5)
    return t[0], t[-1]


@jit
def slice_of(xs: list[int], i: int):
    tail = xs[i:]
    result = 0
    for j in range(len(tail)):
        result += tail[j]
    return result


class Sub(list):
    """A list that answers for itself."""

    def __getitem__(self, index):
        return 1000

    def __len__(self):
        return 2


def changed(function, xs, *args):
    show(function, xs, *args)
    print(xs, [type(x).__name__ for x in xs])


def main():
    base = [3, 1, 4, 1, 5]
    for bounds in ((0, 5), (-5, 5), (0, 6), (-6, 0), (2, 2), (-(2**62), 1 - 2**62)):
        show(total, base, *bounds)
    for xs in ([1, 2.5], [1, True, 2], [2**62, 2**62, 2**62], [2**64, 1], ["a"], [None], [Sub([1])], [1, [2]]):
        show(total, xs, 0, len(xs))
        show(mixed, xs)
    show(total, Sub([5, 6]), 0, 2)
    nan = float("nan")
    for xs in ([1.5, 2.5], [], [1.5, nan, 2.0], [1.5, 2], [0.0, -0.0], [1e308, 1e308]):
        show(floats, xs)
    for xs in ([True, False, True], [], [True, 1, 0], [False, None, "x"]):
        show(truths, xs)
    for m in ([[1.5, 2.5], [3.5, 4.5]], [[1.0], [2.0, 3.0]], [], [[1.0, 2], [3.0, 4.0]], [(1.0,)], [Sub([1.0])]):
        show(rows, m)
    for value in INTS:
        for start in (0, 1000, 2**40, -(2**70), True, None):
            xs = [start, start]
            changed(put_int, xs, 1, value)
            changed(put_int, xs, -1, value)
            if type(start) is int:
                show(total, xs, 0, 2)
    for value in (0.5, nan, -0.0, float("inf"), 3):
        for start in (1.5, 7, None):
            changed(put_float, [start, start], 0, value)
            changed(put_float, [start + 1 if start else start], -1, value)
    for value in (True, False):
        for start in (True, False, 5, None):
            changed(put_bool, [start], 0, value)
    for index in (0, 1, -1, -2, 5, -6, 2**63 - 1, -(2**63), 2**64, True):
        changed(put_int, [10000, 20000], index, 30000)
        changed(put_bool, [True, True], index, False)
        changed(put_any, [1, 2], index, [3])
        changed(swap, [1, 2**30, 2**31], index, 0)
    xs = [Loud("a"), Loud("b"), 3]
    show(put_any, xs, 0, 1)
    show(put_int, xs, 1, 2)
    print(xs)
    changed(count_down, [300, 5, 2**30 + 3], 0)
    changed(count_down, [300, 5, 2**30 + 3], 1)
    changed(count_down, [-5, 5, 2], 0)
    changed(reverse, [1.5, 2.5, 3.5, 4.5])
    changed(reverse, [1.5, 2, 3.5, 4.5])
    for start in (0.5, 2.0, nan):
        show(shared, 5, start)
    xs = [1.5, 2.5, 3.5]
    show(kept, xs, 1)
    print(xs)
    for n in (0, 1, 5):
        show(fill, n)
        show(grow, n)
        show(squares, n)
    show(squares, 1700)
    for bounds in ((0, 5, 1), (5, 0, -2), (0, 0, 1), (2**63 - 3, 2**63 - 1, 1), (-3, 3, 7), (1, 5, 0)):
        show(numbers, *bounds)
    changed(rotate, [1, 2, 3])
    changed(rotate, [1, "x", 3])
    changed(rotate, [])
    show(from_display, 5, 0.5)
    show(from_display, 2**63 - 1, nan)
    show(octets, b"some bytes")
    show(octets, b"")
    data = bytearray(b"abc")
    for index in (0, 2, 3, -1, -3, -4, 2**64):
        show(octet, data, index)
        show(put_octet, data, index, 65)
    for value in (0, 255, 256, -1, 2**64):
        show(put_octet, data, 1, value)
    print(data)
    show(sieve, 100)
    victim = [1, 2, 3]
    victim[1] = Clearing(victim)
    changed(cleared, victim, 1)
    m = [[1000], [2000]]
    show(own_row, m, 0, 0)
    print(m)
    show(own_row, [[1.5]], 0, 0)
    show(pair, [1, 2])
    show(slice_of, [1, 2, 3], 1)
