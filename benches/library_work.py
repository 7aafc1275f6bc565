"""The process that `library.py` starts: one workload on freshly imported library modules, timed.

    python library_work.py WORKLOAD COUNT SAMPLES

`CASTIRON=off` makes the plain side, `on` the compiled one. The last line that is printed is a JSON object: the result's
`repr`, CPU seconds of each sample, and how many functions of the modules are defined, chosen and native.
"""

from __future__ import annotations

import importlib
import io
import json
import sys
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import castiron

Work = Callable[[], object]

PROSE = (
    "The quick brown fox jumps over the lazy dog; pack my box with five-dozen liquor jugs, "
    "and how vexingly quick daft zebras jump! "
)
PROGRAM = '''
class Shape:
    def area(self, scale=1.5):  # in units
        """What it covers."""
        return [x ** 2 for x in range(10) if x % 3 != 0x1f] + {"a": 'b', "c": f"{scale!r}"}
'''
LEAST_SAMPLE = 0.05


def record(number: int) -> dict[str, Any]:
    """One entry of the JSON text."""
    return {
        "id": number,
        "name": f"name {number}",
        "ratio": number / 7,
        "on": number % 3 == 0,
        "none": None,
        "tags": ["a", "b\n", "\u00e9" * (number % 5)],
        "at": {"x": -number, "y": [number, number * 2.5]},
    }


def encode(encoder: ModuleType, count: int) -> Work:
    """JSON by the encoder in Python, with and without indentation."""
    encoder.c_make_encoder = None
    encoder.encode_basestring = encoder.py_encode_basestring
    encoder.encode_basestring_ascii = encoder.py_encode_basestring_ascii
    indented, compact = encoder.JSONEncoder(indent=1), encoder.JSONEncoder()
    records = [record(number) for number in range(count)]
    return lambda: (indented.encode(records)[-40:], compact.encode(records)[-40:])


def decode(scanner: ModuleType, decoder: ModuleType, count: int) -> Work:
    """JSON read by the decoder in Python."""
    reader = decoder.JSONDecoder()
    reader.parse_string = decoder.py_scanstring
    reader.scan_once = scanner.py_make_scanner(reader)
    text = json.dumps([record(number) for number in range(count)])
    return lambda: repr(reader.decode(text))[-60:]


def wrap(textwrap: ModuleType, count: int) -> Work:
    """A long paragraph, filled and wrapped."""
    text = PROSE * count
    indents = {"initial_indent": "* ", "subsequent_indent": "  "}
    return lambda: (textwrap.fill(text, 60)[-60:], len(textwrap.wrap(text, 33, **indents)))


def compare(difflib: ModuleType, count: int) -> Work:
    """Two texts by lines, two sentences by characters."""
    one = [PROSE[at % 40 : at % 40 + 30] for at in range(count * 7)]
    other = [line for at, line in enumerate(one) if at % 5] + ["new"] * count
    words = PROSE * 2, (PROSE * 2).replace("quick", "slow")
    match = difflib.SequenceMatcher
    return lambda: (
        match(None, one, other).ratio(),
        match(None, *words).ratio(),
        len(list(difflib.unified_diff(one, other))),
    )


def parse(argparse: ModuleType, count: int) -> Work:
    """A command line with options of several kinds, and the help text."""
    parser = argparse.ArgumentParser(prog="prog")
    parser.add_argument("files", nargs="*")
    parser.add_argument("--level", "-l", type=int, default=3, choices=range(10))
    parser.add_argument("--name", default="x")
    parser.add_argument("--verbose", "-v", action="count", default=0)
    parser.add_argument("--set", action="append", metavar="KEY=VALUE")
    line = ["a", "b", "-vv", "--level=4", "--name", "me", "--set", "k=v", "-l", "5", "--set=q=w"]

    def work() -> object:
        found = [parser.parse_args(line) for _ in range(count)]
        return repr(found[-1]), len(parser.format_help())

    return work


def tokens(tokenize: ModuleType, count: int) -> Work:
    """The tokens of a program."""
    text = PROGRAM * count
    return lambda: sum(len(token.string) + token.type for token in tokenize.generate_tokens(io.StringIO(text).readline))


# Which modules are imported afresh, in this order, and what is done with them.
WORKLOADS: dict[str, tuple[tuple[str, ...], Callable[..., Work]]] = {
    "json.encoder": (("json.encoder",), encode),
    "json.decoder": (("json.scanner", "json.decoder"), decode),
    "textwrap": (("textwrap",), wrap),
    "difflib": (("difflib",), compare),
    "argparse": (("argparse",), parse),
    "tokenize": (("tokenize",), tokens),
}


def fresh(names: tuple[str, ...]) -> list[ModuleType]:
    """Import the modules anew, with a compiler looking on where castiron is on."""
    for name in names:
        sys.modules.pop(name, None)
    castiron.compile_imports()
    return [importlib.import_module(name) for name in names]


def functions(modules: list[ModuleType]) -> dict[str, int]:
    """How many functions the modules define, how many of them were chosen, how many are native."""
    from castiron import _castiron
    from castiron._imports import source_of
    from castiron._source import prepare_text

    rows = []
    for module in modules:
        loader = module.__spec__.loader if module.__spec__ else None
        _, text = source_of(loader) or (b"", "")  # type: ignore[arg-type]
        rows += prepare_text(str(module.__file__), text).functions()
    chosen = sum(is_chosen for _, _, is_chosen, *_ in rows)
    return {"defined": len(rows), "chosen": chosen, "native": _castiron.import_counts()["native"]}


def samples(work: Work, repeat: int) -> list[float]:
    """CPU seconds of one turn, several times; the work was done before."""
    cpu = time.process_time
    begun = cpu()
    work()
    turns = max(1, int(LEAST_SAMPLE / max(cpu() - begun, 1e-6))) if repeat else 1
    times = []
    for _ in range(max(repeat, 1)):
        begun = cpu()
        for _ in range(turns):
            work()
        times.append((cpu() - begun) / turns)
    return times


def main() -> None:
    name, count, repeat = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    names, prepare = WORKLOADS[name]
    modules = fresh(names)
    work = prepare(*modules, count)
    out: dict[str, Any] = {"result": repr(work())}
    for _ in range(3 if repeat else 1):
        work()
    out["times"] = samples(work, repeat)
    out |= functions(modules)
    print("\n" + json.dumps(out))


if __name__ == "__main__":
    main()
