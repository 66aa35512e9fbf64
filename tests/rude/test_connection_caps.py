"""Connections are counted where a limit is set: who comes too late is told or waits, and every place is free again."""
import contextlib
import socket
import threading

import pytest

from harness import BALANCER, Client, answer_each, http_service, plain_answer, unverified_context, wait_until
from harness.proxy_header import header
from harness.rude_client import from_client, read_ending
from harness.rude_process import returns_descriptors
from harness.waiting import PATIENCE

GET = b"GET /%s HTTP/1.1\r\nHost: it.example\r\n\r\n"


class Holding:
    """A target whose answers to /hold wait until they are let go, and that counts who waits."""

    def __init__(self, stage, **options):
        self.go = threading.Event()
        self.target = stage.target(self._script, **options)

    @property
    def held(self):
        return sum(request.url == "/hold" for request in self.target.requests)

    def _script(self, connection):
        while request := connection.read_request():
            if request.url == "/hold":
                assert self.go.wait(15)
            connection.send(plain_answer())


# ---------------------------------------------------------------- of a service: max_connections


class Limited:
    def __init__(self, stage, most=3, tls_names=None, script=None):
        self.stage = stage
        self.holding = Holding(stage, tls_names=tls_names)
        target = stage.target(script) if script else self.holding.target
        ports = {"tls": target, "target_verify": False} if tls_names else {"target": target}
        self.gateway = stage.gateway({"service": [
            http_service("it.example", **ports, max_connections=most), http_service("other.example", self.holding.target)]})

    def client(self):
        return self.stage.keep(Client(self.gateway.http_port))

    def hold(self, count):
        """So many clients whose requests the target has."""
        before = self.holding.held
        clients = [self.client() for _ in range(count)]
        for client in clients:
            client.send(GET % b"hold")
        wait_until(lambda: self.holding.held == before + count, "the target to have them")
        return clients

    def status(self):
        with Client(self.gateway.http_port) as client:
            return client.request("it.example").status

    def is_full(self):
        return self.status() == 503


def test_one_more_than_the_service_may_have_is_told_so(stage):
    world = Limited(stage)
    world.hold(3)
    with Client(world.gateway.http_port) as client:
        is_its = from_client(client)
        for _ in range(2):
            refused = client.request("it.example")
            assert refused.status == 503 and b"limit.service" in refused.body
        assert client.request("other.example").status == 200, "the connection goes on, and so do other services"
    wait_until(lambda: len(world.gateway.records(is_its)) == 3, "its records")
    assert [record["reason"] for record in world.gateway.records(is_its)] == ["limit.service", "limit.service", "ok"]
    world.holding.go.set()


@pytest.mark.parametrize("tls_names", [None, ["it.example"]], ids=["plain", "tls"])
def test_an_answer_frees_its_place_though_the_client_stays(stage, tls_names):
    world = Limited(stage, tls_names=tls_names)
    for _ in range(3):
        world.holding.go.clear()
        clients = world.hold(3)
        assert world.is_full()
        world.holding.go.set()
        for client in clients:
            assert client.read_response().status == 200
        wait_until(lambda: world.status() == 200, "a place")
        others = [world.client() for _ in range(6)]  # all of them stay, each in its turn
        for client in others:
            wait_until(lambda: client.request("it.example").status == 200, "a place")  # noqa: B023
    assert not world.holding.target.mistakes


@pytest.mark.parametrize("leave", [Client.reset, Client.close], ids=["reset", "close"])
def test_a_client_that_goes_away_frees_its_place(stage, leave):
    world = Limited(stage)
    clients = world.hold(3)
    assert world.is_full()
    leave(clients[0])
    if leave is Client.close:  # which may be half a close: the answer is still owed, and its end frees the place
        world.holding.go.set()
    wait_until(lambda: world.status() == 200, "a place")
    world.holding.go.set()


