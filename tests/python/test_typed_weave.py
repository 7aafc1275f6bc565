"""Woven code means what the original meant, for all code of a part of the standard library."""

import bisect
import dis
import importlib.util
import itertools
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from castiron import _weave, typed
from castiron._castiron import insert_checks

MODULES = [
    "argparse", "ast", "asyncio.base_events", "asyncio.tasks", "bdb", "calendar", "configparser", "contextlib",
    "copy", "csv", "dataclasses", "datetime", "difflib", "dis", "doctest", "email.message", "enum", "fractions",
    "functools", "heapq", "html.parser", "inspect", "json.decoder", "json.encoder", "logging", "multiprocessing.pool",
    "optparse", "pdb", "pickle", "platform", "pprint", "queue", "random", "re._compiler", "shutil", "statistics",
    "string", "subprocess", "tarfile", "tempfile", "textwrap", "threading", "tokenize", "traceback", "typing",
    "unittest.mock", "urllib.parse", "uuid", "warnings", "xml.etree.ElementTree", "zipfile", "test.test_grammar",
    "test.test_patma", "test.test_coroutines", "test.test_generators", "test.test_with", "test.test_scope",
]  # fmt: skip


JUMP = "POP_JUMP_IF_FALSE" if "POP_JUMP_IF_FALSE" in dis.opmap else "POP_JUMP_FORWARD_IF_FALSE"
DECLINING = ["RESUME", "LOAD_CONST", "CHECK_EXC_MATCH", JUMP, "POP_TOP", "LOAD_CONST", "RETURN_VALUE", "RERAISE"]


class Nothing:
    """A check that is never broken."""

    def __delitem__(self, value: object) -> None: ...

    def certain(self, value: object) -> bool:
        return False


ARGUMENT, RESULT, YIELDED, SENT = Nothing(), Nothing(), Nothing(), Nothing()
CHECKS = (ARGUMENT, RESULT, YIELDED, SENT)


def codes_of(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_of(constant)


def codes_of_module(name: str) -> list[CodeType]:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        pytest.skip(f"{name} is not installed")
    path = Path(spec.origin)
    return list(codes_of(compile(path.read_text(encoding="utf-8"), str(path), "exec")))


def variables_of(code: CodeType) -> range:
    if not code.co_flags & 2:
        return range(0)
    return range(code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8))


def woven_everywhere(code: CodeType) -> CodeType | None:
    arguments = [(variable, ARGUMENT) for variable in variables_of(code)]
    return insert_checks(code, arguments, RESULT, yields=YIELDED, sends=SENT, declines=len(arguments) == 2)


