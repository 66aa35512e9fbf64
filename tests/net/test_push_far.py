"""Devices behind two NATs that follow each other, with firewalls that forget: what Apple sees of each, and for how long."""
import contextlib
import json
import socket
import subprocess

import pytest

from harness.foreign_sockets import hasten, tcp_sockets
from harness.namespaces import open_network
from harness.waiting import wait_until
from push_scene import DEVICES, FarSite

COURIERS = [f"10.100.100.{number}" for number in (0, 7, 8, 50)]


@pytest.fixture(scope="module")
def site(module_stage):
    with contextlib.closing(open_network()) as net:
        yield FarSite(net, module_stage)


def route_pool(site, *networks):
    for network in networks:
        site.house.ip("route", "replace", "local", network, "dev", "lo")


def start_gateway(site, **egress):
    return site.gateway({"vip": ["10.100.100.0/24"]}, listen={"http": "10.3.0.2:8080"}, egress={"seed": "site-1", **egress})


def only(seen):
    """{device: its address}, where each has one."""
    assert all(len(set(addresses)) == 1 and addresses[0].startswith("203.0.113.") for addresses in seen.values()), seen
    return {device: addresses[0] for device, addresses in seen.items()}


def sources(gateway):
    return {row["who"].removeprefix("address "): row["source"] for row in gateway.json_verb("egress", "list")[1]["sources"]}


def test_each_device_shows_apple_one_address_through_all_that_happens(site):
    def seen():
        return only(site.fleet(DEVICES, COURIERS))

    route_pool(site, "192.0.2.16/28")
    with start_gateway(site, pool=["192.0.2.16/29"]) as gateway:
        before = seen()
        given = sources(gateway)
        assert len(before) == 8 and len(set(given.values())) > 1, "else this shows nothing"

        gateway.stop()
        gateway.start()
        assert seen() == before, "after a restart"

        gateway.kill()
        (gateway.directory / "state" / "sallyport.db").rename(gateway.directory / "lost.db")
        gateway.start()
        assert seen() == before, "by the hash alone, for the memory is lost"

        gateway.config["egress"]["pool"] = ["192.0.2.16/28"]
        gateway.write()
        gateway.reload()
        assert seen() == before, "the pool has grown"

        gone = given[DEVICES[0]]
        gateway.config["egress"]["pool"] = [f"{one}/32" for one in site.POOL if one != gone]
        gateway.write()
        gateway.reload()
        seen()
        after = sources(gateway)
        moved = {device for device in DEVICES if after[device] != given[device]}
        assert moved == {device for device in DEVICES if given[device] == gone}, "those whose pool member is gone"


class Waiting:
    """A device that is connected and says nothing until it is told."""

    def __init__(self, site, gateway, own):
        before = {one.getsockname() + one.getpeername() for one in tcp_sockets(gateway.pid)}
        self.own = own
        words = site.device_words("10.100.100.7", own=own, lines=("who", "pause", "who", "pause", "who"))
        self.process = site.devices.start(*words, stdin=subprocess.PIPE)
        assert self.process.stdout.readline() == "pauses\n"
        self.legs = [one for one in tcp_sockets(gateway.pid) if one.getsockname() + one.getpeername() not in before]
        assert len(self.legs) == 2

    def go_on(self):
        """The line that it says next."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()


def connections_known(host):
    return host.run("conntrack", "-L", "-p", "tcp", "--dport", "5223", "--state", "ESTABLISHED").count("\n")


def test_firewalls_that_forget_idle_connections_keep_those_of_devices(site):
    route_pool(site, "192.0.2.16/28")
    with start_gateway(site, pool=["192.0.2.16/28"]) as gateway:
        kept, bare = Waiting(site, gateway, DEVICES[0]), Waiting(site, gateway, DEVICES[1])
        for leg in kept.legs:  # once a second where it would be once a minute
            hasten(leg, gives_up_after=120)
        for leg in bare.legs:
            leg.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0)
        site.forget_after(6)
        assert kept.go_on() == bare.go_on() == "pauses\n"
        wait_until(lambda: [connections_known(host) for host in site.watchers] == [1, 1, 1], "the idle one to be forgotten", 30)
        told, lost = json.loads(kept.go_on()), json.loads(bare.go_on())
        assert told["ended"] == "" and len(told["answers"]) == 3 and told["intact"], told
        assert lost["ended"] == "reset" and len(lost["answers"]) == 2, "else this shows nothing"
        for leg in kept.legs + bare.legs:
            leg.close()
