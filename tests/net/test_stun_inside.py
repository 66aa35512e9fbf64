"""Clients behind the gateway's own kernel, which hides them: STUN tells them the address and port that the kernel has given
them, and a packet from outside that is sent there reaches them."""
import contextlib
import sys

import pytest

from harness.gateway import Gateway
from harness.namespaces import open_network

CLIENT, ROUTER, OUTSIDE = "10.9.0.2", "198.51.100.1", ("198.51.100.10", "198.51.100.11")
MASQUERADE = """
table ip nat {{
    chain behind {{ type nat hook postrouting priority srcnat; 
        ip saddr 10.9.0.0/16 oifname "outside" meta l4proto udp {rule}; }}
}}"""

# At the client: sends to the peers named, asks STUN by the same socket, then waits for what comes there.
ASK = """
import os, socket, struct, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("10.9.0.2", int(sys.argv[1])))
sock.settimeout(10)
for peer in sys.argv[2:]:
    sock.sendto(b"begin", (peer, 7000))
    assert sock.recv(100) == b"begun"
sock.sendto(struct.pack("!HHI", 1, 0, 0x2112A442) + os.urandom(12), ("10.9.0.1", 3478))
answer = sock.recv(100)
_code, _size, _family, port, address = struct.unpack("!HHHHI", answer[20:32])
told = "%s:%d" % (socket.inet_ntoa(struct.pack("!I", address ^ 0x2112A442)), port ^ 0x2112)
if sys.argv[2:]:
    sock.sendto(("reach " + told).encode(), (sys.argv[2], 7001))
    assert sock.recv(100) == b"reached", "nothing came"
print(told)
"""
# Outside: answers on each address, and is told on another port which address to send to from the first.
PEER = """
import socket, sys, threading
def bound(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock
def answer(sock):
    while True:
        data, client = sock.recvfrom(100)
        sock.sendto(b"begun", client)
first, second = (bound(address, 7000) for address in sys.argv[1:])
told = bound(sys.argv[1], 7001)
for sock in (first, second):
    threading.Thread(target=answer, args=[sock], daemon=True).start()
print("up", flush=True)
while True:
    word, where = told.recv(100).decode().split()
    address, port = where.split(":")
    first.sendto(b"reached", (address, int(port)))
"""


class Scene:
    """client – house, which is the router and where the gateway is – outside."""

    def __init__(self, net):
        self.client, self.house, self.outside = map(net.host, ("client", "house", "outside"))
        net.join(self.client, [CLIENT + "/24"], self.house, ["10.9.0.1/24"])
        net.wire(self.house, "outside", self.outside, "outside")
        self.house.address("outside", ROUTER + "/24")
        self.outside.address("outside", *(address + "/24" for address in OUTSIDE))
        self.client.route("default", "10.9.0.1")
        self.house.forwards()
        self.outside.serve(PEER, *OUTSIDE)

    def told(self, port, *peers):
        return self.client.run(sys.executable, "-c", ASK, port, *peers).strip()


@pytest.fixture(scope="module")
def scene(module_stage):
    with contextlib.closing(open_network()) as net:
        scene = Scene(net)
        with Gateway(module_stage.folder("gateway"), {
                "node": {"user": "root"}, "stun": {"listen": ["10.9.0.1:3478"], "kernel_nat": ["10.9.0.0/16"]}},
                wrapper=scene.house.enter):
            yield scene


@pytest.mark.parametrize("rule", [f"snat to {ROUTER}:50000-50100", "masquerade"])
def test_what_is_told_is_reached_from_outside(scene, rule):
    scene.house.nft_alone(MASQUERADE.format(rule=rule))
    address, port = scene.told(4000 + len(rule), OUTSIDE[0]).rsplit(":", 1)
    assert address == ROUTER
    assert rule == "masquerade" or 50000 <= int(port) <= 50100


def test_nothing_is_guessed_where_the_kernel_has_no_mapping(scene):
    scene.house.nft_alone(MASQUERADE.format(rule="masquerade"))
    assert scene.told(5000) == f"{CLIENT}:5000"


def test_nothing_is_told_where_each_peer_sees_another_address(scene):
    scene.house.nft_alone(MASQUERADE.format(rule="masquerade fully-random"))
    code = ASK.replace("if sys.argv[2:]:", "if False:")
    assert scene.client.run(sys.executable, "-c", code, 5001, *OUTSIDE).strip() == f"{CLIENT}:5001"
