"""More variables than registers, alive over calls, exits and loops."""
# native: many, many_floats

from castiron import jit
from support import INTS, show


@jit
def many(a: int, b: int) -> int:
    c, d, e, f = a + 1, b + 2, a - b, a * 3
    g, h, i, j = c + d, e - f, c * 2, d & 255
    k, m, n, o = g ^ h, i | j, g + i, h - j
    total = 0
    for step in range(3):
        total += c + d + e + f + g + h + i + j + k + m + n + o + step
        c, d, e, f, g, h = h, c, d, e, f, g
        o = o * 3 + step
    return total - a + b


@jit
def many_floats(a: float, b: float) -> float:
    c, d, e, f = a + 1.0, b * 2.0, a - b, a * 3.0
    g, h, i, j = c + d, e - f, c * 2.0, d / 255.0
    k, m, n, o = g * h, i - j, g + i, h - j
    p, q, r, s = k + 1.0, m + 2.0, n + 3.0, o + 4.0
    total = 0.0
    for step in range(3):
        total += c + d + e + f + g + h + i + j + k + m + n + o + p + q + r + s + step
        c, d, e, f, g, h = h, c, d, e, f, g
    return total


def main():
    for a in INTS:
        show(many, a, 5)
        show(many, 3, a)
    for a in (0.0, 1.5, -2.25, 1e300):
        show(many_floats, a, 0.1)
