import os
for depth in range(3000):
    os.mkdir("x" * 200)
    os.chdir("x" * 200)
os.chmod(".", 0)
os.chdir("/tmp")
os.chmod("x" * 200, 0)
os.chmod("/tmp", 0)
print("stopped")
