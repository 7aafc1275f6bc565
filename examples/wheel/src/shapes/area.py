"""Areas."""

from castiron import typed


@typed
def disc(r: float, times: int) -> float:
    """The area of so many discs."""
    area = 0.0
    for _ in range(times):
        area += 3.0 * r * r
    return area


def total(sides: list[int]) -> int:
    """The area of squares."""
    area = 0
    for side in sides:
        area += side * side
    return area
