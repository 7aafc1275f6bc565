"""Random `match` and `except*` statements, and what else the language has besides: displays that unpack, type aliases.

Subjects are ints, tuples, lists, dicts, strings and objects with `__match_args__`; patterns nest and bind. What a
pattern has bound is printed, since a pattern that fails half-way has bound some of its names too.
"""

from __future__ import annotations

import sys

from tests.fuzz.statements import Statements

POINT = [
    "class Point:",
    "    __match_args__ = ('x', 'y')",
    "",
    "    def __init__(self, x, y=2):",
    "        self.x, self.y = x, y",
    "",
    "    def __repr__(self):",
    "        return f'Point({self.x}, {self.y})'",
    "",
    "",
    "class Kinds:",
    "    one, two, text = 1, 2.5, 'b'",
    "",
    "",
    "class Odd(dict):",
    "    def __len__(self):",
    "        raise KeyError('len')",
    "",
    "",
    "def group(n):",
    "    inner = [ValueError(n), KeyError(n % 3)][: n % 3]",
    "    parts = [TypeError(1), IndexError(n % 5), ValueError(2)][n % 2 :]",
    "    if inner:",
    "        parts.append(ExceptionGroup('inner', inner))",
    "    if n % 7 == 0:",
    "        raise ValueError('alone')",
    "    raise ExceptionGroup('outer', parts)",
    "",
    "",
    "def names_of(error):",
    "    if isinstance(error, BaseExceptionGroup):",
    "        return [names_of(one) for one in error.exceptions]",
    "    return repr(error)",
    "",
    "",
    "def named(**names):",
    "    return sorted(names.items())",
]
"""A class whose fields patterns name, constants that they compare with, and a function that raises groups."""

CAPTURES = ["c0", "c1", "c2", "c3"]
CLAUSES = [
    "ValueError",
    "(KeyError, IndexError)",
    "TypeError",
    "LookupError",
    "Exception",
    "ArithmeticError",
    "tuple([KeyError])",
]


