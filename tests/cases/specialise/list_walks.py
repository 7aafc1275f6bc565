"""Walks over lists are counters, slices of lists are numbers, and methods of lists are ops."""


def total(xs: list[int]) -> int:
    result = 0
    for x in xs:
        result += x
    return result


def lengths(rows: list[list[str]]) -> int:
    count = 0
    for row in rows:
        for text in row:
            count += len(text)
    return count


def halves(n: int) -> float:
    found = []
    for i in range(n):
        found.append(i * 0.5)
    last = found.pop()
    for x in found:
        last += x
    return last


def flip(xs: list[int], top: int) -> None:
    xs[:top] = xs[:top][::-1]


def other_slices(xs: list[int], step: int, at: object) -> object:
    return xs[::step], xs[at:], xs[1:][0:1]


def never_filled(n: int) -> int:
    found = []
    for x in found:
        n += x
    return n


def shouted(text: str) -> str:
    return text.strip("!").upper()
