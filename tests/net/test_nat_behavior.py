"""The four classic types of NAT, made with nft, as two clients tell them apart by the gateway's STUN; and the gateway
itself is behind a static NAT, so that every address it tells must be one of outside."""
import contextlib

import pytest

from harness.gateway import Gateway
from harness.namespaces import open_network

CLIENT, ROUTER, SERVERS = "10.9.0.2", "198.51.100.1", ("198.51.100.10", "198.51.100.11")
OWN = ("172.16.0.5", "172.16.0.6")
STATIC = f"""
table ip border {{
    chain before {{ type nat hook prerouting priority dstnat;
        dnat to ip daddr map {{ {SERVERS[0]} : {OWN[0]}, {SERVERS[1]} : {OWN[1]} }}; }}
    chain behind {{ type nat hook postrouting priority srcnat;
        snat to ip saddr map {{ {OWN[0]} : {SERVERS[0]}, {OWN[1]} : {SERVERS[1]} }}; }}
}}"""
OPEN = f"""
table ip nat {{
    chain before {{ type nat hook prerouting priority dstnat; iifname "outside" udp dport 1024-65535 dnat to {CLIENT}; }}
    chain behind {{ type nat hook postrouting priority srcnat; oifname "outside" snat to {ROUTER}; }}
}}"""
WHOM_IT_ASKED = """
table ip filter {
    set seen { type ipv4_addr . inet_service; flags dynamic; }
    chain forward { type filter hook forward priority filter;
        oifname "outside" update @seen { ip daddr . udp sport };
        iifname "outside" ip saddr . udp dport != @seen drop; }
}"""
MASQUERADE = """
table ip nat {{
    chain behind {{ type nat hook postrouting priority srcnat; oifname "outside" {}; }}
}}"""

# Rules of the NAT; coturn's words for its mapping and its filtering; the words and the exit status of stun-client.
TYPES = {
    "full cone": (OPEN, "Endpoint Independent Mapping", "Endpoint Independent Filtering",
                  "Independent Mapping, Independent Filter", 0x13),
    "restricted cone": (OPEN + WHOM_IT_ASKED, "Endpoint Independent Mapping", "Address Dependent Filtering",
                        "Independent Mapping, Address Dependent Filter", 0x15),
    "port-restricted cone": (MASQUERADE.format("masquerade"), "Endpoint Independent Mapping",
                             "Address and Port Dependent Filtering",
                             "Independent Mapping, Port Dependent Filter", 0x17),
    "symmetric": (MASQUERADE.format("masquerade fully-random"), "Address and Port Dependent Mapping",
                  "Address and Port Dependent Filtering", "Dependent Mapping", 0x18),
}


class Scene:
    """client – nat – border – server, where the gateway is."""

    def __init__(self, net):
        self.client, self.nat, self.border, self.server = map(net.host, ("client", "nat", "border", "server"))
        net.join(self.client, [CLIENT + "/24"], self.nat, ["10.9.0.1/24"])
        net.wire(self.nat, "outside", self.border, "outside")
        self.nat.address("outside", ROUTER + "/24")
        self.border.address("outside", *(server + "/24" for server in SERVERS))
        net.join(self.border, ["172.16.0.1/24"], self.server, [own + "/24" for own in OWN])
        self.client.route("default", "10.9.0.1")
        self.nat.route("default", SERVERS[0])
        self.server.route("default", "172.16.0.1")
        self.nat.forwards()
        self.border.forwards()
        self.border.nft(STATIC)


@pytest.fixture(scope="module")
def scene(module_stage):
    with contextlib.closing(open_network()) as net:
        scene = Scene(net)
        with Gateway(module_stage.folder("gateway"), {
                "node": {"user": "root", "nat_map": [f"{one}={own}" for one, own in zip(SERVERS, OWN)]},
                "stun": {"listen": [own + ":3478" for own in OWN], "alternate_port": 3479}},
                wrapper=scene.server.enter) as scene.gateway:
            yield scene


@pytest.mark.parametrize("kind", TYPES)
def test_two_clients_name_the_nat_alike(scene, kind):
    rules, mapping, filtering, words, status = TYPES[kind]
    scene.nat.nft_alone(rules)
    for option, expected in (("-f", filtering), ("-m", mapping)):
        done = scene.client.try_run("turnutils_natdiscovery", option, SERVERS[0], timeout=60)
        assert f"NAT with {expected}!" in done.stdout + done.stderr, done.stdout + done.stderr
    done = scene.client.try_run("stun", SERVERS[0], timeout=60)
    assert words in done.stdout and done.returncode == status, (done.returncode, done.stdout)


def test_the_clients_learn_their_address_outside(scene):
    scene.nat.nft_alone(MASQUERADE.format("masquerade"))
    done = scene.client.try_run("turnutils_natdiscovery", "-m", "-P", SERVERS[0], timeout=60)
    printed = done.stdout + done.stderr
    assert f"{ROUTER}:" in printed and "Endpoint Independent Mapping" in printed, printed


def test_a_client_without_a_nat_is_told_so(scene):
    scene.nat.nft_alone("")
    scene.border.route("10.9.0.0/24", ROUTER)
    done = scene.client.try_run("stun", SERVERS[0], timeout=60)
    assert "Open" in done.stdout, done.stdout