def exceptions_of(code: CodeType) -> list[tuple[int, int, int, tuple[int, bool]]]:
    """The ranges of the exception table: start, end and handler in units, what the handler finds on the stack."""
    entries = dis._parse_exception_table(code)
    return [(entry.start // 2, entry.end // 2, entry.target // 2, (entry.depth, entry.lasti)) for entry in entries]


def instructions(code: CodeType) -> list[dis.Instruction]:
    return [instruction for instruction in dis.get_instructions(code) if instruction.opname != "EXTENDED_ARG"]


class Comparison:
    """The original's instructions, each with where it went in the woven code."""

    def __init__(self, code: CodeType, woven: CodeType) -> None:
        self.before, self.after = instructions(code), instructions(woven)
        self.pairs: list[tuple[dis.Instruction, dis.Instruction]] = []
        self.first: list[int] = []
        self.kept: list[int] = []
        self.delegations: list[tuple[dis.Instruction, dis.Instruction]] = []
        position = 0
        for old in self.before:
            self.first.append(position)
            position = self.skip_inserted(old, position)
            self.pairs.append((old, self.after[position]))
            self.kept.append(position)
            position += 1
        self.rest = [instruction.opname for instruction in self.after[position:]]
        self.old_offsets = [old.offset for old in self.before]
        self.new_offsets = [new.offset for new in self.after]

    def skip_inserted(self, old: dis.Instruction, position: int) -> int:
        if old.opname == "RETURN_CONST" and self.after[position].opname == "LOAD_CONST":
            assert self.after[position].argval == old.argval
            position += 1
        while self.after[position].opname == "LOAD_CONST" and self.after[position].argval in CHECKS:
            behind = self.after[position].argval is SENT
            for inserted in self.after[position : position + 3]:
                assert inserted.positions == (self.pairs[-1][0] if behind else old).positions
            assert self.after[position + 2].opname == "DELETE_SUBSCR"
            position += 3
            if behind:
                assert self.pairs[-1][0].opname == "RESUME"
                self.first[-1] = position
        if old.opname == "YIELD_VALUE" and self.after[position].opname == "JUMP_FORWARD":
            skipping, copy = self.after[position : position + 2]
            assert skipping.argval == self.after[position + 2].offset
            self.delegations.append((old, copy))
            position += 2
        while self.after[position].opname == "NOP" != old.opname:
            position += 1
        return position

    def label(self, offset: int) -> int:
        """Where a jump to the old offset must go: to what is inserted there."""
        return self.first[bisect.bisect_left(self.old_offsets, offset)]

    def edge(self, offset: int) -> int:
        """Where a range that ends at the old offset must end: a delegation's own handler begins at its yield."""
        position = bisect.bisect_left(self.old_offsets, offset)
        delegates = self.before[position].opname == "YIELD_VALUE" and self.before[position - 1].opname == "SEND"
        return self.kept[position] if delegates else self.first[position]

    def new_position(self, offset: int) -> int:
        return bisect.bisect_left(self.new_offsets, offset)


def assert_same_meaning(code: CodeType, woven: CodeType) -> None:
    compared = Comparison(code, woven)
    assert compared.rest in ([], ["RESUME", "RERAISE"], DECLINING)
    for old, copy in compared.delegations:
        send = compared.before[compared.before.index(old) - 1]
        assert (send.opname, copy.opname) == ("SEND", "SEND")
        assert compared.label(send.argval) == compared.new_position(copy.argval)
    for old, new in compared.pairs:
        assert old.positions == new.positions
        if old.opname == "RETURN_CONST" != new.opname:
            assert new.opname == "RETURN_VALUE"
            continue
        assert old.opname == new.opname
        if old.opcode in dis.hasjrel:
            assert compared.label(old.argval) == compared.new_position(new.argval)
        else:
            assert old.arg == new.arg
    entries = exceptions_of(woven)
    assert entries == sorted(entries)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(entries))
    if compared.rest:
        entries = [entry for entry in entries if entry[2] * 2 != compared.after[-len(compared.rest)].offset]
    originals = exceptions_of(code)
    assert len(entries) == len(originals)
    for old, new in zip(originals, entries, strict=True):
        assert old[3] == new[3]
        assert compared.label(old[2] * 2) == compared.new_position(new[2] * 2)
        if old[1] * 2 <= compared.old_offsets[-1]:
            assert compared.edge(old[1] * 2) == compared.new_position(new[1] * 2)


@pytest.mark.parametrize("name", MODULES)
def test_woven_code_means_the_same(name: str) -> None:
    for code in codes_of_module(name):
        woven = woven_everywhere(code)
        if woven is None:
            assert not variables_of(code)
            continue
        assert_same_meaning(code, woven)
        assert woven.co_consts[: len(code.co_consts)] == code.co_consts


@pytest.mark.parametrize("name", MODULES)
def test_no_return_stands_in_a_handler_that_could_swallow_a_bad_result(name: str) -> None:
    for code in codes_of_module(name):
        entries = exceptions_of(code)
        for instruction in dis.get_instructions(code):
            for start, end, handler, _ in entries:
                if instruction.opname in ("RETURN_VALUE", "RETURN_CONST") and start <= instruction.offset // 2 < end:
                    assert dis.opname[code.co_code[2 * handler]] == "CALL_INTRINSIC_1"


def test_stack_is_deep_enough_for_a_constant_result() -> None:
    def exits(*info: object) -> str:
        return "constant"

    woven = insert_checks(exits.__code__, [], RESULT)
    assert woven is not None
    depth = deepest = 0
    for instruction in dis.get_instructions(woven):
        argument = instruction.arg if instruction.opcode >= dis.HAVE_ARGUMENT else None
        depth += dis.stack_effect(instruction.opcode, argument)
        deepest = max(deepest, depth)
    assert woven.co_stacksize >= deepest == 3


def test_many_constants_and_wide_jumps_grow() -> None:
    lines = ["def f(x):", "    while x:"]
    lines += [f"        if x == {number}.5: return x + {number}.25" for number in range(300)]
    lines += ["    return None"]
    space: dict[str, CodeType] = {}
    exec("\n".join(lines), space)
    code = space["f"].__code__
    woven = insert_checks(code, [(0, ARGUMENT)], RESULT)
    assert woven is not None
    assert_same_meaning(code, woven)


class Parts:
    """What weaving reads of a code object; CPython itself does not survive all that is tried with it."""

    co_flags = 3
    co_stacksize = 3

    def __init__(self, code: CodeType, name: str, table: bytes) -> None:
        self.co_code = code.co_code
        self.co_consts = code.co_consts
        self.co_exceptiontable = code.co_exceptiontable
        self.co_linetable = code.co_linetable
        setattr(self, name, table)

    def replace(self, **parts: object) -> dict[str, object]:
        return parts


def test_a_text_that_no_compiler_makes_is_left_alone_or_woven() -> None:
    chance = random.Random(7)
    codes = codes_of_module("contextlib")
    for _ in range(3000):
        code = chance.choice(codes)
        name = chance.choice(("co_code", "co_exceptiontable", "co_linetable"))
        table = bytearray(getattr(code, name))
        for _ in range(chance.randint(1, 4)):
            if table:
                table[chance.randrange(len(table))] = chance.randrange(256)
        if chance.random() < 0.5:
            del table[chance.randint(1, len(table) + 1) :]
        parts: Any = Parts(code, name, bytes(table))
        found: Any = insert_checks(parts, [(0, ARGUMENT)], RESULT, yields=YIELDED, sends=SENT)
        assert found is None or len(found["co_code"]) > len(parts.co_code)


def test_closures_that_come_and_go_are_woven_once() -> None:
    def make(option: bool) -> CodeType:
        def f(x: int, y: str = "") -> int:
            return x

        return typed(f, strict=option).__code__

    kept = make(True), make(False)
    assert kept[0] is not kept[1]
    numbers = {id(make(True)) for _ in range(20)}
    assert numbers == {id(kept[0])}
    del kept
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_weave, "_remember", None)
        for _ in range(3):
            make(True)
            make(False)


