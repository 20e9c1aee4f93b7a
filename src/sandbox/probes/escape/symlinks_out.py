import os
for target in ("@HOME@", "@HERE@", "/etc/shadow", "/proc/1/root", "/proc/self/exe", "../../root",
               "/proc/1/cwd", "/proc/self/fd/3"):
    os.symlink(target, "/tmp/link")
    try:
        fd = os.open("/tmp/link", os.O_RDONLY)
        print("ESCAPED", target)
    except OSError:
        pass
    os.unlink("/tmp/link")
os.symlink("/warden", "/tmp/left")  # must be wiped, not followed
print("stopped")
