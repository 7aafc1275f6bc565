"""Programs of hot loops over sequences, and of single operations on the edges of machine words.

- `kernels`: loops that get versions of their own over lists, bytes, bytearrays and strings, whose items are somewhere
  not what they are taken to be, and which the loops themselves change;
- `edges`: functions of one operation, called with the values at which it leaves 64 bits.

Each gives the lines of a module and the calls to make, as the shapes do.
"""

from __future__ import annotations

import random

HEAD = ["import math", "", "from castiron import jit", ""]

Shape = tuple[list[str], list[str]]

PARAMETERS = {
    "v": "list[int]",
    "u": "list[int]",
    "w": "list[float]",
    "z": "list[bool]",
    "m": "list[list[int]]",
    "h": "list[list[float]]",
    "b": "bytes",
    "e": "bytearray",
    "s": "str",
    "t": "str",
    "o": "list[tuple[int, float]]",
    "x": "list[None]",
}
"""Parameters of a kernel, from which each takes some."""

STEPS = {
    "v": [
        "total += v[{i}]",
        "v[{i}] = total & 1023",
        "v[{i}] += {k}",
        "v[{i}] = v[{j}]",
        "v[{i}], v[{j}] = v[{j}], v[{i}]",
        "total ^= v[{i}] + v[{j}]",
        "if v[{i}] > {k}:\n    total += 1",
        "v[{i}] = v[{i}] * 3 % 1000003",
        "v[{i}] = {k}",
        "v[{i}] = i > {k}",
        "v[{i}] = total * 0.5",
        "v[{i}] = None if i == {k} else i",
        "v.append(i)\ndel v[60:]",
        "if len(v) > 5:\n    v.pop()",
        "v[{i}] = (i, total)",
        "total += len(v)",
        "v[{i}] = -v[{i}]",
        "v[{i}] <<= 1",
        "for p in v:\n    total += p",
        "total = total * 31 + v[-1]",
        "v[{i}] = v[{i}] + 2**60",
        "v.reverse()",
        "v[:3] = v[:3][::-1]",
        "total += len(v[{i}:{i2}]) + len(v[::2])",
        "v[1:2] = v[{i}:{i2}]\ndel v[60:]",
        "for q in range(len(v) - 1):\n    v[q] = v[q + 1]",
        "if v:\n    total ^= v.pop()\n    v.append(total & 7)",
        "for q in v:\n    if q == {k}:\n        v.append(i)\n        break\ndel v[60:]",
        "for p, q in enumerate(v):\n    total += p * q",
        "for p, q in enumerate(v, {k}):\n    if q == p:\n        v.pop()\n    total ^= q",
        "for q in reversed(v):\n    total = total * 3 + q",
        "for p, q in zip(v, [r * r for r in range({k} % 40)]):\n    total += p - q",
    ],
    "u": ["u[{i}] = total", "total -= u[{i}]", "u[{i}] += 1", "u[0] = u[0] + u[{i}] & 4095", "u[{i}] = u[{i}] // 2"],
    "w": [
        "sum_ += w[{i}]",
        "w[{i}] = sum_ * 0.5",
        "w[{i}] *= 0.5",
        "w[{i}], w[{j}] = w[{j}], w[{i}]",
        "w[{i}] = w[{j}] - {k}",
        "if w[{i}] < 1.5:\n    sum_ -= 1.0",
        "w[{i}] = i",
        "w[{i}] = sum_",
        "w[{i}] = -w[{i}]",
        "w[{i}] = w[{i}] / 3.0 + w[{j}]",
        "for q in range(len(w)):\n    sum_ += w[q] * w[q]",
        "for g in w:\n    sum_ = sum_ * 0.5 + g",
        "for p, (g, f) in enumerate(zip(w, reversed(w))):\n    sum_ += p * g - f",
        "for q in range(len(w)):\n    w[q] = w[-1 - q] * 0.25 + sum_",
    ],
    "z": [
        "if z[{i}]:\n    total += 3",
        "z[{i}] = not z[{j}]",
        "z[{i}] = total > {k}",
        "total += z[{i}]",
        "z[{i}] = z[{i}] ^ z[{j}]",
    ],
    "m": [
        "total += m[{i}][0]",
        "m[{i}][{j2}] = total & 255",
        "row = m[{i}]\ntotal += row[{j2}] + len(row)",
        "m[{i}][0] += 1",
        "m[{i}] = m[{j}]",
        "m[{i}] = [i, total]",
        "for q in m[{i}]:\n    total ^= q",
        "total += len(m[{i}])",
        "for row in m:\n    total += len(row)",
        "for row in m[:5]:\n    row[0], row[-1] = row[-1], row[0]",
    ],
    "h": [
        "sum_ += h[{i}][0]",
        "h[{i}][{j2}] = sum_ * 0.25",
        "h[{i}][{j2}] *= 0.5",
        "row = h[{i}]\nrow[0] = row[{j2}] + 1.0",
    ],
    "b": ["total += b[{i}]", "if b[{i}] == b[{j}]:\n    total += 1", "total += len(b)", "b = b[:9] + b[{i}:{i2}]"],
    "e": [
        "total += e[{i}]",
        "e[{i}] = total & 255",
        "e[{i}] = (e[{i}] + i) % {k2}",
        "e[{i}], e[{j}] = e[{j}], e[{i}]",
        "e[{i}] = total",
        "e.append(i & 255)\ndel e[50:]",
        "if e[{i}]:\n    e[{i}] -= 1",
        "total += len(e)",
    ],
    "s": [
        "if s[{i}] == 'a':\n    total += 1",
        "total += ord(s[{i}])",
        "if s[{i}] != s[{j}]:\n    total ^= 5",
        "c = s[{i}]",
        "s = s[1:] + s[0]",
        "if s[{i}] in 'xyz':\n    total += 2",
        "print(s[{i}])",
        "total += len(s)",
        "kept = s[{i}]\ns = kept + s[1:]",
    ],
    "t": [
        "if s[{i}] == t[{j}]:\n    total += 7",
        "if t[{i}] == c:\n    total -= 1",
        "if s == t:\n    total += 1",
        "c = t[{i}]",
    ],
    "o": [
        "p, f = o[{i}]\ntotal += p\nsum_ += f",
        "total += o[{i}][0]",
        "o[{i}] = (total & 7, sum_)",
        "o[{i}] = o[{j}]",
        "for p, f in o:\n    total ^= p",
    ],
    "x": [
        "if x[{i}] is None:\n    total += 1",
        "x[{i}] = None",
        "x[{i}] = total if i == {k} else None",
        "y = x[{i}]",
        "for y in x:\n    total += y is None",
    ],
}
"""What a loop may do with each parameter; braces stand for indices and constants."""