def test_original_of_woven_code() -> None:
    def f(x: int) -> int:
        return x

    code = f.__code__
    assert _weave.original(code) is code
    assert _weave.plan_of(code) is None
    typed(f)
    assert f.__code__ is not code
    assert _weave.original(f.__code__) is code
    assert _weave.plan_of(f.__code__) is not None
    replaced = f.__code__.replace(co_name="g")
    assert _weave.original(replaced) is replaced


def test_stdlib_tests_pass_with_woven_code() -> None:
    source = """
import importlib.machinery, sys, types, unittest
from castiron._castiron import insert_checks
class Nothing:
    def __delitem__(self, value): pass
    def certain(self, value): return False
nothing = Nothing()
woven = 0
def deep(code):
    global woven
    code = code.replace(co_consts=tuple(deep(c) if isinstance(c, types.CodeType) else c for c in code.co_consts))
    if not code.co_flags & 2:
        return code
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    found = insert_checks(code, [(i, nothing) for i in range(count)], nothing, yields=nothing, sends=nothing)
    woven += found is not None
    return found or code
modules = ("json", "textwrap", "difflib", "contextlib")
plain = importlib.machinery.SourceFileLoader.get_code
importlib.machinery.SourceFileLoader.get_code = lambda self, name: (
    deep(plain(self, name)) if name.partition(".")[0] in modules else plain(self, name))
for name in [name for name in sys.modules if name.partition(".")[0] in modules]:
    del sys.modules[name]
suite = unittest.defaultTestLoader.loadTestsFromNames(
    ["test.test_textwrap", "test.test_difflib", "test.test_contextlib", "test.test_json.test_decode",
     "test.test_json.test_encode_basestring_ascii", "test.test_json.test_indent", "test.test_json.test_fail"])
result = unittest.TextTestRunner(sys.stderr, verbosity=0).run(suite)
sys.exit(not (result.wasSuccessful() and woven > 150))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", source], capture_output=True, text=True, check=False)
    if "No module named 'test" in done.stderr:
        pytest.skip("the standard library's tests are not installed")
    assert done.returncode == 0, done.stderr[-2000:]
