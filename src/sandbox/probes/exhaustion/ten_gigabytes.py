try:
    block = bytearray(10 << 30)
    print("ESCAPED")
except MemoryError:
    pass
hoard = []
try:
    for _ in range(10 << 10):
        hoard.append(bytearray(b"x") * (1 << 20))
    print("ESCAPED")
except MemoryError:
    del hoard
    print("stopped")
