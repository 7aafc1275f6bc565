"""Frames of exceptions that a function has caught: one for each activation, with its variables once it has ended."""
# native: other_raised, saved, loops, nested, finals, returns_in_handler, returns_in_finally, managed, suppressed, cells, deleted, counts, wide, lippincott, raises_again, helped, helped_natively, ends_first, own_or_not, again_below, fails_below, recursive, named_again, from_cause, bare_inside, groups, kept, dies_with_it, grows, promised, comprehends, deep, no_handler_name, after_loop
# repetitions: 300

import gc
import sys

from castiron import jit
from support import plain, show


class Noisy:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Noisy({self.name})"

    def __del__(self):
        print("  del", self.name)


class Manager:
    def __init__(self, suppresses=False, fails=False):
        self.suppresses = suppresses
        self.fails = fails

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if self.fails:
            raise KeyError("from exit")
        return self.suppresses


def fail(what):
    raise what


def chain(error):
    """The frames of an exception and of all that it came from: those of this file, numbered as they are met."""
    known, lines = [], []
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            frame = trace.tb_frame
            if frame.f_code.co_filename == __file__ and frame.f_code.co_name not in ("told", "outcome"):
                if not any(frame is other for other in known):
                    known.append(frame)
                number = [frame is other for other in known].index(True)
                values = {name: plain(value) for name, value in frame.f_locals.items()}
                back = frame.f_back and frame.f_back.f_code.co_name
                lines.append((type(error).__name__, number, back, frame.f_code.co_name, trace.tb_lineno, frame.f_lineno, values))
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
    return lines


def told(function, *args):
    """Tell what a call gave or raised, with all frames."""
    try:
        result = function(*args)
    except BaseException as error:
        print(function.__name__, "raised", repr(error))
        result = error
    else:
        print(function.__name__, "gave", repr(result))
    found = result if isinstance(result, list) else [result]
    for error in found:
        if isinstance(error, BaseException):
            for line in chain(error):
                print("   ", *line)


@jit
def other_raised(n: int):
    first = n + 1
    try:
        fail(ValueError(first))
    except ValueError:
        second = first * 2
        raise KeyError(second)


@jit
def saved(n: int):
    first = n + 1
    try:
        fail(ValueError(first))
    except ValueError as error:
        kept = error
    first += 10
    return kept


@jit
def loops(n: int):
    found = []
    for i in range(n):
        square = i * i
        try:
            if i % 2:
                fail(ValueError(i))
            square += 1
        except ValueError as error:
            found.append(error)
    last = "end"
    return found


@jit
def nested(n: int):
    outer = n
    try:
        try:
            fail(ValueError(n))
        except ValueError as error:
            inner = [error]
            fail(KeyError(n))
    except KeyError as error:
        inner.append(error)
    after = outer * 3
    return inner


@jit
def finals(n: int):
    try:
        try:
            fail(ValueError(n))
        finally:
            n += 1
            cleaned = n * 2
    except ValueError as error:
        kept = error
    n += 5
    return kept


@jit
def returns_in_handler(n: int):
    try:
        fail(ValueError(n))
    except ValueError as error:
        n *= 7
        return error


@jit
def returns_in_finally(n: int):
    box = []
    try:
        try:
            fail(ValueError(n))
        except ValueError as error:
            box.append(error)
            raise
    finally:
        n -= 1
        return box


@jit
def managed(n: int, manager):
    try:
        with manager as entered:
            n += 1
            fail(ValueError(n))
    except (ValueError, KeyError) as error:
        kept = error
    n = -n
    return kept


@jit
def suppressed(n: int, manager, box):
    error = ValueError(n)
    with manager:
        fail(error)
    n = n + 100
    return error


@jit
def cells(n: int):
    shared = n + 1

    def read():
        return shared

    try:
        fail(ValueError(read()))
    except ValueError as error:
        kept = error
    shared += 5
    return kept, read()


@jit
def deleted(n: int, which):
    gone = n
    maybe = 1
    try:
        fail(ValueError(n))
    except ValueError as error:
        kept = error
    del gone
    if which:
        del maybe
    return kept


@jit
def counts(n: int):
    kept = None
    try:
        fail(ValueError(n))
    except ValueError as error:
        kept = error
    total = 0
    for i in range(n):
        total += i * i
    x = 0.5
    while x < n:
        x = x * 1.5
    return kept


@jit
def wide(n: int):
    try:
        fail(ValueError(n))
    except ValueError as error:
        kept = error
    big = n
    for i in range(80):
        big = big * 2 + i
    return kept


def bare():
    raise


@jit
def lippincott():
    mine = "of the inner one"
    try:
        raise
    except ValueError as error:
        kind = "value"
        return error
    except KeyError:
        kind = "key"
        fail(OSError(kind))


def handles(error, function=lippincott, *args):
    held = [function]
    del function
    try:
        raise error
    except Exception:
        own = "of the outer one"
        return held.pop()(*args)


@jit
def raises_again(n: int):
    here = n * 3
    raise


@jit
def helped(n: int, helper):
    mine = n + 1
    try:
        helper()
    except ValueError as error:
        kept = error
    mine = mine * 2
    return kept


@jit
def helped_natively(n: int):
    mine = n + 1
    try:
        raises_again(n)
    except ValueError as error:
        kept = error
    mine = mine * 2
    return kept


@jit
def ends_first(n: int, helper):
    mine = n + 1
    try:
        try:
            helper()
        finally:
            mine = mine * 2
    except ValueError as error:
        kept = error
    mine = mine + 1
    return kept


