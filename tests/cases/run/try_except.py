"""`try` in all its forms: which clause takes what, what is handled when, and what is dropped on the way."""
# native: simple, clauses, with_else, all_parts, finally_returns, finally_loops, names, names_unset, nested, context, bare_raise, nothing_handled, in_loop, raise_from, bad_clause, drops, half_a_call, handled_now, cleanup_order, unbound, retry, swallow, global_name, deep, asserts, numbers, in_generator_caller
# repetitions: 200

import sys

from castiron import jit


class Noisy:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Noisy({self.name})"

    def __del__(self):
        print("  del", self.name, "handling", repr(sys.exception()))


class Special(ValueError):
    pass


def fail(error):
    print("  fails", repr(error))
    raise error


def give(value):
    print("  gives", value)
    return value


def chain(error):
    """The contexts and causes of an exception, and its lines in this file."""
    found = []
    while error is not None:
        trace, lines = error.__traceback__, []
        while trace is not None:
            lines.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        found.append((repr(error), lines, repr(error.__cause__), error.__suppress_context__))
        # What the frames of the traceback hold is another case's business.
        error.__traceback__ = None
        error = error.__context__
    return found


def outcome(function, *args):
    """What a call gives or raises, with all contexts."""
    try:
        print(function.__name__, "gave", repr(function(*args)))
    except BaseException as error:
        print(function.__name__, "raised", *chain(error), sep="\n    ")
    for arg in args:
        if isinstance(arg, BaseException):
            arg.__traceback__ = None
    print("   handling", repr(sys.exception()))


@jit
def simple(error):
    try:
        fail(error)
    except ValueError:
        return "caught"
    return "not raised"


@jit
def clauses(error):
    try:
        if error:
            fail(error)
        give("body")
    except (KeyError, IndexError) as found:
        return "lookup", repr(found)
    except ValueError as found:
        return "value", repr(found), repr(sys.exception())
    except:
        return "anything", repr(sys.exception())
    return "nothing"


@jit
def with_else(error, late):
    try:
        give(1)
        if error:
            fail(error)
    except ValueError:
        give(2)
    else:
        give(3)
        if late:
            fail(late)
    return give(4)


@jit
def all_parts(error, late, last):
    try:
        give("body")
        if error:
            fail(error)
    except ValueError as found:
        give("clause")
        if late:
            raise late
    else:
        give("else")
    finally:
        give("finally")
        if last:
            fail(last)
    return give("end")


@jit
def finally_returns(how, error):
    try:
        if how == 0:
            return give("body")
        if error:
            raise error
        give("fell out")
    finally:
        give("finally")
        if how == 1:
            return "from finally"
    return "end"


@jit
def finally_loops(n: int):
    seen = []
    for i in range(n):
        try:
            if i == 1:
                continue
            if i == 4:
                break
            seen.append(i)
        finally:
            seen.append("f")
            if i == 3:
                continue
    else:
        seen.append("else")
    while True:
        try:
            try:
                break
            finally:
                seen.append("inner")
        finally:
            seen.append("outer")
    return seen


@jit
def names(error):
    found = "before"
    try:
        raise error
    except ValueError as found:
        kept = found
    except KeyError:
        kept = found
    return kept


@jit
def names_unset(error):
    found = "before"
    try:
        raise error
    except ValueError as found:
        pass
    return found


@jit
def nested(first, second, third):
    try:
        try:
            fail(first)
        except ValueError as one:
            try:
                fail(second)
            except KeyError as two:
                give((one, two, sys.exception()))
            give(repr(sys.exception()))
            if third:
                fail(third)
    except RuntimeError as three:
        return chain(three)
    return "end", sys.exception()


@jit
def context(error, other):
    try:
        raise error
    except Exception as found:
        raise other


@jit
def bare_raise(error):
    try:
        fail(error)
    except ValueError:
        give("again")
        raise


@jit
def nothing_handled():
    raise


@jit
def in_loop(items):
    total = 0
    failed = []
    for item in items:
        try:
            total += int(item)
        except (TypeError, ValueError) as error:
            failed.append(str(error))
            continue
    return total, failed


@jit
def raise_from(error, cause):
    try:
        raise error from cause
    except Exception as found:
        raise RuntimeError("new") from found


@jit
def bad_clause(error, classes):
    try:
        raise error
    except classes:
        return "caught"


@jit
def drops(error):
    a = Noisy("a")
    try:
        b = Noisy("b")
        c = [Noisy("c"), Noisy("d"), fail(error)]
    except ValueError:
        give("clause")
        b = None
        give("b is gone")
    return a


@jit
def half_a_call(error):
    try:
        return max(Noisy("first"), [Noisy("second"), fail(error)])
    except ValueError:
        return give("clause")


