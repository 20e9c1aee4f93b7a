import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.makedirs("/tmp/here")
attempts = [libc.mount(b"none", b"/tmp/here", b"tmpfs", 0, b""),
            libc.mount(b"/", b"/tmp/here", b"", 4096, None),
            libc.mount(b"none", b"/", b"", 32 | 4096, b""),
            libc.umount2(b"/tmp", 2), libc.umount2(b"/usr/lib", 2),
            libc.syscall(155, b"/tmp", b"/tmp"), libc.chroot(b"/tmp"),
            libc.syscall(430, b"tmpfs", 0), libc.syscall(428, -100, b"/", 1),
            libc.syscall(429, -100, b"/", -100, b"/tmp", 0)]
print("ESCAPED" if any(result >= 0 for result in attempts) else "stopped", attempts)
