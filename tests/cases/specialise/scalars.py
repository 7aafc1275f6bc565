"""Straight numeric code: everything lives in registers."""


def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def escape_steps(cr: float, ci: float, limit: int) -> int:
    zr = 0.0
    zi = 0.0
    steps = 0
    while steps < limit:
        rr = zr * zr
        ii = zi * zi
        if rr + ii > 4.0:
            break
        zi = 2.0 * zr * zi + ci
        zr = rr - ii + cr
        steps += 1
    return steps


def mixed(n: int) -> int:
    state = 1
    acc = 0
    for _ in range(n):
        state = (state * 1103515245 + 12345) % 2147483648
        value = state * state
        if (state >> 12) % 64 == 0:
            value = value * state
        acc = (acc * 31 + value) % 1_000_000_007
    return acc


def view(n: int) -> int:
    total = 0
    for row in range(n):
        ci = 2.0 * row / n - 1.0
        for col in range(n):
            cr = 3.0 * col / n - 2.0
            total += escape_steps(cr, ci, LIMIT)
    return total
