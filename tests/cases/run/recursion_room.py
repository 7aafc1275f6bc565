"""Calls with little room left below the limit: results, and where RecursionError says it was raised."""
# native: outer, inner, even, odd

import sys

from castiron import jit


@jit
def outer(n: int) -> int:
    k = n + 1
    return inner(k) | 1


@jit
def inner(n: int) -> int:
    return n + n


@jit
def even(n: int) -> int:
    if not n:
        return 1
    return odd(n - 1) + 1


@jit
def odd(n: int) -> int:
    if not n:
        return 2
    return even(n - 1) ^ n


def descend(more, function, argument):
    return function(argument) if more <= 0 else descend(more - 1, function, argument)


def with_room(frames, function, argument):
    deep, frame = 0, sys._getframe()
    while frame is not None:
        deep, frame = deep + 1, frame.f_back
    return descend(sys.getrecursionlimit() - deep - frames, function, argument)


def tell(room, function, argument):
    """Print the result, or where below `descend` the limit was met."""
    try:
        print(function.__name__, room, argument, with_room(room, function, argument))
    except RecursionError as error:
        trace, places = error.__traceback__, []
        while trace is not None:
            places.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
            trace = trace.tb_next
        print(function.__name__, room, argument, error, *[place for place in places if place[0] in NAMES])


NAMES = ("outer", "inner", "even", "odd")


def main():
    for function in (outer, even):
        for room in range(1, 9):
            for argument in (0, 3, 4):
                tell(room, function, argument)
