import os
for fd in range(3, 1024):
    try:
        os.fstat(fd)
        print("ESCAPED", fd)
    except OSError:
        pass
for fd in range(0, 1024):
    if fd not in (0, 1, 2):
        try:
            os.write(fd, b"\x05\0\0\0\x06\0\0\0exited")
            print("ESCAPED write", fd)
        except OSError:
            pass
print("stopped")
