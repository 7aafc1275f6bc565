"""Small whole programs: mandelbrot, primes, integration, Newton's method."""
# native: mandelbrot_point, mandelbrot, is_prime, count_primes, integrate, newton, leap, digits

from castiron import jit
from support import show


@jit
def mandelbrot_point(cr: float, ci: float, limit: int) -> int:
    zr = 0.0
    zi = 0.0
    for i in range(limit):
        if zr * zr + zi * zi > 4.0:
            return i
        zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
    return limit


@jit
def mandelbrot(size: int, limit: int) -> int:
    total = 0
    for y in range(size):
        for x in range(size):
            total += mandelbrot_point(2.0 * x / size - 1.5, 2.0 * y / size - 1.0, limit)
    return total


@jit
def is_prime(n: int) -> bool:
    if n < 2:
        return False
    i = 2
    while i * i <= n:
        if n % i == 0:
            return False
        i += 1
    return True


@jit
def count_primes(limit: int) -> int:
    count = 0
    for n in range(limit):
        if is_prime(n):
            count += 1
    return count


@jit
def integrate(n: int) -> float:
    step = 1.0 / n
    total = 0.0
    for i in range(n):
        x = (i + 0.5) * step
        total += 4.0 / (1.0 + x * x)
    return total * step


@jit
def newton(x: float) -> float:
    guess = x if x > 1.0 else 1.0
    while True:
        better = (guess + x / guess) / 2.0
        if abs(better - guess) < 1e-15 * guess:
            return better
        guess = better


@jit
def leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


@jit
def digits(n: int) -> int:
    total = 0
    while n > 0:
        n, digit = divmod(n, 10)
        total += digit
    return total


def main():
    show(mandelbrot, 8, 20)
    show(mandelbrot_point, -0.1, 0.6, 50)
    show(is_prime, 91)
    show(count_primes, 60)
    show(integrate, 30)
    show(integrate, 0)
    for x in (2.0, 0.25, 1e10):
        show(newton, x)
    for year in (1900, 2000, 2023, 2024):
        show(leap, year)
    for n in (0, 12345, 2**63, 10**30 + 7):
        show(digits, n)
