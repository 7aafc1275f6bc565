"""What `make test` and `make test-all` run, one session per kind of check.

Every session works from a clean clone: it installs what it needs from the package registries. One release
build serves all of them.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent / "tools"))
from interpreters import VERSIONS, find

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True

ROOT = Path(__file__).parent
WHEELS = ROOT / "target" / "wheels"
INTERPRETERS = find()
TESTED = [INTERPRETERS[version] for version in VERSIONS if version in INTERPRETERS]
SAME_EVERYWHERE = ("fresh_clone.py", "rivals.py", "speed.py")
"""Acceptance scripts that choose their interpreters themselves."""
PYTEST = ("pytest", "pytest-xdist", "hypothesis")
ENFORCED = ("numpy>=2,<3", "typing_extensions>=4.16,<5", "cloudpickle>=3,<4", "greenlet>=3.1", "coverage>=7,<8")
"""Libraries whose annotations, objects and frames are tested."""
FOREIGN_TARGETS = ("x86_64-pc-windows-msvc", "aarch64-apple-darwin")


def cargo_test(session: nox.Session) -> list[str]:
    """Nextest where it is installed, else cargo's own runner."""
    if shutil.which("cargo-nextest"):
        return ["cargo", "nextest", "run", "--release"]
    session.log("cargo-nextest is not installed: cargo test runs instead")
    return ["cargo", "test", "--release"]


def install_wheel(session: nox.Session, *requirements: str) -> None:
    """Install the wheel that the `wheel` session built, and test requirements."""
    wheels = sorted(WHEELS.glob("castiron-*.whl"))
    if not wheels:
        session.error("no wheel under target/wheels: run the session `wheel` first")
    session.install("--force-reinstall", "--no-deps", str(wheels[-1]))
    if requirements:
        session.install(*requirements)


@nox.session(python=False)
def interpreters(session: nox.Session) -> None:
    """Name the CPythons that are tested; one that is missing fails in CI."""
    for version in VERSIONS:
        session.log(f"CPython {version}: {INTERPRETERS.get(version, 'missing, not tested')}")
    missing = [version for version in VERSIONS if version not in INTERPRETERS]
    if missing and os.environ.get("CI"):
        session.error(f"CI tests every CPython; missing: {', '.join(missing)}")


@nox.session(python=TESTED[:1])
def lint(session: nox.Session) -> None:
    """rustfmt, clippy, ruff, mypy, pyright's view of the decorators."""
    session.run("cargo", "fmt", "--check", external=True)
    session.run("cargo", "clippy", "--release", "--all-targets", "--", "-D", "warnings", external=True)
    session.install("ruff", "mypy", "pyright", "pytest", "hypothesis", "nox")
    session.run("ruff", "check", "pydecorators", "tests", "benches", "tools", "noxfile.py")
    session.run("ruff", "format", "--check", "pydecorators", "tests", "benches", "tools", "noxfile.py")
    session.run("mypy", "--strict", "pydecorators/castiron", "tools", "tests/typing")
    session.run("pyright", "-p", "tests/typing")


@nox.session(python=False)
def rust(session: nox.Session) -> None:
    """Rust tests: IR, passes, diagnostics, layering."""
    session.run(*cargo_test(session), external=True)


@nox.session(python=False)
def foreign(session: nox.Session) -> None:
    """`cargo check` for Windows and macOS, where the toolchain has those targets."""
    installed = session.run("rustc", "--print", "sysroot", external=True, silent=True)
    for target in FOREIGN_TARGETS:
        if (Path(str(installed).strip()) / "lib" / "rustlib" / target).exists():
            session.run("cargo", "check", "--release", "--target", target, external=True)
        else:
            session.log(f"{target}: not in this toolchain, skipped")


@nox.session(python=TESTED[:1])
def wheel(session: nox.Session) -> None:
    """Build the one wheel that every CPython loads."""
    session.install("maturin>=1.16,<2")
    for old in WHEELS.glob("castiron-*.whl"):
        old.unlink()
    session.run("maturin", "build", "--release", "--out", str(WHEELS))


@nox.session(python=TESTED)
def tests(session: nox.Session) -> None:
    """Pytest with the installed wheel: API, enforcement, differential cases, generated programs."""
    install_wheel(session, *PYTEST, *ENFORCED)
    session.run("pytest", "-q", "-n", "2", "tests/python", *session.posargs, env={"CASTIRON_STRICT": "1"})


@nox.session(python=TESTED)
def pure(session: nox.Session) -> None:
    """The wheel without the native part: what enforces is tested with it."""
    folder = session.create_tmp()
    session.run("python", "tools/pure_wheel.py", "--out", folder)
    session.install("--force-reinstall", "--no-deps", *map(str, Path(folder).glob("castiron-*-none-any.whl")))
    session.install(*PYTEST, *ENFORCED)
    names = ("annotations", "functions", "generators", "hints", "operators", "targets")
    files = [f"tests/python/test_typed_{name}.py" for name in names]
    files += [
        f"tests/python/test_{name}.py"
        for name in ("enforce", "enforcement_table", "frozen", "frozen_fields", "frozen_seal", "pure")
    ]
    session.run("pytest", "-q", "-n", "2", *files)


@nox.session(python=TESTED)
def demo(session: nox.Session) -> None:
    """What `make demo` shows, with small arguments: the same results, and every function native."""
    install_wheel(session)
    session.run("python", "benches/run.py", "--demo", "--smoke")


@nox.session(python=TESTED)
def smoke(session: nox.Session) -> None:
    """The benchmarks with small arguments: results compared, times only printed."""
    install_wheel(session)
    session.run("python", "benches/run.py", "--smoke")
    session.run("python", "benches/library.py", "--smoke")
    session.run("python", "benches/bench_enforce.py", "--here", "--smoke")


@nox.session(python=TESTED)
def acceptance(session: nox.Session) -> None:
    """The acceptance scripts of `tests/acceptance`, each of which says what it measured."""
    install_wheel(session, *ENFORCED)
    for script in sorted((ROOT / "tests" / "acceptance").glob("*.py")):
        if script.name not in SAME_EVERYWHERE or session.python == TESTED[0]:
            session.run("python", str(script))
