"""One loop reads the heads of many clients: what one of them sends must never end up in another's request."""
import pathlib
import socket
import threading

from harness import Client, http_service, wait_until
from harness.certificates import server_context


class LateTarget:
    """A TLS target that begins its handshake only once `go` is set; keeps the first request it gets."""

    def __init__(self, context):
        self.go, self.asked = threading.Event(), threading.Event()
        self.request = b""
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        sock, _ = self._listener.accept()
        sock.settimeout(15)
        self.asked.set()
        self.go.wait(15)
        with self._context.wrap_socket(sock, server_side=True) as tls:
            while b"\r\n\r\n" not in self.request:
                self.request += tls.recv(65536)
            tls.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
            tls.recv(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


def unread_by_gateway(client):
    """Bytes of this connection that the kernel still holds for the gateway (proc(5), /proc/net/tcp)."""
    ours, theirs = client.sock.getsockname()[1], client.sock.getpeername()[1]
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues = line.split()[:5]
        if int(local.split(":")[1], 16) == theirs and int(remote.split(":")[1], 16) == ours:
            return int(queues.split(":")[1], 16)
    return None


def test_a_head_that_waits_for_its_target_is_not_mixed_with_another(stage):
    target = stage.keep(LateTarget(server_context(*stage.authority.issue("late.example"))))
    service = http_service("late.example", tls=target, target_ca=str(stage.authority.ca))
    gateway = stage.gateway({"node": {"threads": 1}, "service": [service]})
    with Client(gateway.http_port) as waiting, Client(gateway.http_port) as other:
        waiting.send("GET /mine HTTP/1.1\r\nHost: late.example\r\nX-Mine: yes\r\n\r\n")
        assert target.asked.wait(15)
        # Half a head, which the same loop reads meanwhile.
        other.send("GET /half HTTP/1.1\r\nHost: nobody.example\r\nX-Other: secret\r\n")
        wait_until(lambda: unread_by_gateway(other) == 0, "the gateway to read half a head")
        target.go.set()
        assert waiting.read_response().body == b"fine"
    head = target.request.decode()
    assert head.startswith("GET /mine HTTP/1.1\r\n") and "X-Mine: yes" in head
    assert "secret" not in head and "/half" not in head
