"""What an admin sees of the gateway at work, and what can be done about it by hand."""
import json

import pytest

from harness import Client, answer_each, http_service, plain_answer, wait_until


@pytest.fixture
def world(stage):
    first, second = stage.target(answer_each(plain_answer(b"first"))), stage.target(answer_each(plain_answer(b"second")))
    stage.first, stage.second = first, second
    return stage.gateway({"service": [
        {**http_service("one.example", first), "name": ["one.example", "alias.example"]},
        http_service("two.example", second),
        {"name": "welcome.example", "protocol": "http", "target": "builtin:welcome"}]})


def listed(gateway, *arguments):
    status, answer = gateway.json_verb("connections", *arguments)
    assert status == 0
    return answer["connections"]


def targets(gateway):
    status, answer = gateway.json_verb("services")
    assert status == 0
    return {(row["service"], row["target"]): row for row in answer["targets"]}


def test_idle_connections_are_listed_with_who_and_where(world):
    with Client(world.http_port) as client:
        assert client.request("one.example").status == 200
        ours = f"127.0.0.1:{client.sock.getsockname()[1]}"
        row = wait_until(lambda: next((row for row in listed(world) if row["client"] == ours), None), "our connection")
        assert (row["state"], row["protocol"], row["tls"], row["service"]) == ("idle", "http", False, None)
        assert row["listener"].endswith(str(world.http_port)) and row["age_s"] >= 0
    wait_until(lambda: all(row["client"] != ours for row in listed(world)), "it to be gone")


def test_a_tunnel_is_listed_with_its_service_and_its_bytes_and_can_be_killed(stage):
    def echo(connection):
        connection.accept_websocket()
        while data := connection.read_some():
            connection.send(data)
    gateway = stage.gateway({"service": [http_service("chat.example", stage.target(echo))]})
    with Client(gateway.http_port) as client:
        client.open_websocket("chat.example")
        client.send(b"x" * 1000)
        assert len(client.read_exactly(1000)) == 1000
        [row] = listed(gateway, "--service", "chat.example")
        assert (row["state"], row["service"]) == ("tunnel", "chat.example")
        assert row["bytes_in"] > 1000 and row["bytes_out"] > 1000
        assert gateway.json_verb("connections", "kill", "--service", "chat.example") == (0, {"killed": 1})
        assert client.sock.recv(1) == b""
    assert gateway.only_record(lambda record: record["service"] == "chat.example")["reason"] == "killed"


def test_a_connection_is_ended_by_its_id(world):
    with Client(world.http_port) as client:
        client.request("one.example")
        ours = f"127.0.0.1:{client.sock.getsockname()[1]}"
        [row] = [row for row in listed(world) if row["client"] == ours]
        status, answer = world.json_verb("connections", "kill", row["id"])
        assert (status, answer) == (0, {"killed": 1})
        assert client.sock.recv(1) == b""
    assert world.verb("connections", "kill", row["id"]).returncode == 1
    assert world.verb("connections", "kill").returncode == 2


def test_targets_are_listed_as_traffic_found_them(world, stage):
    row = targets(world)[("one.example", "127.0.0.1")]
    assert (row["state"], row["wish"], row["reason"], row["latency_ms"]) == ("up", "up", None, None)
    with Client(world.http_port) as client:
        assert client.request("one.example").status == 200
    assert targets(world)[("one.example", "127.0.0.1")]["latency_ms"] > 0
    stage.first.stop()
    with Client(world.http_port) as client:
        wait_until(lambda: client.request("one.example").status == 502, "the target to be missed")
    row = targets(world)[("one.example", "127.0.0.1")]
    assert (row["state"], row["reason"]) == ("failing", "target.refused")
    assert "target.refused" in world.verb("services").stdout


@pytest.mark.parametrize("wish", ["drain", "maintenance"])
def test_a_target_taken_out_by_hand_gets_nothing_until_it_is_put_back(world, wish):
    with Client(world.http_port) as client:
        assert client.request("one.example").status == 200
        assert world.json_verb("services", wish, "alias.example") == (0, {"changed": 1})
        refused = client.request("one.example")
        assert refused.status == 503 and b"target.down" in refused.body
        assert client.request("two.example").status == 200
        explanation = world.explain("http://one.example/")
        assert (explanation["verdict"], explanation["reason"]) == ("refused", "target.down")
        assert any(wish in step["result"] for step in explanation["trail"])
        world.reload()
        assert client.request("one.example").status == 503, "a reload changes nothing of it"
        assert world.json_verb("services", "up", "one.example", "--target", "127.0.0.1") == (0, {"changed": 1})
        assert client.request("one.example").status == 200


def test_what_is_named_wrong_is_said(world):
    unknown = world.verb("services", "drain", "one.exmaple")
    assert unknown.returncode == 1 and "one.example" in unknown.stderr
    assert world.verb("services", "drain", "one.example", "--protocol", "smtp").returncode == 1
    status, answer = world.admin("POST", "/api/v1/services/state", json.dumps({"service": "one.example", "state": "off"}))
    assert status == 400 and "maintenance" in str(answer)
