"""Every kind of parameter that compiles, defaults that are not checked, wrong calls in CPython's words."""
# native: plain, defaults, positional_only, keyword_only, all_kinds, none_parameter, none_default

from castiron import jit
from support import show


@jit
def plain(a: int, b: int) -> int:
    return a * 10 + b


@jit
def defaults(a: int, b: int = 5, c: float = 0.5) -> float:
    return a + b * c


@jit
def positional_only(a: int, b: int = 2, /) -> int:
    return a - b


@jit
def keyword_only(*, a: int, b: int = 7) -> int:
    return a * b


@jit
def all_kinds(a: int, /, b: int, *, c: int = 3) -> int:
    return a * 100 + b * 10 + c


@jit
def none_parameter(a: None, b: int) -> None:
    if a is None:
        b += 1


@jit
def none_default(a: int = None):
    if a is None:
        return -1
    return a


def main():
    show(plain, 1, 2)
    show(plain, 1, b=2)
    show(plain, b=1, a=2)
    show(plain, *(1,), **{"b": 2})
    show(plain)
    show(plain, 1)
    show(plain, 1, 2, 3)
    show(plain, 1, 2, a=3)
    show(plain, 1, c=3)
    show(plain, 1, 2, c=3)
    show(defaults, 1)
    show(defaults, 1, 2)
    show(defaults, 1, c=2.0)
    show(defaults, 1, c=2)
    show(defaults)
    show(positional_only, 1)
    show(positional_only, 9, 3)
    show(positional_only, a=1)
    show(positional_only, 1, b=1)
    show(keyword_only, a=2)
    show(keyword_only, b=2, a=2**40)
    show(keyword_only, 1)
    show(keyword_only)
    show(all_kinds, 1, 2)
    show(all_kinds, 1, b=2, c=9)
    show(all_kinds, 1, 2, 3)
    show(none_parameter, None, 1)
    show(none_default)
    show(none_default, 5)
    show(none_default, a=6)
    defaults.__defaults__ = (50, 2.0)
    show(defaults, 1)
    defaults.__defaults__ = (5, 0.5)
    show(defaults, 1)
