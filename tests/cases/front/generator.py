def numbers(n):
    yield n  # error[yield]: a generator can't be compiled yet
    x = yield  # error[yield]: a generator can't be compiled yet
    yield from x  # error[yield]: a generator can't be compiled yet


def dead():
    if 0:
        yield  # error[yield]: a generator can't be compiled yet
