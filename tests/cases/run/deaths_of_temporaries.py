"""What a finaliser rebinds is seen by the next expression, whoever held the object: a variable or nobody."""
# native: summed, named, straight, called_quietly, pulled, shortened

from castiron import frozen, jit
from support import show

LIMIT = 1
DATA: list[int] = []


class Bomb:
    """Rebinds the global, and empties the list, when it dies."""

    def __init__(self, limit):
        self.limit = limit

    def __del__(self):
        global LIMIT
        LIMIT = self.limit
        DATA.clear()


@frozen
class Holder:
    value: int
    other: object


@jit
def summed(holders: list[Holder], count: int) -> int:
    total = 0
    for _ in range(count):
        total += holders.pop().value + LIMIT
    return total


@jit
def named(holders: list[Holder], count: int) -> int:
    total = 0
    for _ in range(count):
        holder = holders.pop()
        total += holder.value + LIMIT
    return total


@jit
def straight(holders: list[Holder]) -> int:
    first = LIMIT
    value = holders.pop().value
    return first * 100000 + LIMIT * 10 + value


@jit
def taken(holders: list[Holder]) -> int:
    return holders.pop().value + len(holders)


@jit
def called_quietly(holders: list[Holder], count: int) -> int:
    total = 0
    for _ in range(count):
        total += LIMIT
        total += taken(holders)
        total += LIMIT
    return total


@jit
def pulled(holders: list[Holder], count: int) -> int:
    total = 0
    while count > 0:
        total += LIMIT if holders.pop().value > 0 else -LIMIT
        count -= 1
    return total


@jit
def shortened(holders: list[Holder], data: list[int], count: int) -> int:
    total = 0
    for index in range(count):
        total += data[index]
        total += holders.pop().value
    return total


def holders_of(*others):
    return [Holder(number, other) for number, other in enumerate(others, 1)]


def main():
    global LIMIT
    for function in (summed, named, called_quietly, pulled):
        for bombs in ((None, None, None), (None, 3, None), (5, None, 7), (2**70, 3, 2)):
            LIMIT = 1
            holders = holders_of(*(bomb if bomb is None else Bomb(bomb) for bomb in bombs))
            show(function, holders, len(holders))
            show(lambda: LIMIT)
    for bomb in (None, 4, "text"):
        LIMIT = 1
        show(straight, holders_of(Bomb(bomb) if bomb else None))
    for bomb in (None, 4):
        DATA.extend(range(100, 200))
        show(shortened, holders_of(None, Bomb(bomb) if bomb else None, None), DATA, 3)
