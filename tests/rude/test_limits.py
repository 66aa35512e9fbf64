"""Many, slow and greedy: what the gateway holds stays bounded, and who behaves is still served."""
import contextlib
import select
import ssl

import pytest

from harness import Client, answer_each, plain_answer, wait_until
from harness.rude_process import descriptors, is_instrumented, resident_kib, returns_descriptors

SIZE = 200 * 1024 * 1024  # bytes
GROWTH = 2048  # KiB that one slow peer may cost
PIECE = b"x" * (1 << 20)


def service(name, port, **more):
    return {"name": name, "protocol": "http", "target": "127.0.0.1", "plain_port": port, **more}


def settled(progress):
    """Waits until `progress()` stands still: the way is full from end to end."""
    last, same = progress(), 0

    def still():
        nonlocal last, same
        now = progress()
        same, last = (same + 1, last) if now == last else (0, now)
        return same > 30  # turns of 10 ms
    wait_until(still, "the flow to stand still")


def watch_growth(gateway, before, steps):
    """Walks through `steps` and returns the most that memory has grown by, in KiB."""
    most = 0
    for _ in steps:
        most = max(most, resident_kib(gateway.pid) - before)
    return most


UNCHECKED = ssl.create_default_context()
UNCHECKED.check_hostname, UNCHECKED.verify_mode = False, ssl.CERT_NONE


@pytest.mark.parametrize("tls", [None, UNCHECKED], ids=["plain", "tls"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_slow_reader_costs_little_memory(stage, tls, framing):
    sent = 0

    def script(connection):
        nonlocal sent
        while request := connection.read_request():
            size = SIZE if request.url == "/big" else SIZE // 10
            head = f"Content-Length: {size}" if framing == "length" else "Transfer-Encoding: chunked"
            connection.send(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n")
            for _ in range(size // len(PIECE)):
                connection.send(PIECE if framing == "length" else b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
                sent += len(PIECE)
            if framing == "chunked":
                connection.send(b"0\r\n\r\n")
    target = stage.target(script)
    gateway = stage.gateway({"node": {"threads": 1}, "service": [service("big.test", target.port)]})
    port = gateway.https_port if tls else gateway.http_port
    with Client(port, tls, "big.test") as client:
        assert len(client.request("big.test", "/small").body) == SIZE // 10  # every buffer has been used once
    sent, before = 0, resident_kib(gateway.pid)
    with Client(port, tls, "big.test") as client:
        client.send("GET /big HTTP/1.1\r\nHost: big.test\r\n\r\n")
        settled(lambda: sent)
        assert 0 < sent < SIZE // 2, "nothing held the target back"
        grown = watch_growth(gateway, before, read_pieces(client, 20))
        if not is_instrumented():
            assert grown <= GROWTH
        assert gateway.admin("GET", "/livez")[0] == 200
    assert target.mistakes == []


def read_pieces(client, count):
    """Takes one mebibyte after the other."""
    for _ in range(count):
        left = len(PIECE)
        while left:
            left -= len(client.sock.recv(min(left, 1 << 16)))
        yield


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_slow_target_costs_little_memory(stage, framing):
    def script(connection):
        connection.read_until(b"\r\n\r\n")
        connection.stall()
    gateway = stage.gateway({"node": {"threads": 1, "drain_timeout": "1s"}, "service": [
        service("big.test", stage.target(script).port, idle_timeout="1m"), service("small.test", stage.target().port)]})
    with Client(gateway.http_port) as client:
        assert client.request("small.test", method="POST", body=PIECE * 20).status == 200
    before = resident_kib(gateway.pid)
    with Client(gateway.http_port) as client:
        head = f"Content-Length: {SIZE}" if framing == "length" else "Transfer-Encoding: chunked"
        client.send(f"POST / HTTP/1.1\r\nHost: big.test\r\n{head}\r\n\r\n")
        client.sock.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < SIZE:
                client.sock.sendall(PIECE if framing == "length" else b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
                sent += len(PIECE)
        grown = resident_kib(gateway.pid) - before
        if not is_instrumented():
            assert grown <= GROWTH


def test_hundreds_of_slow_clients_hold_nobody_up(stage):
    gateway = stage.gateway({"service": [service("good.test", stage.target().port)]})
    with Client(gateway.http_port) as client:
        assert client.request("good.test").status == 200
    with returns_descriptors(gateway), contextlib.ExitStack() as stack:
        ports = [gateway.http_port] * 250 + [gateway.https_port] * 250
        slow = [stack.enter_context(Client(port)) for port in ports]
        for at, client in enumerate(slow):
            head = (b"", b"G", b"GET / HTTP/1.1\r\nHost: good.test\r\nX: ")[at % 3]
            client.send(head if at < 250 else b"\x16\x03\x01"[:at % 4])
        wait_until(lambda: len(descriptors(gateway.pid)) > 500, "all of them to be taken in")
        for _ in range(5):
            with Client(gateway.http_port) as client, Client(gateway.https_port, UNCHECKED, "good.test") as in_tls:
                assert client.request("good.test").status == 200
                assert in_tls.request("good.test").status == 200
        for at, client in enumerate(slow):
            client.reset() if at % 2 else client.close()


def readable(sock):
    poll = select.poll()  # select() ends at descriptor 1024
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def test_who_does_not_fit_waits_and_is_served_when_others_leave(stage):
    """With few descriptors: the rest stays in the kernel's queue, and the admin's socket has some of its own."""
    most = 300
    target = stage.target(answer_each(plain_answer()))
    gateway = stage.gateway({"node": {"threads": 1}, "listen": {"max_connections_per_client": 10_000},
                             "service": [service("good.test", target.port)]},
                            wrapper=["prlimit", f"--nofile={most}:{most}"])
    with Client(gateway.http_port) as client:
        assert client.request("good.test").status == 200
    with returns_descriptors(gateway), contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(Client(gateway.http_port)) for _ in range(200)]
        for client in waiting:
            client.send(b"GET / HTTP/1.1\r\nHost: good.test\r\n\r\n")
        served = set()

        def serve_more():
            for at, client in enumerate(waiting):
                if at not in served and readable(client.sock):
                    assert client.read_response().status == 200
                    served.add(at)
            return len(served)
        while len(served) < len(waiting):
            before = len(served)
            wait_until(lambda: serve_more() > before, lambda: f"more than {len(served)} of {len(waiting)} to be served")
            settled(serve_more)
            assert len(descriptors(gateway.pid)) <= most
            assert gateway.admin("GET", "/livez")[0] == 200
            assert len(served) - before <= most // 2, "each holds two descriptors"
            for at in served:
                waiting[at].close()

