"""Real packages with the tests of their source distributions: as source, and built by `castiron build` in both modes.

    python tests/acceptance/build_packages.py [--packages NAME,...] [--sources DIR] [--list]

For each package: its tests run as source, with the modules built in place as users build them, and built once more
with `--everything`. Every test must come out the same. Says lines, build time, outcomes, the ratio of the times that
the tests took, and the share of the synchronous functions entered that are native (entered: seen by a profiler in a run
as source).

Needs castiron installed in the interpreter that runs it, and a package index (or the distributions in --sources);
x86-64 Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """A package, where its source distribution keeps it, and what its tests want."""

    name: str
    modules: str
    tests: str
    wants: tuple[str, ...] = ()
    options: tuple[str, ...] = ()


PACKAGES = [
    Package("more-itertools", "more_itertools", "tests"),
    Package("boltons", "boltons", "tests"),
    Package("packaging", "src/packaging", "tests", wants=("pretend", "tomli_w", "hypothesis")),
    Package("tomlkit", "tomlkit", "tests", wants=("pyyaml",)),
    Package("sqlparse", "sqlparse", "tests"),
    Package("pyparsing", "pyparsing", "tests", wants=("railroad-diagrams", "jinja2")),
    Package("click", "src/click", "tests"),
    Package("jinja2", "src/jinja2", "tests", wants=("markupsafe", "trio")),
    Package("networkx", "networkx", "networkx/algorithms/tests networkx/classes/tests"),
    Package("attrs", "src/attr", "tests", wants=("hypothesis", "cloudpickle")),
]

#: A plugin of pytest that writes down which functions were entered.
PLUGIN = """
import atexit, inspect, json, os, sys, threading
NOT_SYNCHRONOUS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
entered = set()
root = os.environ["CASTIRON_ROOT"]
def seen(frame, event, _):
    flags = frame.f_code.co_flags
    is_function = flags & inspect.CO_NEWLOCALS and not flags & NOT_SYNCHRONOUS
    if event == "call" and is_function and frame.f_code.co_filename.startswith(root):
        entered.add((frame.f_code.co_filename, frame.f_code.co_qualname))
if "CASTIRON_ENTERED" in os.environ:
    threading.setprofile(seen)
    sys.setprofile(seen)
    atexit.register(lambda: json.dump(sorted(entered), open(os.environ["CASTIRON_ENTERED"], "w")))
"""


def unpacked(package: Package, sources: Path, folder: Path) -> Path:
    """The contents of the source distribution."""
    pattern = f"{package.name.replace('-', '_')}-*.tar.gz"
    if not list(sources.glob(pattern)):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            ":all:",
            "-d",
            str(sources),
        ]
        subprocess.run([*command, package.name], check=True)
    (archive,) = sources.glob(pattern)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    (root,) = (path for path in folder.iterdir() if path.is_dir())
    return root


def environment(packages: tuple[str, ...], folder: Path) -> Path:
    """A fresh environment with pytest and castiron; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", "pytest", *packages], check=True)
    import castiron

    question = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = subprocess.run(question, capture_output=True, text=True, check=True).stdout.strip()
    (Path(site) / "castiron.pth").write_text(f"{Path(castiron.__file__).parent.parent}\n")
    (Path(site) / "castiron_entered.py").write_text(PLUGIN)
    return python


def tested(python: Path, root: Path, package: Package, **more: str) -> tuple[dict[str, str], float]:
    """Run the tests; the outcome of each, and the processor time."""
    report = root / "report.xml"
    report.unlink(missing_ok=True)
    source = (root / package.modules).parent
    paths = {"PYTHONPATH": str(source), "CASTIRON_ROOT": str(root / package.modules), "PYTHONHASHSEED": "0"}
    command = [str(python), "-m", "pytest", "-q", "-p", "castiron_entered", "-p", "no:cacheprovider"]
    command += [*package.options, f"--junit-xml={report}", *package.tests.split()]
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, env={**os.environ, **paths, **more})
    took = time.perf_counter() - begun
    if not report.exists():
        return {"all": f"exit code {done.returncode}: {done.stdout[-1500:]} {done.stderr[-500:]}"}, took
    outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        outcomes[f"{case.get('classname')}::{case.get('name')}"] = kinds[0] if kinds else "passed"
    return outcomes, took


def built(python: Path, root: Path, package: Package, *options: str) -> tuple[list[dict[str, object]], float]:
    """Build in place; what came of it, and how long it took."""
    begun = time.perf_counter()
    command = [str(python), "-m", "castiron", "build", str(root / package.modules), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        print(done.stderr[-1000:])
    found: list[dict[str, object]] = json.loads(done.stdout)
    return found, time.perf_counter() - begun


def differences(plain: dict[str, str], other: dict[str, str]) -> list[str]:
    """Tests that came out differently."""
    names = sorted(plain.keys() | other.keys())
    return [f"{name}: {plain.get(name)} -> {other.get(name)}" for name in names if plain.get(name) != other.get(name)]


def check(package: Package, sources: Path, folder: Path, names_rest: bool) -> bool:
    """All runs of one package; whether they agree. With `names_rest` also what was entered and stayed bytecode."""
    root = unpacked(package, sources, folder / "source")
    python = environment(package.wants, folder / "environment")
    lines = sum(path.read_bytes().count(b"\n") for path in (root / package.modules).rglob("*.py"))
    entered_file = folder / "entered.json"
    tested(python, root, package, CASTIRON_ENTERED=str(entered_file))
    entered = {tuple(pair) for pair in json.loads(entered_file.read_text())} if entered_file.exists() else set()
    plain, plain_time = tested(python, root, package)
    agree = True
    said = [f"{package.name}: {lines} lines, {len(plain)} tests, {sum(v == 'passed' for v in plain.values())} passed"]
    for mode in ([], ["--everything"]):
        outcomes, build_time = built(python, root, package, *mode)
        native = {(module["source"], name) for module in outcomes for name in module.get("native", ())}  # type: ignore[attr-defined]
        now, took = tested(python, root, package)
        found = differences(plain, now)
        agree = agree and not found
        share = len(entered & native) / max(len(entered), 1)
        text = f"built in {build_time:.1f} s, ratio {plain_time / took:.2f}, {share:.0%} of {len(entered)} native"
        said.append(f"  {mode[0] if mode else 'as users build'}: {text}, {len(found)} differences")
        said += [f"    {line}" for line in found[:10]]
        if names_rest and mode:
            said += [f"    bytecode: {Path(source).name}: {name}" for source, name in sorted(entered - native)]
        subprocess.run([str(python), "-m", "castiron", "clean", str(root / package.modules)], capture_output=True)
    print("\n".join(said), flush=True)
    return agree


def main() -> int:
    parser = argparse.ArgumentParser(description="Real packages.")
    parser.add_argument("--packages", default=",".join(package.name for package in PACKAGES))
    parser.add_argument("--sources", type=Path)
    parser.add_argument("--list", action="store_true", help="also name the functions that stayed bytecode")
    options = parser.parse_args()
    agree = True
    for package in PACKAGES:
        if package.name not in options.packages.split(","):
            continue
        with tempfile.TemporaryDirectory() as name:
            sources = options.sources or Path(name) / "sources"
            sources.mkdir(exist_ok=True)
            agree = check(package, sources, Path(name), options.list) and agree
            shutil.rmtree(name, ignore_errors=True)
    return int(not agree)


if __name__ == "__main__":
    sys.exit(main())
