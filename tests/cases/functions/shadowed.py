"""A name that the module binds anywhere promises nothing."""

import decimal as float


def shadowed(a: float, b: int, c: bool, d: tuple[int, bool]) -> "bool": ...


def deep(a: tuple[int, ...], b: tuple[int, str], c: "1 +", d: "int; int", e: int | None) -> None: ...


class C:
    bool = 1