def test_a_broken_target_connection_frees_its_place(stage):
    def script(connection):
        connection.read_request()
        connection.reset()
    world = Limited(stage, most=1, script=script)
    for _ in range(10):
        wait_until(lambda: world.status() == 502, "a place")


def test_a_target_that_refuses_frees_its_place(stage):
    world = Limited(stage, most=1)
    world.holding.target.stop()
    for _ in range(10):
        assert world.status() == 502


@pytest.mark.parametrize("end", ["client", "client resets", "target"])
def test_a_websocket_holds_a_place_until_its_end(stage, end):
    go = threading.Event()

    def script(connection):
        connection.accept_websocket()
        if end == "target":
            assert go.wait(15)
        else:
            connection.read_to_end()
    world = Limited(stage, most=2, script=script)
    clients = [world.client() for _ in range(2)]
    for client in clients:
        client.open_websocket("it.example")
    with Client(world.gateway.http_port) as third:
        assert third.request("it.example").status == 503
    if end == "target":
        go.set()
    for client in clients:
        if end == "target":
            client.read_to_end()
        client.reset() if end == "client resets" else client.close()
    wait_until(lambda: len(world.gateway.records(lambda record: record["reason"] != "limit.service")) == 2, "both to end")
    world.client().open_websocket("it.example")
    go.set()


def test_many_threads_never_exceed_it(stage):
    most, now, peak, lock = 4, 0, 0, threading.Lock()

    def count(request):
        nonlocal now, peak
        with lock:
            now += 1
            peak = max(peak, now)
        threading.Event().wait(0.005)
        with lock:
            now -= 1
        return plain_answer()
    target = stage.target(answer_each(count))
    gateway = stage.gateway({"service": [http_service("it.example", target, max_connections=most)]})
    seen = []

    def ask():
        with Client(gateway.http_port) as client:
            for _ in range(20):
                seen.append(client.request("it.example").status)
    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 240 and set(seen) == {200, 503}
    assert peak <= most
    with Client(gateway.http_port) as client:
        wait_until(lambda: client.request("it.example").status == 200, "a place")


# ---------------------------------------------------------------- of all: listen.max_connections


@pytest.mark.parametrize("threads", [1, 2])
def test_who_finds_the_gateway_full_waits_and_is_served_later(stage, threads):
    gateway = stage.gateway({"node": {"threads": threads}, "service": [http_service("it.example", stage.target())],
                             "listen": {"max_connections": 5}})
    with contextlib.ExitStack() as stack:
        first = [stack.enter_context(Client(gateway.http_port)) for _ in range(5)]
        for client in first:
            assert client.request("it.example").status == 200
        late = [stack.enter_context(Client(gateway.http_port)) for _ in range(6)]
        for client in late:  # each leaves once it is served: which thread takes whom first is not said
            client.send(b"GET /late HTTP/1.1\r\nHost: it.example\r\nConnection: close\r\n\r\n")
        assert late[0].is_silent_for(0.5)
        waits = [client for client in late if client.is_open()]
        assert len(waits) == 6, "nobody is turned away"
        assert gateway.admin("GET", "/livez")[0] == 200 and gateway.admin("GET", "/readyz")[0] == 200
        assert gateway.verb("status").returncode == 0
        for client in first:
            assert client.request("it.example").status == 200, "who is in is served"
        for client in first:
            client.close()
        for client in late:
            assert client.read_response().status == 200


def test_no_more_are_in_at_once_than_may_be(stage):
    """Over both kinds of listener and all threads. A little more may slip in while the count is on its way."""
    holding = Holding(stage)
    gateway = stage.gateway({"node": {"threads": 2}, "service": [http_service("it.example", holding.target)],
                             "listen": {"max_connections": 10}})
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(gateway.http_port)) for _ in range(40)]
        for client in clients:
            client.send(GET % b"hold")
        wait_until(lambda: holding.held >= 10, "as many as fit")
        assert clients[-1].is_silent_for(0.5)
        assert holding.held <= 10 + 2
        holding.go.set()
        left = list(clients)
        while left:  # each that is served makes room for the next
            served = [client for client in left if not client.is_silent_for(0.02)]
            for client in served:
                assert client.read_response().status == 200
                client.close()
                left.remove(client)


