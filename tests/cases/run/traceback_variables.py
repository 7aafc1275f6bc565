"""The frames of a traceback have the variables that the functions had, and keep them alive as long as it lives."""
# native: unboxed, unbound, deleted, nested, deep, fallen, kept, looked_at, long_loop, chain, ranged, asserted, rebinding, again_behind, again_bare, again_beyond, again_removed, again_nothing

import gc
import sys
import traceback

from castiron import jit
from support import show, variables


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone:", self.name)


def fail(value):
    raise KeyError(value)


def fail_at(value, limit):
    if value >= limit:
        raise IndexError(value)
    return value


@jit
def unboxed(n: int, x: float, flag: bool) -> float:
    doubled = n * 2
    half = x / 2.0
    nothing = None
    both = (doubled, half)
    opposite = not flag
    big = n << 70
    text = "text"
    result = half / (n - 3)
    last = fail_at(n, 5)
    return result + last


@jit
def unbound(n: int) -> int:
    total = 0
    for i in range(n):
        if i == 2:
            early = i * 10
        total += fail_at(i, 4)
        late = total
    if n > 100:
        never = 1
    total += fail_at(n, 3)
    return total


@jit
def deleted(n: int) -> int:
    first = n + 1
    second = first + 1
    del first
    third = fail_at(second, 5)
    del second
    return third + fail_at(n, 2)


@jit
def divide(a: int, b: int) -> int:
    quotient = a // b
    rest = a - quotient * b
    return quotient + rest


@jit
def halves(a: int, b: int) -> int:
    half = a // 2
    return divide(half, b) + divide(b, half)


@jit
def nested(n: int) -> int:
    total = 0
    for i in range(n):
        step = n - i - 3
        total += halves(i + 8, step)
    return total


@jit
def deep(n: int) -> int:
    if n == 0:
        return 1 // n
    before = n - 1
    after = deep(before) + deep(before)
    return after


@jit
def fallen(n: int, by: int) -> int:
    a = n * n
    b = a * a
    c = b * b
    small = c % 1000
    return c // by + small


@jit
def kept(n: int) -> int:
    a = Noisy("a")
    b = Noisy("b")
    c = Noisy("c")
    same = a
    b = Noisy("second b")
    count = n + 1
    fail(count)
    return count


def look():
    frame = sys._getframe(1)
    seen.append(frame)
    raise LookupError(frame.f_code.co_name)


seen = []


@jit
def looked_at(n: int) -> int:
    square = n * n
    look()
    return square


@jit
def long_loop(n: int, limit: int) -> int:
    product = 1
    total = 0
    for i in range(n):
        product = product * 3 % 1000003
        big = product << 60
        total += big
        if i > limit:
            total = total // (n - n)
    return total


@jit
def chain(n: int) -> int:
    x = n
    y = x + 1
    x = y * 2
    z = x - y
    raise ValueError(z)


@jit
def ranged(n: int) -> int:
    numbers = range(2, n)
    total = 0
    for number in numbers:
        total += number
    for number in range(n, 0, -1):
        total += 10 // (number - 2)
    return total


@jit
def asserted(n: int) -> int:
    root = n * n
    message = "odd"
    assert root % 2 == 0, message
    return root


@jit
def rebinding(n: int) -> int:
    x = n
    x = fail_at(x + 1, 3)
    y = x
    y = y // (n - 1)
    return x + y


def bytecode(function, n):
    """The exception dies in an `except` of the interpreter's own."""
    try:
        function(n)
    except KeyError:
        print("caught")
    print("behind")


def hold():
    """The variables live as long as the traceback."""
    try:
        kept(7)
    except KeyError as error:
        held = error.__traceback__
    print("held")
    while held.tb_next is not None:
        held = held.tb_next
        if held.tb_frame.f_code is not fail.__code__:
            print(held.tb_frame.f_code.co_name, {name: getattr(value, "name", value) for name, value in held.tb_frame.f_locals.items()})
    print("back:", held.tb_frame.f_back.f_code.co_name)
    del held
    print("dropped")


def clear():
    """What `traceback.clear_frames` does to variables."""
    try:
        kept(8)
    except KeyError as error:
        print("clearing")
        traceback.clear_frames(error.__traceback__)
        print("cleared", variables(error.__traceback__.tb_next.tb_frame))
    print("behind")


def cycle():
    """A traceback that its own frames keep alive is collected."""

    def inner():
        held = []
        try:
            kept(9)
        except KeyError as error:
            held.append((error, held))

    gc.collect()
    inner()
    print("cycle")
    gc.collect()
    print("collected")


@jit
def again_behind(n: int):
    held = Noisy(f"behind {n}")
    try:
        half = n / 2
        return half // (n - 3)
    finally:
        try:
            fail(n)
        except KeyError:
            n = n * 10


@jit
def again_bare(n: int):
    try:
        return again_behind(n)
    except ZeroDivisionError as error:
        total = 0.5
        for turn in range(n):
            total += turn
        if n > 2:
            raise


@jit
def again_beyond(n: int):
    for turn in range(n):
        try:
            with Suppressing():
                fail(turn)
            fail_at(turn, 2)
        except (TypeError, ValueError):
            pass
        finally:
            last = Noisy(f"beyond {turn}")


def make_closure(shared):
    @jit
    def again_in_closure(n: int):
        try:
            return n // (shared[0] - n)
        finally:
            shared.append(n)

    return again_in_closure


again_in_closure = make_closure([3])


@jit
def again_removed(n: int):
    gone = Noisy("removed")
    try:
        fail(n)
    except KeyError as error:
        error.__traceback__ = None
        raise


@jit
def again_nothing(n: int):
    held = [n]
    raise


class Suppressing:
    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return True


def show_again():
    for n in (2, 3):
        show(again_behind, n)
        show(again_bare, n)
        show(again_in_closure, n)
    show(again_beyond, 4)
    show(again_removed, 4)
    show(again_nothing, 5)
    try:
        again_beyond(3)
    except IndexError as error:
        kept_again = error
    print("kept")
    del kept_again


def main():
    show_again()
    for n in (1, 3, 5, 2**70):
        show(unboxed, n, 2.5, True)
    for n in (2, 3, 4, 9):
        show(unbound, n)
    for n in (1, 2, 3, 9):
        show(deleted, n)
    for n in (2, 4, 7):
        show(nested, n)
    show(deep, 4)
    show(fallen, 10, 0)
    show(fallen, 10**6, 0)
    show(fallen, 2**70, 0)
    show(chain, 20)
    show(chain, 2**63 - 1)
    show(ranged, 5)
    show(asserted, 3)
    show(asserted, 2**40 + 1)
    for n in (1, 2, 2**65):
        show(rebinding, n)
    show(long_loop, 2000, 1500)
    show(long_loop, 10, 3)
    show(looked_at, 6)
    print([variables(frame) for frame in seen])
    seen.clear()
    bytecode(kept, 3)
    hold()
    clear()
    cycle()
    deep(2)
