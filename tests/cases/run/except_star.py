"""`except*`: which part each clause takes, what is raised at the end and how it is nested, what is handled when."""
# native: split_up, one_clause, raises_new, raises_again, named, with_else, with_finally, nested, in_loop, bad_class, bad_part, sees_handled, loop_inside, classes_raise, bare, deep, from_error, own_split, rebound, deletes_name
# repetitions: 100

import sys

from castiron import jit


class Special(ExceptionGroup):
    def derive(self, exceptions):
        return Special("derived", exceptions)


class Odd(ExceptionGroup):
    def split(self, classes):
        print("  asked to split by", classes)
        return ANSWERS.pop()


class BadDerive(ExceptionGroup):
    def derive(self, exceptions):
        return ValueError("no group")


ANSWERS = []


def tree(error):
    """What an exception is made of, where it was raised and why."""
    if error is None:
        return None
    lines, trace = [], error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == __file__:
            lines.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
        trace = trace.tb_next
    parts = [tree(part) for part in error.exceptions] if isinstance(error, BaseExceptionGroup) else error.args
    history = [error.__cause__ and repr(error.__cause__), error.__context__ and repr(error.__context__)]
    notes = getattr(error, "__notes__", None)
    return type(error).__name__, str(error), parts, lines, history, notes


def outcome(function, *args):
    try:
        result = function(*args)
    except BaseException as error:
        print(function.__name__, "raised", tree(error))
    else:
        print(function.__name__, "gave", result)
    print("  handled", sys.exception())


def fail(error):
    raise error


@jit
def split_up(error):
    found = []
    try:
        fail(error)
    except* ValueError as e:
        found.append(("value", tree(e)))
    except* (TypeError, KeyError) as e:
        found.append(("type or key", tree(e)))
    except* OSError:
        found.append("os")
    return found


@jit
def one_clause(error):
    try:
        raise error
    except* ValueError as e:
        return_value = tree(e)
    return return_value


@jit
def raises_new(error, other):
    try:
        raise error
    except* ValueError as e:
        raise other
    except* TypeError as e:
        raise KeyError("from type") from e


@jit
def raises_again(error):
    try:
        raise error
    except* ValueError:
        raise
    except* TypeError as e:
        raise e


@jit
def named(error):
    e = "before"
    try:
        raise error
    except* ValueError as e:
        pass
    return e


@jit
def with_else(error):
    found = []
    try:
        if error is not None:
            raise error
        found.append("body")
    except* ValueError:
        found.append("value")
    else:
        found.append("else")
    return found


@jit
def with_finally(error):
    try:
        raise error
    except* ValueError as e:
        print("  value", e)
    finally:
        print("  finally", sys.exception())
    return "end"


@jit
def nested(error):
    try:
        try:
            raise error
        except* ValueError as outer:
            try:
                raise ExceptionGroup("inner", [OSError(1), TypeError(2)])
            except* OSError as inner:
                print("  inner", inner, inner.__context__ is outer)
    except* TypeError as last:
        found = tree(last)
    return found


@jit
def in_loop(errors):
    found = []
    for number, error in enumerate(errors):
        try:
            if error is None:
                continue
            raise error
        except* ValueError as e:
            found.append((number, len(e.exceptions)))
        except* KeyError:
            found.append((number, "key"))
        found.append("next")
    return found


@jit
def loop_inside(error):
    found = []
    try:
        raise error
    except* ValueError as e:
        for part in e.exceptions:
            if not part.args:
                continue
            if part.args[0] == "stop":
                break
            found.append(part.args[0])
    return found


@jit
def bad_class(error, classes):
    try:
        raise error
    except* classes:
        return_value = "taken"
    return return_value


@jit
def bad_part(error):
    try:
        raise error
    except* ValueError:
        raise TypeError("in the clause")
    except* no_such_name:
        pass


@jit
def sees_handled(error):
    found = [repr(sys.exception())]
    try:
        raise error
    except* ValueError:
        found.append(repr(sys.exception()))
    except* TypeError as e:
        found.append(repr(sys.exception()))
        found.append(sys.exception() is e)
    found.append(repr(sys.exception()))
    return found


