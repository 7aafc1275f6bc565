"""beartype's and typeguard's published test data run through castiron.

    python tests/acceptance/published_tests.py

Their sdists are downloaded by pip into .bench/published and read from there at run time; nothing of them is part of
this repository. beartype's data are pairs of a hint and a value with a verdict, typeguard's are tests that ask for
verdicts. What castiron judges differently is listed with its reason in published/beartype.txt and
published/typeguard.txt; a difference that is not listed fails, and so do fewer than are wanted.

Run it with the interpreter that castiron is installed for.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path

import castiron

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent / "published"
BENCH = ROOT / ".bench" / "published"
SDISTS = ("beartype==0.23.1", "typeguard==4.6.0")
REQUIREMENTS = ("pytest>=9,<10", "typing_extensions>=4.16,<5", "numpy>=2,<3")
#: How many are wanted as published, and of how many: where a CPython has fewer, the same share.
TARGETS = {"beartype": (1100, 1163), "typeguard": (265, 292)}


def prepared() -> tuple[Path, Path]:
    """Give the interpreter of an environment with pytest and this castiron, and the folder of the unpacked sdists."""
    folder = BENCH / f"{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "env" / "bin" / "python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
        pip = [str(python), "-m", "pip"]
        subprocess.run([*pip, "install", "--quiet", *REQUIREMENTS], check=True)
        download = [*pip, "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(folder / "sdists")]
        subprocess.run([*download, *SDISTS], check=True)
        for archive in (folder / "sdists").glob("*.tar.gz"):
            with tarfile.open(archive) as opened:
                opened.extractall(folder / "sdists", filter="data")
        (folder / "ready").touch()
    packages = folder / "castiron"
    shutil.rmtree(packages, ignore_errors=True)
    packages.mkdir()
    (packages / "castiron").symlink_to(Path(castiron.__file__).parent)
    return python, folder


def settled(name: str) -> list[tuple[re.Pattern[str], str]]:
    """Read a list of keys, in which `*` stands for any text, with their reasons."""
    found = []
    for line in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            key, reason = line.split("\t")
            found.append((re.compile(".*".join(map(re.escape, key.split("*"))) + r"\Z", re.S), reason))
    return found


def judged(name: str, verdicts: dict[str, bool], details: dict[str, str]) -> bool:
    """Print what became of the data; whether all differences are settled and the target is reached."""
    reasons = settled(name)
    different = [key for key, same in verdicts.items() if not same]
    counts: Counter[str] = Counter()
    unsettled = []
    for key in different:
        reason = next((reason for pattern, reason in reasons if pattern.match(key)), None)
        if reason is None:
            unsettled.append(key)
        else:
            counts[reason] += 1
    wanted, of = TARGETS[name]
    same = len(verdicts) - len(different)
    reached = same >= wanted or same / len(verdicts) >= wanted / of
    print(f"{name}: {same} of {len(verdicts)} as published; at least {wanted} of {of} are wanted")
    for reason, count in counts.most_common():
        print(f"  {count:3} {reason}")
    for key in unsettled:
        print(f"  NOT SETTLED {key}: {details.get(key, '')}")
    return not unsettled and reached


def pytest_run(python: Path, folder: Path, where: Path, arguments: list[str], path: list[Path]) -> str:
    """Run pytest in a folder of an sdist."""
    paths = os.pathsep.join(map(str, [folder / "castiron", *path]))
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "CASTIRON_STRICT": "1",
        "PUBLISHED_OUT": str(folder / "out.jsonl"),
    }
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def beartype(python: Path, folder: Path) -> bool:
    """Ask for the verdict on each datum."""
    (where,) = [path for path in (folder / "sdists").glob("beartype-*") if path.is_dir()]
    test = Path("beartype_test", "a00_unit", "test_castiron_data.py")
    shutil.copy(HERE / "beartype_data.py", where / test)
    (folder / "out.jsonl").unlink(missing_ok=True)
    said = pytest_run(python, folder, where, [str(test)], [where])
    if not (folder / "out.jsonl").exists() or " passed" not in said:
        sys.exit(f"beartype's data could not be read:\n{said}")
    data = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    verdicts = {one["key"]: one["wanted"] == one["got"].partition(":")[0] for one in data}
    details = {one["key"]: f"wanted {one['wanted']}, got {one['got']}, value {one['value']}" for one in data}
    return judged("beartype", verdicts, details)


def typeguard(python: Path, folder: Path) -> bool:
    """Run the tests with castiron answering."""
    (where,) = [path for path in (folder / "sdists").glob("typeguard-*") if path.is_dir()]
    files = ["tests/test_checkers.py", "tests/test_typechecked.py"]
    arguments = ["-p", "typeguard_verdicts", "-rA", "--tb=no", *files]
    said = pytest_run(python, folder, where, arguments, [HERE, where / "src"])
    verdicts = {}
    for state, key in re.findall(r"^(PASSED|FAILED|ERROR) (tests/\S+(?:\[[^\]]*\])?)", said, re.M):
        verdicts[key] = state == "PASSED"
    if len(verdicts) < 200:
        sys.exit(f"typeguard's tests could not be run:\n{said}")
    return judged("typeguard", verdicts, {})


def main() -> int:
    python, folder = prepared()
    passed = [beartype(python, folder), typeguard(python, folder)]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
