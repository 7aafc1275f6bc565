"""A signal handler that rebinds a global is seen by the next turn of a loop that bets on it."""
# native: wait, last_scale

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


def main():
    reset()
    wait(10), last_scale(10)
    old = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    print(wait(10**12) < 10**12)
    reset()
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    print(last_scale(10**12))
    signal.signal(signal.SIGALRM, old)
    reset()
    other = threading.Thread(target=rebind)
    other.start()
    print(wait(10**12) < 10**12)
    other.join()
    reset()
    print(wait(5), last_scale(5))
