"""The command line: `castiron build`, `run`, `clean`, `check`, `dump` and `doctor`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from castiron._mode import PURE, REASON

TYPE_CHECKING = False
if TYPE_CHECKING or not PURE:
    from castiron import _build, _cache, _castiron
    from castiron._source import read_text

STAGES = ("ast", "ir", "clif", "asm")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 all well, 1 something found, 2 the command failed."""
    if PURE:
        print(f"castiron: the command line needs the native part: {REASON}", file=sys.stderr)
        return 2
    words = sys.argv[1:] if arguments is None else arguments
    try:
        if words[:1] == ["run"]:
            return _run(words[1:])
        options = _parser().parse_args(words)
        return int(options.run(options))
    except _CommandError as error:
        print(f"castiron: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 2


class _CommandError(Exception):
    """The command can't do what it was asked to."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="castiron", description="See what castiron makes of Python functions.")
    parser.add_argument("--version", action="version", version=f"castiron {_castiron.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="modules and packages into native extension modules")
    build.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, a package or a directory of them")
    build.add_argument("-o", "--output", type=Path, metavar="DIR", help="where to (default: beside the sources)")
    build.add_argument(
        "-j", "--jobs", type=_positive, default=_build.default_jobs(), help="how many at once (%(default)s)"
    )
    build.add_argument("--enforce", action="store_true", help="check every annotation, as castiron.enforce does")
    build.add_argument("--everything", action="store_true", help="compile functions that gain nothing by it too")
    build.add_argument("--python", metavar="3.N", type=_version, help="for this CPython (default: the running one)")
    build.add_argument(
        "--target", choices=[_build.TARGET], default=_build.TARGET, help="for this kind of machine (%(default)s)"
    )
    build.add_argument(
        "--cpu", choices=["baseline", "native"], default="baseline", help="for all processors, or what this one has"
    )
    build.add_argument(
        "--no-source", action="store_true", help="put code objects into the modules instead of their source text"
    )
    build.add_argument("--json", action="store_true", help="print one JSON document")
    build.set_defaults(run=_build_modules)

    commands.add_parser("run", help="a script or module, compiled as it is imported", add_help=False)

    clean = commands.add_parser("clean", help="remove what build has made, or what run keeps")
    clean.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    clean.add_argument("--cache", action="store_true", help="empty the disk cache")
    clean.set_defaults(run=_clean)

    check = commands.add_parser("check", help="which functions compile, and why others do not")
    check.add_argument("files", nargs="+", metavar="FILE")
    check.add_argument("--json", action="store_true", help="print one JSON document")
    check.set_defaults(run=_check)

    dump = commands.add_parser("dump", help="one function at one stage of compilation")
    dump.add_argument("target", metavar="FILE:FUNC", help="the function's qualified name after the file")
    dump.add_argument("--stage", choices=STAGES, default="ir")
    dump.add_argument("--after", metavar="PASS", help="with --stage ir: after this pass instead of the last")
    dump.add_argument("--all-passes", action="store_true", help="with --stage ir: after each pass")
    dump.set_defaults(run=_dump)

    doctor = commands.add_parser("doctor", help="whether this interpreter can run compiled code")
    doctor.set_defaults(run=_doctor)
    return parser


def _run(words: list[str]) -> int:
    from castiron import _run

    try:
        return _run.main(words)
    except _run.UsageError as error:
        raise _CommandError(str(error)) from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _version(text: str) -> tuple[int, int]:
    major, minor = (int(part) for part in text.split("."))
    if (major, minor) not in _build.VERSIONS:
        raise ValueError(text)
    return major, minor


def _refuse_foreign_code(how: _build.Options) -> None:
    running = sys.version_info[:2]
    if how.no_source and how.python not in (None, running):
        wanted = ".".join(map(str, how.python))
        raise ValueError(
            f"--no-source keeps code objects, which are those of the CPython that builds, {running[0]}.{running[1]}: "
            f"run castiron with CPython {wanted}, or leave --no-source out"
        )


def _build_modules(options: argparse.Namespace) -> int:
    begun = time.perf_counter()
    try:
        how = _build.Options(
            enforce=options.enforce,
            everything=options.everything,
            python=options.python,
            native=options.cpu == "native",
            no_source=options.no_source,
        )
        _refuse_foreign_code(how)
        made = _build.plan(options.paths, options.output, how)
        count = len(made.modules)
        progress = _Progress(count if not options.json else 0)
        outcomes = _build.build(made, options.jobs, progress.step, how)
    except (OSError, ValueError) as error:
        raise _CommandError(str(error)) from None
    progress.end()
    failed = [outcome for outcome in outcomes if isinstance(outcome, _build.Failed)]
    if options.json:
        print(json.dumps([_outcome(outcome) for outcome in outcomes], indent=2))
    else:
        for outcome in outcomes:
            _print_outcome(outcome)
        _print_sum(outcomes, count, begun)
    return 1 if failed else 0


class _Progress:
    """A line on the terminal that says how far a build is."""

    def __init__(self, count: int) -> None:
        self._count = count if sys.stderr.isatty() else 0
        self._done = 0

    def step(self, outcome: _build.Outcome) -> None:
        self._done += 1
        if self._count:
            print(f"\r\x1b[K[{self._done}/{self._count}] {outcome.module.name}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._count:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def _print_outcome(outcome: _build.Outcome) -> None:
    name = outcome.module.name
    if isinstance(outcome, _build.Failed):
        print(outcome.message, end="\n\n", file=sys.stderr)
        print(f"failed    {name}")
    elif isinstance(outcome, _build.Kept):
        print(f"source    {name}: {outcome.reason}")
    elif isinstance(outcome, _build.Current):
        print(f"current   {name}")
    else:
        functions = f"{len(outcome.native)} of {len(outcome.native) + len(outcome.bytecode)} functions native"
        print(f"built     {name}  {functions}, {outcome.size / 1024:.0f} KiB, {outcome.seconds:.2f} s")
        for function, line, reasons in outcome.bytecode:
            codes = ", ".join(sorted({reason.code for reason in reasons}))
            print(f"  bytecode  {outcome.module.source}:{line}  {function}: {codes}")


def _print_sum(outcomes: list[_build.Outcome], count: int, begun: float) -> None:
    built = [outcome for outcome in outcomes if isinstance(outcome, _build.Built)]
    current = sum(isinstance(outcome, _build.Current) for outcome in outcomes)
    native = sum(len(outcome.native) for outcome in built)
    functions = native + sum(len(outcome.bytecode) for outcome in built)
    size = sum(outcome.size for outcome in built)
    seconds = time.perf_counter() - begun
    modules = f"{len(built)} of {count} module{'s' * (count != 1)} built"
    modules += f", {current} current" * (current > 0)
    print(f"{modules}, {native} of {functions} functions native, {size / 1024:.0f} KiB, {seconds:.1f} s")


def _outcome(outcome: _build.Outcome) -> dict[str, object]:
    common: dict[str, object] = {"module": outcome.module.name, "source": str(outcome.module.source)}
    if isinstance(outcome, _build.Failed):
        return {**common, "error": outcome.message}
    if isinstance(outcome, _build.Kept):
        return {**common, "kept": outcome.reason}
    if isinstance(outcome, _build.Current):
        return {**common, "output": str(outcome.module.output), "current": True}
    bytecode = [
        {"name": name, "line": line, "reasons": [_finding(reason) for reason in reasons]}
        for name, line, reasons in outcome.bytecode
    ]
    built = {"output": str(outcome.module.output), "bytes": outcome.size, "seconds": outcome.seconds}
    return {**common, **built, "native": outcome.native, "bytecode": bytecode}


def _clean(options: argparse.Namespace) -> int:
    if not options.paths and not options.cache:
        raise _CommandError("clean: expected a PATH or --cache")
    try:
        if options.cache:
            print(f"removed  {_cache.clear()} modules of the cache in {_cache.directory()}")
        gone = _build.clean(options.paths)
    except OSError as error:
        raise _CommandError(str(error)) from None
    for path in gone:
        print(f"removed  {path}")
    return 0


def _text_of(path: str) -> str:
    text = read_text(path)
    if isinstance(text, OSError):
        raise _CommandError(f"{path}: {text.strerror}")
    if isinstance(text, Exception):
        raise _CommandError(f"{path}: {text}")
    return text


def _check(options: argparse.Namespace) -> int:
    reports = [(path, _castiron.check_text(path, _text_of(path))) for path in options.files]
    functions = [(path, function) for path, report in reports for function in report.functions]
    broken = [report for _, report in reports if report.errors]
    if options.json:
        print(json.dumps(_as_json(reports), indent=2))
    else:
        for _, report in reports:
            for error in report.errors:
                print(error.rendered, end="\n\n")
            for function in report.functions:
                for reason in function.reasons:
                    print(reason.rendered, end="\n\n")
        _print_table(functions)
    if broken:
        return 2
    return 0 if all(function.native for _, function in functions) else 1


def _print_table(functions: list[tuple[str, _castiron.FunctionReport]]) -> None:
    for path, function in functions:
        verdict = "native" if function.native else "bytecode"
        print(f"{verdict:8}  {path}:{function.line}  {function.name}{function.signature}")
    native = sum(function.native for _, function in functions)
    print(f"{native} of {len(functions)} function{'s' * (len(functions) != 1)} native")


def _as_json(reports: list[tuple[str, _castiron.TextReport]]) -> list[dict[str, object]]:
    return [
        {
            "file": path,
            "errors": [_finding(error) for error in report.errors],
            "functions": [
                {
                    "name": function.name,
                    "line": function.line,
                    "signature": function.signature,
                    "native": function.native,
                    "reasons": [_finding(reason) for reason in function.reasons],
                }
                for function in report.functions
            ],
        }
        for path, report in reports
    ]


def _finding(finding: _castiron.Finding) -> dict[str, object]:
    return {"code": finding.code, "message": finding.message, "line": finding.line, "column": finding.column}


def _dump(options: argparse.Namespace) -> int:
    path, separator, name = options.target.rpartition(":")
    if not separator:
        raise _CommandError(f"{options.target}: expected FILE:FUNC, for example fib.py:fib")
    if options.stage != "ir" and (options.after or options.all_passes):
        raise _CommandError("--after and --all-passes belong to --stage ir")
    try:
        dump = _castiron.dump_text(path, _text_of(path), name, options.stage, options.after, options.all_passes)
    except ValueError as error:
        raise _CommandError(str(error)) from None
    print(dump, end="")
    return 0


def _doctor(_: argparse.Namespace) -> int:
    findings = _castiron.examine()
    for well, text in findings:
        print(f"{'ok  ' if well else 'FAIL'}  {text}")
    return 0 if all(well for well, _ in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
