"""Lists walked, grown, cut and sliced by compiled code, and methods of lists and strings that it knows."""
# native: total, mean, lengths, grow, shrink, drop_all, collect, reversed_prefix, parts, replace, rows, names
# native: late, pick, words, first_long, edit, nested, search, temporary, flags, mixed, own, stepped, from_global, pairs

from castiron import jit
from support import show

NAMES = ["ka", "to", "Mi", "ré"]
NUMBERS = [3, 1, 2]
ODD = [1.5, "x", None]


class Loud:
    """Says when it dies."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name

    def __del__(self):
        print("gone", self.name)


class Sub(list):
    """A list with ways of its own."""

    def append(self, item):
        print("appending", item)
        super().append(item)

    def pop(self, *at):
        print("popping")
        return super().pop(*at)

    def __iter__(self):
        print("walking")
        return super().__iter__()


class Editing(int):
    """An int that changes a list when it is added to."""

    def __radd__(self, other):
        VICTIM.clear()
        return other + 1


VICTIM = []


@jit
def total(xs: list[int]):
    result = 0
    for x in xs:
        result += x
    return result


@jit
def mean(xs: list[float]):
    result = 0.0
    count = 0
    for x in xs:
        result += x
        count += 1
    else:
        count += 0
    return result / count


@jit
def flags(xs: list[bool]):
    count = 0
    for x in xs:
        if x:
            count += 1
    return count


@jit
def lengths(xs: list[str]):
    result = 0
    for x in xs:
        result += len(x)
    return result


@jit
def rows(m: list[list[int]]):
    result = 0
    for row in m:
        for x in row:
            if x < 0:
                break
            result += x
        else:
            result += 1000
    return result


@jit
def pairs(xs: list[tuple[int, float]]):
    result = 0.0
    for n, x in xs:
        result += n * x
    return result


@jit
def grow(xs: list[int], stop: int):
    for x in xs:
        if len(xs) < stop:
            xs.append(x + 1)
    return len(xs)


@jit
def shrink(xs: list[int]):
    seen = 0
    for x in xs:
        seen += x
        xs.pop()
    return seen


@jit
def edit(xs: list[int]):
    result = 0
    for x in xs:
        result = result + x
    return result


@jit
def drop_all(xs: list[int]):
    result = 0
    while xs:
        result = result * 3 + xs.pop()
    return result


@jit
def collect(n: int):
    found: list[float] = []
    for i in range(n):
        found.append(i * 0.5)
    texts = []
    for i in range(n):
        texts.append("x" * i)
    kept = found.append
    kept(7.5)
    nothing = texts.append("end")
    return found, texts, nothing


@jit
def reversed_prefix(xs: list[int], top: int):
    xs[:top] = xs[:top][::-1]
    return xs


@jit
def parts(xs: list[int], a: int, b: int):
    return xs[a:b], xs[a:], xs[:b], xs[:], xs[::-1], xs[::2], xs[a:b:-3], xs[-3:], xs[b:a]


@jit
def stepped(xs: list[int], a: int, b: int, step: int):
    return xs[a:b:step]


@jit
def replace(xs: list[object], a: int, b: int, ys: list[object]):
    xs[a:b] = ys
    xs[a:] = xs[:a]
    xs[:] = xs
    return len(xs)


@jit
def own(xs: list[int]):
    xs[1:2] = xs
    return xs


@jit
def names(i: int):
    return NAMES[i & 3] + NAMES[(i >> 2) & 3]


@jit
def pick(i: int):
    total = 0
    for n in NUMBERS:
        total += n
    return total + NUMBERS[i]


@jit
def from_global(i: int):
    return ODD[i], len(ODD), len(NAMES[0])


@jit
def words(text: str):
    found = []
    for raw in text.split():
        word = raw.strip(".,;!").lower()
        if word.isalpha() and word.startswith("a"):
            found.append(word)
    return "-".join(found), text.find("a"), text.upper(), text.encode()


@jit
def first_long(xs: list[str], size: int):
    for x in xs:
        if len(x) >= size:
            return x
    return None


@jit
def nested(n: int):
    grid = []
    for i in range(n):
        row = []
        for j in range(n):
            row.append(i * j)
        grid.append(row)
    result = 0
    for row in grid:
        for x in row:
            result += x
    return result, grid


@jit
def search(xs: list[int], wanted: int):
    return xs.index(wanted), xs.count(wanted), xs.copy()


@jit
def temporary(n: int):
    result = 0
    for x in [Loud("a"), Loud("b")]:
        result += n
        print(x)
    print("after")
    for x in list(range(n)):
        result += x
    return result


@jit
def mixed(xs: list[int], n: int):
    result = 0
    for _ in range(n):
        for x in xs:
            result += x
        xs.append(n)
        del xs[:1]
        result -= xs.pop()
    return result


@jit
def late(n: int):
    grid = []
    result = 0
    for i in range(n):
        for row in grid:
            for x in row:
                result += x
        grid.append([i, i + 1])
    for x in []:
        result += x
    fill(grid)
    for row in grid:
        result += len(row)
    return result


def fill(grid):
    grid.append("abc")


def main():
    for xs in ([], [5], [1, 2, 3], list(range(1000)), [1, True, 2**70, -5], [1, 2.5], Sub([1, 2])):
        show(total, xs)
    show(total, [1, "x", 3])
    show(total, [1, None])
    for xs in ([1.5, 2.5], [1.5, 2, 3.5], [float("nan"), 1.0], [1.0, "x"], [True, 1.5]):
        show(mean, xs)
    show(mean, [])
    show(flags, [True, False, 1, "", None, Loud])
    show(lengths, ["a", "", "éé", [1, 2]])
    show(lengths, ["a", 5])
    for m in ([[1, 2], [3, -1, 5]], [], [[], [1]], [[1], (2, 3)], [[1], Sub([2])], [[1], None]):
        show(rows, m)
    show(pairs, [(1, 2.5), (2, 0.5)])
    show(pairs, [(1, 2.5), [2, 0.5]])
    show(pairs, [(1, 2.5), (2, 0.5, 1)])
    xs = [1]
    show(grow, xs, 20)
    print(xs)
    xs = Sub([1])
    show(grow, xs, 3)
    for xs in ([], [1], list(range(9)), list(range(300)), Sub([1, 2, 3])):
        show(shrink, xs)
        print(xs)
    VICTIM[:] = [1, Editing(2), 3, 4]
    show(edit, VICTIM)
    print(VICTIM)
    for xs in ([], [1, 2, 3], list(range(100)), [1, "x", 2], [2**70], Sub([1, 2])):
        show(drop_all, xs)
        print(xs)
    for n in (0, 1, 5, 40):
        show(collect, n)
    for top in (0, 1, 3, 5, 9, -2, -9, 2**62):
        show(reversed_prefix, [1, 2, 3, 4, 5], top)
    show(reversed_prefix, Sub([1, 2, 3]), 2)
    for a, b in ((1, 3), (0, 0), (-2, 9), (3, 1), (-9, -1), (2**63 - 1, -(2**63)), (2**70, 1)):
        show(parts, [1, 2, 3, 4, 5], a, b)
    for step in (1, -1, 2, -2, 0, 2**62, -(2**63)):
        show(stepped, [1, 2, 3, 4, 5], 4, 0, step)
        show(stepped, [1, 2, 3, 4, 5], -5, 5, step)
    for a, b in ((0, 1), (1, 1), (2, 0), (-1, 9), (0, 9)):
        xs = [Loud("first"), 2, 3]
        show(replace, xs, a, b, [7, "y"])
        print(xs)
        xs.clear()
    show(replace, [1, 2, 3], 0, 1, Sub([7, 8]))
    show(own, [1, 2, 3])
    for i in range(5):
        show(names, i)
        show(pick, i)
        show(from_global, i)
    NAMES[1] = 5
    show(names, 1)
    NAMES[1] = "to"
    NUMBERS[:] = [2.5, 1, 1]
    show(pick, 0)
    NUMBERS[:] = [3, 1, 2]
    show(words, "An apple, a day! keeps Ärzte away; A...")
    show(words, "")
    show(first_long, ["a", "bb", "ccc"], 2)
    show(first_long, ["a"], 2)
    show(first_long, ["a", None], 2)
    show(nested, 4)
    show(search, [3, 1, 3], 3)
    show(search, [3, 1, 3], 4)
    show(temporary, 3)
    for n in (0, 1, 5):
        show(late, n)
    for xs in ([1, 2], list(range(50)), [1, 2.5], []):
        show(mixed, xs, 30)
        print(xs)
