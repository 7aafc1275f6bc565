"""Frames that somebody keeps hold the function that ran, also where another one of the same code dies meanwhile."""
# native: called

import gc
import sys
import types

from castiron import jit


def look(kept, errors):
    kept.append(sys._getframe(1))
    errors.clear()


@jit
def called(kept, errors, n: int) -> int:
    if n < 0:
        raise ValueError(n)
    look(kept, errors)
    return n


def functions_of(frame):
    return [held.__qualname__ for held in gc.get_referents(frame) if isinstance(held, types.FunctionType)]


def main():
    kept, errors = [], []
    for number in range(60):
        try:
            called(kept, errors, -1)
        except ValueError as error:
            errors.append(error)
        called(kept, errors, number)
    gc.collect()
    print(len(kept), {name for frame in kept for name in functions_of(frame)})
    before = sys.getrefcount(called)
    kept.clear()
    gc.collect()
    print(before - sys.getrefcount(called) in (0, 60), errors)
