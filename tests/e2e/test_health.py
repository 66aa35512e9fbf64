"""Health checks: who fails them gets nothing, who passes them again is asked again, and the log says each once."""
import ssl

import pytest

from harness import Client, plain_answer, wait_until
from harness.certificates import server_context
from harness.several import Load, Movable, of_all, several
from harness.waiting import free_port

LEFT_OUT, BACK = "a target is left out", "a target answers again"
QUICK = {"health_interval": "250ms"}
COUNTED = {"health_interval": "1s"}  # where checks are counted: the test has to be quicker than the next one


def ask(gateway, host="it.example"):
    with Client(gateway.http_port) as client:
        response = client.request(host)
        return response.status, response.body.decode()


def told(gateway):
    """What the log says of targets: (which, message, reason)."""
    return [(line["target"], line["message"], line.get("reason")) for line in gateway.messages("a target ")]


def wait_out(gateway, target, reason):
    wait_until(lambda: told(gateway), lambda: f"{target.address} to be left out; {gateway.messages()[-5:]}")
    assert told(gateway)[-1] == (target.address, LEFT_OUT, reason)


def wait_back(gateway, target):
    wait_until(lambda: told(gateway)[-1:] == [(target.address, BACK, None)], lambda: f"{target.address}: {told(gateway)}")


def trail(explanation):
    return {step["rule"]: step["result"] for step in explanation["trail"] if step["rule"].startswith("target ")}


class Moody:
    """What a target answers: `status` to checks, always 200 to users."""

    def __init__(self, status="200 OK"):
        self.status, self.checks, self.hosts = status, 0, set()

    def script(self, address):
        def run(connection):
            while request := connection.read_request():
                check = request.url.startswith("/health")
                if check:
                    self.checks += 1
                    self.hosts.add(request.get("Host"))
                connection.send(plain_answer(address, self.status if check else "200 OK"))
        return run


def moody_world(stage, interval=QUICK, **more):
    mood = Moody()
    port = free_port()
    first = stage.keep(Movable("127.0.1.1", port, mood.script("127.0.1.1")))
    second = stage.keep(Movable("127.0.1.2", port))
    gateway = stage.gateway({"service": [
        of_all("it.example", [first, second], health="http /health?deep=1", **interval, **more)]})
    return mood, first, second, gateway


@pytest.mark.parametrize("bad", ["500 Oh", "400 Bad"])
def test_an_http_check_that_fails_takes_its_target_out_and_two_good_ones_bring_it_back(stage, bad):
    mood, first, second, gateway = moody_world(stage, COUNTED)
    assert ask(gateway) == (200, first.address)
    mood.status, before = bad, mood.checks
    wait_out(gateway, first, "target.rejected")
    assert 2 <= mood.checks - before <= 3, "one failure is none yet"
    assert ask(gateway) == (200, second.address)
    assert bad[:3] in gateway.messages(LEFT_OUT)[0]["detail"]
    explanation = gateway.explain("http://it.example/")
    assert explanation["target"] == f"{second.address}:{second.port}"
    assert trail(explanation) == {f"target {second.address}": "match", f"target {first.address}": "not taken: down"}
    mood.status, before = "204 No Content", mood.checks
    wait_back(gateway, first)
    assert 2 <= mood.checks - before <= 3, "one good answer is not enough"
    assert ask(gateway) == (200, first.address)
    assert len(told(gateway)) == 2
    assert mood.hosts == {"it.example"}


def test_one_failure_takes_nobody_out(stage):
    mood, first, _, gateway = moody_world(stage, COUNTED)
    for _ in range(2):
        wait_until(lambda: mood.checks >= 2, "checks")
        mood.status, before = "500 Oh", mood.checks
        wait_until(lambda: mood.checks > before, "a failure")  # noqa: B023
        mood.status, mood.checks = "200 OK", 0
    wait_until(lambda: mood.checks >= 2, "checks")
    assert told(gateway) == [] and ask(gateway) == (200, first.address)


def test_answers_below_400_are_good(stage):
    moods = {f"{status[:3]}.example": Moody(status) for status in ("200 OK", "204 No Content", "302 Found", "399 Odd")}
    targets = [stage.keep(Movable("127.0.1.1", free_port(), mood.script(""))) for mood in moods.values()]
    gateway = stage.gateway({"service": [of_all(name, [target], health="http /health", **QUICK)
                                         for name, target in zip(moods, targets)]})
    wait_until(lambda: all(mood.checks >= 3 for mood in moods.values()), "checks")
    assert told(gateway) == []
    assert [mood.hosts for mood in moods.values()] == [{name} for name in moods]


def garbage(connection):
    connection.read_request()
    connection.send("SSH-2.0-OpenSSH_9.2\r\n\r\n")


