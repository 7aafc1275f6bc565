"""UnboundLocalError in this CPython's words, from branches and loops."""
# native: declared_nothing, maybe, deleted_branch, loop_only, augmented

from castiron import jit
from support import show


@jit
def maybe(flag: bool) -> int:
    if flag:
        value = 1
    return value


@jit
def deleted_branch(n: int) -> int:
    if n > 0:
        x = n
    elif n < 0:
        y = n
    if n >= 0:
        return x
    return y


@jit
def loop_only(n: int) -> int:
    while n > 0:
        last = n
        n -= 1
    return last


@jit
def augmented(n: int) -> int:
    if n > 5:
        total = 0
    total += n
    return total


@jit
def declared_nothing(x):
    (NOWHERE): int
    (x): int
    return x, NOWHERE


def main():
    show(declared_nothing, 1)
    show(maybe, True)
    show(maybe, False)
    for n in (-3, 0, 3, 2**70):
        show(deleted_branch, n)
        show(loop_only, n) if n < 100 else None
        show(augmented, n)