def told(what, value):
    print("  told", what, "while handling", repr(sys.exception()))
    return value


@jit
def classes_raise(error):
    try:
        raise error
    except* told("first", ValueError):
        print("  first")
    except* told("second", TypeError):
        raise KeyError("second")
    except* told("third", OSError):
        print("  third")


@jit
def bare(error):
    try:
        raise error
    except* ValueError:
        fail_with_raise()


def fail_with_raise():
    raise


@jit
def deep(error, depth):
    if depth == 0:
        raise error
    try:
        return deep(error, depth - 1)
    except* ValueError as e:
        raise ExceptionGroup(f"depth {depth}", [e, OSError(depth)]) from None


@jit
def from_error(error):
    try:
        raise error
    except* ValueError as e:
        e.add_note("seen")
        raise e.exceptions[0] from e


@jit
def own_split(error):
    try:
        raise error
    except* ValueError as e:
        print("  value", e)
    except* TypeError as e:
        print("  type", e)


@jit
def rebound(error):
    try:
        raise error
    except* ValueError as e:
        e = 5
    except* TypeError as e:
        return_value = e
        e = None
    return "end"


@jit
def deletes_name(error):
    try:
        raise error
    except* ValueError as e:
        del e
    try:
        return e
    except UnboundLocalError as missing:
        return str(missing)


def group(*parts):
    return ExceptionGroup("group", list(parts))


def main():
    mixed = lambda: group(ValueError(1), TypeError(2), group(ValueError(3), KeyError(4), group(OSError(5))))
    for make in (
        mixed,
        lambda: ValueError("naked"),
        lambda: OSError("naked os"),
        lambda: ZeroDivisionError("naked zero"),
        lambda: group(ZeroDivisionError(1), ValueError(2)),
        lambda: BaseExceptionGroup("base", [KeyboardInterrupt(), ValueError(1)]),
        lambda: Special("special", [ValueError(1), MemoryError(2), Special("inside", [TypeError(3), EOFError(4)])]),
    ):
        outcome(split_up, make())
        outcome(one_clause, make())
        outcome(raises_new, make(), KeyError("new"))
        outcome(raises_new, make(), group(KeyError("new group")))
        outcome(raises_again, make())
        outcome(named, make())
        outcome(with_else, make())
        outcome(with_finally, make())
        outcome(nested, make())
        outcome(sees_handled, make())
        outcome(classes_raise, make())
        outcome(bad_part, make())
        outcome(bare, make())
        outcome(deep, make(), 3)
        outcome(from_error, make())
        outcome(rebound, make())
        outcome(deletes_name, make())
    outcome(with_else, None)
    outcome(in_loop, [None, ValueError(1), group(ValueError(2), KeyError(3)), KeyError(4)])
    outcome(loop_inside, group(ValueError("a"), ValueError(), ValueError("b"), ValueError("stop"), ValueError("c")))
    for classes in (
        ExceptionGroup,
        BaseExceptionGroup,
        (ValueError, ExceptionGroup),
        5,
        (ValueError, 5),
        (),
        [ValueError],
        Exception,
    ):
        outcome(bad_class, group(ValueError(1), OSError(2)), classes)
        outcome(bad_class, ValueError(1), classes)
    noted = group(ValueError(1), TypeError(2))
    noted.add_note("a note")
    outcome(raises_again, noted)
    noted = group(ValueError(1), OSError(2))
    noted.add_note("a note")
    noted.__cause__ = EOFError("the cause")
    outcome(raises_again, noted)
    outcome(raises_again, BadDerive("bad", [ValueError(1), OSError(2)]))
    shared = ValueError("shared")
    outcome(raises_again, group(shared, group(shared, OSError(1)), TypeError(shared)))
    ANSWERS[:] = [(None, None), (group(ValueError(7)), Odd("rest", [TypeError(8)]))]
    outcome(own_split, Odd("odd", [ValueError(1), TypeError(2)]))
    try:
        raise LookupError("around")
    except LookupError:
        outcome(sees_handled, mixed())
        outcome(raises_new, mixed(), KeyError("new"))
