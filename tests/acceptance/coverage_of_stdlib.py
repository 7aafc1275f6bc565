"""How much of CPython's own library can be compiled: at least 97 % of the functions without `yield` and `await`.

    python tests/acceptance/coverage_of_stdlib.py [--reasons 40] [--examples 0] [--limit 97] [PATH...]

Runs on the interpreter that runs the script. Every `def` of every file goes through the front end, as in
`castiron check`, gain or not; what it prints are the share that can be compiled and why the rest can't be: how many
functions have each reason, and how many have no other. A function that has several counts for each of them.
"""

from __future__ import annotations

import argparse
import collections
import os
import sys
import sysconfig
import time
import tokenize
from pathlib import Path

os.environ["CASTIRON_FORCE"] = "native"  # whether something is gained is not the question

SKIPPED = ("site-packages", "__pycache__", "bad_coding", "badsyntax", "lib2to3/tests/data")
ASYNCHRONOUS = {"yield", "await"}


def main() -> int:
    options = parsed()
    from castiron import _castiron

    kinds: collections.Counter[str] = collections.Counter()
    alone: collections.Counter[str] = collections.Counter()
    examples: dict[str, list[str]] = collections.defaultdict(list)
    synchronous = able = asynchronous = files = 0
    began = time.process_time()
    for path in paths(options.paths):
        report = _castiron.check_text(str(path), text_of(path))
        files += not report.errors
        for function in report.functions:
            reasons = function.reasons
            if any(reason.code in ASYNCHRONOUS for reason in reasons):
                asynchronous += 1
                continue
            synchronous += 1
            able += function.native
            found = {kind_of(reason) for reason in reasons}
            kinds.update(found)
            if len(found) == 1:
                alone.update(found)
            for reason in reasons:
                examples[kind_of(reason)].append(f"{path}:{reason.line} {function.name}: {reason.message}")
    seconds = time.process_time() - began

    print(f"{'functions':>9} {'alone':>7}  reason")
    for kind, count in kinds.most_common(options.reasons):
        print(f"{count:9} {alone[kind]:7}  {kind}")
        for example in examples[kind][: options.examples]:
            print(f"{'':19}{example}")
    share = 100 * able / max(synchronous, 1)
    version = sys.version.split()[0]
    print(
        f"CPython {version}: {files} files, {synchronous} synchronous functions, {asynchronous} others, {seconds:.1f} s"
    )
    print(f"{able} of {synchronous} can be compiled: {share:.2f} % (at least {options.limit} % wanted)")
    return 0 if share >= options.limit else 1


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reasons", type=int, default=40, help="how many reasons are printed")
    parser.add_argument("--examples", type=int, default=0, help="how many places are printed for each")
    parser.add_argument("--limit", type=float, default=97, help="the share in percent below which the script fails")
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders instead of the library")
    return parser.parse_args()


def paths(given: list[Path]) -> list[Path]:
    """The files below what was given, or all of the library without what is no Python on purpose."""
    found: list[Path] = []
    for path in given or [Path(sysconfig.get_path("stdlib"))]:
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [path for path in found if not any(part in path.as_posix() for part in SKIPPED)]


def text_of(path: Path) -> str:
    """The file's text in its own encoding; nothing for one that has none."""
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (SyntaxError, UnicodeDecodeError):
        return ""


def kind_of(reason: object) -> str:
    """The reason without what it says of one function only."""
    code, message = reason.code, reason.message  # type: ignore[attr-defined]
    if code in ("unsupported-parameter", "closure", "syntax-error"):
        return str(code)
    return f"{code}: {message.removesuffix(' can' + chr(39) + 't be compiled yet')}"


if __name__ == "__main__":
    sys.exit(main())
