"""TLS clients that do what the ssl module won't: renegotiate, update keys without end, cut their records to pieces."""
import ctypes
import ctypes.util
import socket
import ssl

from harness.certificates import unverified_context
from harness.waiting import PATIENCE
from harness.wire import Wire

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22  # record types (RFC 8446 section 5.1)
RECORD_HEAD = 5


def _whole(data):
    """Each whole TLS record in these bytes: (its head's type and version, its content)."""
    found = []
    while len(data) >= RECORD_HEAD and len(data) >= RECORD_HEAD + (size := int.from_bytes(data[3:5], "big")):
        found.append((data[:3], data[RECORD_HEAD:RECORD_HEAD + size]))
        data = data[RECORD_HEAD + size:]
    return found


def records(data):
    """(type, content) of each whole TLS record in these bytes."""
    return [(head[0], content) for head, content in _whole(data)]


def record(kind, content, version=0x0301):
    return bytes([kind]) + version.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def in_plain(flight, change):
    """A flight whose unencrypted handshake records are each replaced by the contents that `change` makes of theirs."""
    out, sealed = b"", False
    for head, content in _whole(flight):
        sealed = sealed or head[0] == CHANGE_CIPHER_SPEC
        contents = change(content) if head[0] == HANDSHAKE and not sealed else [content]
        out += b"".join(head + len(one).to_bytes(2, "big") + one for one in contents)
    return out


def cut(flight, size):
    """Handshake messages in records of `size` bytes."""
    return in_plain(flight, lambda content: [content[at:at + size] for at in range(0, len(content), size)])


def first_flight(name, context=None):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        (context or unverified_context()).wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def padded_hello(name, padding):
    """A ClientHello message with an extension that nobody knows, of so many bytes."""
    (_, hello), = records(first_flight(name))
    at = 4 + 2 + 32  # type, length, version, random
    at += 1 + hello[at]  # session
    at += 2 + int.from_bytes(hello[at:at + 2], "big")  # ciphers
    at += 1 + hello[at]  # compressions
    extensions = hello[at + 2:] + b"\x7a\x7a" + padding.to_bytes(2, "big") + bytes(padding)
    body = hello[4:at] + len(extensions).to_bytes(2, "big") + extensions
    return b"\x01" + len(body).to_bytes(3, "big") + body


class InPieces:
    """A handshake whose every flight is sent through `reframe`; then one request, and its answer's first bytes."""

    def __init__(self, port, name, reframe, context=None):
        self.wire = Wire(socket.create_connection(("127.0.0.1", port), PATIENCE))
        self.wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = (context or unverified_context()).wrap_bio(self._in, self._out, server_hostname=name)
        self._reframe = reframe

    def _drive(self, step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                self.wire.send(self._reframe(self._out.read()))
                data = self.wire.read_some()
                if not data:
                    raise EOFError("the gateway ended it") from None
                self._in.write(data)

    def ask(self, request):
        self._drive(self._tls.do_handshake)
        self.wire.send(self._reframe(self._out.read()))
        self._tls.write(request)
        self.wire.send(self._out.read())
        return self._drive(lambda: self._tls.read(1 << 16))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()


class OpensslClient:
    """libssl itself, for what the ssl module hides. `version`: 0x0303 or 0x0304. The connection is blocking."""

    KEY_UPDATE_NOT_REQUESTED, KEY_UPDATE_REQUESTED = 0, 1

    def __init__(self, port, name, version):
        self._library = library = ctypes.CDLL(ctypes.util.find_library("ssl"))
        for function, result, arguments in (
                ("TLS_client_method", "p", ""), ("SSL_CTX_new", "p", "p"), ("SSL_new", "p", "p"),
                ("SSL_CTX_free", None, "p"), ("SSL_free", None, "p"), ("SSL_set_fd", "i", "pi"),
                ("SSL_ctrl", "l", "pils"), ("SSL_connect", "i", "p"), ("SSL_write", "i", "psi"),
                ("SSL_read", "i", "psi"), ("SSL_key_update", "i", "pi"), ("SSL_renegotiate", "i", "p"),
                ("SSL_do_handshake", "i", "p")):
            types = {"p": ctypes.c_void_p, "i": ctypes.c_int, "l": ctypes.c_long, "s": ctypes.c_char_p}
            getattr(library, function).restype = types.get(result)
            getattr(library, function).argtypes = [types[letter] for letter in arguments]
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.wire = Wire(self.sock)  # for its addresses
        self.sock.setblocking(True)
        self._context = library.SSL_CTX_new(library.TLS_client_method())
        self._ssl = library.SSL_new(self._context)
        library.SSL_ctrl(self._ssl, 123, version, None)  # SSL_set_min_proto_version
        library.SSL_ctrl(self._ssl, 124, version, None)  # SSL_set_max_proto_version
        library.SSL_ctrl(self._ssl, 55, 0, name.encode())  # SSL_set_tlsext_host_name
        library.SSL_set_fd(self._ssl, self.sock.fileno())
        assert library.SSL_connect(self._ssl) == 1

    def update_keys(self, kind):
        """Whether the KeyUpdate could be sent."""
        return self._library.SSL_key_update(self._ssl, kind) == 1 and self._library.SSL_do_handshake(self._ssl) == 1

    def renegotiate(self):
        """Asks for a new handshake; whether there was one."""
        return self._library.SSL_renegotiate(self._ssl) == 1 and self._library.SSL_do_handshake(self._ssl) == 1

    def send(self, data):
        return self._library.SSL_write(self._ssl, data, len(data)) == len(data)

    def read_some(self):
        """b"" when the connection has ended, however."""
        room = ctypes.create_string_buffer(1 << 16)
        count = self._library.SSL_read(self._ssl, room, len(room))
        return room.raw[:count] if count > 0 else b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._library.SSL_free(self._ssl)
        self._library.SSL_CTX_free(self._context)
        self.sock.close()
