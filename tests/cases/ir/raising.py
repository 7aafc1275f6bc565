def always(x: int) -> None:
    raise ValueError(x)


def cause(x: int) -> int:
    if x:
        raise ValueError("x") from x
    return x
