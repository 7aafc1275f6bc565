"""Walks by `enumerate`, `zip` and `reversed`, and over strings, in compiled code that makes neither iterator nor tuple."""
# native: numbered, dotted, mixed, triple, nested, back, back_numbered, letters, codes, started, huge, ranged, backwards
# native: ends_early, shrinking, growing, rebound, kept, whole, counted, shadowed, lost, lost_inside, made, tables, left
# native: raising, own_range, uneven, shared, text_pairs, empty_backwards, dying, guessed, rows

from castiron import jit
from support import show

WORDS = ["ka", "to", "Mi", "ré"]
INTS = [4, -1, 3, 2, 50]


class Loud:
    """Says when it dies."""

    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name

    def __del__(self):
        print("gone", self.name)


@jit
def numbered(xs: list[int]) -> int:
    total = 0
    for i, x in enumerate(xs):
        total = total * 3 + i * x
    return total


@jit
def dotted(xs: list[float], ys: list[float]) -> float:
    total = 0.0
    for x, y in zip(xs, ys):
        total += x * y
    return total


@jit
def mixed(xs: list[int], names: list[str]) -> int:
    total = 0
    for x, name in zip(xs, names):
        total += x * len(name)
    return total


@jit
def triple(xs: list[int], ys: list[float], text: str) -> float:
    total = 0.0
    for x, y, c in zip(xs, ys, text):
        total += x * y + ord(c)
    return total


@jit
def nested(xs: list[int], ys: list[float]) -> float:
    total = 0.0
    for i, (x, y) in enumerate(zip(xs, ys)):
        total += i * x - y
    return total


@jit
def back(xs: list[int]) -> int:
    total = 0
    for x in reversed(xs):
        total = total * 7 + x
    return total


@jit
def back_numbered(xs: list[int]) -> int:
    total = 0
    for i, x in enumerate(reversed(xs)):
        total = total * 7 + i * x
    return total


@jit
def letters(text: str, wanted: str) -> int:
    count = 0
    for c in text:
        if c == wanted:
            count += 1
        elif c in "xyz":
            break
    else:
        count += 100
    return count


@jit
def codes(text: str) -> list[int]:
    found = []
    for i, c in enumerate(text, 10):
        found.append(ord(c) * i)
    return found


@jit
def started(xs: list[int], start: int) -> int:
    total = 0
    for i, x in enumerate(xs, start):
        total += i + x
    return total


@jit
def huge(xs: list[int], start: int):
    last = None
    for i, x in enumerate(xs, start):
        last = i, x
    return last


@jit
def ranged(n: int) -> int:
    total = 0
    for i, k in enumerate(range(n, 3 * n, 2)):
        total += i * k
    return total


@jit
def backwards(start: int, stop: int) -> list[int]:
    found = []
    for i in reversed(range(start, stop)):
        found.append(i)
    return found


@jit
def ends_early(xs: list[int], ys: list[int]):
    found = []
    for x, y in zip(xs, ys):
        if x == 3:
            continue
        if y > 40:
            break
        found.append((x, y))
    else:
        found.append("all")
    return found


@jit
def shrinking(xs: list[int]) -> int:
    total = 0
    for i, x in enumerate(xs):
        total += i * x
        if i % 2:
            xs.pop()
    return total


@jit
def growing(xs: list[int]) -> int:
    total = 0
    for x in reversed(xs):
        total = total * 2 + x
        if x == 2:
            xs.clear()
            xs.append(x)
    return total


@jit
def rebound(xs: list[int]) -> int:
    total = 0
    for i, x in enumerate(xs):
        xs = [5]
        total += i * x + len(xs)
    return total


@jit
def kept(xs: list[int]):
    walk = enumerate(xs)
    first = next(walk)
    rest = []
    for i, x in walk:
        rest.append(i * x)
    return first, rest


@jit
def whole(xs: list[int]):
    pairs = []
    for pair in zip(xs, xs):
        pairs.append(pair)
    for pair in enumerate(xs):
        pairs.append(pair)
    return pairs


@jit
def counted(xs: list[int]):
    return list(enumerate(xs)), dict(zip(xs, reversed(xs))), list(zip(range(3), xs)), sorted(reversed(range(4)))


@jit
def shadowed(xs: list[int]):
    total = 0
    for i, x in enumerate(xs):
        total += i * x
    return total


@jit
def lost(xs: list[int]):
    total = 0
    for i, x in enumerate(xs):
        total += i * x
    return total


@jit
def lost_inside(xs: list[int], ys: list[float], text: str):
    seen = []
    for i, (x, (y, c)) in enumerate(zip(xs, zip(ys, text))):
        seen.append((i, x, y, c))
    for x, y in zip(reversed(xs), ys):
        seen.append((x, y))
    for i, x in enumerate(reversed(xs), 5):
        seen.append((i, x))
    for x, c in zip(xs, text):
        seen.append((x + 1, c))
    return seen


@jit
def made(n: int) -> int:
    squares = [i * i for i in range(n)]
    halves = [[j * 0.5 for j in range(i)] for i in range(4)]
    total = 0
    for i, x in enumerate(squares):
        total += i * x
    for row in halves:
        for x in row:
            total += int(x * 2)
    return total


