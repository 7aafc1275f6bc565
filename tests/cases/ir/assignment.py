def chained(v):
    a = b = v + 1
    return a, b


def annotated(v: int) -> int:
    x: int = v
    y: float
    (z): int = x
    return z
