"""Clients: curl as users have it, and a bare connection that sends what a test wants."""
import os
import socket
import subprocess

from harness import http_message
from harness.waiting import PATIENCE
from harness.wire import Wire, websocket_accept


class Client(Wire):
    """A connection to a port of the gateway. `tls`: an ssl.SSLContext; `source`: the loopback address to come from;
    `session`: of an earlier connection, to be resumed."""

    def __init__(self, port, tls=None, server_name=None, source=None, address="127.0.0.1", timeout=PATIENCE,
                 session=None):
        sock = socket.create_connection((address, port), timeout, (source, 0) if source else None)
        if tls:
            sock = tls.wrap_socket(sock, server_hostname=server_name, session=session)
        super().__init__(sock, timeout)

    def read_response(self, method="GET", interim=False):
        return http_message.read_response(self, method, interim)

    def request(self, host, path="/", method="GET", fields="", body=b"", version="HTTP/1.1"):
        """Sends one request and reads its response. `fields`: further lines, each with its CRLF."""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        self.send(f"{method} {path} {version}\r\nHost: {host}\r\n{length}{fields}\r\n".encode("latin-1") + body)
        return self.read_response(method)

    def open_websocket(self, host, path="/", behind=b""):
        """The whole handshake; `behind` is sent right after it. Returns the 101."""
        key = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455 section 1.3
        self.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode() + behind)
        response = self.read_response()
        assert response.status == 101, response.head
        assert response.get("Sec-WebSocket-Accept") == websocket_accept(key)
        return response

    def is_open(self):
        """Nothing came and nobody closed, as far as this end knows. Does not wait."""
        self.sock.setblocking(False)
        try:
            return self.sock.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.sock.settimeout(PATIENCE)


def curl(url, *options, connect_to=None, ca=None, text=True, check=True):
    """What curl prints to stdout. `connect_to`: the loopback port for every name; `ca`: its trusted certificates."""
    command = ["curl", "--silent", "--show-error", "--max-time", "60", "--noproxy", "*"]
    if connect_to:
        command += ["--connect-to", f"::127.0.0.1:{connect_to}"]
    if ca:
        command += ["--cacert", str(ca)]
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    done = subprocess.run([*command, *map(str, options), url], capture_output=True, text=text, env=environment)
    assert done.returncode == 0 or not check, f"curl {url}: exit status {done.returncode}: {done.stderr}"
    return done.stdout
