"""Routers announce their link-local address as the name server (RFC 8106), and devices ask it there."""
import contextlib

from harness.dns_query import Answer
from harness.gateway import Gateway
from harness.namespaces import open_network


def test_a_device_is_answered_from_the_link_local_address_that_it_asks(stage):
    with contextlib.closing(open_network()) as net:
        device, house = map(net.host, ("device", "house"))
        # The kernel would make such addresses itself, some seconds later.
        for host in (device, house):
            host.run("sysctl", "-qw", "net.ipv6.conf.default.addr_gen_mode=1")
        interface, _ = net.join(device, ["fe80::2/64"], house, ["fe80::1/64"])
        net.join(device, ["10.1.0.2/24"], house, ["10.1.0.1/24"])  # another link: which one it came by must be told
        settings = {"node": {"user": "root"}, "listen": {"http": ":8080"}, "dns": {"listen": ":53", "upstream": "192.0.2.53"},
                    "dns.record": [{"name": "hq.example.com", "address": "172.16.0.10"}]}
        with Gateway(stage.folder("gateway"), settings, wrapper=house.enter):
            for options in ([], ["+tcp"]):
                said = Answer(device.run("kdig", f"@fe80::1%{interface}", "hq.example.com", "+timeout=5", "+retry=1", *options))
                assert said.addresses == {"172.16.0.10"}
