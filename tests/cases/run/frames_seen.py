"""What compiled code calls sees its frames: names, lines, stack levels, through direct, inlined and resumed calls."""
# native: leaf, middle, outer, exits, calls_exits, inlining, warner, logger, drops, adds, compares, iterates, truths, polls

import inspect
import logging
import signal
import sys
import traceback
import warnings

from castiron import jit
from support import show


def stack():
    """Names and lines of the callers up to `main`, the looker itself left out."""
    frame, found = sys._getframe(2), []
    while frame is not None and frame.f_code.co_name not in ("main", "<module>"):
        found.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found)


def look(n):
    print("look", n, stack())
    return n


@jit
def leaf(n: int) -> int:
    return look(n) + 1


@jit
def middle(n: int) -> int:
    x = leaf(n)
    return (
        x
        + leaf(n + 1)
    )


@jit
def outer(n: int) -> int:
    total = 0
    for i in range(n):
        total += middle(i)
    return total


def through(n):
    return outer(n)


@jit
def exits(n: int) -> int:
    big = n * n * n
    return look(1) + big - big


@jit
def calls_exits(n: int) -> int:
    x = exits(n)
    return x + leaf(n)


@jit
def tiny(n: int) -> int:
    return n * n


@jit
def inlining(n: int) -> int:
    return tiny(n) + look(2)


def warn(n):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("here", stacklevel=1)
        warnings.warn("caller", stacklevel=2)
        warnings.warn("its caller", stacklevel=3)
        print([(w.filename.rpartition("/")[2], w.lineno) for w in caught])
    return n


@jit
def warner(n: int) -> int:
    return (
        warn(n)
    )


def log(n):
    print(logging.getLogger("castiron.test").findCaller(stack_info=False, stacklevel=2)[1:3])
    frames = inspect.stack()[:2]
    print([(frame.function, frame.lineno, (frame.code_context or ["?"])[0].strip()) for frame in frames])
    print([(entry.name, entry.lineno) for entry in traceback.extract_stack()[-2:]])
    return n


@jit
def logger(n: int) -> int:
    return log(n)


class Watched:
    def __repr__(self):
        return "Watched()"

    def __del__(self):
        print("del", stack())

    def __add__(self, other):
        print("add", stack())
        return 5

    def __lt__(self, other):
        print("lt", stack())
        return True

    def __iter__(self):
        print("iter", stack())
        return iter((1, 2))

    def __bool__(self):
        print("bool", stack())
        return False


def make():
    return Watched()


@jit
def drops(n: int) -> int:
    x = make()
    x = n
    return x + 1


@jit
def adds(a: object, n: int) -> object:
    return a + n


@jit
def compares(a: object, n: int) -> bool:
    return a < n


@jit
def iterates(a: object) -> int:
    x, y = a
    total = 0
    for item in a:
        total += item
    return x + y + total


@jit
def truths(a: object) -> int:
    if a:
        return 1
    return 2


RUNG = False


@jit
def polls(limit: int) -> int:
    turns = 0
    while not RUNG and turns < limit:
        turns += 1
    return 0


def ring(number, frame):
    global RUNG
    RUNG = True
    print("handler", frame.f_code.co_name, frame.f_back.f_code.co_name, stack())


KEPT = []


def keep(n):
    KEPT.append(sys._getframe(1))
    return n


@jit
def kept(n: int) -> int:
    return keep(n) + 1


@jit
def keeps_outer(n: int) -> int:
    return kept(n) + kept(n)


def divide(n):
    return 10 // n


@jit
def raises(n: int) -> int:
    return divide(n) + 1


@jit
def divides(n: int) -> int:
    return 10 // n


@jit
def passes_on(n: int) -> int:
    return raises(n) + 1


@jit
def calls_divides(n: int) -> int:
    x = divides(n)
    return x + 1


def chain(function, n):
    """What a traceback's frames say of each other."""
    try:
        function(n)
    except ZeroDivisionError as error:
        frames = []
        entry = error.__traceback__
        while entry is not None:
            frames.append(entry.tb_frame)
            entry = entry.tb_next
        print([frame.f_code.co_name for frame in frames])
        print([inner.f_back is outer for outer, inner in zip(frames, frames[1:], strict=False)])


def main():
    global RUNG
    show(outer, 1)
    show(through, 2)
    show(middle, 2)
    for n in (3, 2**40):
        show(exits, n)
        show(calls_exits, n)
        show(inlining, n)
    show(warner, 1)
    show(logger, 1)
    show(drops, 1)
    show(adds, Watched(), 1)
    show(compares, Watched(), 1)
    show(iterates, Watched())
    show(truths, Watched())
    RUNG = False
    old = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    show(polls, 10**12)
    signal.signal(signal.SIGALRM, old)
    KEPT.clear()
    for _ in range(30):
        keeps_outer(1)
    garbage = [object() for _ in range(1000)]
    del garbage
    print({(f.f_code.co_name, f.f_lineno, f.f_back.f_code.co_name, f.f_back.f_back.f_code.co_name) for f in KEPT})
    print({frame.f_globals is globals() for frame in KEPT}, len(KEPT))
    KEPT.clear()
    for function in (divides, raises, passes_on, calls_divides):
        chain(function, 0)
        chain(function, 0)
