"""A TCP or TLS connection as a test wants it: exact reads, every byte that came kept, abrupt ends on demand."""
import base64
import hashlib
import os
import socket
import ssl
import struct
import time

from harness.waiting import PATIENCE

WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


class Wire:
    """One end of a connection. `received` is everything that was read from it, also what no call has handed out."""

    def __init__(self, sock, timeout=PATIENCE):
        sock.settimeout(timeout)
        self.sock = sock
        self.born = time.time()
        self._buffer = bytearray()  # everything that ever came
        self._used = 0  # of it, what a read has handed out

    @property
    def received(self):
        return bytes(self._buffer)

    def _more(self):
        """Reads once; whether anything came before the end."""
        data = self.sock.recv(1 << 18)
        self._buffer += data
        return bool(data)

    def _take(self, end):
        taken = bytes(self._buffer[self._used:end])
        self._used = end
        return taken

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def read_until(self, mark):
        """Everything up to and with `mark`."""
        while (found := self._buffer.find(mark, self._used)) < 0:
            if not self._more():
                left = bytes(self._buffer[self._used:])
                raise EOFError(f"the connection ended before {mark!r}; left: {left[:400]!r}")
        return self._take(found + len(mark))

    def read_exactly(self, length):
        while (missing := self._used + length - len(self._buffer)) > 0:
            if not self._more():
                raise EOFError(f"the connection ended {missing} bytes before the end of {length}")
        return self._take(self._used + length)

    def read_to_end(self):
        """Everything until the peer closes; a reset raises ConnectionResetError."""
        while self._more():
            pass
        return self._take(len(self._buffer))

    def read_some(self):
        """At least a byte, or b"" at the end."""
        if self._used == len(self._buffer):
            self._more()
        return self._take(len(self._buffer))

    def is_silent_for(self, seconds):
        """Nothing comes, and no end either, for so long. For what must not happen; keep it short."""
        if self._used < len(self._buffer):
            return False
        self.sock.settimeout(seconds)
        try:
            self._more()
            return False
        except (TimeoutError, socket.timeout):
            return True
        finally:
            self.sock.settimeout(PATIENCE)

    def half_close(self):
        """No more from here; the other direction stays open. In TLS by close_notify and FIN."""
        if isinstance(self.sock, ssl.SSLSocket):
            raise NotImplementedError("the ssl module can't close one direction of TLS")
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        """Ends the connection by RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)  # also where another thread reads from it
        except OSError:
            pass
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # WebSocket, RFC 6455: just enough to tell frames apart.

    def send_frame(self, payload, opcode=2, masked=False):
        self.send(frame(payload, opcode, masked))

    def read_frame(self):
        """(opcode, payload) of the next frame, unmasked."""
        first, second = self.read_exactly(2)
        length = second & 0x7F
        if length == 126:
            length, = struct.unpack("!H", self.read_exactly(2))
        elif length == 127:
            length, = struct.unpack("!Q", self.read_exactly(8))
        mask = self.read_exactly(4) if second & 0x80 else b"\0\0\0\0"
        return first & 0x0F, _xor(self.read_exactly(length), mask)


def _xor(payload, mask):
    whole = (mask * (len(payload) // 4 + 1))[:len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(whole, "big")).to_bytes(len(payload), "big")


def frame(payload, opcode=2, masked=False):
    if len(payload) < 126:
        length = struct.pack("!B", len(payload) | 0x80 * masked)
    elif len(payload) < 1 << 16:
        length = struct.pack("!BH", 126 | 0x80 * masked, len(payload))
    else:
        length = struct.pack("!BQ", 127 | 0x80 * masked, len(payload))
    mask = os.urandom(4) if masked else b""
    return bytes([0x80 | opcode]) + length + mask + (_xor(payload, mask) if masked else payload)


def websocket_accept(key):
    """Sec-WebSocket-Accept for this Sec-WebSocket-Key (RFC 6455 section 4.2.2)."""
    return base64.b64encode(hashlib.sha1((key + WEBSOCKET_GUID).encode()).digest()).decode()
