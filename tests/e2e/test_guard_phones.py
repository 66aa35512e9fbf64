"""What telephones do all day is nothing to the guard, however few signs it bans for: registering, being challenged,
losing the PBX and finding it again. They all come from one address, as an office behind a NAT does."""
import contextlib
import threading

import pytest

from harness import Client, sip_listen, sip_service, wait_until
from harness.phone import register
from harness.sipp import Sipp

HQ = "hq.example.com"
OFFICE = "127.0.0.9"  # only 127.0.0.1 and ::1 are exempt of loopback


@pytest.fixture
def kamailio(stage):
    return stage.kamailio([HQ])


def gateway_for(stage, kamailio, most):
    return stage.gateway({"guard": {"suspicious_per_minute": most}, "listen": sip_listen(),
                          "service": [sip_service(HQ, kamailio)]})


@pytest.fixture
def gateway(stage, kamailio):
    return gateway_for(stage, kamailio, 1)


def expect_nothing_counted(gateway):
    assert gateway.metrics()["sallyport_guard_signs_total"] == 0
    assert gateway.json_verb("bans", "top")[1]["suspects"] == [] and gateway.json_verb("bans")[1]["bans"] == []


def test_a_day_of_registrations_over_one_connection(gateway):
    with Client(gateway.sip_port, source=OFFICE) as phone:
        for minute in range(1440):
            assert register(phone, HQ, minute + 1) == [401, 200]
    expect_nothing_counted(gateway)


def test_a_day_of_registrations_over_a_connection_each(stage, gateway):
    for number in range(4):
        stage.keep(Sipp(stage.folder("sipp"), "register", gateway.sip_port, HQ, calls=100, source=OFFICE)).succeeds()
    expect_nothing_counted(gateway)


class Phone(threading.Thread):
    """Registers without a rest, on a new connection whenever the last one ended."""

    def __init__(self, port, user, over):
        super().__init__()
        self._port, self._user, self._over = port, user, over
        self.registered = self.failed = 0

    def run(self):
        number = 0
        while not self._over.is_set():
            with contextlib.suppress(OSError, AssertionError, EOFError), Client(self._port, source=OFFICE) as wire:
                while not self._over.is_set():
                    number += 1
                    if register(wire, HQ, number, self._user)[-1] != 200:
                        break
                    self.registered += 1
            self.failed += 1
            self._over.wait(0.02)


def test_a_pbx_that_is_restarted_bans_nobody(stage, kamailio):
    gateway = gateway_for(stage, kamailio, 3)  # the first failure of each outage is a quarter of a sign
    over = threading.Event()
    phones = [Phone(gateway.sip_port, f"user{number}", over) for number in range(12)]
    for phone in phones:
        phone.start()
    try:
        for _ in range(3):
            before = [phone.registered for phone in phones]
            wait_until(lambda: all(now.registered > then for now, then in zip(phones, before)), "all to register", 60)
            failed = [phone.failed for phone in phones]
            kamailio.stop()
            wait_until(lambda: all(now.failed > then + 3 for now, then in zip(phones, failed)), "all to fail", 60)
            kamailio.start()
        before = [phone.registered for phone in phones]
        wait_until(lambda: all(now.registered > then for now, then in zip(phones, before)), "all to register again", 60)
    finally:
        over.set()
        for phone in phones:
            phone.join()
    assert gateway.json_verb("bans")[1]["bans"] == [] and gateway.messages("ban.added") == []
