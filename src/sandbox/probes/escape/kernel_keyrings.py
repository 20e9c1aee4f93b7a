import ctypes
libc = ctypes.CDLL(None, use_errno=True)
attempts = [libc.syscall(250, 0, -3, 1), libc.syscall(248, b"user", b"x", b"y", 1, -3),
            libc.syscall(249, b"user", b"x", None, -3), libc.syscall(250, 6, -5, 0)]
print("ESCAPED" if any(result >= 0 for result in attempts) else "stopped", attempts)
