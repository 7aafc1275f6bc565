"""Tracebacks name file, line and function of every frame, through direct and inlined calls; uncaught errors too."""
# native: inner, middle, outer, multiline

from castiron import jit
from support import show


@jit
def inner(n: int) -> int:
    m = n - 3
    return 10 // m


@jit
def middle(n: int) -> int:
    x = inner(n)
    return x + 1


@jit
def outer(n: int) -> int:
    total = 0
    for i in range(n):
        total += (
            middle(i)
            + 1
        )
    return total


@jit
def multiline(a: float, b: float) -> float:
    return (
        a
        / b
    )


def main():
    show(inner, 5)
    show(inner, 3)
    show(outer, 3)
    show(outer, 9)
    show(middle, 3)
    show(inner, 3)
    show(multiline, 1.0, 0.0)
    outer(5)
