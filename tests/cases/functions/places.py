"""Where functions stand, and what they are called."""

import functools


def plain(a: int, b: float = 1.0, /, c: bool = True, *, d: None = None) -> int:
    return a


@functools.cache
@functools.wraps(
    plain
)
def decorated(x: "int") -> "tuple[int, float]":
    def inner(y: tuple[int, tuple[()]]):
        class Local:
            def method(self, __private): ...

        return Local

    global module_level

    def module_level(z: list[int], *args: int, **kwargs: int) -> float: ...

    return inner


class __C:
    def __method(self, __x: bool): ...

    class Inner:
        async def wait(self, __y): ...

        def generate(self):
            yield self

        def lazily(self):
            return (lambda: (yield))


if plain:
    for _ in ():
        def conditional(): ...
else:
    try:
        def fallback(): ...
    except ValueError:
        def handler(): ...
    finally:
        def final(): ...

match plain:
    case 1:
        def matched[T](a: T) -> T: ...
