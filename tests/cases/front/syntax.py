def broken(:  # error[syntax-error]: Expected a parameter or the end of the parameter list  # error[syntax-error]: Expected `)`, found newline
    return 1
