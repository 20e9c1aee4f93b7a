import os
made = 0
try:
    for made in range(1, 2_000_000):
        os.close(os.open(f"/tmp/{made}", os.O_CREAT | os.O_WRONLY))
    print("ESCAPED", made)
except OSError:
    print("stopped" if made < 5000 else "ESCAPED", made)
