def plain(a: int) -> int:
    assert a
    return a


def message(a: int, b: int) -> int:
    assert a < b and not b, (a, b)
    return a
