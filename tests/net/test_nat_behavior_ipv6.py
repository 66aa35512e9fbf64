"""RFC 5780 over IPv6: two own addresses and two ports answer for one another, and coturn's client tells what is between."""
import contextlib
import ipaddress
import itertools
import json
import struct

import pytest

from harness.gateway import Gateway
from harness.namespaces import open_network

CLIENT, ROUTER, OWN = "fd00:9::2", "fd00:5::1", ("fd00:5::5", "fd00:5::6")
PORTS = (3478, 3479)
COOKIE = 0x2112A442
MAPPED, ORIGIN, OTHER = 0x0020, 0x802B, 0x802C
MASQUERADE = """
table ip6 nat {
    chain behind { type nat hook postrouting priority srcnat; ip6 daddr fd00:5::/64 masquerade; }
}"""

# Asks one server with each CHANGE-REQUEST: from where an answer came, and what it says.
ASK = """
import json, socket, struct, sys
answers = []
for flags in (0, 2, 4, 6):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.sendto(struct.pack("!HHI12sHHI", 1, 8, 0x2112A442, b"twelve bytes", 3, 4, flags), (sys.argv[1], int(sys.argv[2])))
        data, source = sock.recvfrom(2048)
        answers.append([source[:2], data.hex()])
print(json.dumps(answers))
"""


class Scene:
    """client – router – server, where the gateway is."""

    def __init__(self, net):
        self.client, self.router, self.server = map(net.host, ("client", "router", "server"))
        net.join(self.client, [CLIENT + "/64"], self.router, ["fd00:9::1/64"])
        net.join(self.router, [ROUTER + "/64"], self.server, [own + "/64" for own in OWN])
        self.client.route("default", "fd00:9::1")
        self.server.route("default", ROUTER)
        self.router.forwards()


@pytest.fixture(scope="module")
def scene(module_stage):
    with contextlib.closing(open_network()) as net:
        scene = Scene(net)
        with Gateway(module_stage.folder("gateway"), {
                "node": {"user": "root"},
                "stun": {"listen": [f"[{own}]:{PORTS[0]}" for own in OWN], "alternate_port": PORTS[1]}},
                wrapper=scene.server.enter):
            yield scene


def attributes(data):
    found, rest = {}, data[20:]
    while rest:
        code, size = struct.unpack("!HH", rest[:4])
        found[code] = rest[4:4 + size]
        rest = rest[4 + size:]
    return found


def address(value, transaction=None):
    """(address, port) of an IPv6 address attribute; xored where the transaction is given."""
    _zero, family, port = struct.unpack("!BBH", value[:4])
    assert family == 2, value
    if transaction is None:
        return str(ipaddress.IPv6Address(value[4:])), port
    key = struct.pack("!I", COOKIE) + transaction
    return str(ipaddress.IPv6Address(bytes(a ^ b for a, b in zip(value[4:], key)))), port ^ COOKIE >> 16


def other(one, pair):
    return pair[1 - pair.index(one)]


@pytest.mark.parametrize("own,port", itertools.product(OWN, PORTS))
def test_each_place_answers_from_each_other_one(scene, own, port):
    scene.router.nft_alone("")
    answers = json.loads(scene.client.python(ASK, own, port))
    across = (other(own, OWN), other(port, PORTS))
    expected = [(own, port), (own, across[1]), (across[0], port), across]
    for (source, data), place in zip(answers, expected, strict=True):
        data = bytes.fromhex(data)
        said = attributes(data)
        assert tuple(source) == place and data[8:20] == b"twelve bytes"
        assert address(said[MAPPED], data[8:20])[0] == CLIENT
        assert address(said[ORIGIN]) == place and address(said[OTHER]) == across


@pytest.mark.parametrize("rules,mapping,filtering", [
    ("", "No NAT! (Endpoint Independent Mapping)", "Endpoint Independent Filtering"),
    (MASQUERADE, "NAT with Endpoint Independent Mapping!", "Address and Port Dependent Filtering")],
    ids=["no NAT", "port-restricted"])
def test_coturns_client_names_what_is_between(scene, rules, mapping, filtering):
    scene.router.nft_alone(rules)
    for option, expected in (("-m", mapping), ("-f", filtering)):
        done = scene.client.try_run("turnutils_natdiscovery", option, "-L", CLIENT, OWN[0], timeout=60)
        assert expected in done.stdout + done.stderr, done.stdout + done.stderr
