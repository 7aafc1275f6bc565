"""The same trees as nested tuples, counted with an explicit stack."""

from castiron import jit

N_SMALL = 6
N_BENCH = 15
EXPECTED_SMALL = (1004, 127)

MIN_DEPTH = 4


@jit
def make_tree(depth: int) -> tuple:
    return (make_tree(depth - 1), make_tree(depth - 1)) if depth else (None, None)


@jit
def count_nodes(tree: tuple) -> int:
    count = 0
    waiting = [tree]
    while waiting:
        left, right = waiting.pop()
        count += 1
        if left is not None:
            waiting.append(left)
            waiting.append(right)
    return count


@jit
def run(n: int) -> tuple[int, int]:
    long_lived = make_tree(n)
    total = 0
    for depth in range(MIN_DEPTH, n + 1, 2):
        for _ in range(1 << (n - depth + MIN_DEPTH - 2)):
            total += count_nodes(make_tree(depth))
    return total, count_nodes(long_lived)
