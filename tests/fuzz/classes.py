"""Generated class programs: frozen classes against plain dataclasses with slots.

    python -m tests.fuzz.classes --count 1000 --seed 1

In: a seed. Out: a module text of a hierarchy of classes with mixed fields, an ordinary mixin that is patched on the
way, constructors that raise, finalisers, cycles and collections in the middle, and what a program sees of it. The same
text runs with `frozen` and with `dataclass(slots=True)` (which makes classes twice, so that they can't say `super()`);
what is seen must agree, and afterwards no instance and no class of it may be left.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import random
import sys
from typing import Any

from castiron import frozen

#: Annotations, texts of values that pass them, and the default.
FIELDS = {
    "int": (["0", "1", "-7", "2**70", "True"], "3"),
    "float": (["0.5", "-0.0", "2", "1e300", "float('inf')"], "1.5"),
    "str": (["''", "'text'", "'\\u1234'"], "'d'"),
    "bool": (["True", "False"], "False"),
    "bytes": (["b''", "b'x'"], "b'd'"),
    "tuple[int, str]": (["(1, 'a')", "(2, '')"], "(0, '')"),
    "list[int]": (["[]", "[1, 2]"], "factory(list)"),
    "dict[str, int]": (["{}", "{'a': 1}"], "factory(dict)"),
    "object": (["None", "LOG and 1", "(1,)"], "None"),
    "C0 | None": (["None"], "None"),
}
#: What CPython 3.13 adds where a class has no `tp_setattro` of its own, which frozen classes have.
NO_DICT = " and no __dict__ for setting new attributes"
HEAD = """
from __future__ import annotations
import copy, dataclasses, gc, weakref
from dataclasses import field
LOG = ["begun"]
def factory(make):
    return field(default_factory=make)
class Mixin:
    __slots__ = ()
    def greet(self):
        return "mixin"
"""


class Maker:
    """Makes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines: list[str] = []
        #: By class: its fields with their annotations, inherited ones first.
        self.fields: list[dict[str, str]] = []

    def text(self) -> str:
        """The program."""
        count = self.random.randint(1, 4)
        for number in range(count):
            self.add_class(number)
        self.lines.append("def steps():")
        for number in range(count):
            self.lines.append(f"    yield lambda: put('v{number}', C{number}({self.arguments(number)}))")
        self.lines += [f"    yield lambda: {self.step(count)}" for _ in range(self.random.randint(10, 30))]
        return HEAD + "\n".join(self.lines) + "\n"

    def value(self, annotation: str) -> str:
        """A value that passes."""
        return self.random.choice(FIELDS[annotation][0])

    def add_class(self, number: int) -> None:
        parent = self.random.randrange(number) if number and self.random.random() < 0.6 else None
        own = {f"f{number}{letter}": self.random.choice(list(FIELDS)) for letter in "abcd"[: self.random.randint(1, 4)]}
        bases = f"C{parent}" if parent is not None else self.random.choice(["Mixin", "object"])
        self.fields.append({**(self.fields[parent] if parent is not None else {}), **own})
        add = self.lines.append
        add(f"@decorate\nclass C{number}({bases}):")
        for name, annotation in own.items():
            add(f"    {name}: {annotation} = {FIELDS[annotation][1]}")
        read = ", ".join(f"self.{name}" for name in own)
        above = f" + C{parent}.all(self)" if parent is not None else ""
        add(f"    def all(self):\n        return ({read},){above}")
        first = next(iter(own))
        if self.random.random() < 0.4:
            above = f"C{parent}" if parent is not None else "object"
            add("    def __post_init__(self):")
            add(f"        getattr({above}, '__post_init__', id)(self)")
            add(f"        LOG.append(('post', self.{first}))")
            add(f"        if self.{first} in (True, 'text', b'x'):\n            raise ValueError(LOG[-1])")
        if self.random.random() < 0.3:
            add("    def __del__(self):\n        LOG.append('del')")
        if self.random.random() < 0.5:
            add(f"    @property\n    def first(self):\n        return (self.{first}, isinstance(self, C{number}))")
        if self.random.random() < 0.3:
            add("    @classmethod\n    def made(cls, *args):\n        return cls(*args)")
        if self.random.random() < 0.3:
            add("    def __getattr__(self, name):\n        return 'no ' + name")

    def arguments(self, number: int) -> str:
        fields = list(self.fields[number].items())
        if self.random.random() < 0.5:
            return ", ".join(self.value(annotation) for _, annotation in fields[: self.random.randint(0, len(fields))])
        some = self.random.sample(fields, self.random.randint(0, len(fields)))
        return ", ".join(f"{name}={self.value(annotation)}" for name, annotation in some)

    def step(self, count: int) -> str:
        """One thing to look at."""
        one, other = self.random.randrange(count), self.random.randrange(count)
        name, annotation = self.random.choice(list(self.fields[one].items()))
        variable = f"got('v{one}')"
        cycles = [field for field, kind in self.fields[one].items() if kind == "object"]
        steps = [
            f"put('v{one}', C{one}({self.arguments(one)}))",
            f"setattr({variable}, '{name}', {self.value(annotation)})",
            f"setattr({variable}, 'missing', 1)",
            f"{variable}.{name}",
            f"{variable}.all()",
            f"{variable}.greet()",
            f"{variable}.first",
            f"{variable}.made({self.arguments(one)})",
            f"{variable} == got('v{other}')",
            f"type(hash({variable}))",
            f"copy.copy({variable})",
            f"copy.deepcopy({variable}) == {variable}",
            f"dataclasses.replace({variable}, {name}={self.value(annotation)})",
            f"dataclasses.asdict({variable})",
            f"dataclasses.astuple({variable})",
            f"C{one}(*range(40))",
            f"C{one}(wrong=1)",
            f"isinstance({variable}, C{other})",
            f"type('Sub', (C{one},), {{'extra': 1}})({self.arguments(one)}).all()",
            f"vars(type('Sub', (C{one},), {{}})({self.arguments(one)}))",
            f"weakref.ref({variable})() is {variable}",
            f"setattr(Mixin, 'greet', lambda self: 'patched {name}')",
            f"C{one}.__match_args__",
            "gc.collect() and None",
            f"put('v{one}', None)",
            "LOG[:]",
            *(f"setattr({variable}, '{field}', {variable})" for field in cycles),
        ]
        return self.random.choice(steps)


