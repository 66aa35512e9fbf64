"""Couriers come and go, and name servers fail: what a device is told at each step, and whether it gets through."""
import contextlib

import pytest

from harness.dns_query import Answer
from harness.namespaces import open_network
from harness.waiting import wait_until
from push_scene import DNS, NAME, Site, relayed

NEW, OLD, NEVER_ASKED = (f"{number}-{NAME}" for number in (51, 7, 33))
TTL = 1  # seconds, so that nobody need wait; Apple's is 60


@pytest.fixture(scope="module")
def site(module_stage):
    with contextlib.closing(open_network()) as net:
        yield Site(net, module_stage)


class Inside:
    """What devices see of a gateway that is their name server."""

    def __init__(self, site, gateway):
        self.site, self.gateway = site, gateway

    def told(self, name, kind="A"):
        """The code and the addresses."""
        answer = Answer(self.site.devices.run("kdig", "@10.1.0.1", "-t", kind, name, "+timeout=10", "+retry=0"))
        return answer.code, answer.addresses

    def is_told_in_time(self, name, wanted):
        wait_until(lambda: self.told(name) == wanted, lambda: f"{name}: {self.told(name)} to become {wanted}")

    def connects(self, vip):
        """The record of a connection to it, and what the device made of it."""
        before = len(self.gateway.records())
        device = self.site.device(vip)
        return wait_until(lambda: self.gateway.records()[before:], "a record")[0], device


@pytest.fixture
def inside(site):
    site.apple(couriers=51, ttl=TTL)
    # One loop: each learns for itself, and devices of one may be a second ahead of those of another.
    with site.gateway({}, node={"user": "root", "threads": 1},
                      dns={"listen": "10.1.0.1:53", "upstream": [DNS], "clients": ["10.1.0.0/24"]}) as gateway:
        yield Inside(site, gateway)
    site.apple()


def test_a_courier_that_comes_and_goes_is_told_as_it_is(site, inside):
    assert inside.told(NEW) == inside.told(NEW, "AAAA") == ("NXDOMAIN", set())
    record, _ = inside.connects("10.100.100.51")
    assert (record["reason"], record["detail"]) == ("target.unresolved", "there is no such host")

    site.apple(couriers=52, ttl=TTL)
    inside.is_told_in_time(NEW, ("NOERROR", {"10.100.100.51"}))
    assert inside.told(NEW, "AAAA") == ("NOERROR", {"fd00:100::33"})
    record, device = inside.connects("10.100.100.51")
    assert relayed(device) and record["looked_for"] == NEW

    site.apple(couriers=51, ttl=TTL)
    inside.is_told_in_time(NEW, ("NXDOMAIN", set()))
    assert inside.told(NEW, "AAAA") == ("NXDOMAIN", set())
    record, device = inside.connects("10.100.100.51")
    assert "error" in device and record["reason"] == "target.unresolved"


@pytest.mark.parametrize("fails", ["silence", "SERVFAIL"])
def test_what_was_known_last_holds_while_name_servers_fail(site, inside, fails):
    assert inside.told(OLD) == ("NOERROR", {"10.100.100.7"}) and inside.told(NEW) == ("NXDOMAIN", set())
    relayed(inside.connects("10.100.100.7")[1])

    site.apple(couriers=52, ttl=TTL, fails=fails)
    inside.is_told_in_time(NEVER_ASKED, ("SERVFAIL", set()))  # so the second is over, and nobody has answered
    assert inside.told(OLD) == ("NOERROR", {"10.100.100.7"})
    assert inside.told(NEW) == ("NXDOMAIN", set()), "known to be none, until somebody says otherwise"
    record, device = inside.connects("10.100.100.7")
    assert relayed(device) and record["verdict"] == "forwarded", "by the addresses that were known"
    record, _ = inside.connects("10.100.100.33")
    assert record["reason"] == "target.unresolved" and DNS in record["detail"]

    site.apple(couriers=52, ttl=TTL)
    inside.is_told_in_time(NEW, ("NOERROR", {"10.100.100.51"}))
    inside.is_told_in_time(NEVER_ASKED, ("NOERROR", {"10.100.100.33"}))
