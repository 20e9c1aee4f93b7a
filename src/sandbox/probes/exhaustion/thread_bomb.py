import threading, time
started = 0
try:
    while started < 5000:
        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
        started += 1
    print("ESCAPED", started)
except (RuntimeError, MemoryError):
    print("stopped at", started)
