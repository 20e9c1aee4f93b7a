import ctypes
libc = ctypes.CDLL(None, use_errno=True)
kinds = (0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000, 0x80)
attempts = [libc.unshare(kind) for kind in kinds]
attempts += [libc.syscall(56, kind | 17, 0, 0, 0, 0) for kind in kinds]  # clone
attempts += [libc.syscall(435, bytes(88), 88), libc.setns(0, 0)]         # clone3
print("ESCAPED" if any(result >= 0 for result in attempts) else "stopped", attempts)
