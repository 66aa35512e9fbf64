"""A reload takes a new configuration up as a whole or not at all, and cuts nothing that lives."""
import os
import resource
import signal
import socket

import pytest

from harness import Client, answer_each, free_port, http_service, plain_answer, toml, wait_until

IDLE, TUNNELS, RELOADS = 1000, 20, 50


def echo(connection):
    """Switches to WebSocket and sends every byte back."""
    connection.accept_websocket()
    while data := connection.read_some():
        connection.send(data)


def reload_over_socket(gateway):
    gateway.write()
    status, body = gateway.admin("POST", "/api/v1/reload")
    assert status == 200, body


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4 * IDLE:
        pytest.skip(f"needs {4 * IDLE} file descriptors, may have {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_idle_connections_and_tunnels_live_through_many_reloads(many_descriptors, stage):
    nginx, target = stage.nginx("kept"), stage.target(echo, patience=120)
    services = [http_service("kept.example", nginx), http_service("tunnel.example", target)]
    gateway = stage.gateway({"service": services})
    idle = [stage.keep(Client(gateway.http_port)) for _ in range(IDLE)]
    for client in idle:
        client.send("GET /first HTTP/1.1\r\nHost: kept.example\r\n\r\n")
    assert {client.read_response().status for client in idle} == {200}
    tunnels = [stage.keep(Client(gateway.http_port)) for _ in range(TUNNELS)]
    for client in tunnels:
        client.open_websocket("tunnel.example")

    extra_port = free_port()
    base_listen = gateway.config["listen"]["http"]
    for turn in range(RELOADS):
        extra = turn % 2 == 0  # a service and a listener more, then less
        gateway.config["service"] = services + [http_service("extra.example", nginx)] * extra
        gateway.config["listen"]["http"] = [base_listen, f"127.0.0.1:{extra_port}"] if extra else base_listen
        reload_over_socket(gateway)
        tunnels[turn % TUNNELS].send(b"between")
        assert tunnels[turn % TUNNELS].read_exactly(7) == b"between"

    assert all(client.is_open() for client in idle + tunnels)
    for client in idle:
        client.send("GET /last HTTP/1.1\r\nHost: kept.example\r\n\r\n")
    assert {client.read_response().status for client in idle} == {200}
    for client in tunnels:
        client.send(b"after")
        assert client.read_exactly(5) == b"after"
    wait_until(lambda: len(gateway.messages("configuration reloaded")) == RELOADS, "a word on each reload")
    wait_until(lambda: len(gateway.records()) == 2 * IDLE, lambda: f"{2 * IDLE} records, not {len(gateway.records())}")
    assert {record["reason"] for record in gateway.records()} == {"ok"}
    assert len(gateway.records(lambda record: record["url"] == "/first")) == IDLE


BAD_FILES = [
    ("a syntax error", "[node\n", 1),
    ("an unknown key", '[node]\nnmae = "x"\n', 2),
    ("a wrong value", '[listen]\nhttp = "127.0.0.1:99999"\n', 2),
    ("a service without a target", '[[service]]\nname = "it.example"\nprotocol = "http"\n', 1),
]


@pytest.mark.parametrize("text, line", [case[1:] for case in BAD_FILES], ids=[case[0] for case in BAD_FILES])
def test_a_bad_file_changes_nothing_and_says_so(stage, text, line):
    target = stage.target()
    gateway = stage.gateway({"service": [http_service("it.example", target)]})
    before = gateway.status()["listeners"]
    gateway.write_text(text)
    done = gateway.verb("reload")
    assert done.returncode == 3
    assert f"{gateway.file}:{line}:" in done.stderr
    assert gateway.admin("POST", "/api/v1/reload")[0] == 422
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: len(gateway.messages("configuration not reloaded")) == 2, "the second refusal in the log")

    assert gateway.admin("GET", "/readyz")[0] == 200
    with Client(gateway.http_port) as client:
        assert client.request("it.example").body == b"fine"
    gateway.write()
    assert gateway.status()["listeners"] == before


def test_the_verb_tells_every_error_with_its_place(stage):
    gateway = stage.gateway({"service": [http_service("it.example", stage.target())]})
    good = gateway.file.read_text()
    first = good.count("\n") + 1
    gateway.write_text(good + '[[certificate]]\nname = "a"\nchain = "absent.pem"\nkey = "absent.key"\n'
                              '[[certificate]]\nname = "b"\nchain = "lost.pem"\nkey = "lost.key"\n')
    done = gateway.verb("reload")
    assert done.returncode == 3
    for line, name in ((first + 2, "absent"), (first + 6, "lost")):
        place, = (row for row in done.stderr.splitlines() if row.startswith(f"{gateway.file}:{line}:"))
        assert name in place
    assert gateway.status()["last_reload"]["result"].startswith("refused")
    gateway.write()
    gateway.reload()
    assert gateway.status()["last_reload"]["result"] == "done"


