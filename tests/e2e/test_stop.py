"""How the gateway stops, and what it tells the service manager meanwhile."""
import os
import signal
import socket
import threading

import pytest

from harness import Client, free_port, http_service, plain_answer, wait_until


def refuses(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


class Slow:
    """A target's script that answers only once `go` is set."""

    def __init__(self):
        self.go = threading.Event()
        self.asked = threading.Event()

    def __call__(self, connection):
        while connection.read_request():
            self.asked.set()
            self.go.wait(60)
            connection.send(plain_answer(b"late, but whole"))


def tunnel(connection):
    connection.accept_websocket()
    connection.read_to_end()


def draining(gateway):
    wait_until(lambda: gateway.admin("GET", "/readyz")[0] == 503, "the gateway to drain")


def slow_request(stage, drain_timeout="30s"):
    """A gateway with a request in flight: (gateway, client, target's script)."""
    slow = Slow()
    gateway = stage.gateway({"node": {"drain_timeout": drain_timeout},
                             "service": [http_service("slow.example", stage.target(slow)),
                                         http_service("fast.example", stage.target())]})
    client = stage.keep(Client(gateway.http_port))
    client.send("GET /slow HTTP/1.1\r\nHost: slow.example\r\n\r\n")
    assert slow.asked.wait(15)
    return gateway, client, slow


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, "drain"], ids=str)
def test_the_request_in_flight_ends_well_and_idle_connections_close(stage, how):
    gateway, client, slow = slow_request(stage)
    idle = stage.keep(Client(gateway.http_port))
    assert idle.request("fast.example").get("Connection") is None
    if how == "drain":
        assert gateway.verb("drain").returncode == 0
    else:
        gateway.signal(how)
    assert idle.read_to_end() == b""
    idle.close()
    draining(gateway)
    wait_until(lambda: refuses(gateway.http_port), "every loop to close its listener")
    slow.go.set()
    response = client.read_response()
    assert response.body == b"late, but whole" and response.get("Connection") == "close"
    assert client.read_to_end() == b""
    client.close()
    assert gateway.wait() == 0
    assert [record["reason"] for record in gateway.records()] == ["ok", "ok"]


def test_a_reload_opens_nothing_while_it_stops(stage):
    gateway, client, slow = slow_request(stage)
    gateway.signal(signal.SIGTERM)
    draining(gateway)
    port = free_port()
    gateway.config["listen"]["http"] = [gateway.config["listen"]["http"], f"127.0.0.1:{port}"]
    gateway.write()
    refused = gateway.verb("reload")
    assert refused.returncode == 1 and "stopping" in refused.stderr and refuses(port)
    slow.go.set()
    assert client.read_response().body == b"late, but whole"
    client.close()
    assert gateway.wait() == 0


def test_a_second_signal_stops_at_once(stage):
    gateway, client, _ = slow_request(stage)
    gateway.signal(signal.SIGTERM)
    draining(gateway)
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(5) == 0
    with pytest.raises((EOFError, ConnectionResetError)):
        client.read_until(b"whole")
    record, = gateway.records()
    assert record["reason"] == "draining"


def test_what_outlives_the_drain_time_is_cut(stage):
    gateway, _, _ = slow_request(stage, drain_timeout="1s")
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(10) == 0
    record, = gateway.records()
    assert record["reason"] == "draining"


def test_a_tunnel_is_cut_when_the_drain_time_is_over(stage):
    gateway = stage.gateway({"node": {"drain_timeout": "1s"},
                             "service": [http_service("it.example", stage.target(tunnel))]})
    client = stage.keep(Client(gateway.http_port))
    client.open_websocket("it.example")
    gateway.signal(signal.SIGTERM)
    draining(gateway)
    assert client.is_open()
    assert gateway.wait(10) == 0
    record, = gateway.records()
    assert (record["verdict"], record["reason"], record["status"]) == ("forwarded", "draining", 101)


def test_a_stop_with_nothing_to_do_is_quick(stage):
    gateway = stage.gateway({"service": [http_service("it.example", stage.target())]})
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(5) == 0
    assert gateway.messages("stopped")


def test_hangup_reloads(stage):
    target = stage.target()
    gateway = stage.gateway({"service": [http_service("old.example", target)]})
    gateway.config["service"] = [http_service("new.example", target)]
    gateway.write()
    gateway.signal(signal.SIGHUP)
    gateway.wait_message("configuration reloaded")
    with Client(gateway.http_port) as client:
        assert client.request("new.example").status == 200
        assert client.request("old.example").status == 404


class ServiceManager:
    """The socket that systemd would name in NOTIFY_SOCKET. Its messages are dicts."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.sock.settimeout(15)

    def until(self, key):
        """The message that says this; the ones before it are passed over."""
        while True:
            told = dict(line.split("=", 1) for line in self.sock.recv(4096).decode().splitlines())
            if key in told:
                return told

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


def test_the_service_manager_hears_of_every_step(stage):
    manager = stage.keep(ServiceManager(stage.directory / "notify"))
    gateway = stage.gateway({"service": [http_service("it.example", stage.target())]}, start=False,
                            environment={"NOTIFY_SOCKET": str(stage.directory / "notify"), "WATCHDOG_USEC": "200000"})
    gateway.start()
    told = manager.until("READY")
    assert told["READY"] == "1" and told["STATUS"]
    for _ in range(3):
        assert manager.until("WATCHDOG")["WATCHDOG"] == "1"
    gateway.signal(signal.SIGHUP)
    told = manager.until("RELOADING")
    assert told["RELOADING"] == "1" and int(told["MONOTONIC_USEC"]) > 0
    manager.until("READY")
    gateway.signal(signal.SIGTERM)
    assert manager.until("STOPPING")["STOPPING"] == "1"
    assert gateway.wait() == 0


def test_a_reload_that_fails_is_over_for_the_service_manager_too(stage):
    manager = stage.keep(ServiceManager(stage.directory / "notify"))
    gateway = stage.gateway({"service": []}, environment={"NOTIFY_SOCKET": str(stage.directory / "notify")})
    manager.until("READY")
    gateway.write_text("[")
    gateway.signal(signal.SIGHUP)
    manager.until("RELOADING")
    manager.until("READY")
    gateway.wait_message("configuration not reloaded")


def test_the_watchdog_is_of_no_concern_to_another_process(stage):  # sd_watchdog_enabled(3): WATCHDOG_PID
    manager = stage.keep(ServiceManager(stage.directory / "notify"))
    environment = {"NOTIFY_SOCKET": str(stage.directory / "notify"), "WATCHDOG_USEC": "100000",
                   "WATCHDOG_PID": str(os.getpid())}
    gateway = stage.gateway({"service": []}, environment=environment)
    manager.until("READY")
    gateway.signal(signal.SIGTERM)
    assert gateway.wait() == 0
    told = b""
    manager.sock.setblocking(False)
    try:
        while True:
            told += manager.sock.recv(4096)
    except BlockingIOError:
        pass
    assert b"STOPPING=1" in told and b"WATCHDOG" not in told
