"""The example project as a wheel, by hatchling and by setuptools, in fresh environments without a compiler.

    python tests/acceptance/build_wheels.py

For each of the two: `pip wheel` (without isolation, in an environment that has the backend and castiron), what stands
in the wheel and what it is called, its installation into a fresh environment whose PATH is empty, the own tests of the
example there, which functions are native; then an editable install, which keeps the source.

Needs castiron installed in the interpreter that runs it, with its entry points, and a package index; x86-64 Linux.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "wheel"
BACKENDS = {"hatchling": ["hatchling", "editables"], "setuptools": ["setuptools"]}
QUESTION = """
import castiron, shapes.area
print(shapes.area.__file__.rpartition(".")[2], castiron.is_compiled(shapes.disc), castiron.is_compiled(shapes.total))
"""


def run(*command: object, **environment: str) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **environment})
    if done.returncode:
        sys.exit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def fresh(folder: Path, *packages: str) -> Path:
    """A new environment that sees the castiron of this one; its interpreter."""
    run(sys.executable, "-m", "venv", folder)
    python = folder / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    import castiron

    package = Path(castiron.__file__).parent
    (Path(site) / "castiron.pth").write_text(f"{package.parent}\n")
    if packages:
        run(python, "-m", "pip", "install", "-q", "-U", *packages)
    return python


def project(folder: Path, backend: str) -> Path:
    """The example for this backend."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    text = (folder / "pyproject.toml").read_text()
    if backend == "setuptools":
        text = text.partition("[tool.hatch")[0]
        text = text.replace('"hatchling"', '"setuptools"').replace("hatchling.build", "setuptools.build_meta")
        text += '[tool.setuptools.package-data]\nshapes = ["*.txt"]\n'
    text = re.sub(r"^dependencies = .*\n", "", text, flags=re.MULTILINE)
    (folder / "pyproject.toml").write_text(text)
    return folder


def check(backend: str, folder: Path) -> list[str]:
    """Build and use one wheel; what was found wrong."""
    wrong = []
    python = fresh(folder / "builder", *BACKENDS[backend])
    source = project(folder / "project", backend)
    run(python, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder / "dist", source)
    (wheel,) = (folder / "dist").glob("*.whl")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    names = set(zipfile.ZipFile(wheel).namelist())
    for name in (f"shapes/__init__{suffix}", f"shapes/area{suffix}", "shapes/area.py", "shapes/words.txt"):
        if name not in names:
            wrong.append(f"{backend}: {wheel.name} has no {name}")
    version = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    if f"-{version}-{version}-" not in wheel.name or "linux" not in wheel.name:
        wrong.append(f"{backend}: {wheel.name} is not one of this interpreter and machine")
    user = fresh(folder / "user")
    run(user, "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel, PATH="")
    run(user, source / "tests" / "test_shapes.py", PATH="")
    said = run(user, "-c", QUESTION, PATH="").split()
    if said != ["so", "True", "True"]:
        wrong.append(f"{backend}: installed, {said}")
    run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "-e", source)
    run(python, source / "tests" / "test_shapes.py")
    said = run(python, "-c", QUESTION).split()
    if said[0] != "py":
        wrong.append(f"{backend}: editable, {said}")
    print(f"{backend}: {wheel.name}, {wheel.stat().st_size} bytes")
    return wrong


def main() -> int:
    wrong = []
    for backend in BACKENDS:
        with tempfile.TemporaryDirectory() as folder:
            wrong += check(backend, Path(folder))
    for line in wrong:
        print(line)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
