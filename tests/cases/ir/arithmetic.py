def operators(a: int, b: int) -> int:
    return -a + +b - ~a * b // a % b ** a


def bits(a, b):
    return a << b | a >> b & a ^ b


def division(a: float, b: float) -> float:
    return a / b @ a
