def invert(a):
    return not a


def condition(a, b, c):
    if not (a and (b or not c)):
        return 1
    return 2
