"""Edit distance with two rows that change places, `min`, and iteration over the strings."""

from castiron import jit

N_SMALL = 40
N_BENCH = 2200
EXPECTED_SMALL = 26

LETTERS = "acgt"


@jit
def make_string(length: int, state: int) -> str:
    text = ""
    while len(text) < length:
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        text += LETTERS[(state >> 16) & 3]
    return text


@jit
def distance(a: str, b: str) -> int:
    previous = [j for j in range(len(b) + 1)]
    for i, left in enumerate(a, 1):
        current = [i]
        for j, right in enumerate(b):
            current.append(min(previous[j] + (left != right), previous[j + 1] + 1, current[j] + 1))
        previous = current
    return previous[-1]


@jit
def run(n: int) -> int:
    return distance(make_string(n, 1), make_string(n + n // 10, 7))
