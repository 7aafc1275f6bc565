"""Objects of sealed classes passed on: results whose class shows the promise kept, lists in fields, int fields."""
# native: handed, asked_of, counted, kept_numbers

from __future__ import annotations

import sys

import support
from support import show

from castiron import frozen, jit


@frozen
class Desk:
    papers: list[Paper]
    top: Paper | None
    count: int

    @jit
    def take(self, at: int) -> Paper | None:
        self.count += 1
        return self.papers[at]

    @jit
    def first(self) -> Paper:
        return self.top

    @jit
    def asked(self, question: Paper | None, by: int) -> int:
        return self.papers[by].weigh(question)

    @jit
    def put(self, paper: Paper) -> Paper | None:
        old = self.top
        self.papers.append(paper)
        self.top = paper
        return old


@frozen
class Paper:
    size: int
    link: Paper | None = None

    @jit
    def weigh(self, other: Paper | None) -> int:
        return self.size


@frozen
class Letter(Paper):
    pages: int = 2

    @jit
    def weigh(self, other: Paper | None) -> int:
        self.pages += 1000
        if other is None:
            return self.pages
        return self.pages * other.size


class Loose(Paper):
    """No sealed class."""

    def weigh(self, other):
        return -1 if other is None else other.size


class Quiet(Paper):
    """Another one, which replaces nothing."""


@jit
def handed(desk: Desk, most: int) -> int:
    total = 0
    for at in range(most):
        paper = desk.take(at)
        if paper is not None:
            total += paper.size
        total += desk.first().size
    return total


@jit
def asked_of(desk: Desk, question: Paper | None, most: int) -> int:
    total = 0
    for by in range(most):
        total += desk.asked(question, by)
    return total


@jit
def counted(paper: Paper, most: int) -> list[int]:
    seen = [paper.size]
    for step in range(most):
        paper.size += step * 70000
        if step % 3 == 0:
            seen.append(paper.size)
        paper.size = -paper.size
    return seen


@jit
def kept_numbers(paper: Paper, numbers: list[int]) -> list[int]:
    before = []
    for i in range(len(numbers)):
        before.append(paper.size)
        paper.size = numbers[i]
    before.append(paper.size)
    return before


EDGES = [0, 256, 257, -5, -6, 2**30 - 1, 2**30, -(2**30), 2**60, 300, 2**63 - 1, 301, -(2**63), 302, 303]


def shared_numbers():
    """Who holds the number of a field does not see it change."""
    first = int("1234567")
    paper = Paper(first)
    numbers = kept_numbers(paper, [int("7654321"), int("5555555"), 7, int("99999")])
    again = paper.size
    kept_numbers(paper, [123456, 654321])
    return first, numbers, again, paper.size


def desk_of(*papers):
    return Desk(list(papers), papers[0], 0)


def many_classes(count):
    """More classes than there are words for them, each with a method of its own or without."""
    made = []
    for number in range(count):
        space = {"__annotations__": {"extra": "int"}, "extra": number, "__module__": __name__}
        if number % 2:
            space["weigh"] = jit(eval(f"lambda self, other: {number} + self.size"))
        made.append(frozen(type(f"Made{number}", (Paper,), space)))
    return made


def main():
    sys.modules.setdefault(__name__, support)
    for _ in range(3):
        show(handed, desk_of(Paper(1), Letter(2), Paper(300)), 3)
        show(asked_of, desk_of(Paper(1), Letter(2), Paper(300)), Letter(4), 3)
        show(asked_of, desk_of(Letter(1), Letter(2)), None, 2)
        show(counted, Paper(5), 12)
        show(kept_numbers, Paper(5), list(EDGES))
    show(shared_numbers)
    for odd in (Loose(7), Quiet(8), Paper.__new__(Paper)):
        show(lambda odd=odd: handed(desk_of(Letter(1), odd), 2))
        show(lambda odd=odd: handed(desk_of(odd, Letter(1)), 2))
        show(lambda odd=odd: asked_of(desk_of(Letter(1), odd), Paper(3), 2))
        show(lambda odd=odd: asked_of(desk_of(Letter(1), Letter(2)), odd, 2))
        show(lambda odd=odd: desk_of(odd).put(Letter(3)) is odd)
        show(lambda odd=odd: desk_of(odd).first() is odd)
    show(lambda: Desk([None], None, 0).take(0))
    show(lambda: Desk([3, "x"], None, 0).asked(None, 1))
    show(lambda: Desk([], None, 2**63 - 1).take(0))
    show(lambda: desk_of(Letter(1, None, 2**63 - 5)).asked(None, 0))
    made = many_classes(70)
    papers = [cls(number) for number, cls in enumerate(made)]
    for _ in range(3):
        show(lambda: handed(desk_of(*papers), len(papers)))
        show(lambda: asked_of(desk_of(*papers), papers[3], len(papers)))
