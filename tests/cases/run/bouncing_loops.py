"""Ints that leave 64 bits and come back inside running loops, again and again."""
# repetitions: 50
# native: total_for, total_while, nested, back_and_forth, inlined, raises, recursive, floats_too, counted_down, grows, stepped, objects_live, early, changing_kind, branches, truths

from castiron import jit
from support import show

BIG = 2**63
EDGE = 2**63 - 1


@jit
def total_for(n: int, step: int) -> int:
    total = EDGE - (n // 2) * step
    for i in range(n):
        total += step + i % 7
    return total


@jit
def total_while(n: int, step: int) -> int:
    total = -(2**62)
    i = 0
    while i < n:
        total = total + step * i
        i += 1
    return total


@jit
def nested(rows: int, columns: int) -> int:
    total = 0
    for i in range(rows):
        row = EDGE - columns * 3
        for j in range(columns):
            row += 7 * (j & 1)
            if row > BIG:
                row -= 2**62
        total ^= row
        total += i
    return total


@jit
def back_and_forth(n: int) -> tuple[int, int, int]:
    a, b, crossed = EDGE, 1, 0
    for i in range(n):
        if i % 2:
            a += 5
        else:
            a -= 5
        if a > EDGE:
            crossed += 1
        b = (b * 6364136223846793005 + 1442695040888963407) % 2**64
    return a, b, crossed


@jit
def step_of(x: int, m: int) -> int:
    return (x * x + 12345) % m


@jit
def inlined(n: int, m: int) -> int:
    x = 3
    acc = 0
    for i in range(n):
        x = step_of(x, m)
        acc = acc ^ (x * i)
    return acc


@jit
def raises(n: int, at: int) -> int:
    total = EDGE - 1000
    for i in range(n):
        total += 10
        if i == at:
            total = total // (at - i)
    return total


@jit
def recursive(depth: int, n: int) -> int:
    total = EDGE - n // 2
    for i in range(n):
        total += 1
        if i == n // 2 and depth > 0:
            total += recursive(depth - 1, n)
    return total


@jit
def floats_too(n: int) -> tuple[float, int]:
    x = 0.5
    k = EDGE - 100
    for i in range(n):
        x = x * 1.0000001 + i
        k = k + 1 if k % 3 else k * 3 // 3 + 2
    return x, k


@jit
def counted_down(n: int) -> int:
    total = -(2**63) + n
    for i in range(n, -n, -1):
        total += i * 3 - 2 * n
    return total


@jit
def grows(n: int) -> int:
    x = 1
    for i in range(n):
        x = x * 3 + i
        if i % 500 == 499:
            x = x % 1000003
    return x


@jit
def stepped(n: int, step: int) -> int:
    total = EDGE
    for i in range(0, n, step):
        total += i
    for i in range(n, 0, -step):
        total -= i
    return total


@jit
def objects_live(n: int, thing):
    kept = (thing, -1, 0)
    last = None
    total = EDGE - n
    for i in range(n):
        total += 2
        last = kept
        if i % 97 == 0:
            kept = (thing, i, total)
            last = kept
    _, turn, then = kept
    return total, last is kept, turn, then


@jit
def early(n: int, limit: int) -> int:
    x = 1
    while True:
        x = x * 3
        if x > limit:
            return x
        n -= 1
        if n < 0:
            break
        if x > BIG:
            x = x % 1000000007
    return -x


@jit
def changing_kind(n: int):
    x = 0
    for i in range(n):
        if i == n // 2:
            x = x + 0.5
        elif i == n // 2 + 500:
            x = int(x) + BIG
        else:
            x = x + i
    return x


@jit
def branches(n: int) -> int:
    a = b = EDGE - 2000
    for i in range(n):
        if i & 4:
            a += 3
            if a > BIG:
                a -= 2**40
        else:
            b += 5
            if b > BIG + 10:
                b = -b
        if a == b:
            return i
    return a - b


@jit
def truths(n: int) -> tuple[bool, int]:
    seen = False
    odd = True
    total = EDGE - n
    for i in range(n):
        odd = not odd
        seen = seen or (odd and total > EDGE)
        total += 1 + odd
    return seen, total


class Noisy:
    """Tells of its death."""

    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name)


@jit
def deaths(n: int, make):
    held = make("first")
    total = EDGE - n // 2
    for i in range(n):
        total += 1
        if i % 300 == 299:
            held = make(i)
            print("made", i, total)
    return total


def main():
    for n in (10, 700, 5000):
        for step in (1, 1_000_003, -9, 2**61):
            show(total_for, n, step)
            show(total_while, n, step)
        show(back_and_forth, n)
        show(floats_too, n)
        show(counted_down, n)
        show(grows, n)
        show(changing_kind, n)
        show(branches, n)
        show(truths, n)
        for step in (1, 2, 7):
            show(stepped, n, step)
        for m in (10**9 + 7, 2**61 - 1, 2**63 - 25, 2**64 + 13, -(10**12), 0):
            show(inlined, n, m)
        show(raises, n, n - 1)
        show(raises, n, n // 2)
        show(raises, n, -1)
        show(objects_live, n, "thing")
        show(early, n, 2**70)
        show(early, n, 2**200)
    show(nested, 40, 60)
    show(nested, 3, 2000)
    show(recursive, 3, 900)
    show(recursive, 0, True)
    show(total_for, True, 2**62)
    show(total_for, 3000, True)
    deaths(1500, Noisy)
