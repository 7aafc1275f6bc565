def total(n: int) -> int:
    s = 0
    for i in range(n):
        s += i
    return s


def last(items):
    for item in items:
        if item:
            break
    else:
        return None
    return item


def skip(items):
    for item in items:
        if item:
            continue
        item()
