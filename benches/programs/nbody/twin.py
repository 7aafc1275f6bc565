"""The same planets as parallel lists of floats."""

from castiron import jit

N_SMALL = 100
N_BENCH = 150_000
EXPECTED_SMALL = -0.1690507623824282

SOLAR_MASS = 4.0 * 3.141592653589793 * 3.141592653589793
DAYS_PER_YEAR = 365.24
PLACES = [
    [0.0, 0.0, 0.0],
    [4.84143144246472090, -1.16032004402742839, -0.103622044471123109],
    [8.34336671824457987, 4.12479856412430479, -0.403523417114321381],
    [12.8943695621391310, -15.1111514016986312, -0.223307578892655734],
    [15.3796971148509165, -25.9193146099879641, 0.179258772950371181],
]
SPEEDS = [
    [0.0, 0.0, 0.0],
    [0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023],
    [-0.00276742510726411528, 0.00499852801234917238, 0.0000230417297573763929],
    [0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556],
    [0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870],
]
MASSES = [1.0, 0.000954791938424326609, 0.000285885980666130812, 0.0000436624404335156298, 0.0000515138902046611451]


@jit
def advance(places: list[list[float]], speeds: list[list[float]], masses: list[float], dt: float) -> None:
    for i, here in enumerate(places):
        for j in range(i + 1, len(places)):
            there = places[j]
            dx, dy, dz = here[0] - there[0], here[1] - there[1], here[2] - there[2]
            d2 = dx * dx + dy * dy + dz * dz
            pull = dt / (d2 * d2**0.5)
            for axis, delta in enumerate((dx, dy, dz)):
                speeds[i][axis] -= delta * (masses[j] * pull)
                speeds[j][axis] += delta * (masses[i] * pull)
    for place, speed in zip(places, speeds):
        for axis in range(3):
            place[axis] += dt * speed[axis]


@jit
def energy(places: list[list[float]], speeds: list[list[float]], masses: list[float]) -> float:
    total = 0.0
    for i, mass in enumerate(masses):
        x, y, z = speeds[i]
        total += 0.5 * mass * (x * x + y * y + z * z)
        for j in range(i + 1, len(masses)):
            x, y, z = places[i][0] - places[j][0], places[i][1] - places[j][1], places[i][2] - places[j][2]
            total -= mass * masses[j] / (x * x + y * y + z * z) ** 0.5
    return total


def run(n: int) -> float:
    places = [place[:] for place in PLACES]
    speeds = [[part * DAYS_PER_YEAR for part in speed] for speed in SPEEDS]
    masses = [mass * SOLAR_MASS for mass in MASSES]
    for axis in range(3):
        momentum = 0.0
        for speed, mass in zip(speeds, masses):
            momentum += speed[axis] * mass
        speeds[0][axis] = -momentum / masses[0]
    for _ in range(n):
        advance(places, speeds, masses, 0.01)
    return energy(places, speeds, masses)
