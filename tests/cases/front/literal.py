def surrogate():
    return "\ud800", "�\ud800"


def surrogate_and_name():
    return "\ud800\N{REPLACEMENT CHARACTER}"  # error[unsupported-literal]: a string with a lone surrogate can't be compiled yet


def replacement_character():
    return "�", "\N{BULLET}"
