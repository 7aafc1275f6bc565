def collatz(n: int) -> int:
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n //= 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps


def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)
