"""Several targets: who is asked first, who next, and that none of it fails a request which another could answer."""
import pytest

from harness import Client, http_service, wait_until
from harness.certificates import server_context
from harness.rude_target import DeafTarget
from harness.several import Load, Movable, of_all, several
from harness.waiting import free_port


def ask(gateway, host="it.example", source=None, **more):
    """The address of the target that answered a client of its own."""
    with Client(gateway.http_port, source=source) as client:
        response = client.request(host, **more)
        assert response.status == 200, response.body
        return response.body.decode()


def answers(gateway, count, **more):
    return [ask(gateway, **more) for _ in range(count)]


def world_of(stage, balance, count=2, threads=1, **more):
    targets = several(stage, count)
    gateway = stage.gateway({"node": {"threads": threads}, "service": [
        of_all("it.example", targets, balance=balance, **more)]})
    return targets, gateway


def wait_back(gateway, count=1):
    wait_until(lambda: len(gateway.messages("a target answers again")) >= count, "a target to be back")


# ---------------------------------------------------------------- failover


def test_failover_asks_the_first_that_works(stage):
    (first, second, third), gateway = world_of(stage, "failover", 3)
    assert answers(gateway, 10) == [first.address] * 10
    first.down()
    assert answers(gateway, 10) == [second.address] * 10
    second.down()
    assert answers(gateway, 10) == [third.address] * 10
    assert gateway.explain("http://it.example/")["target"] == f"{third.address}:{third.port}"
    first.up()
    wait_back(gateway)
    assert answers(gateway, 10) == [first.address] * 10
    assert third.accepted >= 1 and gateway.explain("http://it.example/")["target"] == f"{first.address}:{first.port}"


def test_the_record_names_the_target_that_answered(stage):
    (first, second), gateway = world_of(stage, "failover")
    first.down()
    ask(gateway)
    record = gateway.only_record(lambda record: True)
    assert (record["target"], record["reason"]) == (f"{second.address}:{second.port}", "ok")


def test_failing_targets_are_asked_when_there_is_nothing_else(stage):
    (first, second), gateway = world_of(stage, "failover")
    first.down()
    second.down()
    with Client(gateway.http_port) as client:
        assert client.request("it.example").status == 502
        second.up()
        assert client.request("it.example").body.decode() == second.address, "no user has to wait for a check"


# ---------------------------------------------------------------- round robin


def test_round_robin_is_even(stage):
    targets, gateway = world_of(stage, "round_robin", 2)
    got = answers(gateway, 40)
    assert [got.count(target.address) for target in targets] == [20, 20]
    assert all(one != next for one, next in zip(got, got[1:]))
    gateway.reload()
    got = answers(gateway, 40)
    assert [got.count(target.address) for target in targets] == [20, 20]


def test_round_robin_is_even_over_requests_of_one_client_and_over_threads(stage):
    targets, gateway = world_of(stage, "round_robin", 3, threads=2)
    with Client(gateway.http_port) as client:
        got = [client.request("it.example").body.decode() for _ in range(30)]
    assert [got.count(target.address) for target in targets] == [10] * 3
    got = answers(gateway, 60)
    assert all(abs(got.count(target.address) - 20) <= 2 for target in targets), "each thread counts for itself"


def test_each_service_counts_for_itself(stage):
    targets = several(stage, 2)
    gateway = stage.gateway({"node": {"threads": 1}, "service": [
        of_all(name, targets, balance="round_robin") for name in ("one.example", "two.example")]})
    got = [ask(gateway, name) for _ in range(10) for name in ("one.example", "two.example")]
    assert [got[at::2].count(targets[0].address) for at in (0, 1)] == [5, 5]


def test_round_robin_leaves_out_who_fails(stage):
    (first, second, third), gateway = world_of(stage, "round_robin", 3)
    second.down()
    answers(gateway, 6)
    got = answers(gateway, 20)
    assert [got.count(target.address) for target in (first, second, third)] == [10, 0, 10]
    second.up()
    wait_back(gateway)
    got = answers(gateway, 30)
    assert [got.count(target.address) for target in (first, second, third)] == [10, 10, 10]


