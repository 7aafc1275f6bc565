def value(a, b):
    return a is b


def condition(a, b):
    if a is not b is not None:
        return not a is b
    return a
