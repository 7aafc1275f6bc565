def numbers(n: int):
    yield n  # error[yield]: a generator can't be compiled yet