# ---------------------------------------------------------------- client

CLIENTS = [f"127.0.2.{at}" for at in range(1, 31)]


def targets_of_clients(gateway):
    return {client: ask(gateway, source=client) for client in CLIENTS}


def test_a_client_keeps_its_target(stage):
    targets, gateway = world_of(stage, "client", 3, threads=2)
    before = targets_of_clients(gateway)
    assert set(before.values()) == {target.address for target in targets}, "each has some of thirty"
    for _ in range(2):
        assert targets_of_clients(gateway) == before
    with Client(gateway.http_port, source=CLIENTS[0]) as client:
        assert {client.request("it.example").body.decode() for _ in range(5)} == {before[CLIENTS[0]]}
    for client in CLIENTS[:5]:
        assert gateway.explain("http://it.example/", client)["target"] == f"{before[client]}:{targets[0].port}"
    gateway.reload()
    assert targets_of_clients(gateway) == before
    gateway.stop()
    gateway.start()
    assert targets_of_clients(gateway) == before


def test_only_the_clients_of_a_target_that_dies_move_and_they_move_back(stage):
    targets, gateway = world_of(stage, "client", 3, threads=2)
    before = targets_of_clients(gateway)
    targets[1].down()
    without = targets_of_clients(gateway)
    for client in CLIENTS:
        if before[client] == targets[1].address:
            assert without[client] != targets[1].address
        else:
            assert without[client] == before[client]
    moved = {without[client] for client in CLIENTS if before[client] == targets[1].address}
    assert moved == {targets[0].address, targets[2].address}, "both take some of them over"
    targets[1].up()
    wait_back(gateway)
    assert targets_of_clients(gateway) == before


def test_a_new_target_takes_clients_from_each_and_moves_no_other(stage):
    targets, gateway = world_of(stage, "client", 3)
    two = {**gateway.config["service"][0], "target": [target.address for target in targets[:2]]}
    three, gateway.config["service"][0] = gateway.config["service"][0], two
    gateway.write()
    gateway.reload()
    before = targets_of_clients(gateway)
    gateway.config["service"][0] = three
    gateway.write()
    gateway.reload()
    after = targets_of_clients(gateway)
    assert all(after[client] in (before[client], targets[2].address) for client in CLIENTS)


# ---------------------------------------------------------------- under load


def close_at_once(connection):
    pass


def reset_at_once(connection):
    connection.reset()


def close_behind_the_request(connection):
    connection.read_request()


@pytest.mark.parametrize("each_anew", [False, True], ids=["kept clients", "new clients"])
@pytest.mark.parametrize("balance", ["failover", "round_robin", "client"])
def test_a_target_that_is_killed_and_comes_back_costs_no_get(stage, balance, each_anew):
    (first, second), gateway = world_of(stage, balance, threads=2)
    victim = first if balance != "client" or ask(gateway) == first.address else second
    with Load(gateway.http_port, "it.example", each_anew=each_anew) as load:
        for turn in range(1, 3):
            load.wait_for(victim)
            victim.down()
            load.wait_without(victim)
            victim.up()
            wait_back(gateway, turn)
            load.wait_for(victim)
    assert load.bad == []
    assert {record["reason"] for record in gateway.records()} == {"ok"}
    assert len(gateway.messages("a target is left out")) == len(gateway.messages("a target answers again")) == 2


@pytest.mark.parametrize("script", [close_at_once, reset_at_once, close_behind_the_request])
@pytest.mark.parametrize("leg", ["plain", "tls"])
def test_a_target_that_accepts_and_drops_costs_no_get(stage, script, leg):
    tls = server_context(*stage.authority.issue("it.example")) if leg == "tls" else None
    first, second = several(stage, 2, tls=tls)
    # On a busy machine a handshake takes its time: a second target that is given up for that leaves only the first.
    service = of_all("it.example", [first, second], target_verify=False, connect_timeout="1m")
    if leg == "tls":
        service["tls_port"] = service.pop("plain_port")
    gateway = stage.gateway({"service": [service]})
    with Load(gateway.http_port, "it.example") as load:
        load.wait_for(first)
        first.down()
        first.up(script)
        load.wait_for(second)
        load.wait_without(first)
    assert load.bad == [], (gateway.messages("a target"), gateway.records(lambda record: record["reason"] != "ok"))
    gateway.wait_message("a target is left out")
    dropped = first.accepted
    assert answers(gateway, 20) == [second.address] * 20
    assert first.accepted <= dropped + 10, "users' requests are not what it is tried with"


