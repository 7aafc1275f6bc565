"""Every operator on ints that stay between 64 and 128 bits in a running loop, or leave those too."""
# repetitions: 20
# native: sums, products, quotients, remainders, bits, shifts, signs, compared, mixed, narrowed, squares, edges, told, pairs

from castiron import jit
from support import show

BIG = 2**63
EDGE = 2**63 - 1


@jit
def sums(n: int, a: int, b: int) -> int:
    x = a
    for i in range(n):
        x = x + b - i
        if x > 2**100:
            x -= 2**99
    return x


@jit
def products(n: int, a: int, m: int) -> int:
    x = a
    total = 0
    for i in range(n):
        x = x * (a + i) % m
        total = total + x * x
    return total


@jit
def quotients(n: int, a: int, b: int) -> int:
    x = a
    total = 0
    for i in range(n):
        x = (x * 3 + i) * 5
        total += x // b
        x = x // 14
        total ^= x // (b * 2**40)
    return total


@jit
def remainders(n: int, a: int, b: int) -> int:
    x = a
    total = 0
    for i in range(n):
        y = x * 1099511627776 + i
        total += y % b + y % (b * 2**50 + 1) + y % -7
        x = y % 9223372036854775783
    return total


@jit
def bits(n: int, a: int, b: int) -> int:
    x = a
    for i in range(n):
        y = x * 4611686018427387905 + b
        x = (y & 0xFFFFFFFFFFFF) ^ (y >> 3 & b) | i
        x = x ^ (~y & 65535) ^ (y & -256) % 1000003
    return x


@jit
def shifts(n: int, a: int, k: int) -> int:
    x = a
    total = 0
    for i in range(n):
        y = x * x + i
        total += (y >> 5) + (y >> 64) + (y >> k) + (y >> 100)
        x = (y >> 33) % 4611686018427387904 + 3
    return total


@jit
def signs(n: int, a: int) -> int:
    x = a
    total = 0
    for i in range(n):
        x = -(x * 3 - i)
        total += +x + ~x
        if x < -(2**90) or x > 2**90:
            x = x % 1000003 - 500000
        total -= abs(x) % 10
    return total


@jit
def compared(n: int, a: int, limit: int) -> tuple[int, int, int]:
    x = a
    less = equal = more = 0
    for i in range(n):
        x = x * 7 + i
        if x < limit:
            less += 1
        elif x == limit:
            equal += 1
        if x >= limit and x != 0 and limit <= x:
            more += 1
        if x:
            less += 2
        if not (x - x):
            equal += 1
        if x > 2**110 or x < -(2**110):
            x = a
    return less, equal, more


@jit
def mixed(n: int, a: int) -> tuple[float, int]:
    x = a
    f = 0.5
    for i in range(n):
        x = x * 12345 + i
        f = f + x / 3
        if x > f:
            f = f * 0.5
        x = x % 10**20
    return f, x


@jit
def narrow(x: int) -> int:
    return x % 1000 + 1


@jit
def narrowed(n: int, a: int) -> int:
    x = a
    total = 0
    for i in range(n):
        x = x * 31 + i
        total += narrow(x)
        if x > 2**70:
            x = x >> 60
    return total


@jit
def squares(n: int, a: int) -> int:
    x = a
    for i in range(n):
        x = x * x + i
        if i % 100 == 99:
            x = x % 1000000007
        elif i % 3 == 2:
            x = x % 2**80
    return x


@jit
def edges(n: int, a: int) -> int:
    """Right at the ends of what is computed wide."""
    low = -(2**63)
    total = 0
    for i in range(n):
        total = low * (low + i % 2) + a
        total = total + total - i
        total = total * 2
        low = low + 1 if i % 50 else -(2**63)
    return total


@jit
def told(n: int, tell) -> int:
    x = EDGE
    for i in range(n):
        x = x + 5
        if i % 200 == 0:
            tell(x)
        x = x - 2
    return x


@jit
def pairs(n: int) -> tuple[int, int]:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
        if b > 2**120:
            a, b = divmod(b, 2**60 + 33)
    return a, b


@jit
def fails(n: int, at: int) -> int:
    x = EDGE
    for i in range(n):
        x = x + 3
        if i == at:
            x = x // (i - at)
    return x


@jit
def fails_too(n: int, at: int) -> int:
    x = EDGE
    for i in range(n):
        x = x + x % (at - i) + 3
    return x


def main():
    for n in (5, 900):
        for a in (-1, EDGE, -BIG, 2**62 + 12345, 2**100, 2**126, True):
            for b in (7, -BIG):
                show(sums, n, a, b)
                show(quotients, n, a, b)
                show(remainders, n, a, b)
                show(bits, n, a, b)
            show(products, n, a, 2**61 - 1)
            show(products, n, a, 2**66 + 13)
            show(shifts, n, a, 7)
            show(signs, n, a)
            show(compared, n, a, 2**80)
            show(compared, n, a, -EDGE)
            show(mixed, n, a)
            show(narrowed, n, a)
            show(squares, n, a)
            show(edges, n, a)
        show(pairs, n)
        seen = []
        show(told, n, seen.append)
        print(seen)
        show(fails, n, n - 1)
        show(fails_too, n, n - 1)
    show(quotients, 700, 5, 0)
    show(remainders, 700, 5, 0)
    show(shifts, 700, 5, -1)
