import os
for path in ("@HOME@", "@HERE@", "/root", "/home", "/etc/passwd", "/etc/shadow", "/var", "/run",
             "/sys", "/mnt", "/opt"):
    try:
        print("ESCAPED", path, os.listdir(path) if os.path.isdir(path) else open(path).read())
    except OSError:
        pass
print("stopped")
