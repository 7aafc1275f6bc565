"""A signal handler that rebinds a global is seen by the next turn of a loop that bets on it, and by every call that was waiting."""
# native: wait, last_scale, climb, steps, sum_of_pairs

import signal
import threading
import time

from castiron import jit

DONE = False
SCALE = 1


@jit
def wait(limit: int) -> int:
    turns = 0
    while not DONE and turns < limit:
        turns += 1
    return turns


@jit
def last_scale(limit: int) -> int:
    seen = 0
    for _ in range(limit):
        seen = SCALE
        if seen != 1:
            break
    return seen


@jit
def climb(n: int) -> int:
    if n < 2:
        return 1
    return climb(n - 1) + climb(n - 2)


@jit
def steps(n: int) -> int:
    return climb(n) + climb(n)


@jit
def pair(n: int) -> float:
    if n == 0:
        return 0.5
    return other(n - 1) + other(n - 1)


@jit
def other(n: int) -> float:
    return 0.5 if n == 0 else pair(n - 1) + pair(n - 1)


@jit
def sum_of_pairs(n: int) -> float:
    total = 0.0
    for _ in range(3):
        total += pair(n)
    return total


def ring(number, frame):
    global DONE, SCALE
    DONE = True
    SCALE = 7


def rebind():
    time.sleep(0.001)
    ring(None, None)


def reset():
    global DONE, SCALE
    DONE = False
    SCALE = 1


def end_recursions(number, frame):
    # What still called the old functions would go on for years.
    global climb, pair, other
    climb = lambda n: 0
    pair = other = lambda n: 0.0


def recursions():
    global climb, pair, other
    kept = climb, pair, other
    for function, argument in ((climb, 90), (steps, 90), (sum_of_pairs, 90)):
        function(1)
        signal.signal(signal.SIGALRM, end_recursions)
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        print(function(argument) < 2**62)
        climb, pair, other = kept
    signal.signal(signal.SIGALRM, ring)


def main():
    reset()
    wait(10), last_scale(10)
    old = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    print(wait(10**12) < 10**12)
    reset()
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    print(last_scale(10**12))
    recursions()
    signal.signal(signal.SIGALRM, old)
    reset()
    other = threading.Thread(target=rebind)
    other.start()
    print(wait(10**12) < 10**12)
    other.join()
    reset()
    print(wait(5), last_scale(5))