ODD = [
    "True",
    "SubInt(5)",
    str(2**63),
    str(-(2**63) - 1),
    "1.5",
    "math.nan",
    "None",
    "'a'",
    "[1]",
    "(1, 2.5)",
    "SubFloat(0.5)",
    "SubList([1, 2])",
    "5",
]
"""Items that no list of the parameters' types holds, or hardly any."""


def kernels(rng: random.Random) -> Shape:
    """One or two functions with a long loop each."""
    lines, calls = list(HEAD), []
    for number in range(rng.choice([1, 1, 2])):
        taken = rng.sample(list(PARAMETERS), rng.choice([1, 2, 2, 3]))
        if "t" in taken and "s" not in taken:
            taken.append("s")
        lines += [
            "",
            "",
            "@jit",
            f"def f{number}({', '.join(f'{name}: {PARAMETERS[name]}' for name in taken)}, n: int) -> int:",
        ]
        lines += [f"    {text}" for text in kernel(rng, taken)]
        for _ in range(6):
            passed = [f"L{name}" if rng.random() < 0.3 else some_sequence(rng, name) for name in taken]
            if {"v", "u"} <= set(taken) and rng.random() < 0.5:
                passed[taken.index("u")] = passed[taken.index("v")] = "Lv"
            calls.append(f"f{number}({', '.join(passed)}, {rng.choice([0, 5, 40, 400, 400, 700])})")
            calls += [f"L{name}" for name in taken if f"L{name}" in passed]
    lines += ["", "", *(f"L{name} = {some_sequence(rng, name)}" for name in PARAMETERS)]
    return lines, calls


def kernel(rng: random.Random, taken: list[str]) -> list[str]:
    """The body of a function with a loop of some steps."""
    lines = ["total = 0", "sum_ = 0.5", "c = 'a'", "i = 0"]
    if rng.random() < 0.3:
        lines.append(
            f"k = list(range({rng.choice(['n', '3, n', 'n, 0, -1', '0, n, 2', '5, 9, n % 2'])}))\ntotal += len(k)"
        )
    lines.append(rng.choice(["for i in range(n):", "for i in range(n - 1, -1, -1):", "while i < n:\n    i += 1"]))
    if rng.random() < 0.3:
        lines.append("    if total > 1000000007 or total < -1000000007:\n        total %= 65537")
    for _ in range(rng.choice([1, 2, 3, 4])):
        name = rng.choice(taken)
        text = rng.choice(STEPS[name])
        for part in text.format(**places(rng, name)).split("\n"):
            lines.append(f"    {part}")
    lines += [
        "    if not -2**70 < total < 2**70:\n        total = 1",
        f"print(total, sum_, {', '.join(taken)})",
        "return total",
    ]
    return "\n".join(lines).split("\n")


