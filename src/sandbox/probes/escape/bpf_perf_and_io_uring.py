import ctypes
libc = ctypes.CDLL(None, use_errno=True)
space = ctypes.create_string_buffer(256)
attempts = {"bpf": libc.syscall(321, 0, space, 128), "perf": libc.syscall(298, space, 0, -1, -1, 0),
            "io_uring": libc.syscall(425, 8, space), "userfaultfd": libc.syscall(323, 0),
            "kexec": libc.syscall(246, 0, 0, 0, 0), "module": libc.syscall(175, space, 0, b""),
            "iopl": libc.syscall(172, 3), "swapon": libc.syscall(167, b"/tmp/x", 0),
            "reboot": libc.syscall(169, 0xfee1dead, 672274793, 0, 0),
            "settimeofday": libc.syscall(164, space, 0), "acct": libc.syscall(163, b"/tmp/x"),
            "fanotify": libc.syscall(300, 0, 0), "quotactl": libc.syscall(179, 0, b"", 0, space),
            "open_by_handle": libc.syscall(304, -100, space, 0),
            "syslog": libc.syscall(103, 3, space, 200)}
print({k: v for k, v in attempts.items() if v >= 0} and "ESCAPED" or "stopped", attempts)
