"""The same scene as nested tuples and functions over them, with a loop over the bounces instead of recursion."""

import math

from castiron import jit

N_SMALL = 8
N_BENCH = 270
EXPECTED_SMALL = (35.91275124998594, 42.09344564896035, 47.890935529176154)

Vector = tuple[float, float, float]
Sphere = tuple[Vector, float, Vector, float]

MAX_BOUNCES = 3
EYE = (0.0, 0.5, -3.0)
LIGHT = (5.0, 8.0, -5.0)
# centre, radius, colour, mirror
SCENE = [
    ((0.0, -1000.0, 0.0), 999.0, (0.6, 0.7, 0.6), 0.1),
    ((0.0, 0.2, 4.0), 1.0, (0.9, 0.2, 0.2), 0.4),
    ((-1.6, 0.0, 3.0), 0.7, (0.2, 0.9, 0.2), 0.2),
    ((1.5, -0.3, 2.6), 0.6, (0.2, 0.3, 0.9), 0.6),
]


@jit
def dot(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@jit
def along(start: Vector, direction: Vector, distance: float) -> Vector:
    x, y, z = direction
    return start[0] + x * distance, start[1] + y * distance, start[2] + z * distance


@jit
def minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@jit
def scaled(a: Vector, factor: float) -> Vector:
    return a[0] * factor, a[1] * factor, a[2] * factor


@jit
def unit(a: Vector) -> Vector:
    return scaled(a, 1.0 / math.sqrt(dot(a, a)))


@jit
def reach(centre: Vector, radius: float, start: Vector, direction: Vector) -> float:
    """Distance to where the ray first meets the sphere in front of it, or infinity."""
    offset = minus(centre, start)
    middle = dot(offset, direction)
    inside = middle * middle - dot(offset, offset) + radius * radius
    if inside >= 0.0:
        half = math.sqrt(inside)
        for distance in (middle - half, middle + half):
            if distance > 1e-6:
                return distance
    return math.inf


@jit
def first_hit(scene: list[Sphere], start: Vector, direction: Vector) -> tuple[float, Sphere | None]:
    nearest, hit = math.inf, None
    for sphere in scene:
        distance = reach(sphere[0], sphere[1], start, direction)
        if distance < nearest:
            nearest, hit = distance, sphere
    return nearest, hit


@jit
def sky(height: float) -> Vector:
    share = 0.5 * (height + 1.0)
    return 1.0 - 0.5 * share, 1.0 - 0.3 * share, 1.0


@jit
def blend(own: Vector, seen: Vector, mirror: float) -> Vector:
    return along(scaled(own, 1.0 - mirror), seen, mirror)


@jit
def trace(scene: list[Sphere], start: Vector, direction: Vector) -> Vector:
    passed: list[tuple[Vector, float]] = []
    while True:
        distance, hit = first_hit(scene, start, direction)
        if hit is None:
            colour = sky(direction[1])
            break
        centre, _, paint, mirror = hit
        point = along(start, direction, distance)
        normal = unit(minus(point, centre))
        to_light = unit(minus(LIGHT, point))
        start = along(point, normal, 1e-4)
        brightness = max(dot(normal, to_light), 0.0)
        if brightness and first_hit(scene, start, to_light)[1]:
            brightness *= 0.3
        colour = scaled(paint, 0.1 + 0.9 * brightness)
        if not mirror or len(passed) == MAX_BOUNCES:
            break
        passed.append((colour, mirror))
        direction = unit(minus(direction, scaled(normal, 2.0 * dot(direction, normal))))
    for own, mirror in reversed(passed):
        colour = blend(own, colour, mirror)
    return colour


@jit
def run(n: int) -> Vector:
    red = green = blue = 0.0
    for row in range(n):
        for col in range(n):
            direction = unit((2.0 * col / n - 1.0, 1.0 - 2.0 * row / n, 2.0))
            r, g, b = trace(SCENE, EYE, direction)
            red, green, blue = red + r, green + g, blue + b
    return red, green, blue