def places(rng: random.Random, name: str) -> dict[str, object]:
    """Indices into the parameter, mostly good ones, and constants."""

    def index() -> str:
        return rng.choice(
            [f"i % len({name})"] * 4
            + ["i % 7", "-1 - i % 5", "0", "i & 3", "i", "-i", "(i * 7 + 3) % (len({name}) or 1)"]
        ).replace("{name}", name)

    constants = {"k": rng.choice([0, 3, 100, 255, 2**40, -7, 350]), "k2": rng.choice([256, 256, 300])}
    return {"i": index(), "j": index(), "j2": rng.choice([0, 1, "i & 1", -1]), "i2": "i % 9", **constants}


def some_sequence(rng: random.Random, name: str) -> str:
    """Items of the parameter's kind, now and then another one among them."""
    size = rng.choice([1, 3, 7, 40, 40])
    step = rng.choice([1, 3, 1009, 2**40, 2**58])
    text = {
        "v": f"[k * {step} - 9 for k in range({size})]",
        "u": f"[k ^ 5 for k in range({size})]",
        "w": f"[k * 0.75 for k in range({size})]",
        "z": f"[k % 3 == 0 for k in range({size})]",
        "m": f"[[k, k + {step}] for k in range({size})]",
        "h": f"[[k * 0.5, 1.5] for k in range({size})]",
        "b": f"bytes(range({size}))",
        "e": f"bytearray(range({size}))",
        "s": rng.choice(["'banana'", "'abcdefghijklmnopqrstuvwxyz'", "'añb€c'", "'a'", "'x\\U0001f600y'"]),
        "t": rng.choice(["'ananas'", "'zyxwvutsrqponmlkjihgfedcba'", "'€€'", "'a'"]),
        "o": f"[(k, k * 0.5) for k in range({size})]",
        "x": f"[None] * {size}",
    }[name]
    if name in "best":
        return text
    return text if rng.random() < 0.6 else f"with_item({text}, {rng.randrange(size)}, {rng.choice(ODD)})"


OPERATIONS = {
    "int": [
        "-n",
        "abs(n)",
        "~n",
        "n + m",
        "n - m",
        "n * m",
        "n // m",
        "n % m",
        "n << (m & 127)",
        "n >> m",
        "n ** (m & 7)",
        "n / m",
        "len(range(n, m))",
        "len(range(n, m, k))",
        "len(range(n))",
        "min(n, -m)",
        "abs(n - m)",
        "-n * m",
        "n - -m",
        "divmod(n, m)[0]",
        "n & -m",
        "sum(range(n, n + 5))",
        "max(abs(n), m)",
        "round(n, -2)",
        "-(n + 1)",
        "abs(-n)",
        "(n + m) // 2",
    ],
    "float": [
        "x / y",
        "x // y",
        "x % y",
        "x ** y",
        "math.floor(x)",
        "int(x)",
        "round(x)",
        "math.sqrt(x)",
        "math.log(x)",
        "x * y",
        "abs(x)",
        "math.exp(x)",
        "math.ceil(y)",
        "math.pow(x, y)",
        "divmod(x, y)[1]",
        "math.fmod(x, y)",
        "-x",
        "x < y",
        "int(x * y)",
    ],
}
INTS = [0, 1, -1, 2, 7, -13, 2**31, 2**62, 2**63 - 1, -(2**63), 2**63, -(2**63) + 1, 2**64, 3037000500, -(2**62) - 1]
FLOATS = [
    "0.0",
    "-0.0",
    "1.5",
    "-2.5",
    "1e308",
    "math.inf",
    "-math.inf",
    "math.nan",
    "9.3e18",
    "-9.3e18",
    "5e-324",
    "710.0",
]


def edges(rng: random.Random) -> Shape:
    """Functions of one or two operations, each called with many pairs of extremes."""
    lines, calls = list(HEAD), []
    for number in range(3):
        ints = rng.random() < 0.65
        kind, names, values = ("int", "nmk", INTS) if ints else ("float", "xy", FLOATS)
        parameters = ", ".join(f"{name}: {kind}" for name in names)
        first, second = rng.sample(OPERATIONS[kind], 2)
        lines += ["", "", "@jit", f"def f{number}({parameters}) -> object:"]
        if rng.random() < 0.4:
            lines += [f"    a = {first}", f"    return a, {second}"]
        else:
            lines += [f"    return {first}"]
        for _ in range(14):
            calls.append(f"f{number}({', '.join(str(rng.choice(values)) for _ in names)})")
    return lines, calls
