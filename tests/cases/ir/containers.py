def items(a, b, c):
    a[b] = c[b]
    a[b] += 1
    del a[b]
    return a[b:], a[::c]


def attributes(a):
    a.x = a.y
    a.x += 1
    del a.x


def displays(a, b):
    return [a, b], {a: b}, a in b, a not in b


def rebinds(a):
    global counter
    counter = a
    counter += 1
