"""`raise` of builtin exceptions, `assert`, chained causes, errors in the middle of loops."""
# native: checked, asserted, asserted_message, bare_class, from_cause, from_none, in_loop

from castiron import jit
from support import show


@jit
def checked(n: int) -> int:
    if n < 0:
        raise ValueError("negative")
    return n


@jit
def asserted(n: int) -> int:
    assert n > 0
    return n


@jit
def asserted_message(n: int) -> int:
    assert n > 0, "not positive"
    return n


@jit
def bare_class(n: int) -> int:
    if n:
        raise KeyError
    return n


@jit
def from_cause(n: int) -> int:
    if n:
        raise RuntimeError("outer") from OSError(5, "inner")
    return n


@jit
def from_none(n: int) -> int:
    if n:
        raise OverflowError(n, "too much") from None
    return n


@jit
def in_loop(n: int) -> int:
    total = 0
    for i in range(n):
        total += checked(5 - i)
    return total


@jit
def not_an_exception(n: int) -> int:
    raise n


def main():
    for n in (-1, 0, 1, 2**70, -(2**70)):
        for function in (checked, asserted, asserted_message, bare_class, from_cause, from_none):
            show(function, n)
    for n in (3, 6, 9):
        show(in_loop, n)
    show(not_an_exception, 1)
    try:
        try:
            checked(-5)
        except ValueError:
            bare_class(1)
    except KeyError as error:
        print(repr(error.__context__))
