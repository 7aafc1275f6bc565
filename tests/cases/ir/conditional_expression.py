def pick(a: int, b: int) -> int:
    return a if a > b else b


def condition(a, b, c):
    if b if a else c:
        return 1
    return 2
