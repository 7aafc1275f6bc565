LIMIT = 10


def names(x: int) -> int:
    global LIMIT
    return abs(x) + LIMIT + x.real.imag


class C:
    def private(self, __x):
        __y = self.__z + __x
        return __name(__y, __k=1)
