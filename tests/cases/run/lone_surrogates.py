"""Strings with lone surrogates: literals, f-strings, raw ones, keys, and what looks like them but is none."""
# native: literals, joined, formatted, raw, keys, replacement, compared, bytes_like

from castiron import jit
from support import show


@jit
def literals():
    return "\ud800", "a\udfffb", "\U0000dc80", "\ud83d\ude00", "\N{GREEK SMALL LETTER ALPHA}\ud800"


@jit
def joined():
    return (
        "\ud800"
        "x"
        "\udc00"
        """
\udc01"""
    )


@jit
def formatted(x):
    return f"\ud800{x}\udc00", f"{x!r:\ud801>5}\udc80", f"{x}\ud802\N{BULLET}\ud803{{"


@jit
def raw(x):
    return r"\ud800", rf"\ud800{x}", rb"\ud800"


@jit
def keys(d):
    return d["\ud800"], {"\udc00": 1}, {"\ud801", "a", "b"}, ("\ud802", 1)


@jit
def replacement():
    return "�", "\ufffd\ud800�", "\udc00\U0000fffd", "\\ud800\ufffd", "\x5c\ud800"


@jit
def compared(x):
    match x:
        case "\ud800":
            return "surrogate"
        case {"\udc00": y}:
            return y
    return x == "\udc00"


@jit
def bytes_like():
    return len("\ud800\udc00"), "\ud800" + "\udc00" == "\U00010000", "\ud800".encode("utf-8", "surrogatepass")


def main():
    show(lambda: ascii(literals()))
    show(lambda: ascii(joined()))
    show(lambda: ascii(formatted("\ud900")))
    show(lambda: ascii(raw(1)))
    show(lambda: ascii([sorted(part) if isinstance(part, set) else part for part in keys({"\ud800": 2})]))
    show(lambda: ascii(replacement()))
    for x in ("\ud800", {"\udc00": 3}, "\udc00", "�"):
        print(ascii(x), ascii(compared(x)))
    show(bytes_like)
