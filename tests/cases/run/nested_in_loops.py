"""Lists and tuples that a loop nests one deeper in each turn: what is known of them must come to an end."""
# native: lists, dicts, tuples, appended

from castiron import jit
from support import show


@jit
def lists(n: int):
    found = []
    for _ in range(n):
        found = [found]
    return found


@jit
def dicts(n: int):
    first, second = [], {}
    for _ in range(n):
        first, second = [first], {"k": second}
    return first, second


@jit
def tuples(n: int):
    found = ()
    for _ in range(n):
        found = (found,)
    return found


@jit
def appended(n: int):
    found = [1]
    for number in range(n):
        inner = [number]
        inner.append(found)
        inner[0] = found
        found = inner
    return len(found)


def main():
    for n in (0, 1, 3, 7):
        for function in (lists, dicts, tuples, appended):
            show(function, n)
