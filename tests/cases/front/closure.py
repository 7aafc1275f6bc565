def outer(a):
    b = 1

    def inner(c):  # error[unsupported-statement]: a nested function can't be compiled yet
        nonlocal a  # error[closure]: `a` is a variable of an enclosing function
        a = c  # error[closure]: `a` is a variable of an enclosing function
        return b  # error[closure]: `b` is a variable of an enclosing function

    return inner


def declared(a):
    global a_global

    def inner():  # error[unsupported-statement]: a nested function can't be compiled yet
        return a_global

    return inner


class Shape:
    sides = 4

    def cell(self):
        return __class__  # error[closure]: `__class__` is a variable of an enclosing function

    def not_shared(self):
        return sides


def generic[T](a: T):
    return T(a)  # error[closure]: `T` is a variable of an enclosing function
