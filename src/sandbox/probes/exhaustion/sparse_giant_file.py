import os
fd = os.open("/tmp/giant", os.O_CREAT | os.O_RDWR)
for change in (lambda: os.ftruncate(fd, 1 << 40), lambda: os.posix_fallocate(fd, 0, 1 << 34),
               lambda: os.pwrite(fd, b"x", 1 << 33)):
    try:
        change()
        print("ESCAPED")
    except OSError:
        pass
print("stopped")
