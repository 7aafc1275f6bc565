def value(a, f, c):
    return a < f() <= c != a


def condition(a: int, b: int, c: int) -> int:
    if a < b < c:
        return 1
    return 2
