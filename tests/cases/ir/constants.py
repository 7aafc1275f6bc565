def constants():
    """Not even loaded."""
    0x1_0
    return (1, -5, 9223372036854775808, -9223372036854775808, 1.5, -0.0, 2j, "a'\n\u1234", b"\x00b", None, True, ...)


def nested():
    return ((), (1, (2,)))
