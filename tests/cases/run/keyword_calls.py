"""Direct calls that pass arguments by name, in any order, and calls that are wrong."""
# native: both, only_named, caller, swapped, wrong_name, twice, positional_only

from castiron import jit


@jit
def both(a: int, b: int, c: int) -> int:
    return a * 100 + b * 10 + c


@jit
def only_named(a: int, *, b: int, c: int) -> int:
    return a * 100 + b * 10 + c


@jit
def leading(a: int, /, b: int) -> int:
    return a * 10 + b


@jit
def noisy(n: int) -> int:
    return n // (n - 3) if n == 3 else n


@jit
def caller(n: int) -> int:
    return both(n, c=n + 2, b=n + 1) + only_named(c=1, a=n, b=2) + leading(n, b=7)


@jit
def swapped(n: int) -> int:
    return both(c=noisy(n), a=noisy(n + 1), b=noisy(n + 2))


@jit
def wrong_name(n: int) -> int:
    return both(n, b=1, d=2)


@jit
def twice(n: int) -> int:
    return both(n, 1, a=2)


@jit
def positional_only(n: int) -> int:
    return leading(a=n, b=2)


def outcome(function, argument):
    try:
        return function(argument)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    for n in (0, 1, 2, 3, 2**62, 2**70):
        for function in (caller, swapped, wrong_name, twice, positional_only):
            print(function.__name__, outcome(function, n))
    print(both(1, 2, c=3), only_named(1, c=2, b=3), leading(1, b=2))
