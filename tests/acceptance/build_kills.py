"""What interrupts and damages builds: kills at random moments, and changed bytes in what is built, cached or read.

    python tests/acceptance/build_kills.py [--kills 100] [--mutations 500] [--seed N]

1. A package whose modules are rebuilt from two states in turn, killed at random moments: after each kill every output
   file is absent, or whole and of one of the states, and imports.
2. One byte changed in a built module: the import gives the old result or an ImportError. The same in an entry of the
   disk cache: `castiron run` gives the result. The same in a source file that is then built: a build or an error.
   Never a crash, never another result. A shared object's own headers are read by the dynamic linker before any code of
   ours runs, as those of any extension module; crashes by such bytes are counted apart and do not fail.

Needs castiron installed in the interpreter that runs it; x86-64 Linux.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from castiron._castiron import is_whole

TEXT = '''
"""Numbers."""
STEP = {step}


def total(n: int) -> int:
    s = 0
    for i in range(n):
        s += i * STEP
    return s


class Counter:
    def __init__(self, start):
        self.value = start

    def count(self, n):
        for i in range(n):
            self.value = self.value + i * STEP
        return self.value


def words(text, *, upper=False):
    found = {{}}
    for word in text.split():
        word = word.upper() if upper else word
        found[word] = found.get(word, 0) + 1
    return found
'''
USE = "print({module}.total(10), {module}.Counter(1).count(5), {module}.words('a b a', upper=True))"
MODULES = 8


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", **more}


def python(*words: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment(**more), timeout=300)


def write_package(folder: Path, step: int) -> None:
    (folder / "pack").mkdir(exist_ok=True)
    (folder / "pack" / "__init__.py").write_text(f"STATE = {step}\n")
    for number in range(MODULES):
        (folder / "pack" / f"m{number}.py").write_text(TEXT.format(step=step))


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "out" / "pack").glob("*.so")}


def kills(folder: Path, count: int) -> list[str]:
    """Kill builds; what was found wrong."""
    wrong: list[str] = []
    command = [sys.executable, "-m", "castiron", "build", "pack", "-o", "out", "--everything"]
    states: list[dict[str, bytes]] = []
    for step in (1, 2):
        write_package(folder, step)
        begun = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
        took = time.perf_counter() - begun
        states.append(outputs(folder))
    landed = 0
    for turn in range(count):
        write_package(folder, 1 + turn % 2)
        process = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(timeout=random.uniform(0.3, 1.0) * took)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            landed += 1
        for name, data in outputs(folder).items():
            if data not in (states[0][name], states[1][name]):
                wrong.append(f"kill {turn}: {name} is neither of the two")
    done = python("-c", "import pack.m0 as m; " + USE.format(module="m"), folder=folder / "out")
    if done.returncode:
        wrong.append(f"after the kills: {done.stderr}")
    subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
    if outputs(folder) != states[(count - 1) % 2]:
        wrong.append("a build after the kills does not bring the newest state")
    print(f"{landed} of {count} kills hit a build that ran, {len(wrong)} found something wrong")
    return wrong


def mutated(data: bytes) -> tuple[bytes, int]:
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ random.randrange(1, 256)]) + data[place + 1 :], place


def mutations_of_modules(folder: Path, count: int) -> list[str]:
    """Change a byte of a built module; what was found wrong."""
    (folder / "mod.py").write_text(TEXT.format(step=3))
    python("-m", "castiron", "build", "mod.py", "-o", "built", "--everything", folder=folder).check_returncode()
    (built,) = (folder / "built").glob("*.so")
    whole = built.read_bytes()
    use = "import mod; " + USE.format(module="mod")
    expected = python("-c", use, folder=folder / "built").stdout
    wrong, errors, crashes = [], 0, 0
    for turn in range(count):
        data, place = mutated(whole)
        assert not is_whole(data)
        built.unlink()
        built.write_bytes(data)
        done = python("-c", use, folder=folder / "built")
        if done.returncode == 1 and "ImportError" in done.stderr:
            errors += 1
        elif done.returncode < 0:
            crashes += 1
        elif done.returncode or done.stdout != expected:
            wrong.append(f"module, mutation {turn} at {place}: {done.returncode} {done.stdout} {done.stderr[-300:]}")
    print(f"{count} mutations of a module: {errors} import errors, {crashes} crashes in the dynamic linker")
    if crashes * 50 > count:
        wrong.append("more crashes than the dynamic linker's tables explain")
    return wrong


def mutations_of_the_cache(folder: Path, count: int) -> list[str]:
    """Change a byte of a cached module; what was found wrong."""
    (folder / "script.py").write_text(
        TEXT.format(step=4) + "\nimport sys\n" + USE.format(module="sys.modules[__name__]")
    )
    run = ("-m", "castiron", "run", "script.py")
    cache = {"CASTIRON_CACHE": str(folder / "cache")}
    expected = python(*run, folder=folder, **cache).stdout
    files = sorted((folder / "cache").iterdir())
    wrong = []
    for turn in range(count):
        path = random.choice(files)
        whole = path.read_bytes()
        data, place = mutated(whole)
        path.write_bytes(data)
        done = python(*run, folder=folder, **cache)
        if done.returncode or done.stdout != expected:
            wrong.append(f"cache, mutation {turn} of {path.name} at {place}: {done.returncode} {done.stderr[-300:]}")
        if path.read_bytes() != whole:
            wrong.append(f"cache, mutation {turn} of {path.name} at {place}: it was not made anew")
            path.write_bytes(whole)
    print(f"{count} mutations of the cache: {len(wrong)} found something wrong")
    return wrong


def mutations_of_sources(folder: Path, count: int) -> list[str]:
    """Change a byte of a source file and build it; what was found wrong."""
    text = TEXT.format(step=5).encode()
    names = []
    (folder / "texts").mkdir()
    for turn in range(count):
        data, place = mutated(text)
        names.append(f"t{turn}_{place}.py")
        (folder / "texts" / names[-1]).write_bytes(data)
    done = python("-m", "castiron", "build", "texts", "-o", "texts-out", "--everything", folder=folder)
    if done.returncode not in (0, 1) or "internal error" in done.stderr:
        return [f"sources: {done.returncode} {done.stderr[-500:]}"]
    wrong = []
    for name in random.sample(names, min(count, 60)):
        module = name[:-3]
        uses = f"import {module}; " + USE.format(module=module)
        said = [python("-c", uses, folder=folder / place) for place in ("texts", "texts-out")]
        built, plain = said[1], said[0]
        last = [one.stderr.strip().rpartition("\n")[2] for one in said]
        if built.stdout != plain.stdout or (last[0] != last[1] and "ModuleNotFoundError" not in last[1]):
            wrong.append(f"source {name}: {plain.stdout!r} {last[0]} but {built.stdout!r} {last[1]}")
    print(f"{count} mutations of a source file, {min(count, 60)} of them imported: {len(wrong)} found something wrong")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="Kills and damage.")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--mutations", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wrong = kills(folder, options.kills)
        wrong += mutations_of_modules(folder, options.mutations * 2 // 5)
        wrong += mutations_of_the_cache(folder, options.mutations // 5)
        wrong += mutations_of_sources(folder, options.mutations * 2 // 5)
    for line in wrong:
        print(line)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
