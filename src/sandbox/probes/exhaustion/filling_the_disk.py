import os
written = 0
try:
    for i in range(4000):
        with open(f"/tmp/f{i}", "wb") as file:
            for _ in range(15):
                written += file.write(bytes(1 << 20))
    print("ESCAPED", written)
except OSError:
    print("stopped" if written < 100 << 20 else "ESCAPED", written)
