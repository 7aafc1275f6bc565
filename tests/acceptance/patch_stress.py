"""Nothing stale: random patch, call and restore steps over a module of compiled functions, on three threads.

    python tests/acceptance/patch_stress.py [--steps N] [--seed N]

Runs on the interpreter that runs the script, which needs castiron. The same text is imported twice, compiled and as
plain bytecode; every step does the same to both modules and compares what all functions of the thread then return or
raise. Each thread owns names, a builtin and a function of `math`; all of them share the two modules. Prints how many
steps of each kind were made, and the first steps that went wrong.
"""

from __future__ import annotations

import argparse
import builtins
import collections
import importlib.util
import math
import random
import sys
import tempfile
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import castiron

THREADS = 3
ROUND = 5_000
BUILTINS = ("abs", "min", "divmod")
MATHS = ("sqrt", "floor", "sin")
OTHER_VALUES: tuple[object, ...] = (0, 1, -5, 7, 2**40, 2**70, 1.5, -0.0, True, False, None, "text", (1, 2))

HEADER = "from castiron import jit\n"
SHARED = """
import math
"""
OWNED = """
import math as math{n}
CONSTANT{n} = 3
SCALE{n} = 0.5
FLAG{n} = True

@jit
def callee{n}(a: int, b: int = 2, *, c: int = 5) -> int:
    return a * 10 + b + c

@jit
def leaf{n}(a: int) -> int:
    return a + CONSTANT{n}

def plain{n}(a):
    return a + 1000

@jit
def reads{n}(a: int) -> int:
    if FLAG{n}:
        return a * CONSTANT{n}
    return -a

@jit
def scales{n}(x: float) -> float:
    return x * SCALE{n}

@jit
def calls{n}(a: int) -> int:
    return leaf{n}(a) + leaf{n}(a + 1)

@jit
def defaults{n}(a: int) -> int:
    return callee{n}(a) + callee{n}(a, 1) + callee{n}(a, c=a)

@jit
def built{n}(a: int) -> object:
    return {builtin}

@jit
def roots{n}(x: float) -> object:
    return math{n}.{maths}(x)

@jit
def nested{n}(a: int) -> int:
    return calls{n}(a) - reads{n}(a)

def poke{n}(i):
    pokes{n}(i)
    return i

def pokes{n}(i):
    pass

@jit
def running{n}(turns: int) -> int:
    total = 0
    for i in range(turns):
        total += CONSTANT{n} + leaf{n}(i)
        poke{n}(i)
    return total

class Base{n}:
    def __init__(self, a):
        self.a = a

    @jit
    def get(self) -> int:
        return self.a

    @jit
    def add(self, n: int) -> int:
        return n * 3 + self.get()

class Sub{n}(Base{n}):
    @jit
    def get(self) -> int:
        return self.a + 500

OBJECTS{n} = [Base{n}(1), Sub{n}(2)]

@jit
def gets{n}(a: int) -> object:
    return (OBJECTS{n}[0].get(), OBJECTS{n}[1].get(), OBJECTS{n}[0].get() + a)

@jit
def adds{n}(a: int) -> object:
    return (OBJECTS{n}[0].add(a), OBJECTS{n}[1].add(a), OBJECTS{n}[1].add(1))
"""
USES = {"abs": "abs(a)", "min": "min(a, 3)", "divmod": "divmod(a, 3)"}


def text() -> str:
    owned = [
        OWNED.format(n=n, builtin=USES[builtin], maths=maths)
        for n, (builtin, maths) in enumerate(zip(BUILTINS, MATHS, strict=True))
    ]
    return SHARED + "".join(owned)


