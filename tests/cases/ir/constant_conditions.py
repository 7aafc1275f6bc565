def forever(n: int) -> int:
    while True:
        n = n * 2
        if n > 100:
            found = n
            break
    return found


def debug(n: int) -> int:
    if __debug__:
        n += 1
    if 0:
        n = missing
    while not 1:
        n -= 1
    return n
