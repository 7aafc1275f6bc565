def gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a


def search(n: int) -> int:
    k = 0
    while k < n and n:
        k += 1
        if k == 3:
            continue
        if k == 7:
            break
    else:
        k = -1
    return k


def once(n: int) -> int:
    while n:
        n += 1
        break
    return n
