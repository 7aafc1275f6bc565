"""Make the environments of the peers: one virtual environment of CPython 3.11 each, and PyPy's where it is installed.

    python benches/environments.py                    # all of them, under .bench/envs
    python benches/environments.py --only numba,castiron

In: the package registries, and castiron's own wheel, which is built unless the one under target/wheels is newer than
every source file. Out: what `peers.py --envs` and `run.py --rivals` look for. An environment that is complete is kept;
castiron's always gets the wheel. The C compiler is the system's, and not made here.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WHEELS = ROOT / "target" / "wheels"
sys.path.insert(0, str(ROOT / "tools"))
from interpreters import find  # noqa: E402

REQUIREMENTS = {
    "cpython311": ("numpy",),
    "castiron": ("numpy",),
    "numba": ("numba",),
    "mypyc": ("mypy", "setuptools", "numpy"),
    "cython": ("cython", "setuptools", "numpy"),
    "pypy": (),
}


class Missing(Exception):
    """An environment can't be made here; the message says what is missing."""


def interpreter(name: str) -> str:
    """The Python that the environment is made of."""
    if name == "pypy":
        path = shutil.which("pypy3")
        if path is None:
            raise Missing("no pypy3 on this machine")
        return path
    path = find().get("3.11")
    if path is None:
        raise Missing("no CPython 3.11 on this machine")
    return path


def pip(folder: Path, *arguments: str) -> None:
    subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *arguments], check=True)


def last_change() -> float:
    """When what the wheel is made of was changed last."""
    files = [ROOT / name for name in ("Cargo.toml", "Cargo.lock", "pyproject.toml")]
    files += [path for pattern in ("src/**/*.rs", "pydecorators/**/*.py*") for path in ROOT.glob(pattern)]
    return max(path.stat().st_mtime for path in files if path.suffix != ".pyc")


def current_wheel(envs: Path) -> Path:
    """Castiron's wheel; built in an environment of its own where there is none of the present sources."""
    wheels = WHEELS.glob("castiron-*-abi3-*.whl")
    found = max(wheels, key=lambda path: path.stat().st_mtime, default=None)
    if found is None or found.stat().st_mtime < last_change():
        folder = complete(envs / "maturin", interpreter("castiron"), ("maturin>=1.16,<2",))
        python = str(folder / "bin" / "python")
        command = [python, "-m", "maturin", "build", "--release", "--interpreter", python, "--out", str(WHEELS)]
        subprocess.run(command, check=True, cwd=ROOT)
        found = max(WHEELS.glob("castiron-*-abi3-*.whl"), key=lambda path: path.stat().st_mtime)
    return found


def complete(folder: Path, python: str, requirements: tuple[str, ...]) -> Path:
    """The environment, made anew unless it was finished before."""
    finished = folder / "finished"
    wanted = "\n".join([python, *requirements])
    if not finished.exists() or finished.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        if requirements:
            pip(folder, *requirements)
        finished.write_text(wanted)
    return folder


def make(name: str, envs: Path) -> None:
    """Make one environment, or raise `Missing`."""
    folder = complete(envs / name, interpreter(name), REQUIREMENTS[name])
    if name == "castiron":
        pip(folder, "--force-reinstall", "--no-deps", str(current_wheel(envs)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=Path, default=ROOT / ".bench" / "envs", help="where they are made")
    parser.add_argument("--only", help=f"comma-separated, of: {', '.join(REQUIREMENTS)}")
    arguments = parser.parse_args()
    names = arguments.only.split(",") if arguments.only else list(REQUIREMENTS)
    if unknown := sorted(set(names) - set(REQUIREMENTS)):
        parser.error(f"unknown: {', '.join(unknown)}")
    for name in names:
        try:
            make(name, arguments.envs.absolute())
            print(f"{name}: ready", flush=True)
        except Missing as reason:
            print(f"{name}: left out, {reason}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
