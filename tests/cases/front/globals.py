counter = 0


def count():
    global counter
    counter += 1  # error[global-assignment]: the function rebinds the global `counter`
    for counter in range(3):  # error[global-assignment]: the function rebinds the global `counter`
        pass
    (counter := 2)  # error[global-assignment]: the function rebinds the global `counter`
    del counter  # error[global-assignment]: the function rebinds the global `counter`
    return counter