def test_a_target_that_is_silent_costs_no_get(stage):
    (first, second), gateway = world_of(stage, "failover", threads=2, connect_timeout="500ms")
    with Load(gateway.http_port, "it.example") as load:
        load.wait_for(first)
        first.down()
        with DeafTarget(first.address, first.port):
            load.wait_for(second)
            load.wait_without(first)
            gateway.wait_message("a target is left out")
        first.up()
        wait_back(gateway)
        load.wait_for(first)
    assert load.bad == []


def test_silence_is_waited_for_once(stage):
    with DeafTarget("127.0.1.1", free_port()) as deaf:
        second = stage.keep(Movable("127.0.1.2", deaf.port))
        gateway = stage.gateway({"node": {"threads": 1}, "service": [
            of_all("it.example", [deaf, second], connect_timeout="300ms")]})
        assert answers(gateway, 20) == [second.address] * 20
        assert gateway.wait_message("a target is left out")["reason"] == "target.timeout"
        assert sum(record["duration_ms"] >= 300 for record in gateway.records()) == 1


# ---------------------------------------------------------------- what may not be sent twice


@pytest.mark.parametrize("method, body, fields", [
    ("POST", b"once", ""), ("POST", b"", ""), ("PUT", b"once", ""), ("PATCH", b"once", ""), ("FROB", b"", ""),
    ("POST", b"", "Idempotency-Key: 1\r\n")])
def test_a_request_that_may_not_be_repeated_is_sent_once(stage, method, body, fields):
    (first, second), gateway = world_of(stage, "failover")
    first.down()
    first.up(close_behind_the_request)
    with Client(gateway.http_port) as client:
        response = client.request("it.example", method=method, body=body, fields=fields)
        assert response.status == 502
    assert len(first.requests) == 1 and second.requests == []
    assert gateway.only_record(lambda record: True)["reason"] == "target.closed"


def test_a_post_goes_to_the_next_target_when_the_first_is_not_there(stage):
    (first, second), gateway = world_of(stage, "failover")
    first.down()
    assert ask(gateway, method="POST", body=b"once") == second.address
    assert [request.body for request in second.requests] == [b"once"]


def test_posts_under_load_arrive_once(stage):
    (first, second), gateway = world_of(stage, "round_robin", threads=2)
    sent, answered = 0, 0
    for turn in range(60):
        if turn % 10 == 5:
            first.down()
        if turn % 10 == 8:
            first.up()
        sent += 1
        with Client(gateway.http_port) as client:
            status = client.request("it.example", f"/{turn}", "POST", body=b"once").status
        assert status in (200, 502)
        answered += status == 200
    seen = [request.url for target in (first, second) for request in target.requests]
    assert len(seen) == len(set(seen)) and answered <= len(seen) <= sent
    assert answered >= sent - 12


# ---------------------------------------------------------------- from where


def test_targets_are_dialed_from_the_source_of_the_service(stage):
    peers = []

    def script(address):
        def answer(connection):
            peers.append(connection.sock.getpeername()[0])
            connection.read_request()
            connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        return answer
    target = stage.keep(Movable("127.0.1.1", free_port(), script("")))
    gateway = stage.gateway({"service": [of_all("it.example", [target], source="127.0.3.3", health="tcp",
                                                health_interval="1s"), http_service("any.example", target) |
                                         {"target": target.address}]})
    ask(gateway)
    wait_until(lambda: target.accepted >= 3, "checks beside the request")
    assert set(peers) == {"127.0.3.3"}
    ask(gateway, "any.example")
    assert set(peers) - {"127.0.3.3"}
