"""The command line: `castiron check`, `castiron dump`, `castiron doctor`."""

from __future__ import annotations

import argparse
import json
import sys

from castiron._mode import PURE, REASON

TYPE_CHECKING = False
if TYPE_CHECKING or not PURE:
    from castiron import _castiron
    from castiron._source import read_text

STAGES = ("ast", "ir", "clif", "asm")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 all well, 1 something found, 2 the command failed."""
    if PURE:
        print(f"castiron: the command line needs the native part: {REASON}", file=sys.stderr)
        return 2
    options = _parser().parse_args(arguments)
    try:
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
