def outer(a):
    b = 1

    def inner(c):
        nonlocal a
        a = c
        return b

    return inner


def declared(a):
    global a_global

    def inner():
        return a_global

    return inner


class Shape:
    sides = 4

    def cell(self):
        return __class__

    def not_shared(self):
        return sides


def generic[T](a: T):
    return T(a)