# ---------------------------------------------------------------- of each client: max_connections_per_client


def enter(stack, port, source, tls=None):
    client = stack.enter_context(Client(port, tls, "it.example", source))
    assert client.request("it.example").status == 200
    return client


def expect_reset(gateway, port, source):
    """Of one connection more. The reset may be there before connect() returns."""
    with socket.socket() as sock:
        sock.bind((source, 0))
        end = "{}:{}".format(*sock.getsockname())
        sock.settimeout(PATIENCE)
        with pytest.raises(ConnectionResetError):
            sock.connect(("127.0.0.1", port))
            assert sock.recv(1) == b"", "not a reset"
        record = gateway.only_record(lambda record: record["client"] == end and record["reason"] == "limit.client")
        assert record["verdict"] == "refused"


def test_one_client_can_not_take_every_place(stage):
    gateway = stage.gateway({"node": {"threads": 2}, "listen": {"max_connections_per_client": 3},
                             "service": [http_service("it.example", stage.target())]})
    with Client(gateway.http_port, source="127.0.0.9") as client:
        assert client.request("it.example").status == 200
    with returns_descriptors(gateway), contextlib.ExitStack() as stack:
        held = [enter(stack, gateway.http_port, "127.0.0.2") for _ in range(2)]
        held.append(enter(stack, gateway.https_port, "127.0.0.2", unverified_context()))
        for port in (gateway.http_port, gateway.https_port):
            expect_reset(gateway, port, "127.0.0.2")
        enter(stack, gateway.http_port, "127.0.0.3")
        for leave in (Client.close, Client.reset, Client.close):
            leave(held.pop(0))
            held.append(wait_until(lambda: try_to_enter(stack, gateway.http_port, "127.0.0.2"), "a place"))
        expect_reset(gateway, gateway.http_port, "127.0.0.2")


def try_to_enter(stack, port, source):
    with contextlib.suppress(ConnectionError, EOFError, AssertionError):
        return enter(stack, port, source)


def test_of_ipv6_it_is_a_64_that_is_counted(stage):
    """By PROXY headers: this machine's loopback has one IPv6 address."""
    gateway = stage.gateway({"listen": {"max_connections_per_client": 2, "proxy_from": BALANCER},
                             "service": [http_service("it.example", stage.target())]})
    with contextlib.ExitStack() as stack:
        def arrive(address, port):
            client = stack.enter_context(Client(gateway.http_port, source=BALANCER))
            client.send(header("v2", (address, port)) + GET % b"")
            return client
        for address in ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1", "2001:db8:0:2::1"):
            assert arrive(address, 1).read_response().status == 200
        for address in ("2001:db8:0:1::3", "2001:db8:0:2::1"):
            assert read_ending(arrive(address, 4711)) == (b"", "reset")
            record = gateway.only_record(lambda record: record["client"] == f"[{address}]:4711")  # noqa: B023
            assert record["reason"] == "limit.client"
        for address in ("2001:db8:0:3::1", "2001:db8::1", "::ffff:0:1", "192.0.2.1", "192.0.2.2"):
            assert arrive(address, 1).read_response().status == 200


def test_ipv4_in_ipv6_is_that_ipv4_client(stage):
    gateway = stage.gateway({"listen": {"max_connections_per_client": 1, "proxy_from": BALANCER},
                             "service": [http_service("it.example", stage.target())]})
    with Client(gateway.http_port, source=BALANCER) as first, Client(gateway.http_port, source=BALANCER) as second:
        first.send(header("v2", ("192.0.2.1", 1)) + GET % b"")
        assert first.read_response().status == 200
        second.send(header("v2", ("::ffff:192.0.2.1", 2)) + GET % b"")
        assert read_ending(second) == (b"", "reset")
    gateway.only_record(lambda record: record["client"] == "192.0.2.1:2")
