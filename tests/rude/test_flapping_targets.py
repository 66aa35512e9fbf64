"""Targets that come and go: no request that another could answer fails, and the log tells of it in few lines."""
import contextlib
import threading

import pytest

from harness import plain_answer, wait_until
from harness.several import Load, Movable, of_all, several
from harness.waiting import free_port


@contextlib.contextmanager
def flapping(target, every):
    """Down and up again, each for so many seconds; up at the end."""
    over = threading.Event()

    def run():
        while not over.wait(every):
            target.down()
            over.wait(every)
            target.up()
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def lines(gateway):
    return [line["message"] for line in gateway.messages("a target ")]


def expect_turns(gateway, most):
    """Each line is news, and there are few."""
    said = lines(gateway)
    assert said[::2] == ["a target is left out"] * len(said[::2]), said
    assert said[1::2] == ["a target answers again"] * len(said[1::2]), said
    assert len(said) <= most, said


@pytest.mark.parametrize("balance, more", [
    ("failover", {}), ("round_robin", {}), ("failover", {"health": "tcp", "health_interval": "1s"})],
    ids=["failover", "round_robin", "checked"])
def test_one_that_flaps_every_second_costs_no_get(stage, balance, more):
    first, second = several(stage, 2)
    gateway = stage.gateway({"service": [of_all("it.example", [first, second], balance=balance, **more)]})
    with Load(gateway.http_port, "it.example") as kept, Load(gateway.http_port, "it.example", each_anew=True) as anew:
        kept.wait_for(first)
        with flapping(first, 1):
            threading.Event().wait(10)
        kept.wait_for(second)
    assert kept.bad == [] and anew.bad == []
    assert kept.count > 100 and anew.count > 100
    expect_turns(gateway, most=10)
    assert {record["reason"] for record in gateway.records()} == {"ok"}


def test_one_that_flaps_quickly_is_left_alone_for_longer_each_time(stage):
    first, second = several(stage, 2)
    gateway = stage.gateway({"service": [of_all("it.example", [first, second])]})
    with Load(gateway.http_port, "it.example") as load:
        with flapping(first, 0.1):
            threading.Event().wait(6)
        assert first.requests and second.requests
    assert load.bad == []
    expect_turns(gateway, most=8)


def test_both_flap_in_turn(stage):
    """One is always up: who is left out at the wrong time is asked when there is nothing else.

    The next goes only when requests that met the first one down are over: they may ask each target once.
    """
    first, second = several(stage, 2)
    gateway = stage.gateway({"service": [of_all("it.example", [first, second], balance="round_robin")]})
    with Load(gateway.http_port, "it.example") as load:
        for one, other in [(first, second), (second, first)] * 4:
            one.down()
            load.wait_for(other)
            one.up()
            load.wait_for_requests_under_way()
    assert load.bad == []


def drops_every_other(connection):
    """Accepts, and every second connection ends without an answer."""
    if len(connection.target.connections) % 2:
        return
    while connection.read_request():
        connection.send(plain_answer(connection.sock.getsockname()[0], fields="Connection: close\r\n"))
        return


def drops_all(connection):
    connection.read_request()


@pytest.mark.parametrize("script", [drops_every_other, drops_all])
def test_one_that_can_be_connected_to_and_drops_what_it_is_asked(stage, script):
    """A probe by connecting finds nothing wrong with it: it must not be back as often as it is tried."""
    port = free_port()
    first, second = stage.keep(Movable("127.0.1.1", port, script)), stage.keep(Movable("127.0.1.2", port))
    gateway = stage.gateway({"service": [of_all("it.example", [first, second])]})
    with Load(gateway.http_port, "it.example") as load:
        threading.Event().wait(5)
    assert load.bad == [] and load.count > 100
    expect_turns(gateway, most=10)
    assert load.of(second) > 0


def test_all_of_them_gone_and_back(stage):
    """Then requests do fail, each at once, and none does any more when one is back."""
    targets = several(stage, 2)
    gateway = stage.gateway({"service": [of_all("it.example", targets)]})
    with Load(gateway.http_port, "it.example", each_anew=True) as load:
        load.wait_for(targets[0])
        for target in targets:
            target.down()
        wait_until(lambda: len(load.bad) > 20, "failures")
        targets[1].up()
        wait_until(lambda: load.of(targets[1]) > 0, "the one that is back")
        load.bad.clear()
        before = load.of(targets[1])
        wait_until(lambda: load.of(targets[1]) > before + 50, "more of it")
    assert load.bad == []
    assert {record["reason"] for record in gateway.records()} <= {"ok", "target.refused", "target.closed"}
    assert len(lines(gateway)) <= 4
