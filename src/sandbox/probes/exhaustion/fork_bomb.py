import os
try:
    while True:
        os.fork()
        print("ESCAPED")
except OSError:
    print("stopped")
