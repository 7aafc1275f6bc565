"""Random expressions of a wanted type, as text.

Every value stays below a few thousand bits: exponents and shift counts are bounded where they are made, statements
bound what a variable keeps.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.fuzz.scope import Callee, Scope, Type

INTS = [
    0, 1, -1, 2, 3, 5, 7, 10, -13, 12, 62, 63, 64, 65, 100, 255, 1000, 12345, 1103515245,
    *(2**31 + d for d in (-1, 0, 1)), *(-(2**31) + d for d in (-1, 0)), 2**32 - 1, 2**32, 3037000499, 3037000500,
    *(2**53 + d for d in (-1, 0, 1)), -(2**53) - 1, 2**62, *(2**63 + d for d in (-2, -1, 0, 1, 1025)),
    *(-(2**63) + d for d in (-1, 0, 1)), 2**64 - 1, 2**64, 2**64 + 1, *(2**127 + d for d in (-1, 0)), -(2**127),
]  # fmt: skip
FLOATS = [
    "0.0", "-0.0", "1.0", "-1.0", "0.5", "1.5", "2.5", "-3.5", "0.1", "1e-5", "123456.789", "1e16", "1e17",
    "4503599627370497.5",
    "9007199254740992.0", "9007199254740993.0", "9.223372036854775e18", "9.223372036854776e18", "-9.223372036854776e18",
    "1.8446744073709552e19", "1e22", "1e300", "-1e308", "1.7976931348623157e308", "5e-324", "2.2250738585072014e-308",
    "1e999", "-1e999", "math.inf", "math.nan", "math.pi",
]  # fmt: skip

FLOAT_MATH = [
    "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "exp",
    "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "fabs", "degrees", "radians", "erf", "erfc",
]  # fmt: skip

EDGES = [2**53 - 2, 2**53 + 1, 2**54 + 2, 2**60 + 1, 2**62 + 257, 2**63 - 4200]
WIDE_BASES = [*EDGES, *(-edge for edge in EDGES)]
"""Where floats lie further apart than ints, with room for a thousand more below 2**63."""

FLOAT_PAIRS = ["atan2", "fmod", "copysign", "pow", "hypot", "log"]


def some_int(rng: random.Random) -> int:
    """An int: an edge, a small one, or one of any width up to a machine word and a little."""
    roll = rng.random()
    if roll < 0.5:
        return rng.choice(INTS)
    if roll < 0.8:
        return rng.randrange(-50, 51)
    return rng.choice([-1, 1]) * rng.getrandbits(rng.randrange(1, 67))


class Expressions:
    """Makes expressions over the variables in `scope`, calls of `callees` and module constants."""

    def __init__(self, rng: random.Random, constants: dict[str, Type]) -> None:
        self.rng = rng
        self.constants = constants
        self.scope = Scope()
        self.callees: list[Callee] = []
        self.certain = True
        self.weight = 1
        self.cost = 0
        self.objects = False
        self.binds = True

    def of(self, kind: Type, depth: int) -> str:
        """An expression of the type; sometimes, rarely, one of another."""
        if self.rng.random() < 0.004:
            kind = self.rng.choice(["int", "float", "bool", "None", ("int", "int")])
        match kind:
            case "int":
                return self.integer(depth)
            case "float":
                return self.real(depth)
            case "bool":
                return self.truth(depth)
            case "num":
                return self.number(depth)
            case "None":
                return "None"
            case "maybe":
                return self.perhaps_none(depth)
            case "list":
                return self.items_of(depth)
            case "dict":
                return self.table_of(depth)
            case "box":
                return self.box_of(depth)
            case "any":
                return self.of(self.rng.choice(["int", "float", "bool", "None", ("int", "float")]), depth)
        return self.packed(kind, depth)

    def perhaps_none(self, depth: int) -> str:
        name = self.variable("maybe") if self.rng.random() < 0.5 else None
        return name or self.of(self.rng.choice(["int", "int", "None"]), depth)

    def not_none(self, depth: int) -> str | None:
        """The int that a variable holds when it is not None."""
        name = self.variable("maybe")
        if name is None:
            return None
        other = self.unlikely(lambda: self.integer(min(depth, 1)))
        condition, here = self.rng.choice([("is None", False), ("is not None", True), ("", True)])
        sides = (name, other) if here else (other, name)
        return f"({sides[0]} if {name} {condition} else {sides[1]})".replace("  ", " ")

    # What `Objects` adds.

    def items_of(self, depth: int) -> str:
        raise NotImplementedError

    def table_of(self, depth: int) -> str:
        raise NotImplementedError

    def box_of(self, depth: int) -> str:
        raise NotImplementedError

    def int_from_objects(self) -> str | None:
        raise NotImplementedError

    def number_from_objects(self) -> str | None:
        raise NotImplementedError

    def truth_from_objects(self) -> str:
        raise NotImplementedError

    def pick(self, *makers: Callable[[], str]) -> str:
        return self.rng.choice(makers)()

    def variable(self, *kinds: Type) -> str | None:
        """A variable of one of the types; one that may be unbound only now and then."""
        names = self.scope.of(*kinds)
        if self.rng.random() < 0.99:
            names = [name for name in names if name not in self.scope.unsure]
        names += [name for name, kind in self.constants.items() if kind in kinds and self.rng.random() < 0.3]
        return self.rng.choice(names) if names else None

    def int_literal(self) -> str:
        value = some_int(self.rng)
        return f"({value})" if value < 0 else str(value)

    def unlikely(self, make: Callable[[], str]) -> str:
        """An expression on a path that may not be evaluated: what it binds is only perhaps bound."""
        before, self.certain = self.certain, False
        text = make()
        self.certain = before
        return text

    # Ints.

    def integer(self, depth: int) -> str:
        if depth <= 0 or self.rng.random() < 0.12:
            return self.variable("int") or self.int_literal() if self.rng.random() < 0.75 else self.int_literal()
        inner = depth - 1
        if self.rng.random() < 0.12:
            read = self.int_from_objects() if self.rng.random() < 0.7 else self.not_none(inner)
            if read:
                return read
        roll = self.rng.random()
        if roll < 0.42:
            return self.int_arithmetic(inner)
        if roll < 0.52:
            return self.bounded_growth(inner)
        if roll < 0.60:
            return self.choice_of("int", inner)
        if roll < 0.80:
            return self.int_builtin(inner)
        if roll < 0.84:
            return self.walrus("int", inner)
        if roll < 0.90:
            return self.call("int", inner) or self.integer(inner)
        return self.pick(
            lambda: f"(-{self.integer(inner)})",
            lambda: f"(~{self.integer(inner)})",
            lambda: f"(+{self.truth(inner)})",
            lambda: f"({self.truth(inner)} + {self.integer(inner)})",
            lambda: f"({self.integer(inner)} & {self.truth(inner)})",
        )

    def int_arithmetic(self, depth: int) -> str:
        op = self.rng.choice(["+", "+", "-", "-", "*", "*", "//", "%", "&", "|", "^"])
        left = self.integer(depth)
        if op in ("//", "%") and self.rng.random() < 0.6:
            right = self.rng.choice(["7", "8", "(-3)", "1000000007", "2147483648", "(-1)", "1", "64", "3"])
        elif op == "&" and self.rng.random() < 0.5:
            right = self.rng.choice(["255", "4294967295", "9223372036854775807", "18446744073709551615", "(-8)", "1"])
        else:
            right = self.integer(depth)
        return f"({left} {op} {right})"

    def sparse(self) -> str:
        """An int of 64 bits that, mostly, is no float: computed from a variable, so that it is not folded."""
        base = self.rng.choice(WIDE_BASES)
        return f"(({self.integer(0)} & {self.rng.choice([1, 7, 1023])}) + {base})"

    def beside(self, integer: str) -> str:
        """A float that equals an int or is one of the next."""
        return self.rng.choice([
            f"float({integer})",
            f"({integer} * 1.0)",
            f"math.nextafter(float({integer}), {self.rng.choice(['math.inf', '-math.inf', '0.0'])})",
            f"({integer} + {self.rng.choice(['0.0', '0.5', '-1.0', '1024.0'])})",
        ])  # fmt: skip

    def close_comparison(self) -> str:
        """An int against a float that rounding may make equal to it."""
        integer = self.variable("int") if self.rng.random() < 0.3 else None
        integer = integer or self.sparse()
        if self.rng.random() < 0.35:
            divisor = self.rng.choice(["3", "7", "10", "(-13)", "1000000007", "9007199254740993"])
            sides = [f"{integer} / {divisor}", f"float({integer}) / {divisor}"]
        else:
            sides = [integer, self.beside(integer)]
        self.rng.shuffle(sides)
        return f"({sides[0]} {self.rng.choice(['<', '<=', '==', '!=', '>', '>='])} {sides[1]})"

    def perhaps_nan(self) -> str:
        """A NaN that is computed, where an operand is infinite."""
        name = self.variable("float") or self.float_literal()
        infinite = self.rng.choice(["math.inf", "1e999", f"({name} * 1e308 * 1e308)", name])
        forms = [f"{infinite} - {infinite}", f"{infinite} * 0.0", f"{infinite} % {name}", f"{infinite} + {name}"]
        return f"({self.rng.choice(forms)})"

    def nan_comparison(self) -> str:
        sides = [self.perhaps_nan(), self.real(1)]
        self.rng.shuffle(sides)
        return f"({sides[0]} {self.rng.choice(['<', '<', '<', '<=', '==', '!=', '>', '>='])} {sides[1]})"

    def bounded_growth(self, depth: int) -> str:
        """Powers and shifts, their right operands small."""
        left = self.integer(depth)
        count = self.integer(0)
        return self.rng.choice([
            f"({left} ** {self.rng.choice([0, 1, 2, 2, 2, 3, 4, 7])})",
            f"({left} ** ({count} & 15))",
            f"(({left} & 7) ** ({count} % 40))",
            f"({left} << ({count} & 63))",
            f"({left} << ({count} % 70 - 2))",
            f"({left} << {self.rng.choice([0, 1, 3, 31, 62, 63, 64, 70])})",
            f"({left} >> ({count} & 127))",
            f"({left} >> {count})",
            f"({left} >> {self.rng.choice([0, 1, 5, 12, 63, 64, 200])})",
        ])  # fmt: skip

    def int_builtin(self, depth: int) -> str:
        make = self.integer
        return self.pick(
            lambda: f"abs({make(depth)})",
            lambda: f"min({make(depth)}, {make(depth)})",
            lambda: f"max({make(depth)}, {make(depth)}, {make(0)})",
            lambda: f"round({make(depth)})",
            lambda: f"round({make(depth)}, {self.rng.choice([0, 1, -1, -2, -20])})",
            lambda: f"round({self.real(depth)})",
            lambda: f"int({self.real(depth)})",
            lambda: f"int({self.truth(depth)})",
            lambda: f"int({make(depth)})",
            lambda: f"pow({make(depth)}, {self.rng.choice([0, 1, 2, 3, 5])})",
            lambda: f"pow({make(depth)}, {make(0)} & 31, {make(depth)})",
            lambda: f"len(({make(depth)}, {self.real(0)}, {self.truth(0)}))",
            lambda: f"len(range({make(depth)}, {make(depth)}, {make(0)}))",
            lambda: f"len(range({make(depth)}))",
            lambda: f"sum(({make(depth)}, {make(depth)}, {self.truth(0)}))",
            lambda: f"sum(range({make(0)} % 12))",
            lambda: f"sum(({make(depth)}, {make(0)}), {make(0)})",
            lambda: f"math.{self.rng.choice(['floor', 'ceil', 'trunc'])}({self.real(depth)})",
            lambda: f"math.{self.rng.choice(['gcd', 'lcm'])}({make(depth)}, {make(0)})",
            lambda: f"math.isqrt({make(depth)})",
            lambda: f"math.factorial({make(0)} % 25)",
        )

    # Floats.

    def real(self, depth: int) -> str:
        if depth <= 0 or self.rng.random() < 0.12:
            name = self.variable("float") if self.rng.random() < 0.75 else None
            return name or self.float_literal()
        inner = depth - 1
        roll = self.rng.random()
        if roll < 0.45:
            return self.float_arithmetic(inner)
        if roll < 0.52:
            return self.choice_of("float", inner)
        if roll < 0.86:
            return self.float_builtin(inner)
        if roll < 0.90:
            return self.walrus("float", inner)
        if roll < 0.95:
            return self.call("float", inner) or self.real(inner)
        return f"(-{self.real(inner)})"

    def float_literal(self) -> str:
        text = self.rng.choice(FLOATS)
        return f"({text})" if text.startswith("-") else text

    def float_arithmetic(self, depth: int) -> str:
        roll = self.rng.random()
        if roll < 0.08:
            divisor = self.sparse() if self.rng.random() < 0.4 else self.integer(0)
            return f"({self.sparse()} / {divisor})"
        if roll < 0.25:
            return f"({self.integer(depth)} / {self.integer(depth)})"
        op = self.rng.choice(["+", "-", "*", "/", "//", "%", "+", "-", "*"])
        roll = self.rng.random()
        left = self.integer(depth) if roll < 0.25 else self.real(depth)
        if roll > 0.96:
            right = self.rng.choice(["2", "0.5", "-1", "3.0", "0"])
            return f"(abs({left}) ** {right})" if right == "0.5" else f"({left} ** {right})"
        right = self.integer(depth) if 0.25 < roll < 0.45 else self.real(depth)
        return f"({left} {op} {right})"

    def float_builtin(self, depth: int) -> str:
        make = self.real
        return self.pick(
            lambda: f"abs({make(depth)})",
            lambda: f"min({make(depth)}, {make(depth)})",
            lambda: f"max({make(depth)}, {make(depth)}, {make(0)})",
            lambda: f"float({self.integer(depth)})",
            lambda: f"float({make(depth)})",
            lambda: f"float({self.truth(depth)})",
            lambda: f"round({make(depth)}, {self.rng.choice([0, 1, 2, -1, 15, 400])})",
            lambda: f"sum(({make(depth)}, {make(depth)}, {make(0)}))",
            lambda: f"sum(({self.integer(0)}, {make(0)}), {make(0)})",
            lambda: f"pow({make(depth)}, {self.rng.choice([2, -1, 3])})",
            lambda: f"math.{self.rng.choice(FLOAT_MATH)}({make(depth)})",
            lambda: f"math.{self.rng.choice(FLOAT_MATH)}({make(depth)})",
            lambda: f"math.{self.rng.choice(FLOAT_MATH)}({self.number(0)})",
            lambda: f"math.{self.rng.choice(FLOAT_PAIRS)}({make(depth)}, {make(0)})",
            lambda: f"math.log({self.integer(depth)})",
            lambda: f"math.sqrt({self.integer(depth)})",
        )

    # Truth values, numbers, tuples.

    def truth(self, depth: int) -> str:
        if depth <= 0:
            name = self.variable("bool") if self.rng.random() < 0.6 else None
            return name or self.rng.choice(["True", "False", f"({self.number(0)} > {self.number(0)})"])
        inner = depth - 1
        if self.objects and self.rng.random() < 0.15:
            return self.truth_from_objects()
        roll = self.rng.random()
        if roll < 0.45:
            return self.comparison(inner)
        if roll < 0.55:
            return f"(not {self.number(inner)})"
        if roll < 0.70:
            left = self.truth(inner)
            return f"({left} {self.rng.choice(['and', 'or'])} {self.unlikely(lambda: self.truth(inner))})"
        if roll < 0.78:
            return f"bool({self.number(inner)})"
        if roll < 0.86:
            return f"math.{self.rng.choice(['isnan', 'isinf', 'isfinite'])}({self.number(inner)})"
        if roll < 0.91:
            return f"({self.truth(inner)} {self.rng.choice(['&', '|', '^'])} {self.truth(inner)})"
        if roll < 0.94:
            name = self.variable("any", "None", "num", "maybe")
            return f"({name} {self.rng.choice(['is', 'is not'])} None)" if name else self.truth(inner)
        if roll < 0.97:
            return self.call("bool", inner) or self.truth(inner)
        return self.choice_of("bool", inner)

    def comparison(self, depth: int) -> str:
        ops = ["<", "<=", "==", "!=", ">", ">="]
        roll = self.rng.random()
        if roll < 0.08:
            return self.close_comparison()
        if roll < 0.14:
            return self.nan_comparison()
        if roll < 0.19:
            kind: Type = ("int", "float")
            return f"({self.packed(kind, 1)} {self.rng.choice(ops)} {self.packed(kind, 1)})"
        first, second = self.number(depth), self.number(depth)
        text = f"{first} {self.rng.choice(ops)} {second}"
        if self.rng.random() < 0.25:
            text += f" {self.rng.choice(ops)} {self.unlikely(lambda: self.number(depth))}"
        return f"({text})"

    def number(self, depth: int) -> str:
        name = self.variable("num") if self.rng.random() < 0.3 else None
        if name and depth <= 0:
            return name
        if name:
            op = self.rng.choice(["+", "-", "*", "/", "//", "%"])
            return f"({name} {op} {self.number(depth - 1)})"
        roll = self.rng.random()
        read = self.number_from_objects() if roll < 0.1 else None
        if read:
            return read
        if roll < 0.5:
            return self.integer(depth)
        if roll < 0.9:
            return self.real(depth)
        return self.truth(depth) if depth > 0 else self.integer(0)

    def packed(self, kinds: tuple[Type, ...], depth: int) -> str:
        name = self.variable(kinds) if self.rng.random() < 0.4 else None
        if name:
            return name
        if kinds == ("int", "int") and self.rng.random() < 0.3:
            return f"divmod({self.integer(depth)}, {self.integer(0)})"
        if kinds == ("float", "float") and self.rng.random() < 0.3:
            return f"divmod({self.real(depth)}, {self.number(0)})"
        call = self.call(kinds, depth) if self.rng.random() < 0.2 else None
        if call:
            return call
        known = 0.6 if len(kinds) > 2 else 0.0
        items = [(self.rng.random() < known and self.variable(kind)) or self.of(kind, depth - 1) for kind in kinds]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"

    def choice_of(self, kind: Type, depth: int) -> str:
        roll = self.rng.random()
        if roll < 0.7:
            condition = self.truth(depth)
            sides = [self.unlikely(lambda: self.of(kind, depth)) for _ in range(2)]
            return f"({sides[0]} if {condition} else {sides[1]})"
        left = self.of(kind, depth)
        return f"({left} {self.rng.choice(['and', 'or'])} {self.unlikely(lambda: self.of(kind, depth))})"

    def walrus(self, kind: Type, depth: int) -> str:
        """Binds a variable inside an expression; it keeps no more bits than a machine word or two."""
        if not self.binds:
            return self.of(kind, depth)
        name = self.rng.choice(["w0", "w1", f"{kind[0]}x"])
        value = self.of(kind, depth)
        if kind == "int":
            value = f"({value}) % {self.rng.choice([2**64, 2**31, 2**70 + 3])}"
        self.scope.bind(name, kind, sure=self.certain)
        return f"({name} := {value})"

    def call(self, kind: Type, depth: int) -> str | None:
        """A call of another function of the module, with arguments that are small expressions."""
        affordable = [callee for callee in self.callees if callee.result == kind and self.affords(callee)]
        if not affordable:
            return None
        callee = self.rng.choice(affordable)
        self.cost += callee.cost * self.weight
        return f"{callee.name}({self.arguments(callee, depth)})"

    def affords(self, callee: Callee) -> bool:
        return self.cost + callee.cost * self.weight < 3000 and not (callee.recursive and self.weight > 1)

    def arguments(self, callee: Callee, depth: int) -> str:
        passed = []
        count = len(callee.parameters)
        for number, (name, kind) in enumerate(callee.parameters):
            if callee.recursive and number == 0:
                value = "d - 1" if "d" in self.scope.types else str(self.rng.randrange(4))
            elif kind == "int":
                value = self.variable("int") or self.int_literal()
                value = self.rng.choice(
                    [value, value, f"{value} + 1", f"{value} % 1000", f"{value} ^ {self.int_literal()}"]
                )
            else:
                value = None
            has_default = (
                number >= count - callee.keyword_only - callee.defaults and number < count - callee.keyword_only
            )
            if has_default and self.rng.random() < 0.3:
                break
            value = value or self.of(kind, min(depth, 1))
            by_name = number >= count - callee.keyword_only or (
                self.rng.random() < 0.1 and number >= callee.positional_only and (not callee.recursive or number)
            )
            passed.append((name if by_name else None, value))
        return self.spell(callee, passed)

    def spell(self, callee: Callee, passed: list[tuple[str | None, str]]) -> str:
        """Arguments as text: once one is passed by name, so are those after it; a default may be left out."""
        given = {name for name, _ in passed if name}
        texts, named = [], False
        for number, (name, value) in enumerate(passed):
            named = named or name is not None
            texts.append(f"{callee.parameters[number][0]}={value}" if named else value)
        for name, kind in callee.parameters[len(callee.parameters) - callee.keyword_only :]:
            if name not in given:
                texts.append(f"{name}={self.of(kind, 0)}")
        return ", ".join(texts)
