"""Targets that a script for an accepted connection can't play."""
import socket
import threading


class DeafTarget:
    """Its queue of connections is full and nobody accepts: a further attempt meets silence."""

    def __init__(self, address="127.0.0.1", port=0):
        self._listener = socket.create_server((address, port), backlog=0)
        self.address, self.port = self._listener.getsockname()
        self._fillers = []
        while self._connects():
            pass

    def _connects(self):
        filler = socket.socket()
        filler.settimeout(0.2)
        self._fillers.append(filler)
        try:
            filler.connect((self.address, self.port))
            return True
        except (TimeoutError, socket.timeout):
            return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for sock in [self._listener, *self._fillers]:
            sock.close()


class Gates:
    """Steps that a target's thread and the test take in turn, each named."""

    def __init__(self, patience=15):
        self._events, self._lock, self._patience = {}, threading.Lock(), patience

    def _event(self, step):
        with self._lock:
            return self._events.setdefault(step, threading.Event())

    def open(self, step):
        self._event(step).set()

    def wait(self, step):
        assert self._event(step).wait(self._patience), f"waited in vain for {step!r}"
