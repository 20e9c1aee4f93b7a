import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
attempts = [libc.syscall(319, b"x", 0), libc.syscall(29, 0, 1 << 30, 0o1600),
            libc.syscall(68, 0, 0o1600), libc.syscall(64, 0, 100, 0o1600),
            libc.syscall(240, b"/x", 66, 0o600, None), libc.syscall(447, 0)]
print("ESCAPED" if any(result >= 0 for result in attempts) else "stopped", attempts)
