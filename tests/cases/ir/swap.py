def swap(a, b):
    a, b = b, a
    return a - b


def rotate(a, b, c):
    a, b, c = b, c, a
    return a


def four(a, b, c, d):
    a, b, c, d = d, c, b, a
    return a


def constant():
    a, b = 1, 2
    return a + b


def uneven(a, b):
    a, b = 1, b, a
