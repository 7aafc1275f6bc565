def maybe(a):
    if a:
        x = 1
    return x


def never():
    y = x
    x = y


def in_loop(n: int) -> int:
    while n:
        if n == 3:
            found = n
        n -= 1
    found += 1
    return found


def unbound_again(a, items):
    for item in items:
        if item:
            del a
        a = item
    return a
