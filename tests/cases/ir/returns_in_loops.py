def search(rows, f):
    for row in rows:
        for item in row:
            if item:
                return f(item)
    return None
