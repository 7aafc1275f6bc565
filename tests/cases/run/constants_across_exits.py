"""A constant that is live when a bet is lost is the same object afterwards, and lives on."""
# native: late, swapped, strings

from castiron import jit
from support import show


@jit
def late(n: int):
    pair = (1234567, (7654321.5, "x"))
    total = n
    for _ in range(70):
        total = total * 3
    first, second = pair
    again = (1234567, (7654321.5, "x"))
    return total + first, second, pair, again


@jit
def swapped(n: int, turns: int):
    a, b = (1000001, 2000002), (3000003, 4000004)
    for i in range(turns):
        a, b = b, a
        n = n * n
    return n, a, b


@jit
def strings(n: int):
    text, number = "a text that nobody interned", 98765432123456789
    while n < 10**30:
        n = n * n + number
    return text, number, n


def main():
    for _ in range(300):
        late(5)
        swapped(3, 9)
        strings(7)
    show(late, 0)
    show(late, 5)
    show(swapped, 1, 3)
    show(swapped, 10, 7)
    show(strings, 12)
    print(late(5)[1] is late(6)[1])