def test_listeners_come_and_go_by_difference(stage):
    target = stage.target()
    gateway = stage.gateway({"service": [http_service("it.example", target)]})
    kept, added = gateway.http_port, free_port()

    gateway.config["listen"]["http"] = [f"127.0.0.1:{kept}", f"127.0.0.1:{added}"]
    gateway.write()
    gateway.reload()
    on_added = stage.keep(Client(added))
    assert on_added.request("it.example").status == 200
    assert {f"127.0.0.1:{port}" for port in (kept, added)} <= {one["address"] for one in gateway.status()["listeners"]}

    gateway.config["listen"]["http"] = f"127.0.0.1:{kept}"
    gateway.write()
    gateway.reload()
    wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", added)) != 0, "the removed port to be closed")
    assert on_added.request("it.example").status == 200  # it lives on though its listener is gone
    with Client(kept) as client:
        assert client.request("it.example").status == 200


def test_a_port_that_another_holds_refuses_the_whole_reload(stage):
    gateway = stage.gateway({"service": [http_service("it.example", stage.target())]})
    port = gateway.http_port
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        gateway.config["listen"]["http"] = [f"127.0.0.1:{port}", f"127.0.0.1:{taken}"]
        gateway.config["service"].append(http_service("new.example", 1))
        gateway.write()
        done = gateway.verb("reload")
    assert done.returncode == 3 and str(taken) in done.stderr
    with Client(port) as client:
        assert client.request("it.example").status == 200
        assert client.request("new.example").status == 404


def test_the_next_request_on_a_kept_connection_is_decided_by_the_new_file(stage):
    gateway = stage.gateway({"service": [http_service("it.example", stage.target())]})
    with Client(gateway.http_port) as client:
        assert client.request("it.example", "/a").status == 200
        gateway.config["service"][0]["allow_url"] = ["/b"]
        gateway.write()
        gateway.reload()
        assert client.request("it.example", "/a").status == 403
        assert client.request("it.example", "/b").status == 200
        gateway.config["service"] = [http_service("other.example", 1)]
        gateway.write()
        gateway.reload()
        assert client.request("it.example", "/b").status == 404


def test_a_target_that_a_reload_moved_is_the_one_that_the_next_request_reaches(stage):
    before, after = (stage.target(answer_each(plain_answer(body))) for body in (b"before", b"after"))
    gateway = stage.gateway({"service": [http_service("it.example", before)]})
    with Client(gateway.http_port) as client:
        assert client.request("it.example").body == b"before"
        gateway.config["service"] = [http_service("it.example", after)]
        gateway.write()
        gateway.reload()
        assert client.request("it.example").body == b"after"


def test_a_removed_service_drains_its_tunnels(stage):
    target = stage.target(echo)
    going, staying = http_service("going.example", target), http_service("staying.example", target)
    gateway = stage.gateway({"node": {"drain_timeout": "1s"}, "service": [going, staying]})
    gone, stays = (stage.keep(Client(gateway.http_port)) for _ in range(2))
    gone.open_websocket("going.example")
    stays.open_websocket("staying.example")
    gateway.config["service"] = [staying]
    gateway.write()
    gateway.reload()
    gone.send(b"still")  # within the drain time
    assert gone.read_exactly(5) == b"still"
    try:
        assert gone.read_to_end() == b""
    except ConnectionResetError:
        pass
    record = gateway.only_record(lambda record: record["service"] == "going.example")
    assert (record["verdict"], record["reason"]) == ("forwarded", "service.removed")
    assert record["duration_ms"] >= 1000
    stays.send(b"unharmed")
    assert stays.read_exactly(8) == b"unharmed"


def test_a_service_that_comes_back_in_time_keeps_its_tunnels(stage):
    service = http_service("it.example", stage.target(echo))
    gateway = stage.gateway({"node": {"drain_timeout": "1s"}, "service": [service]})
    client = stage.keep(Client(gateway.http_port))
    client.open_websocket("it.example")
    for services in ([http_service("other.example", 1)], [service]):
        gateway.config["service"] = services
        gateway.write()
        gateway.reload()
    assert client.is_silent_for(1.5)  # longer than the drain time
    client.send(b"alive")
    assert client.read_exactly(5) == b"alive"


def test_a_socket_that_is_only_named_since_is_not_taken_away(stage):
    """[admin] socket takes effect at a restart: what is there by then may be another gateway's."""
    gateway = stage.gateway({"service": [http_service("it.example", 1)]})
    own, other = gateway.socket, gateway.directory / "other.sock"
    other.write_text("somebody's")
    gateway.config["admin"]["socket"] = other
    gateway.write()
    gateway.signal(signal.SIGHUP)
    gateway.wait_message("takes effect after a restart")
    gateway.stop()
    assert other.read_text() == "somebody's" and not own.exists()


def test_conf_d_is_read_again_too(stage):
    target = stage.target()
    gateway = stage.gateway({"service": [http_service("it.example", target)]})
    folder = gateway.directory / "conf.d"
    folder.mkdir()
    (folder / "10-more.toml").write_text(toml({"service": [http_service("more.example", target)]}))
    assert gateway.reload()["services"] == 2
    with Client(gateway.http_port) as client:
        assert client.request("more.example").status == 200
    os.remove(folder / "10-more.toml")
    assert gateway.reload()["services"] == 1
