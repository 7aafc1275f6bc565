def outside(a, a):  # error[syntax-error]: a parameter's name stands twice
    break  # error[syntax-error]: `break` outside a loop
    continue  # error[syntax-error]: `continue` outside a loop
    a(k=1, k=2)  # error[syntax-error]: a keyword argument stands twice
