import fcntl, os, termios
for fd in range(0, 16):
    for request in (termios.TIOCSTI, 0x541C, termios.TIOCSCTTY):
        try:
            fcntl.ioctl(fd, request, b"x")
            print("ESCAPED", fd)
        except OSError:
            pass
try:
    os.open("/dev/tty", os.O_RDWR)
    print("ESCAPED tty")
except OSError:
    print("stopped")
