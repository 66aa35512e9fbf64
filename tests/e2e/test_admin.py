"""What the gateway tells about itself: probes, metrics, its log."""
import json
import os
import pathlib
import signal
import subprocess

import pytest

from harness import Client, curl, free_port, http_service, unverified_context, wait_until


@pytest.fixture
def gateway(stage):
    chain, key = stage.authority.issue("edge", ["it.example"])
    gateway = stage.gateway({"certificate": [{"name": "edge", "chain": chain, "key": key}],
                             "admin": {"listen": f"127.0.0.1:{free_port()}"},
                             "service": [http_service("it.example", stage.target())]})
    gateway.admin_port = int(gateway.config["admin"]["listen"].rsplit(":", 1)[1])
    return gateway


def ask_admin(gateway, path, method="GET", source=None):
    with Client(gateway.admin_port, unverified_context(), "it.example", source) as client:
        return client.request("it.example", path, method)


@pytest.mark.parametrize("method, path, source, status", [
    ("GET", "/livez", None, 200),
    ("GET", "/readyz", None, 200),
    ("GET", "/livez", "127.0.0.9", 200),
    ("GET", "/metrics", None, 200),
    ("GET", "/", None, 404),
    ("GET", "/api/v1/status", None, 404),
    ("GET", "/api/v1/explain?subject=http://it.example/&client=127.0.0.1", None, 404),
    ("POST", "/api/v1/reload", None, 404),
    ("POST", "/api/v1/drain", "127.0.0.2", 404),
    ("GET", "/livez/", None, 404),
])
def test_the_tcp_port_answers_probes_and_nothing_else(gateway, method, path, source, status):
    assert ask_admin(gateway, path, method, source).status == status
    assert gateway.is_ready()


def test_the_tcp_port_speaks_tls_with_the_gateways_certificate_only(stage, gateway):
    assert curl("https://it.example/livez", connect_to=gateway.admin_port, ca=stage.authority.ca) == "ok\n"
    with Client(gateway.admin_port) as client:
        client.send("GET /livez HTTP/1.1\r\nHost: it.example\r\n\r\n")
        try:
            answer = client.read_to_end()
        except ConnectionResetError:
            answer = b""
    assert b"ok" not in answer


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/livez", 200), ("GET", "/readyz", 200), ("GET", "/metrics", 200), ("GET", "/api/v1/status", 200),
    ("GET", "/nothing", 404), ("POST", "/livez", 405), ("GET", "/api/v1/reload", 405),
    ("GET", "/api/v1/explain", 400), ("GET", "/api/v1/explain?subject=http://it.example/&client=me", 400),
])
def test_the_socket_answers_as_its_api_says(gateway, method, path, status):
    answered, body = gateway.admin(method, path)
    assert answered == status
    if status >= 400:
        assert json.loads(body)["status"] == status  # RFC 9457


def test_metrics_are_in_the_format_of_prometheus_and_count(gateway):
    before = gateway.metrics()
    for host in ("it.example", "it.example", "nobody.example"):
        with Client(gateway.http_port) as client:
            client.request(host)
    wait_until(lambda: gateway.counted() == 3, "three records to be counted")
    after = gateway.metrics()
    ended = {name.split("{")[1]: value for name, value in after.items() if name.startswith("sallyport_ended_total")}
    parsed = {tuple(sorted(labels.rstrip("}").split(","))): value for labels, value in ended.items()}
    assert parsed == {('protocol="http"', 'reason="ok"', 'verdict="forwarded"'): 2,
                      ('protocol="http"', 'reason="service.unknown"', 'verdict="refused"'): 1}
    accepted = 'sallyport_connections_accepted_total{protocol="http"}'
    assert after[accepted] - before[accepted] == 3
    assert after['sallyport_received_bytes_total{protocol="http"}'] > 0
    count = [value for name, value in after.items() if name.startswith("sallyport_duration_seconds_count")]
    assert count == [3]

    text = gateway.admin("GET", "/metrics")[1].decode()
    assert "127.0.0.1" not in text and "it.example" not in text  # labels are bounded: no client, no name
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families))
    for line in text.splitlines():
        name = line.split("{")[0].split(" ")[0]
        assert line.startswith("#") or any(name.startswith(family) for family in families), line


def test_metrics_show_open_connections(gateway):
    name = 'sallyport_connections_open{protocol="http"}'
    assert gateway.metrics()[name] == 0
    with Client(gateway.http_port) as client:
        client.request("it.example")
        assert gateway.metrics()[name] == 1
    wait_until(lambda: gateway.metrics()[name] == 0, "the connection to be gone")


def test_a_log_file_that_was_renamed_is_made_anew_after_a_hangup(stage):
    log = stage.directory / "gateway.log"
    gateway = stage.gateway({"log": {"destination": log}, "service": [http_service("it.example", stage.target())]})
    with Client(gateway.http_port) as client:
        client.request("it.example", "/before")
        gateway.wait_record(lambda record: record["url"] == "/before")
        rotated = pathlib.Path(f"{log}.1")
        os.rename(log, rotated)
        client.request("it.example", "/between")
        wait_until(lambda: "/between" in rotated.read_text(), "the renamed file to be written still")
        gateway.signal(signal.SIGHUP)
        wait_until(log.exists, "a new log")
        client.request("it.example", "/after")
        gateway.wait_record(lambda record: record["url"] == "/after")
    assert "/after" not in rotated.read_text() and "/before" not in log.read_text()


@pytest.mark.parametrize("key, left", [("forwarded", ["service.unknown"]), ("refused", ["ok"])])
def test_records_of_one_verdict_can_be_left_out(stage, key, left):
    gateway = stage.gateway({"log": {key: False}, "service": [http_service("it.example", stage.target())]})
    for host in ("it.example", "nobody.example"):
        with Client(gateway.http_port) as client:
            client.request(host)
    wait_until(lambda: gateway.counted() == 2, "two records to be counted")
    gateway.stop()
    assert [record["reason"] for record in gateway.records()] == left


def test_text_is_one_line_a_record_for_people(stage):
    gateway = stage.gateway({"log": {"format": "text", "level": "info"},
                             "service": [http_service("it.example", stage.target())]})
    with Client(gateway.http_port) as client:
        client.request("it.exmaple", "/x")
    wait_until(lambda: "it.exmaple" in gateway.stdout, "the record")
    line, = [line for line in gateway.stdout.splitlines() if "it.exmaple" in line]
    assert "refused" in line and "service.unknown" in line and "nearest: it.example" in line


def test_a_record_tells_all_that_the_contract_names(gateway):
    with Client(gateway.https_port, unverified_context(), "it.example") as client:
        client.request("it.example", "/x?y")
    record = gateway.only_record(lambda record: True)
    assert record.keys() >= {
        "time", "event", "node", "protocol", "listener", "client", "service", "looked_for", "target", "tls_client",
        "tls_target", "verdict", "reason", "bytes_in", "bytes_out", "duration_ms"}
    assert record["node"] == "test-node" and record["protocol"] == "http"
    assert record["listener"] == f"127.0.0.1:{gateway.https_port}"
    assert record["url"] == "/x?y" and record["method"] == "GET" and record["status"] == 200
    date = subprocess.run(["date", "-u", "-d", record["time"], "+%Y"], capture_output=True, text=True, check=True)
    assert record["time"].endswith("Z") and int(date.stdout) >= 2024
