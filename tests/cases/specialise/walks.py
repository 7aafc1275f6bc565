"""Walks by `enumerate`, `zip` and `reversed`, and over strings, are counters; their tuples are not made."""


def weighed(xs: list[int], ys: list[float]) -> float:
    total = 0.0
    for i, (x, y) in enumerate(zip(xs, ys), 1):
        total += i * x * y
    return total


def vowels(text: str) -> int:
    count = 0
    for c in text:
        if c == "a":
            count += 1
    return count


def falling(n: int) -> int:
    total = 0
    for k in reversed(range(n)):
        total = total * 3 + k
    return total


def pairs(xs: list[int]) -> list[object]:
    found = []
    for pair in enumerate(xs):
        found.append(pair)
    return found


def anything(xs: list[object]) -> int:
    count = 0
    for i, x in enumerate(xs):
        count += i
    return count


def passed_on(n: int) -> object:
    return set(range(n))
