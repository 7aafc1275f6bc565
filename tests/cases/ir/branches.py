def sign(n: int) -> int:
    if n < 0:
        s = -1
    elif n > 0:
        s = 1
    else:
        s = 0
    return s