def seen(step: Any) -> str:
    """What a program sees of one step."""
    try:
        result = step()
        return f"{result!r} {type(result).__name__}".partition(" object at 0x")[0]
    except RecursionError:
        return "RecursionError"
    except Exception as error:
        return f"{type(error).__name__}: {error}".removesuffix(NO_DICT)


def outcomes(text: str, decorate: Any) -> list[str]:
    """What a program sees."""
    kept: dict[str, Any] = {}
    space: dict[str, Any] = {"decorate": decorate, "put": kept.__setitem__, "got": kept.get, "__name__": "generated"}
    sys.modules["generated"] = type(sys)("generated")
    sys.modules["generated"].__dict__.update(space)
    space = sys.modules["generated"].__dict__
    try:
        exec(compile(text, "<generated>", "exec"), space)
        found = [seen(step) for step in space["steps"]()]
        kept.clear()
        gc.collect()
        found.append(repr(space["LOG"]))
        return found
    finally:
        kept.clear()
        space.clear()
        del sys.modules["generated"]


def left() -> list[object]:
    """Classes of programs that are still there, and their instances."""
    gc.collect()
    return [thing for thing in gc.get_objects() if getattr(type(thing), "__module__", "") == "generated"
            or (isinstance(thing, type) and thing.__module__ == "generated")]  # fmt: skip


def divergence(seed: int) -> str | None:
    """What differs, in words."""
    text = Maker(seed).text()
    options = {"order": True} if seed % 5 == 0 else {"eq": False} if seed % 7 == 0 else {}
    expected = outcomes(text, dataclasses.dataclass(slots=True, weakref_slot=True, **options))  # type: ignore[call-overload]
    found = outcomes(text, frozen(**options))
    for number, (a, b) in enumerate(zip(found, expected, strict=True)):
        if a != b:
            return f"seed {seed}, step {number}: frozen: {a}\n  dataclass: {b}\n{text}"
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for seed in range(options.seed, options.seed + options.count):
        found = divergence(seed)
        if found is not None:
            print(found)
            return 1
    remains = left()
    print(f"{options.count} programs agree, {len(remains)} objects are left")
    return bool(remains)


if __name__ == "__main__":
    sys.exit(main())
