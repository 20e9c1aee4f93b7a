import os, signal
for pid in (os.getppid(), 1, 2, -1, 0, int("@PID@"), -int("@PID@")):
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP, 0):
        try:
            os.kill(pid, number)
            print("ESCAPED", pid, number)
        except OSError:
            pass
try:
    os.pidfd_open(os.getppid())
    print("ESCAPED pidfd")
except OSError:
    print("stopped")
