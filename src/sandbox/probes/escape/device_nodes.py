import os, stat
for major, minor, kind in ((1, 1, stat.S_IFCHR), (8, 0, stat.S_IFBLK), (1, 3, stat.S_IFCHR)):
    try:
        os.mknod("/tmp/node", kind | 0o666, os.makedev(major, minor))
        print("ESCAPED", major, minor)
    except OSError:
        pass
for name in ("mem", "kmem", "kvm", "sda", "vda", "fuse", "tty", "ptmx", "shm", "net/tun", "loop0"):
    if os.path.exists("/dev/" + name):
        print("ESCAPED", name)
print("stopped")