@jit
def handled_now(error):
    before = repr(sys.exception())
    try:
        raise error
    except ValueError:
        inside = repr(sys.exception())
    return before, inside, repr(sys.exception())


@jit
def cleanup_order(error):
    try:
        x = Noisy("x")
        raise error
    except ValueError as found:
        del x
        y = Noisy("y")
        give("clause")
    finally:
        z = Noisy("z")
        give("finally")
    return 1


@jit
def unbound(error):
    try:
        if error:
            raise error
        value = 1
    except ValueError:
        pass
    try:
        return value
    except UnboundLocalError as found:
        return str(found)


@jit
def retry(n: int):
    tries = 0
    while True:
        try:
            tries += 1
            if tries < n:
                raise Special(tries)
            return tries
        except Special as error:
            if error.args[0] > 5:
                raise


@jit
def swallow(error):
    for i in range(3):
        try:
            fail(error)
        finally:
            break
    return "swallowed", sys.exception()


@jit
def global_name(error):
    global found_globally
    try:
        raise error
    except ValueError as found_globally:
        give(repr(found_globally))
    return "found_globally" in globals()


@jit
def deep(n: int, error):
    if n == 0:
        fail(error)
    try:
        return deep(n - 1, error)
    except KeyError:
        raise ValueError(n)
    except ValueError as found:
        if n == 3:
            return chain(found)
        raise


@jit
def asserts(x):
    try:
        assert x, f"not {x}"
        assert x > 1
    except AssertionError as error:
        return repr(error)
    return x


@jit
def numbers(n: int) -> int:
    total = 0
    for i in range(n):
        total += i * i
    try:
        total //= n - 3
    except ZeroDivisionError:
        total = -1
    for i in range(n):
        total += i
    return total


@jit
def in_generator_caller():
    try:
        raise KeyError("inner")
    except KeyError:
        return repr(sys.exception().__context__)


def generator():
    try:
        raise ValueError("outer")
    except ValueError:
        yield in_generator_caller()
        yield repr(sys.exception())
    yield in_generator_caller()
    yield repr(sys.exception())


def main():
    for error in (ValueError("v"), Special("s"), KeyError("k"), KeyboardInterrupt("i"), SystemExit(3)):
        outcome(simple, error)
        outcome(clauses, error)
        outcome(bare_raise, error)
        outcome(names, error)
        outcome(handled_now, error)
        outcome(swallow, error)
    outcome(clauses, None)
    for error, late in ((None, None), (ValueError("v"), None), (KeyError("k"), None), (None, ValueError("late"))):
        outcome(with_else, error, late)
        for last in (None, OSError("last")):
            outcome(all_parts, error, late, last)
    outcome(all_parts, ValueError("v"), KeyError("late"), OSError("last"))
    outcome(all_parts, ValueError("v"), KeyError("late"), None)
    for how in range(3):
        outcome(finally_returns, how, None)
        outcome(finally_returns, how, ValueError("v"))
    for n in range(7):
        outcome(finally_loops, n)
        outcome(numbers, n)
    outcome(names_unset, ValueError("v"))
    outcome(names_unset, KeyError("v"))
    outcome(nested, ValueError(1), KeyError(2), RuntimeError(3))
    outcome(nested, ValueError(1), KeyError(2), None)
    outcome(nested, ValueError(1), OSError(2), None)
    outcome(nested, ValueError(1), RuntimeError(2), None)
    outcome(context, ValueError(1), KeyError(2))
    outcome(context, ValueError(1), KeyError)
    outcome(context, ValueError, 5)
    outcome(nothing_handled)
    try:
        raise ValueError("around")
    except ValueError:
        outcome(nothing_handled)
        outcome(handled_now, ValueError("inside"))
        outcome(simple, KeyError("inside"))
    outcome(in_loop, ["1", "x", 2, None, "3"])
    outcome(raise_from, ValueError(1), KeyError(2))
    outcome(raise_from, ValueError(1), None)
    outcome(raise_from, ValueError(1), 5)
    outcome(bad_clause, ValueError(1), 5)
    outcome(bad_clause, ValueError(1), (KeyError, int))
    outcome(bad_clause, ValueError(1), ((ValueError,),))
    outcome(bad_clause, ValueError(1), (KeyError, ValueError))
    outcome(drops, ValueError)
    outcome(half_a_call, ValueError("v"))
    outcome(half_a_call, KeyError("k"))
    outcome(cleanup_order, ValueError)
    outcome(unbound, None)
    outcome(unbound, ValueError())
    outcome(retry, 3)
    outcome(retry, 9)
    outcome(global_name, ValueError("g"))
    outcome(deep, 6, KeyError("deepest"))
    outcome(deep, 2, KeyError("deepest"))
    for x in (0, 1, 2):
        outcome(asserts, x)
    print(list(generator()))
