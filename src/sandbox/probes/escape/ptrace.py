import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for pid in (1, 2, int("@PID@")):
    for request in (16, 0x4206):  # attach, seize
        if libc.ptrace(request, pid, 0, 0) == 0:
            print("ESCAPED", pid)
buffer = ctypes.create_string_buffer(64)
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
near, far = Vector(ctypes.addressof(buffer), 64), Vector(0x400000, 64)
if libc.process_vm_readv(1, ctypes.byref(near), 1, ctypes.byref(far), 1, 0) > 0:
    print("ESCAPED process_vm_readv")
print("stopped")
