def both(a, b, c):
    return a and b and c


def nested(a, b, c):
    return (a or b) and not c
