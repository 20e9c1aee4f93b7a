import socket
for family in range(0, 46):
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind)
            print("ESCAPED family", family, kind)
        except OSError:
            pass
try:
    socket.create_connection(("127.0.0.1", 22), 1)
    print("ESCAPED connect")
except OSError:
    print("stopped")
