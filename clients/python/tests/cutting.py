"""A way to a server that breaks again and again, as networks do, and at the same bytes each time."""

from __future__ import annotations

import socket
import threading


class Cutting:
    """Passes connections on to `address`, and breaks each when it has brought so many bytes: the last has no limit."""

    def __init__(self, address: str, *limits: int) -> None:
        self._limits = list(limits)
        host, port = address.removeprefix("http://").rsplit(":", 1)
        self._to = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._to)
            self.connections += 1
            limit = self._limits.pop(0) if self._limits else None
            for source, sink, most in ((near, far, None), (far, near, limit)):
                threading.Thread(target=self._pass, args=(source, sink, most), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, left: int | None) -> None:
        try:
            while left != 0 and (data := source.recv(65_536 if left is None else left)):
                sink.sendall(data)
                left = None if left is None else left - len(data)
        except OSError:
            pass
        self._break(source, sink)

    @staticmethod
    def _break(*ends: socket.socket) -> None:
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self) -> None:
        self._listener.close()
