"""Speed-up over CPython 3.11 in one run of `benches/peers.py`, with right results.

    python tests/acceptance/speed.py

Makes its own environments under .bench/envs: `cpython311`, and `castiron` with the installed wheel's version
of the package. Targets of this release: fib 45x, mandelbrot 36x; lcg_overflow must be right.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from interpreters import find  # noqa: E402

ENVS = ROOT / ".bench" / "envs"
TARGETS = {"fib": 45.0, "mandelbrot": 36.0, "lcg_overflow": None}


def prepare(python: str) -> None:
    """The two environments, with the newest wheel in castiron's."""
    for name in ("cpython311", "castiron"):
        if not (ENVS / name).exists():
            subprocess.run([python, "-m", "venv", str(ENVS / name)], check=True)
    wheels = sorted((ROOT / "target" / "wheels").glob("castiron-*.whl"))
    if not wheels:
        sys.exit("no wheel under target/wheels: run `make test` (or `nox -s wheel`) first")
    pip = [str(ENVS / "castiron" / "bin" / "pip"), "install", "--quiet", "--force-reinstall", "--no-deps"]
    subprocess.run([*pip, str(wheels[-1])], check=True)


def main() -> int:
    python = find().get("3.11")
    if python is None:
        print("no CPython 3.11 here")
        return 1
    prepare(python)
    results = ROOT / ".bench" / "acceptance.json"
    peers = [sys.executable, str(ROOT / "benches" / "peers.py"), "--envs", str(ENVS), "--json", str(results)]
    chosen = ["--programs", ",".join(TARGETS), "--peers", "cpython311,castiron"]
    subprocess.run(peers + chosen, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    table = json.loads(results.read_text())["results"]
    passed = True
    for program, target in TARGETS.items():
        plain, compiled = table[program]["cpython311"], table[program]["castiron"]
        if compiled["status"] != "ok":
            print(f"{program}: {compiled['status']}: {compiled.get('detail', '')}")
            passed = False
            continue
        ratio = min(plain["cpu"]) / min(compiled["cpu"])
        reached = target is None or ratio >= target
        wanted = "right result wanted" if target is None else f"target {target:.0f}x"
        print(f"{program}: {ratio:.1f}x, {wanted}: {'reached' if reached else 'MISSED'}")
        passed = passed and reached
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
