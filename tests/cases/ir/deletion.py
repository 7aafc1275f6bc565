def delete(a, b):
    del a, (b)
    a = 1
    return a


def twice(a):
    del a
    del a
