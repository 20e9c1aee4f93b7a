import os
for folder in ("/", "/usr", "/usr/lib", "/usr/lib/python3", "/dev", "/warden", "/etc", "/var/tmp"):
    try:
        open(os.path.join(folder, "planted"), "w")
        print("ESCAPED", folder)
    except OSError:
        pass
for path in ("/warden/warden.py", "/warden/python.bpf"):
    for change in (lambda: open(path, "r+"), lambda: os.unlink(path), lambda: os.chmod(path, 511)):
        try:
            change()
            print("ESCAPED", path)
        except OSError:
            pass
print("stopped")
