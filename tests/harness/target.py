"""A target that does what a test tells it, and keeps every byte that it was sent."""
import socket
import threading

from harness import http_message
from harness.proxy_header import take_header
from harness.waiting import PATIENCE
from harness.wire import Wire, websocket_accept


def plain_answer(body=b"fine", status="200 OK", fields=""):
    """A response with a Content-Length. `fields`: further lines, each with its CRLF."""
    body = body.encode() if isinstance(body, str) else body
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body


def answer_each(answer=None):
    """A script that answers every request of a connection: `answer` is bytes, or a function of the Request to bytes."""
    def script(connection):
        while request := connection.read_request():
            connection.send(answer(request) if callable(answer) else answer or plain_answer())
    return script


class TargetConnection(Wire):
    def __init__(self, sock, target):
        super().__init__(sock)
        self.target = target
        self.header = None  # the PROXY header, where the target wants one

    def read_request(self):
        request = http_message.read_request(self)
        if request:
            self.target.requests.append(request)
        return request

    def accept_websocket(self, behind=b""):
        """Reads a handshake and answers it, with `behind` in the same segment."""
        key = self.read_request().get("Sec-WebSocket-Key")
        self.send(f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Accept: {websocket_accept(key)}\r\n\r\n".encode() + behind)

    def stall(self):
        """Does nothing until the test is over."""
        self.target.over.wait()


class ScriptedTarget:
    """Runs `script(connection)` in a thread of its own for each connection; when it returns, the connection closes.

    `received` is everything that came, byte for byte, over all connections; `requests` what read_request() made of it;
    `mistakes` the exceptions of scripts, apart from peers that went away. With `proxy_protocol` each connection has to
    begin with a PROXY header, in front of TLS too: its `header`. `port`: this one instead of any.
    """

    def __init__(self, script=None, tls=None, address="127.0.0.1", patience=PATIENCE, port=0, proxy_protocol=False):
        self.connections, self.requests, self.mistakes = [], [], []
        self.over = threading.Event()
        self.patience = patience
        self._script = script or answer_each()
        self._tls = tls
        self._proxy_protocol = proxy_protocol
        self._listener = socket.create_server((address, port), backlog=1024)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def received(self):
        return b"".join(connection.received for connection in list(self.connections))

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            sock.settimeout(self.patience)
            header = take_header(sock) if self._proxy_protocol else None
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            connection = TargetConnection(sock, self)
            connection.sock.settimeout(self.patience)
            connection.header = header
            self.connections.append(connection)
            self._script(connection)
            connection.close()
        except OSError:  # the peer went away, or closed by stop()
            sock.close()
        except Exception as mistake:
            self.mistakes.append(mistake)
            sock.close()

    def stop(self):
        self.over.set()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass
        self._listener.close()
        for connection in list(self.connections):
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
