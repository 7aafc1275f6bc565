"""Parameters and results of ordinary classes: subclasses, unions, classes that change, and who sees the frames."""
# native: depth_of, make, choose, put, pair, build, swap, look, each
# repetitions: 8

from __future__ import annotations

import sys

from castiron import frozen, jit


class Node:
    """An ordinary class, named before it exists."""

    def __init__(self, after: Node | None, name: str) -> None:
        self.after = after
        self.name = name

    @jit
    def follow(self, steps: int) -> Node | None:
        node: Node | None = self
        while steps > 0 and node is not None:
            node = node.after
            steps -= 1
        return node


class Special(Node):
    """A subclass."""


class Late(Node):
    """One that comes when everything is compiled."""


class Other:
    """Elsewhere in the hierarchy."""

    after = None
    name = "other"


@frozen
class Box:
    """A sealed class."""

    content: object
    count: int = 0
    label: str | None = None


@frozen
class Tall(Box):
    """A sealed subclass."""

    height: float = 1.0


class Watcher:
    """Says who drops it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __del__(self) -> None:
        print("drops", self.name, callers())


def callers() -> list[str]:
    found = []
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        found.append(f"{frame.f_code.co_name}:{frame.f_lineno - frame.f_code.co_firstlineno}")
        frame = frame.f_back
    return found[:6]


class Asking(type):
    """A metaclass that looks at the stack when it is asked."""

    def __instancecheck__(cls, instance: object) -> bool:
        seen.append([name for name in callers() if name.startswith(("look", "each"))])
        return True


class Asked(metaclass=Asking):
    """What it answers for."""


seen: list[list[str]] = []


@jit
def depth_of(node: Node | None) -> int:
    if node is None:
        return 0
    return 1 + depth_of(node.after)


@jit
def make(count: int) -> Node | None:
    node: Node | None = None
    for i in range(count):
        node = Special(node, "s") if i % 2 else Node(node, "n")
    return node


@jit
def choose(a: Node | int | None, b: Node | str) -> Node | int | str | None:
    if isinstance(a, int):
        return a
    return a if a is not None else b


@jit
def put(box: Box, content: object, count: int) -> Box:
    box.content = content
    box.count = count
    box.count += 1
    return box


@jit
def pair(a: Box, b: Box) -> tuple[Box, Box]:
    return b, a


@jit
def build(n: int) -> Box:
    box = Box(None)
    for i in range(n):
        box = Tall(box, i, "t", height=float(i)) if i % 2 else Box(content=box, count=i)
    return box


@jit
def swap(box: Box, watched: object) -> int:
    box.content = watched
    box.content = None
    return box.count


@jit
def look(value: Asked, box: Box) -> int:
    return box.count


@jit
def each(values: list[object], box: Box) -> int:
    total = 0
    for value in values:
        total += look(value, box)
    return total


def show(name: str, function, *args) -> None:
    try:
        result = function(*args)
    except Exception as error:
        print(name, type(error).__name__, str(error)[:60])
    else:
        print(name, getattr(result, "name", result))


def main() -> None:
    node = make(9)
    print(depth_of(node), [depth_of(make(n)) for n in range(6)])
    for steps in range(12):
        show("follow", node.follow, steps)
    for a in (None, 3, True, node, Special(None, "x")):
        for b in (node, "text", Special(None, "y")):
            show("choose", choose, a, b)

    box = Box(1)
    tall = Tall(2, 3, "l", 2.0)
    for target in (box, tall):
        for content in (None, 4, "text", box, [tall]):
            result = put(target, content, 7)
            print(result is target, result.count, type(result.content).__name__)
            target.content = None
    print([type(part).__name__ for part in pair(box, tall)])
    built = build(7)
    while built is not None:
        print(type(built).__name__, built.count, built.label, getattr(built, "height", None))
        built = built.content

    for target in (box, tall):
        print(swap(target, Watcher("it")))

    for count in range(3):
        seen.clear()
        print(each([1, "a", None, Other()], box))
        print(count, len(seen) in (0, 4))

    moved = Special(None, "moved")
    print(depth_of(moved))
    moved.__class__ = Node
    print(depth_of(moved), moved.follow(0).name)

    late = Late(node, "late")
    for _ in range(3):
        print(depth_of(late), choose(late, "b").name)