@jit
def guessed(n: int):
    odd = [i if i != 7 else "seven" for i in range(n)]
    texts = [str(i) for i in range(n)]
    total = 0
    for i, text in enumerate(texts):
        total += i * len(text)
    for x in odd:
        if x != "seven":
            total += x
    return total


@jit
def rows(n: int) -> int:
    grid = [[0] * n for _ in range(n)]
    for i in range(n):
        for j in range(n):
            grid[i][j] = i ^ j
    total = 0
    for i, row in enumerate(grid):
        for j, x in enumerate(row):
            total += i * j * x
    return total


@jit
def tables(xs: list[int]):
    total = 0
    for i, (j, x) in enumerate(enumerate(xs, 4), 2):
        total += i * j * x
    return total


@jit
def left(xs: list[int]):
    for i, x in enumerate(xs):
        pass
    return i, x


@jit
def raising(xs: list[int], text: str):
    total = 0
    for x, c in zip(xs, text):
        total += 100 // x + ord(c)
    return total


@jit
def own_range(n: int):
    numbers = range(n)
    total = 0
    for i, k in enumerate(numbers):
        total += i * k
    for k in reversed(numbers):
        total = total * 3 + k
    return total, numbers


@jit
def uneven(xs: list[int], ys: list[int]):
    walk = iter(xs)
    found = []
    for x, y in zip(walk, ys):
        found.append(x * y)
    found.extend(walk)
    return found


@jit
def shared(xs: list[int]):
    walk = iter(xs)
    found = []
    for x, y in zip(walk, walk):
        found.append(x - y)
    return found


@jit
def text_pairs(a: str, b: str) -> int:
    same = 0
    for x, y in zip(a, b):
        same += x == y
    return same


@jit
def empty_backwards(xs: list[int]):
    total = 0
    for x in reversed(xs[:0]):
        total += x
    for x in reversed([]):
        total += 1
    return total


@jit
def dying(xs: list[int], ys: list[int]):
    for x, y in zip(list(xs), reversed(ys)):
        if x == 2:
            break
        print(x, y)
    print("behind")


def main():
    show(numbered, INTS)
    show(numbered, [])
    show(numbered, [2**62, 2**62, 2**62])
    show(numbered, [1, 2, "x", 3])
    show(dotted, [1.0, 2.5], [3.0, float("nan")])
    show(dotted, [1.0, 2.5], [3.0, 1, "x"])
    show(dotted, [], [1.0])
    show(mixed, INTS, WORDS)
    show(mixed, INTS, ["a", 5])
    show(triple, INTS, [1.5, 2.5, 0.5], "añ€🐍")
    show(triple, [1], [1.5, 2.5], "")
    show(nested, INTS, [1.5, 2.5, 0.5])
    show(nested, INTS, [1.5, 2, 0.5])
    show(nested, [1, None], [1.5, 2.0])
    show(back, INTS)
    show(back, [1, 2, True, 4])
    show(back_numbered, INTS)
    show(letters, "banana", "a")
    show(letters, "bañana€", "ñ")
    show(letters, "baxnana", "a")
    show(codes, "aé€🐍")
    show(codes, "")
    show(started, INTS, -2)
    show(started, INTS, 2**62)
    show(huge, INTS, 2**63 - 3)
    show(huge, INTS, 2**70)
    show(ranged, 7)
    show(ranged, 0)
    show(backwards, 2, 6)
    show(backwards, 6, 2)
    show(backwards, -(2**63), -(2**63) + 2)
    show(backwards, 2**63 - 2, 2**63 - 1)
    show(ends_early, [1, 2, 3, 4], [5, 6, 7, 8, 9])
    show(ends_early, [1, 2, 3, 4], [5, 60, 7, 8, 9])
    show(ends_early, [1, 2, 3, 4], [5, None])
    show(shrinking, [1, 2, 3, 4, 5, 6])
    show(growing, [1, 2, 3, 4])
    show(rebound, INTS)
    show(kept, INTS)
    show(whole, INTS)
    show(counted, INTS)
    show(lost, [1, 2, 2**80, 4, 5])
    show(lost, [1, 2, 3.5, 4, 5])
    show(lost_inside, [1, 2, 3], [0.5, 1.5, 2.5], "abc")
    show(lost_inside, [1, 2, "x", 4], [0.5, 1.5, None, 2.5], "abcd")
    show(lost_inside, [1, 2**70, 3], [0.5, 2, 2.5], "abc")
    show(made, 20)
    show(guessed, 5)
    show(guessed, 20)
    show(rows, 9)
    show(tables, INTS)
    show(left, INTS)
    show(left, [])
    show(raising, [1, 2, 0, 4], "abcd")
    show(raising, [1, 2], "abcd")
    show(own_range, 6)
    show(uneven, INTS, [1, 2])
    show(shared, [5, 3, 9, 2, 7])
    show(text_pairs, "kitten", "sitting")
    show(text_pairs, "é€", "éx")
    show(empty_backwards, INTS)
    show(dying, [1, 2, Loud("a")], [3, 4, Loud("b")])
    show(dying, [1, 3], [3, 4, 5])

    show(shadowed, INTS)
    globals()["enumerate"] = lambda xs: [(1, x) for x in xs]
    show(shadowed, INTS)
    del globals()["enumerate"]
    show(shadowed, INTS)
