"""What the tests of push share: a gateway between devices in an isolated network and an Apple of our own outside."""
import json
import pathlib
import sys

from harness.gateway import Gateway

HARNESS = pathlib.Path(__file__).resolve().parents[1] / "harness"
APPLE = [f"17.57.145.{number}" for number in range(32, 40)]
APPLE6 = [f"2620:149:a44::{number:x}" for number in range(32, 40)]
DNS = "17.0.0.53"
NAME = "courier.push.apple.com"
ALPN = "apns-security-v3,apns-pack-v1"
DEVICES = [f"10.1.0.{number}" for number in range(11, 19)]
VIPS = "10.100.100.0/24"


class Scene:
    """Hosts `devices`, `house` and `outside`, with an Apple on the last. Who joins them is a subclass."""

    DNS = DNS  # where Apple's name server is

    def __init__(self, net, stage):
        self.stage = stage
        self.devices, self.house, self.outside = map(net.host, ("devices", "house", "outside"))
        self.zone = stage.folder("zone")
        self.apple()

    def begin_apple(self):
        for address in [*APPLE, *APPLE6, self.DNS]:
            self.outside.ip("address", "add", address, "dev", "lo", *(["nodad"] if ":" in address else []))
        chain, key = self.stage.authority.issue("apple", [NAME, "courier2.push.apple.com", "api.push.apple.com"])
        self.outside.serve(HARNESS / "fake_apple.py", chain, key, self.DNS, self.zone)

    def apple(self, **zone):
        """What Apple's name server knows from now on: see fake_apple.py."""
        new = self.zone.with_suffix(".new")
        new.write_text(json.dumps({"couriers": 51, "ttl": 60, "fails": "", **zone}))
        new.replace(self.zone)

    def gateway(self, push, **more):
        return Gateway(self.stage.folder("gateway"), {
            "node": {"user": "root"}, "listen": {"http": "10.1.0.1:8080"},
            "push": {"vip": [VIPS, "fd00:100::/64"], "resolver": [DNS], **push}, **more,
        }, wrapper=self.house.enter)

    def device_words(self, address, port=5223, name=NAME, alpn=ALPN, own="", lines=("who", "who")):
        """How apple_device.py is started."""
        return sys.executable, HARNESS / "apple_device.py", self.stage.authority.ca, address, port, name, alpn, own, *lines

    def device(self, *arguments, **more):
        """What a device makes of a connection."""
        return json.loads(self.devices.run(*self.device_words(*arguments, **more)))

    def fleet(self, devices, couriers):
        """{device: [the address that Apple saw, for each courier]}."""
        return json.loads(self.devices.run(sys.executable, HARNESS / "apple_fleet.py", self.stage.authority.ca,
                                           ",".join(devices), ",".join(couriers)))


class Site(Scene):
    """devices – gateway – outside, where a proxy may be as well."""

    def __init__(self, net, stage):
        super().__init__(net, stage)
        net.join(self.devices, [*(f"{device}/24" for device in DEVICES), "fd01::11/64"], self.house,
                 ["10.1.0.1/24", "fd01::1/64"])
        self.uplink = net.join(self.house, ["198.51.100.1/24", "2001:db8::1/64"], self.outside,
                               ["198.51.100.2/24", "2001:db8::2/64"])[0]
        for route in (VIPS, "17.0.0.0/8"):
            self.devices.ip("route", "add", route, "via", "10.1.0.1")
        for route in ("fd00:100::/64", "2620:149:a44::/48"):
            self.devices.ip("route", "add", route, "via", "fd01::1")
        self.house.ip("route", "add", "local", VIPS, "dev", "lo")
        self.house.ip("route", "add", "local", "fd00:100::/64", "dev", "lo")
        self.house.ip("route", "add", "17.0.0.0/8", "via", "198.51.100.2")
        self.house.ip("route", "add", "2620:149:a44::/48", "via", "2001:db8::2")
        self.outside.ip("route", "add", "192.0.2.0/24", "via", "198.51.100.1")
        self.begin_apple()


class FarSite(Scene):
    """devices – a firewall – gateway – a NAT – another NAT – Apple.

    The first NAT has a map of its admin's from each source of the gateway's pool to an address; the second takes one of a
    range and keeps it for each source. All three forget what is idle, and let nothing through that they don't know.
    """

    POOL = [f"192.0.2.{number}" for number in range(16, 32)]

    def __init__(self, net, stage):
        super().__init__(net, stage)
        self.fence, self.first, self.second = self.watchers = [net.host(name) for name in ("fence", "first", "second")]
        net.join(self.devices, [f"{device}/24" for device in DEVICES], self.fence, ["10.1.0.1/24"])
        net.join(self.fence, ["10.3.0.1/24"], self.house, ["10.3.0.2/24"])
        net.join(self.house, ["10.2.0.1/24"], self.first, ["10.2.0.2/24"])
        first_out = net.join(self.first, ["100.64.0.1/24"], self.second, ["100.64.0.2/24"])[0]
        second_out = net.join(self.second, ["198.51.100.1/24"], self.outside, ["198.51.100.2/24"])[0]
        self.devices.route("default", "10.1.0.1")
        self.fence.route(VIPS, "10.3.0.2")
        self.house.ip("route", "add", "local", VIPS, "dev", "lo")
        self.house.route("10.1.0.0/24", "10.3.0.1")
        self.house.route("default", "10.2.0.2")
        self.first.route("192.0.2.0/24", "10.2.0.1")
        self.first.route("default", "100.64.0.2")
        self.second.route("100.65.0.0/24", "100.64.0.1")
        self.second.route("10.2.0.0/24", "100.64.0.1")
        self.second.route("default", "198.51.100.2")
        self.outside.route("203.0.113.0/24", "198.51.100.1")
        knows = ("table inet known {\nchain forward {\ntype filter hook forward priority 0\n"
                 "meta l4proto tcp ct state invalid reject with tcp reset\n}\n}\n")
        pairs = ", ".join(f"{inner} : 100.65.0.{number}" for number, inner in enumerate(self.POOL, 1))
        nat = "table ip nat {{\nchain post {{\ntype nat hook postrouting priority 100\noifname {} snat to {}\n}}\n}}\n"
        self.fence.nft_alone(knows)
        self.first.nft_alone(knows + nat.format(first_out, f"ip saddr map {{ {pairs} }}"))
        self.second.nft_alone(knows + nat.format(second_out, "203.0.113.1-203.0.113.8 persistent"))
        for host in self.watchers:
            host.forwards()
            host.run("sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0")
        self.begin_apple()

    def forget_after(self, seconds):
        """Of silence, from the next packet of each connection on."""
        for host in self.watchers:
            host.run("sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_timeout_established={seconds}")


def relayed(device):
    """What Apple saw, where all of it was as the device sent it."""
    assert "error" not in device, device
    assert device["intact"] and device["answers"][0]["alpn"] == "apns-security-v3", device
    return device["answers"][0]
