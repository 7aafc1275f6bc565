"""`for` over `range`: every sign of step, empty ranges, the variable after the loop, `else`, rebinding inside."""
# native: one, two, three, after, with_else, rebound, reversed_sum, unbound

from castiron import jit
from support import show


@jit
def one(stop: int) -> int:
    total = 0
    for i in range(stop):
        total += i
    return total


@jit
def two(start: int, stop: int) -> int:
    total = 0
    for i in range(start, stop):
        total = total * 3 + i
    return total


@jit
def three(start: int, stop: int, step: int) -> int:
    total = 0
    for i in range(start, stop, step):
        total = total * 2 + i
    return total


@jit
def after(stop: int) -> int:
    i = -7
    for i in range(stop):
        pass
    return i


@jit
def with_else(stop: int, wanted: int) -> int:
    for i in range(stop):
        if i == wanted:
            found = i * 10
            break
    else:
        found = -1
    return found


@jit
def rebound(stop: int) -> int:
    total = 0
    for i in range(stop):
        i = i * 2
        total += i
        stop = 0
    return total + stop


@jit
def reversed_sum(n: int) -> float:
    total = 0.0
    for i in range(n, 0, -1):
        total += 1.0 / i
    return total


@jit
def unbound(stop: int) -> int:
    for i in range(stop):
        pass
    return i


def main():
    for stop in (-3, 0, 1, 10):
        show(one, stop)
        show(after, stop)
        show(rebound, stop)
        show(unbound, stop)
    for start, stop in ((0, 0), (3, 9), (9, 3), (-5, 5), (2**63 - 3, 2**63 - 1), (2**63 - 3, 2**63 + 2), (-(2**63) - 2, -(2**63) + 2)):
        show(two, start, stop)
    for step in (1, 2, -1, -3, 0, 7, 2**62, 2**70, -(2**70)):
        show(three, -5, 20, step)
        show(three, 20, -5, step)
        show(three, 2**63 - 10, 2**63 + 10, step if abs(step) > 2 else 4)
    for wanted in (0, 3, 99):
        show(with_else, 5, wanted)
    show(reversed_sum, 20)
    show(one, True)
