"""The same words, counted while they are made, with `setdefault`-like branches and a sorted finish."""

from castiron import jit

N_SMALL = 200
N_BENCH = 1_200_000
EXPECTED_SMALL = (134, "nosu", 4)

SYLLABLES = ("ka", "to", "Mi", "ré", "su", "NO", "ha", "wei", "Ör", "an", "el", "ti", "qu", "os", "bru", "da")
ENDINGS = ("", "", "", "", "", ",", ".", ";", "!", "...")


@jit
def clean(raw: str) -> str:
    while raw and raw[-1] in ".,;!":
        raw = raw[:-1]
    return raw.lower()


@jit
def run(n: int) -> tuple[int, str, int]:
    counts: dict[str, int] = {}
    state = 42
    for _ in range(n):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        word = clean(f"{SYLLABLES[state >> 8 & 15]}{SYLLABLES[state >> 16 & 15]}{ENDINGS[(state >> 20) % 10]}")
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1
    count, word = min((-count, word) for word, count in counts.items())
    return len(counts), word, -count
