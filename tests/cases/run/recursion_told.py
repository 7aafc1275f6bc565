"""What RecursionError says where the call that was one too many compares ints, as warm bytecode has it."""
# native: descend, descend_by_loop

from castiron import jit


@jit
def descend(n: int) -> int:
    return 0 if n == 0 else 1 + descend(n - 1)


@jit
def descend_by_loop(n: int) -> int:
    while n > 0:
        return descend_by_loop(n - 1) + 1
    return 0


def told(function, n):
    try:
        print(function.__name__, function(n))
    except RecursionError as error:
        print(function.__name__, error)


def main():
    for function in (descend, descend_by_loop):
        for n in (30, 10**6, 30, 10**6):
            told(function, n)