def greets(connection):
    connection.send("SSH-2.0-OpenSSH_9.2\r\n")


def silent(connection):
    connection.read_request()
    connection.stall()


def close_at_once(connection):
    pass


def endless_head(connection):
    connection.read_request()
    connection.send("HTTP/1.1 200 OK\r\n")
    while True:
        connection.send("X-More: " + "x" * 1000 + "\r\n")


@pytest.mark.parametrize("script, reason", [(garbage, "target.malformed"), (silent, "target.stalled"),
                                            (close_at_once, "target.closed"), (endless_head, "target.malformed")])
def test_what_is_no_answer_is_a_failure(stage, script, reason):
    _, first, second, gateway = moody_world(stage, connect_timeout="300ms")
    first.down()
    first.up(script)
    wait_until(lambda: told(gateway), "it to be left out")
    # Between the two the port was closed for a moment.
    assert told(gateway)[0][2] in (reason, "target.refused")
    wait_until(lambda: ask(gateway) == (200, second.address), "the other")


# ---------------------------------------------------------------- tcp and tls


def test_a_tcp_check_wants_the_port_to_be_open(stage):
    first, second = several(stage, 2)
    gateway = stage.gateway({"service": [of_all("it.example", [first, second], health="tcp", **QUICK)]})
    wait_until(lambda: first.accepted >= 2, "checks")
    first.down()
    wait_out(gateway, first, "target.refused")
    assert first.requests == [], "no user was the trial"
    assert ask(gateway) == (200, second.address)
    first.up()
    wait_back(gateway, first)
    assert ask(gateway) == (200, first.address)
    assert len(told(gateway)) == 2


def test_each_port_is_tried(stage):
    """With a plain and a TLS port, one that is closed takes the target out."""
    plain, tls = several(stage, 1)[0], several(stage, 1)[0]
    gateway = stage.gateway({"service": [
        {"name": "it.example", "protocol": "http", "target": plain.address, "plain_port": plain.port,
         "tls_port": tls.port, "target_verify": False, "health": "tcp", **QUICK}]})
    tls.down()
    wait_out(gateway, tls, "target.refused")
    assert str(tls.port) in gateway.messages(LEFT_OUT)[0]["detail"]


def test_a_tls_check_shakes_hands(stage):
    context = server_context(*stage.authority.issue("it.example"))
    port = free_port()
    first, second = (stage.keep(Movable(f"127.0.1.{at}", port, tls=context)) for at in (1, 2))
    gateway = stage.gateway({"service": [
        {"name": "it.example", "protocol": "http", "target": [first.address, second.address], "tls_port": port,
         "target_ca": stage.authority.ca, "health": "tls", **QUICK}]})
    wait_until(lambda: first.accepted >= 2, "checks")
    assert ask(gateway) == (200, first.address)
    first.down()
    deaf = stage.keep(Movable(first.address, port, greets))  # the port is open, and no TLS behind it
    wait_until(lambda: told(gateway), "it to be left out")
    assert told(gateway)[0][:2] == (first.address, LEFT_OUT)
    assert ask(gateway) == (200, second.address)
    deaf.down()
    first.up()
    wait_back(gateway, first)
    assert ask(gateway) == (200, first.address)


def test_a_certificate_that_does_not_pass_fails_the_check(stage):
    context = server_context(*stage.authority.issue("other.example"))
    target = stage.keep(Movable("127.0.1.1", free_port(), tls=context))
    gateway = stage.gateway({"service": [
        {"name": "it.example", "protocol": "http", "target": target.address, "tls_port": target.port,
         "target_ca": stage.authority.ca, "health": "tls", **QUICK}]})
    wait_out(gateway, target, "target.tls")
    assert ask(gateway)[0] == 503


