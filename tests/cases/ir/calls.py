import math


def call(f, x):
    return f(x, key=f(), other=2)


def methods(x: float) -> float:
    return math.sqrt(x) + x.real.hypot(x)
