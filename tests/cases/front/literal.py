def surrogate():
    return "\ud800"  # error[unsupported-literal]: a string with a lone surrogate can't be compiled yet


def replacement_character():
    return "�", "\N{BULLET}"
