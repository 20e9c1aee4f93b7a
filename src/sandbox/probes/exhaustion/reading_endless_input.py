import sys
print(len(sys.stdin.read()))
try:
    while not sys.stdin.read(1):
        sys.stdin.buffer.raw.write(b"more")
        print("ESCAPED")
except OSError:
    print("stopped")
except Exception:
    print("stopped")
