"""What the run cases share: interesting values, and a way to print what a call did."""

import sys

INTS = (0, 1, -1, 2, -2, 3, 7, -7, 10, 63, 64, 2**31, -(2**31), 2**53 + 1, 2**62, 2**63 - 1, -(2**63), 2**63, 2**64, -(2**127))
SMALL = (0, 1, -1, 2, -3, 5, 63, 64, 200)
FLOATS = (0.0, -0.0, 1.0, -1.5, 2.5, 1e16, -1e308, 5e-324, float("inf"), float("-inf"), float("nan"), 2.0**53, 2.0**63, -(2.0**63))


def show(function, *args, **named):
    """Print the result of a call with its exact type, or the exception it raised and where."""
    try:
        result = function(*args, **named)
    except Exception as error:
        lines = []
        trace = error.__traceback__.tb_next
        while trace is not None:
            lines.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno} {variables(trace.tb_frame)}")
            trace = trace.tb_next
        print(function.__name__, brief(args), named or "", "raised", type(error).__name__, error, *lines)
        if error.__cause__ is not None or error.__context__ is not None:
            print("   because of", repr(error.__cause__), repr(error.__context__))
    else:
        text = repr(result) if abs_bits(result) < 4000 else f"<{result.bit_length()} bits, {hash(result)}>"
        print(function.__name__, brief(args), named or "", text, kinds(result))


def variables(frame):
    """The variables of a frame in their order, as far as their text says nothing about addresses."""
    return {name: plain(value) for name, value in frame.f_locals.items()}


def plain(value):
    """The value's text, its exact type where that has no literal; for other objects the type alone."""
    if abs_bits(value) >= 4000:
        return f"<{value.bit_length()} bits>"
    if type(value) in (tuple, list):
        return type(value)(plain(item) for item in value)
    if type(value) in (int, float, bool, str, bytes, type(None), range):
        return repr(value)
    return type(value).__name__


def brief(args):
    """The arguments without addresses."""
    return tuple(arg.__name__ if callable(arg) else arg for arg in args)


def abs_bits(value):
    return value.bit_length() if type(value) is int else 0


def kinds(value):
    """The exact type, inside tuples too."""
    if type(value) is tuple:
        return "(" + ", ".join(map(kinds, value)) + ")"
    return type(value).__name__


def pairs(lefts, rights):
    return [(left, right) for left in lefts for right in rights]


def version():
    return sys.version_info[:2]