def load(folder: Path, name: str, source: str) -> types.ModuleType:
    path = folder / f"{name}.py"
    path.write_text(source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def outcome(function: Callable[..., Any], *args: object) -> tuple[str, str, str]:
    """What a call does, comparable and without addresses."""
    try:
        result = function(*args)
    except Exception as error:
        return "raised", type(error).__name__, str(error)
    return "returned", type(result).__name__, repr(result)


class Stress:
    """One thread's steps."""

    def __init__(self, number: int, modules: tuple[types.ModuleType, types.ModuleType], seed: int) -> None:
        self.number = number
        self.modules = modules
        self.random = random.Random(f"{seed} {number}")
        self.kinds: collections.Counter[str] = collections.Counter()
        self.wrong: list[str] = []
        self.originals = [dict(vars(module)) for module in modules]
        self.steps = [
            self.rebind,
            self.rebind_and_delete,
            self.rebind_in_other_ways,
            self.mock_patch,
            self.replace_function,
            self.change_defaults,
            self.change_code,
            self.patch_builtin,
            self.shadow_builtin,
            self.patch_math,
            self.replace_module,
            self.while_running,
            self.change_method,
            self.change_object,
        ]

    def name(self, stem: str) -> str:
        return f"{stem}{self.number}"

    def pick(self, *stems: str) -> str:
        return self.name(self.random.choice(stems))

    def check(self, step: str) -> None:
        """Every function of this thread does the same in both modules."""
        a = self.random.choice((0, 3, -4, 2**61))
        calls: list[tuple[str, object]] = [
            ("reads", a), ("calls", a), ("defaults", a), ("built", a), ("nested", a), ("scales", 1.5), ("roots", 2.25),
            ("gets", a), ("adds", a),
        ]  # fmt: skip
        for stem, argument in self.random.sample(calls, 4):
            name = self.name(stem)
            compiled, plain = (outcome(getattr(module, name), argument) for module in self.modules)
            # An enforced result says so in its own words; the plain module enforces nothing.
            if compiled != plain and compiled[1] != "TypeCheckError":
                self.wrong.append(f"{step}: {name}({argument}) {compiled}, but plain {plain}")

    def restore(self, *names: str) -> None:
        for module, original in zip(self.modules, self.originals, strict=True):
            for name in names:
                if name in original:
                    setattr(module, name, original[name])
                else:
                    vars(module).pop(name, None)

    def value(self) -> object:
        return self.random.choice(OTHER_VALUES)

    def rebind(self) -> None:
        name, value = self.pick("CONSTANT", "SCALE", "FLAG"), self.value()
        for module in self.modules:
            setattr(module, name, value)
        self.check(f"{name} = {value!r}")
        if self.random.random() < 0.7:
            self.restore(name)
            self.check(f"{name} restored")

    def rebind_and_delete(self) -> None:
        name = self.pick("CONSTANT", "FLAG", "leaf", "callee")
        for module in self.modules:
            vars(module).pop(name, None)
        self.check(f"del {name}")
        self.restore(name)
        self.check(f"{name} made again")

    def rebind_in_other_ways(self) -> None:
        name, value = self.pick("CONSTANT", "SCALE"), self.value()
        ways: list[Callable[[dict[str, object]], object]] = [
            lambda space: space.update({name: value}),
            lambda space: space.__setitem__(name, value),
            lambda space: exec(f"{name} = {value!r}", space),
            lambda space: (space.pop(name, None), space.setdefault(name, value)),
            lambda space: space.__ior__({name: value}),
        ]
        way = self.random.randrange(len(ways))
        for module in self.modules:
            ways[way](vars(module))
        self.check(f"{name} = {value!r} by way {way}")
        self.restore(name)
        self.check(f"{name} restored")

    def mock_patch(self) -> None:
        name, value = self.pick("CONSTANT", "SCALE", "leaf", "callee"), self.value()
        with mock.patch.object(self.modules[0], name, value), mock.patch.object(self.modules[1], name, value):
            self.check(f"patched {name} by {value!r}")
        self.check(f"patch of {name} undone")

    def replace_function(self) -> None:
        name, other = self.pick("leaf", "reads", "calls"), self.pick("plain", "leaf", "reads")
        if self.random.random() < 0.3:
            for module in self.modules:
                setattr(module, name, lambda a: a - 77)
        else:
            for module, original in zip(self.modules, self.originals, strict=True):
                setattr(module, name, original[other])
        self.check(f"{name} = {other}")
        self.restore(name)
        self.check(f"{name} restored")

    def change_defaults(self) -> None:
        name = self.name("callee")
        b, c = self.random.randrange(100), self.random.randrange(100)
        way = self.random.randrange(3)
        for original in self.originals:
            callee = original[name]
            if way == 0:
                callee.__defaults__ = (b,)
            elif way == 1:
                callee.__kwdefaults__ = {"c": c}
            else:
                callee.__kwdefaults__["c"] = c
        self.check(f"defaults of {name}, way {way}")
        for original in self.originals:
            original[name].__defaults__ = (2,)
            original[name].__kwdefaults__ = {"c": 5}
        self.check(f"defaults of {name} restored")

    def change_code(self) -> None:
        """A function's code is replaced; it has a new function afterwards, since that ends its compilation."""
        if self.random.random() > 0.02:
            return self.rebind()
        for module, original in zip(self.modules, self.originals, strict=True):
            space = vars(module)
            name = self.name("leaf")
            function = types.FunctionType(getattr(original[name], "__wrapped__", original[name]).__code__, space, name)
            function.__annotations__ = dict(original[name].__annotations__)
            setattr(module, name, function)
        self.check("a copy of leaf")
        for module in self.modules:
            getattr(module, self.name("leaf")).__code__ = getattr(module, self.name("plain")).__code__
        self.check("the copy's code replaced")
        self.restore(self.name("leaf"))
        self.check("leaf restored")
        return None

    def patch_builtin(self) -> None:
        name = BUILTINS[self.number]
        with mock.patch.object(builtins, name, lambda *args: args):
            self.check(f"builtins.{name} patched")
        self.check(f"builtins.{name} restored")

    def shadow_builtin(self) -> None:
        name = BUILTINS[self.number]
        for module in self.modules:
            setattr(module, name, lambda *args: ("shadow", *args))
        self.check(f"{name} shadowed")
        self.restore(name)
        self.check(f"{name} no longer shadowed")

    def patch_math(self) -> None:
        name = MATHS[self.number]
        with mock.patch.object(math, name, lambda x: ("patched", x)):
            self.check(f"math.{name} patched")
        self.check(f"math.{name} restored")

    def replace_module(self) -> None:
        name = self.name("math")
        other = types.SimpleNamespace(**{MATHS[self.number]: lambda x: ("namespace", x)})
        for module in self.modules:
            setattr(module, name, other)
        self.check(f"{name} replaced")
        self.restore(name)
        self.check(f"{name} restored")

    def change_method(self) -> None:
        """A class gets another method, of its own or in front of its base's, or loses its own."""
        name, method = self.pick("Base", "Sub"), self.random.choice(("get", "add"))
        value = self.value()
        ways: list[Callable[[type, type], object]] = [
            lambda cls, other: setattr(cls, method, lambda self, n=0: (value, n)),
            lambda cls, other: setattr(cls, method, staticmethod(lambda *args: len(args))),
            lambda cls, other: setattr(cls, method, property(lambda self: lambda n=0: n)),
            lambda cls, other: setattr(cls, method, vars(other).get(method, value)),
            lambda cls, other: delattr(cls, method) if method in vars(cls) else None,
            lambda cls, other: setattr(cls, "a", property(lambda self: 7, lambda self, a: None)),
        ]
        way = self.random.randrange(len(ways))
        kept = []
        for module in self.modules:
            cls = getattr(module, name)
            other = getattr(module, self.name("Sub" if name.startswith("Base") else "Base"))
            kept.append((cls, dict(vars(cls))))
            ways[way](cls, other)
        self.check(f"{name}.{method} by way {way}")
        for cls, before in kept:
            for part in ("get", "add", "a"):
                if part in before:
                    setattr(cls, part, before[part])
                elif part in vars(cls):
                    delattr(cls, part)
        self.check(f"{name}.{method} restored")

    def change_object(self) -> None:
        """An object gets an attribute in front of its class' method, another value or another class."""
        at, value = self.random.randrange(2), self.value()
        ways: list[Callable[[Any, types.ModuleType], object]] = [
            lambda o, module: setattr(o, "get", lambda: value),
            lambda o, module: setattr(o, "add", getattr(module, self.name("leaf"))),
            lambda o, module: setattr(o, "a", value),
            lambda o, module: setattr(o, "__class__", getattr(module, self.name("Sub" if at == 0 else "Base"))),
            lambda o, module: setattr(o, "__dict__", {"a": 5, "get": lambda: value}),
            lambda o, module: delattr(o, "a"),
        ]
        way = self.random.randrange(len(ways))
        for module in self.modules:
            ways[way](getattr(module, self.name("OBJECTS"))[at], module)
        self.check(f"object {at} changed by way {way}")
        makes_anew = self.random.random() < 0.5
        for module in self.modules:
            objects = getattr(module, self.name("OBJECTS"))
            if makes_anew:
                objects[at] = getattr(module, self.name("Sub" if at else "Base"))(at + 1)
            else:
                objects[at].__class__ = getattr(module, self.name("Sub" if at else "Base"))
                objects[at].__dict__ = {"a": at + 1}
        self.check(f"object {at} restored")

    def while_running(self) -> None:
        """A compiled caller that runs sees the write of what it calls."""
        at, value = self.random.randrange(5), self.random.choice((5, -9, 2**66, True))
        name = self.pick("CONSTANT", "leaf")
        self.restore(self.name("CONSTANT"), self.name("leaf"))
        results = []
        for module, original in zip(self.modules, self.originals, strict=True):
            replaced = original[self.name("plain")] if name.startswith("leaf") else value

            def poke(i: int, module: types.ModuleType = module, replaced: object = replaced) -> None:
                if i == at:
                    setattr(module, name, replaced)

            setattr(module, self.name("pokes"), poke)
            results.append(outcome(getattr(module, self.name("running")), 7))
        self.restore(name, self.name("pokes"))
        if results[0] != results[1]:
            self.wrong.append(f"while running, {name} at {at}: {results[0]}, but plain {results[1]}")

    def run(self, steps: int) -> None:
        for _ in range(steps):
            step = self.random.choice(self.steps)
            self.kinds[step.__name__] += 1
            step()
            if len(self.wrong) > 5:
                return


def a_round(number: int, seed: int, steps: int) -> list[Stress]:
    """Fresh modules, so that every bet is made anew, and so many steps over them."""
    with tempfile.TemporaryDirectory() as folder:
        compiled = load(Path(folder), f"stress_compiled{number}", HEADER + text())
        plain = load(Path(folder), f"stress_plain{number}", "def jit(function): return function\n" + text())
        stresses = [Stress(owner, (compiled, plain), seed + number) for owner in range(THREADS)]
        shares = [steps // THREADS + (owner < steps % THREADS) for owner in range(THREADS)]
        threads = [
            threading.Thread(target=stress.run, args=(share,)) for stress, share in zip(stresses, shares, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return stresses


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    sys.setswitchinterval(1e-4)
    kinds: collections.Counter[str] = collections.Counter()
    wrong: list[str] = []
    while kinds.total() < args.steps and not wrong:
        number = kinds.total() // ROUND
        for stress in a_round(number, args.seed, min(ROUND, args.steps - kinds.total())):
            kinds += stress.kinds
            wrong += stress.wrong
    stats = castiron.stats()
    print(f"{kinds.total()} steps: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    print(f"{stats['compiled_functions']} functions compiled, {stats['resumptions']} exits taken")
    print("\n".join(wrong) or "nothing stale")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
