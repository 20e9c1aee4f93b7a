import glob, os
secrets = ("HOME=", "PATH=", "USER=", "TINYARMS")
for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/task/*/environ"):
    try:
        text = open(path, errors="replace").read()
        if any(secret in text for secret in secrets):
            print("ESCAPED", path)
    except OSError:
        pass
if any(name in os.environ for name in ("HOME", "PATH", "USER")):
    print("ESCAPED own environment", list(os.environ))
print("stopped")
