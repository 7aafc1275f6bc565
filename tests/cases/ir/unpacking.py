def unpack(p):
    (a, b), [c, (d,)] = x = p
    return a + b + c + d


def pairs(items):
    s = 0
    for i, (j, k) in items:
        s += i * j * k
    return s
