"""Pancake flips with slices, over permutations made by recursion."""

from castiron import jit

N_SMALL = 6
N_BENCH = 9
EXPECTED_SMALL = (49, 10)


@jit
def flips_of(perm: list[int]) -> int:
    work = perm[:]
    flips = 0
    while work[0] != 0:
        top = work[0] + 1
        work[:top] = work[:top][::-1]
        flips += 1
    return flips


@jit
def visit(perm: list[int], size: int, sign: int, found: list[int]) -> int:
    """Flip every arrangement that rotates the first `size` items; the sign after the last."""
    if size == 1:
        flips = flips_of(perm)
        found[0] += sign * flips
        found[1] = max(found[1], flips)
        return -sign
    for _ in range(size):
        sign = visit(perm, size - 1, sign, found)
        perm.insert(size - 1, perm.pop(0))
    return sign


@jit
def run(n: int) -> tuple[int, int]:
    found = [0, 0]
    visit(list(range(n)), n, 1, found)
    return found[0], found[1]