@jit
def own_or_not(n: int, helper):
    """Whether the entry is the activation's own, both ways in one handler."""
    kept = []
    for i in range(n):
        turn = i
        try:
            try:
                if i % 2:
                    raise
                helper()
            finally:
                turn = i + 10
        except ValueError as error:
            kept.append(error)
    turn = -1
    return kept


@jit
def again_below(n: int, how):
    """What the outer activation has caught is raised again by an inner one."""
    level = n
    if n == 0:
        if how == 0:
            raise
        try:
            if how == 1:
                raise
            elif how == 2:
                bare()
            else:
                raises_again(n)
        except ValueError as error:
            level = -1
            return error
    try:
        fail(ValueError(n))
    except ValueError:
        level = n * 10
        return again_below(n - 1, how)


@jit
def fails_below(n: int, how):
    """What a handler raises is another exception, which an outer handler catches."""
    mine = n
    try:
        try:
            fail(ValueError(n))
        except ValueError:
            mine = n + 1
            if how == 0:
                raise
            elif how == 1:
                bare()
            elif how == 2:
                fail(KeyError(n))
            raises_again(n)
    except Exception as error:
        kept = error
    mine = n + 2
    return kept


@jit
def recursive(n: int):
    depth = n
    if n == 0:
        try:
            raise
        except ValueError as error:
            depth = -1
            return error
    try:
        fail(ValueError(n))
    except ValueError:
        depth = n * 10
        return recursive(n - 1)


@jit
def named_again(n: int):
    try:
        fail(ValueError(n))
    except ValueError as error:
        n += 1
        kept = error
    n += 1
    raise kept


@jit
def from_cause(n: int):
    try:
        fail(ValueError(n))
    except ValueError as error:
        n += 1
        raise KeyError(n) from error


@jit
def bare_inside(n: int):
    try:
        fail(ValueError(n))
    except ValueError:
        n += 1
        bare()


@jit
def groups(n: int):
    kept = []
    try:
        fail(ExceptionGroup("group", [ValueError(n), KeyError(n)]))
    except* ValueError as error:
        kept.append(error)
        n += 1
    except* KeyError as error:
        kept.append(error)
        n += 1
    n += 1
    return kept


SEEN = []


def sees(error):
    SEEN.append(sys._getframe(1).f_code.co_name)
    raise error


@jit
def kept(n: int):
    found = []
    for i in range(n):
        try:
            sees(ValueError(i))
        except ValueError as error:
            found.append(error)
    return found


@jit
def dies_with_it(box):
    one, two = Noisy("one"), Noisy("two")
    try:
        fail(ValueError("of noisy ones"))
    except ValueError as error:
        box.append(error)
    two = Noisy("three")
    print("  ends")


@jit
def grows(n: int):
    found = None
    for i in range(n):
        try:
            if i == 3:
                fail(ValueError(i))
        except ValueError as error:
            found = error
        total = 0
        for j in range(50):
            total += i * j
    return found


@jit
def promised(n: int) -> ValueError:
    try:
        fail(ValueError(n))
    except ValueError as error:
        kept = error
    n = n + 1
    return kept


@jit
def comprehends(items):
    try:
        return [10 // item for item in items]
    except ZeroDivisionError as error:
        kept = error
    items = len(items)
    return kept


@jit
def deep(n: int):
    if n == 0:
        fail(ValueError("bottom"))
    try:
        deep(n - 1)
    except ValueError as error:
        level = n
        raise KeyError(level)
    except KeyError as error:
        level = n
        raise OSError(level) from error
    except OSError as error:
        level = n
        return error


@jit
def no_handler_name(n: int):
    try:
        n // 0
    except ZeroDivisionError:
        m = n + 1
        m // 0


@jit
def after_loop(n: int):
    error = None
    for i in range(n):
        try:
            fail(ValueError(i))
        except ValueError as caught:
            error = caught
            if i == 2:
                break
    else:
        i = -1
    return error


def main():
    for n in (3, 2**63, True):
        told(other_raised, n)
        told(saved, n)
        told(named_again, n)
        told(from_cause, n)
        told(bare_inside, n)
        told(promised, n)
    told(loops, 6)
    told(nested, 4)
    told(finals, 4)
    told(returns_in_handler, 4)
    told(returns_in_finally, 4)
    for suppresses in (False, True):
        for fails in (False, True):
            show(managed, 1, None)
            if not suppresses or fails:
                told(managed, 1, Manager(suppresses, fails))
            told(suppressed, 1, Manager(suppresses, fails), [])
    told(lambda: cells(4)[0])
    print(cells(4)[1])
    told(deleted, 4, True)
    told(deleted, 4, False)
    told(counts, 30)
    told(counts, 3000)
    told(wide, 5)
    told(handles, ValueError("handled"))
    told(handles, KeyError("handled"))
    for helper in (bare, lambda: raises_again(7)):
        told(handles, ValueError("handled"), helped, 3, helper)
        told(handles, ValueError("handled"), ends_first, 3, helper)
        told(handles, ValueError("handled"), own_or_not, 4, helper)
    told(handles, ValueError("handled"), helped_natively, 3)
    told(handles, ValueError("handled"), raises_again, 3)
    told(raises_again, 3)
    for how in range(4):
        told(again_below, 1, how)
        told(again_below, 2, how)
        told(fails_below, 5, how)
    told(recursive, 1)
    told(recursive, 3)
    told(groups, 3)
    told(kept, 3)
    print(SEEN)
    SEEN.clear()
    box = []
    dies_with_it(box)
    print("  lives")
    told(box.__getitem__, 0)
    box.clear()
    gc.collect()
    print("  gone")
    told(grows, 9)
    told(comprehends, [5, 0, 1])
    told(deep, 3)
    told(no_handler_name, 3)
    told(after_loop, 5)
    told(after_loop, 1)
