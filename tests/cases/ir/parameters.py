def kinds(a, /, b: float, c=1, *, d: bool, e: "int" = 2) -> "tuple[int, tuple[float], None]":
    return a, b, c, d, e


def unused(a, b):
    return 1