def test_checks_show_the_certificate_of_the_service(stage):
    context = server_context(*stage.authority.issue("it.example"))
    context.load_verify_locations(stage.authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    target = stage.keep(Movable("127.0.1.1", free_port(), tls=context))
    chain, key = stage.authority.issue("gateway")
    gateway = stage.gateway({
        "certificate": [{"name": "own", "chain": chain, "key": key}],
        "service": [{"name": "it.example", "protocol": "http", "target": target.address, "tls_port": target.port,
                     "target_ca": stage.authority.ca, "target_certificate": "own", "health": "http /health", **QUICK}]})
    wait_until(lambda: len(target.requests) >= 2, "checks")
    assert ask(gateway) == (200, target.address) and told(gateway) == []


# ---------------------------------------------------------------- what follows from it


def test_with_all_targets_down_the_answer_comes_at_once(stage):
    first, second = several(stage, 2)
    gateway = stage.gateway({"service": [
        of_all("it.example", [first, second], health="tcp", connect_timeout="30s", **QUICK),
        {"name": "own.example", "protocol": "http", "target": "builtin:welcome"}]})
    wait_until(lambda: first.accepted and second.accepted, "checks")
    first.down()
    second.down()
    wait_until(lambda: len(gateway.messages(LEFT_OUT)) == 2, "both to be left out")
    with Client(gateway.http_port) as client:
        refused = client.request("it.example")
        assert refused.status == 503 and b"target.down" in refused.body
        assert client.request("own.example").status == 200
        assert client.request("it.example").status == 503, "the connection goes on"
    record = gateway.wait_record(lambda record: record["service"] == "it.example")
    assert (record["verdict"], record["reason"]) == ("refused", "target.down")
    explanation = gateway.explain("http://it.example/")
    assert explanation["reason"] == "target.down"
    assert set(trail(explanation).values()) == {"not taken: down"}
    assert gateway.explain("http://own.example/")["reason"] == "ok"
    second.up()
    wait_back(gateway, second)
    assert ask(gateway) == (200, second.address)


def test_traffic_and_checks_tell_of_one_failure_once(stage):
    """A user meets it first, then the checks do."""
    first, second = several(stage, 2)
    gateway = stage.gateway({"service": [of_all("it.example", [first, second], health="tcp", **QUICK)]})
    assert ask(gateway) == (200, first.address)
    first.down()
    assert ask(gateway) == (200, second.address)
    wait_out(gateway, first, "target.refused")
    rule = f"target {first.address}"
    wait_until(lambda: trail(gateway.explain("http://it.example/"))[rule] == "not taken: down", "the checks to see it")
    assert len(told(gateway)) == 1
    first.up()
    wait_back(gateway, first)
    assert len(told(gateway)) == 2


def test_without_a_check_only_those_that_failed_are_tried(stage):
    first, second = several(stage, 2)
    gateway = stage.gateway({"service": [of_all("it.example", [first, second])]})
    first.down()
    assert ask(gateway) == (200, second.address)
    wait_out(gateway, first, "target.refused")
    first.up()
    wait_back(gateway, first)
    asked = second.accepted
    assert ask(gateway) == (200, first.address)
    assert asked == 1, "nobody tried who is well"


def test_what_checks_know_outlives_a_reload(stage):
    mood, first, second, gateway = moody_world(stage)
    mood.status = "500 Oh"
    wait_out(gateway, first, "target.rejected")
    for _ in range(3):
        gateway.reload()
        assert ask(gateway) == (200, second.address)
    mood.status = "200 OK"
    wait_back(gateway, first)
    assert len(told(gateway)) == 2


def test_a_check_that_is_taken_away_takes_its_verdict_along(stage):
    """Without a check, a target that was down is tried as traffic would use it, and comes back."""
    mood, first, second, gateway = moody_world(stage)
    mood.status = "500 Oh"
    wait_out(gateway, first, "target.rejected")
    del gateway.config["service"][0]["health"]
    gateway.write()
    gateway.reload()
    wait_back(gateway, first)
    assert ask(gateway) == (200, first.address)


def test_targets_come_and_go_by_checks_without_a_failed_request(stage):
    mood, first, second, gateway = moody_world(stage)
    with Load(gateway.http_port, "it.example") as load:
        load.wait_for(first)
        mood.status = "500 Oh"
        load.wait_for(second)
        mood.status = "200 OK"
        wait_back(gateway, first)
        load.wait_for(first)
    assert load.bad == []


def test_a_check_leaves_no_record(stage):
    mood, first, second, gateway = moody_world(stage)
    wait_until(lambda: mood.checks >= 3, "checks")
    assert gateway.counted() == 0 and gateway.records() == []


@pytest.mark.parametrize("health", ["tcp", "tls", "http /health", None])
def test_tls_that_passes_unopened_is_checked_too(stage, health):
    first, second = (stage.keep(Movable(f"127.0.1.{at}", port, tls=server_context(*stage.authority.issue("it.example"))))
                     for port in [free_port()] for at in (1, 2))
    gateway = stage.gateway({"service": [
        {"name": "it.example", "protocol": "tls", "target": [first.address, second.address], "tls_port": first.port,
         "target_ca": stage.authority.ca, **({"health": health, **QUICK} if health else {})}]})
    if health not in ("tcp", None):
        wait_until(lambda: first.accepted >= 2, "checks")
    assert ask_sealed(stage, gateway) == first.address
    first.down()
    assert ask_sealed(stage, gateway) == second.address
    wait_out(gateway, first, "target.refused")
    first.up()
    wait_back(gateway, first)
    assert ask_sealed(stage, gateway) == first.address
    assert len(told(gateway)) == 2


def ask_sealed(stage, gateway):
    with Client(gateway.https_port, stage.authority.client_context(), "it.example") as client:
        return client.request("it.example").body.decode()
