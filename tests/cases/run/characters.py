"""Characters of strings, held as code points: comparisons, ord, and wherever a str is wanted after all."""
# native: same, count, codes, first, ends, keep, letters, joined, is_vowel, equal, empty, chosen, bound, in_dict

from castiron import jit
from support import show

TEXTS = ("", "a", "ab", "some text", "étage", "日本語", "a\U0001f600b", "\x00\xff")


@jit
def same(a: str, b: str):
    result = 0
    for i in range(len(a)):
        for j in range(len(b)):
            if a[i] == b[j]:
                result += 1
            if a[i] < b[j]:
                result += 100
    return result


@jit
def count(text: str, letter: str):
    result = 0
    for i in range(len(text)):
        if text[i] == letter:
            result += 1
        if letter != text[i]:
            result += 1000
    return result


@jit
def codes(text: str):
    result = 0
    for i in range(len(text)):
        result = result * 31 + ord(text[i]) & 0xFFFFFFFF
    return result


@jit
def first(text: str, i: int):
    return text[i]


@jit
def ends(text: str):
    return text[0] + text[-1]


@jit
def keep(text: str, i: int):
    c = text[i]
    if i > 0:
        c = text
    return c, len(c)


@jit
def letters(text: str):
    seen = []
    for i in range(len(text)):
        c = text[i]
        seen += [c]
        if c:
            seen += [ord(c), str(c), c * 2]
    return seen


@jit
def joined(text: str, i: int):
    c = text[i]
    n = 2**62 + i
    n = n + n
    return c, n, c + "!", "!" + c, f"{c}", "%s" % c


@jit
def is_vowel(text: str, i: int):
    c = text[i]
    return c == "a" or c == "e" or c == "é" or c == "xy"


@jit
def equal(a: str, b: str):
    return a == b, a != b, a == "ab", a < b, not a


@jit
def empty(text: str):
    if text:
        return text[len(text) - 1]
    return text


@jit
def chosen(n: int):
    return "acgt"[n % 4]


@jit
def bound(text: str, i: int):
    c = text[i]
    return c.upper, c is None


@jit
def in_dict(text: str):
    table = {}
    for i in range(len(text)):
        table[text[i]] = i
    return table


class Text(str):
    """A str that answers for itself."""

    def __getitem__(self, index):
        return "x"

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def main():
    for a in TEXTS:
        for b in TEXTS:
            show(same, a, b)
            show(count, a, b)
            show(equal, a, b)
        show(codes, a)
        show(letters, a)
        show(in_dict, a)
        show(empty, a)
        show(ends, a)
        for i in (0, 1, -1, 5, -6, 2**63 - 1, -(2**63), 2**64):
            show(first, a, i)
            show(keep, a, i)
        for i in (0, 1):
            show(joined, a, i)
            show(is_vowel, a, i)
    for n in range(6):
        show(chosen, n)
    print(bound("ab", 1)[0](), bound("ab", 1)[1])
    text = Text("abc")
    show(same, text, "abc")
    show(count, "abc", text)
    show(first, text, 1)
    show(equal, "abc", text)
