"""The shape of hot loops after all passes: tests at the bottom, no check that is proved, no count that cancels."""


def fib(n: int) -> int:
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


def sum_of_squares(n: int) -> int:
    total = 0
    for i in range(n):
        total += i * i
    return total


def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n //= 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


def lcg(n: int) -> int:
    x = 12345
    for _ in range(n):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
    return x


def mandelbrot(cr: float, ci: float, limit: int) -> int:
    zr = 0.0
    zi = 0.0
    for i in range(limit):
        r2 = zr * zr
        i2 = zi * zi
        if r2 + i2 > 4.0:
            return i
        zi = 2.0 * zr * zi + ci
        zr = r2 - i2 + cr
    return limit


def both(a: int, b: int) -> int:
    while a > 0 and b > 0:
        a -= 1
        b -= 2
    return a + b


def untyped(items, start: int):
    total = start
    for item in items:
        total = total + item
    return total