class Patterns(Statements):
    """Statements of the language that tell values and groups of exceptions apart."""

    def start_patterns(self) -> None:
        self.matches = 0

    def about_patterns(self, depth: int) -> bool:
        """One statement; control may always pass it."""
        roll = self.rng.random()
        if roll < 0.5 and depth > 0 and self.matches < 4:
            self.matches += 1
            self.match_(depth - 1)
        elif roll < 0.75 and self.matches < 4:
            self.matches += 1
            self.try_star()
        elif roll < 0.8 and sys.version_info >= (3, 12):
            self.alias()
        else:
            self.line(f"print({self.display()})")
        return False

    # Match.

    def match_(self, depth: int) -> None:
        self.line(f"match {self.subject()}:")
        self.indent += 1
        before = self.scope
        after = before.copy()
        for number in range(self.rng.choice([1, 2, 2, 3, 4])):
            names: list[str] = []
            self.scope = before.copy()
            pattern = self.pattern(2, names)
            is_last = number > 0 and self.rng.random() < 0.15
            if is_last:
                pattern, names = self.rng.choice([("_", []), ("c0", ["c0"])])
            for name in names:
                self.scope.bind(name, "any", sure=False)
                self.scope.unsure.discard(name)
            # What cannot be refuted must be the last one, and have no guard.
            guard = f" if {self.truth(1)}" if not is_last and self.rng.random() < 0.3 else ""
            self.line(f"case {pattern}{guard}:")
            self.indent += 1
            self.line(f"print('case {number}'{''.join(f', {name}' for name in names)})")
            self.indent -= 1
            self.block(self.rng.choice([1, 1, 2]), depth)
            after = after.merge(self.scope)
            if is_last:
                break
        self.indent -= 1
        self.scope = after

    def subject(self) -> str:
        first, second = self.integer(1), self.number(0)
        table = f"{{'a': {first}, 'b': {second}, 1: 'x'}}"
        sequence = f"[{first}, {second}, *range({self.integer(0)} % 4)]"
        choices = [
            first,
            f"({first}, {second})",
            f"({first} % 4, ({second}, 'b'))",
            sequence,
            f"({first} % 3, {sequence})",
            table,
            f"{{'a': {first} % 3, 'in': {table}}}",
            f"Point({first} % 3, {second})",
            f"Point(Point({first}), {sequence})",
            f"Odd(a={first})",
            f"{first} % 3",
            self.rng.choice(["'b'", "None", "True", "b'x'", "2.5", "range(3)", "'ab'", "{}", "[]", "()"]),
        ]
        known = self.scope.of("int", "float", "any", "list", "ints", "dict", "num", "text")
        return self.rng.choice([*choices, *known[:3]])

    def pattern(self, depth: int, names: list[str]) -> str:
        """A pattern that can be refuted; the names that it binds are added."""
        roll = self.rng.random()
        if depth <= 0 or roll < 0.3:
            return self.literal()
        if roll < 0.5:
            return self.sequence_pattern(depth, names)
        if roll < 0.65:
            return self.mapping_pattern(depth, names)
        if roll < 0.85:
            return self.class_pattern(depth, names)
        if roll < 0.93:
            bare: list[str] = []
            parts = [self.literal(), self.literal(), self.pattern(0, bare)]
            return f"({' | '.join(parts)})"
        inner = self.pattern(depth - 1, names)
        name = self.capture(names)
        inner = f"({inner})" if " as " in inner else inner
        return f"{inner} as {name}" if name else inner

    def subpattern(self, depth: int, names: list[str]) -> str:
        """Any pattern, one that always holds too."""
        if self.rng.random() < 0.45:
            return self.capture(names) or "_"
        inner = self.pattern(depth - 1, names)
        return f"({inner})" if " as " in inner else inner

    def capture(self, names: list[str]) -> str | None:
        free = [name for name in CAPTURES if name not in names]
        if not free:
            return None
        names.append(free[0])
        return free[0]

    def literal(self) -> str:
        numbers = ["0", "1", "2", "-1", "2.5", "-0.0", "18446744073709551616", "1 + 2j"]
        named = ["None", "True", "False", "Kinds.one", "Kinds.two", "Kinds.text"]
        return self.rng.choice([*numbers, *named, "'b'", "'x'", "b'x'"])

    def sequence_pattern(self, depth: int, names: list[str]) -> str:
        parts = [self.subpattern(depth, names) for _ in range(self.rng.choice([0, 1, 2, 2, 3]))]
        if self.rng.random() < 0.4:
            rest = self.capture(names) if self.rng.random() < 0.7 else None
            parts.insert(self.rng.randrange(len(parts) + 1), f"*{rest or '_'}")
        return f"[{', '.join(parts)}]"

    def mapping_pattern(self, depth: int, names: list[str]) -> str:
        keys = self.rng.sample(["'a'", "'b'", "1", "'in'", "'none'", "Kinds.one"], self.rng.choice([0, 1, 1, 2]))
        if "1" in keys and "Kinds.one" in keys:
            keys.remove("1")
        parts = [f"{key}: {self.subpattern(depth, names)}" for key in keys]
        rest = self.capture(names) if self.rng.random() < 0.3 else None
        return f"{{{', '.join([*parts, f'**{rest}'] if rest else parts)}}}"

    def class_pattern(self, depth: int, names: list[str]) -> str:
        of = self.rng.choice(["int", "float", "str", "bool", "Point", "Point", "Point", "list", "dict", "object"])
        if of == "Point":
            first = [self.subpattern(depth, names)] if self.rng.random() < 0.7 else []
            second = [f"y={self.subpattern(depth, names)}"] if self.rng.random() < 0.5 else []
            more = [self.subpattern(depth, names)] if first and not second and self.rng.random() < 0.4 else []
            return f"Point({', '.join([*first, *more, *second])})"
        if of == "object":
            return f"object(x={self.subpattern(depth, names)})"
        inner = self.subpattern(depth, names) if self.rng.random() < 0.5 else ""
        return f"{of}({inner})"

    # Groups of exceptions.

    def try_star(self) -> None:
        """The clauses take what they are about out of the group; some raise again."""
        before = self.scope
        self.line("try:")
        self.line(f"    i2 = group({self.integer(1)} % 12)")
        for clause in self.rng.sample(CLAUSES, self.rng.choice([1, 1, 2, 3])):
            self.line(f"except* {clause} as eg:")
            self.line("    print('group', names_of(eg), type(eg).__name__, names_of(sys.exception()) == names_of(eg))")
            roll = self.rng.random()
            if roll < 0.2:
                self.line("    raise")
            elif roll < 0.35:
                self.line(f"    raise OSError({self.integer(0)} % 9)")
            elif roll < 0.5:
                self.line(f"    i1 = {self.integer(1)} % 1000003")
                self.scope.bind("i1", "int", sure=False)
        if self.rng.random() < 0.3:
            self.line("finally:")
            self.line("    print('finally', names_of(sys.exception()))")
        self.scope = before.merge(self.scope)

    # Displays.

    def display(self) -> str:
        # No walrus may stand in the iterable of a comprehension.
        binds, self.binds = self.binds, False
        number, other = self.integer(1), self.integer(0)
        self.binds = binds
        one = f"{{'a': {number}, 'b': 2}}"
        return self.rng.choice(
            [
                f"{{**{one}, 'a': {other}}}",
                f"{{'c': {other}, **{one}, **{{'b': 5}}}}",
                f"named(**{one}, c={other})",
                f"named(**{one}, **{{'c': {other}}})",
                f"named(**{one}, **{{'a': {other}}})",
                f"named(**{{1: {number}}})",
                f"sorted({{p % 5 for p in (1, {number}, 7)}})",
                f"sorted({{*(1, 2), {number} % 3, *range(3)}})",
                f"{{p: q for p, q in {one}.items()}}",
                f"[*{{{number} % 2, 5}}, *(3, {other})]",
                f"{{**{number}}}",
            ]
        )

    def alias(self) -> None:
        name = self.rng.choice(["A0", "A1"])
        self.line(f"type {name} = int | list[{self.rng.choice([name, 'Point', 'missing'])}]")
        self.line(f"print({name}, {name}.__type_params__)")
        if self.rng.random() < 0.4:
            self.line(f"print({name}.__value__)")
