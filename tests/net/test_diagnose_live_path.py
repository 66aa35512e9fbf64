"""`sallyport diagnose --live` on the scenes that need a way between the two: a client, a gateway that refuses by ICMP,
changes addresses or has a narrow link behind it, and a server 20 ms away."""
import pathlib
import subprocess
import sys

import pytest

from harness import slow_wire
from harness.gateway import program
from harness.namespaces import open_network
from test_diagnose_live import end, wait_until_capturing

CLIENT, SERVER = {4: "10.9.0.2", 6: "fd09::2"}, {4: "198.51.100.10", 6: "fd51::10"}
GATEWAY = {4: ("10.9.0.1", "198.51.100.1"), 6: ("fd09::1", "fd51::1")}
POOL = {4: "203.0.113.1%d", 6: "fd51::2:%d"}
SLOW_WIRE = pathlib.Path(slow_wire.__file__)
FAMILY = {4: "ip", 6: "ip6"}
BOTH = pytest.mark.parametrize("version", [4, 6], ids=["IPv4", "IPv6"])

LISTENER = """
import socket, threading
listener = socket.create_server(("::", 443), family=socket.AF_INET6, dualstack_ipv6=True, backlog=50)
other = socket.create_server(("::", 5223), family=socket.AF_INET6, dualstack_ipv6=True, backlog=50)
def serve(listener):
    while True:
        peer = listener.accept()[0]
        threading.Thread(target=answer, args=(peer,), daemon=True).start()
def answer(peer):
    try:
        while data := peer.recv(65536):
            peer.sendall(b"%d\\n" % len(data))
    except OSError:
        pass
    peer.close()
threading.Thread(target=serve, args=(other,), daemon=True).start()
print("up", flush=True)
serve(listener)
"""
# One attempt at 1935 until its patience ends, then 443.
PLAYER = """
import socket, sys
server, patience, attempts = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
import threading, time
def one():
    try:
        socket.create_connection((server, 1935), patience).close()
    except OSError:
        pass
threads = []
for _ in range(attempts):
    threads.append(threading.Thread(target=one))
    threads[-1].start()
    time.sleep(.05)
for thread in threads:
    thread.join()
two = socket.create_connection((server, 443), 5)
two.sendall(b"hello")
two.recv(10)
two.close()
"""
SPEAKER = """
import socket, sys
for number in range(int(sys.argv[2])):
    with socket.create_connection((sys.argv[1], 5223), 5) as one:
        one.sendall(b"CONNECT token=ipad-0001\\r\\n")
        one.recv(10)
"""
# A little, then more than fits; ends when all of it was counted over there, or when the patience does.
UPLOADER = """
import socket, sys
with socket.create_connection((sys.argv[1], 443), 5) as one:
    one.sendall(b"small")
    one.recv(10)
    one.settimeout(float(sys.argv[2]))
    one.sendall(bytes(20000))
    counts = b""
    try:
        while sum(map(int, counts.split())) < 20000:
            counts += one.recv(1000)
    except TimeoutError:
        pass
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
"""


class Path:
    """client == slow wire == gateway == server"""

    def __init__(self, network):
        self.client, self.wire, self.gateway, self.server = (network.host(name) for name in ("client", "wire", "gate", "server"))
        self.network = network
        self.link(self.client, "wire", self.wire, "one")
        self.link(self.gateway, "inside", self.wire, "other")
        self.link(self.gateway, "outside", self.server, "wire")
        for version, bits in ((4, 24), (6, 64)):
            self.client.address("wire", f"{CLIENT[version]}/{bits}")
            self.gateway.address("inside", f"{GATEWAY[version][0]}/{bits}")
            self.gateway.address("outside", f"{GATEWAY[version][1]}/{bits}")
            self.server.address("wire", f"{SERVER[version]}/{bits}")
            for host, gateway in ((self.client, GATEWAY[version][0]), (self.server, GATEWAY[version][1])):
                host.ip(f"-{version}", "route", "add", "default", "via", gateway)
        self.gateway.forwards()
        self.gateway.run("sysctl", "-qw", "net.ipv6.icmp.ratelimit=1000")
        self.wire.serve(SLOW_WIRE, "one", "other", 10)
        self.server.serve(LISTENER)

    def link(self, one, its, other, name):
        self.network.wire(one, its, other, name)
        for host, interface in ((one, its), (other, name)):
            host.run(sys.executable, SLOW_WIRE, "--plain", interface)

    def rules(self, host, text, *more):
        for one in (self.gateway, self.server):
            one.nft("flush ruleset")
        for place, rules in ((host, text), *more):
            place.nft(rules)

    def outside_mtu(self, size):
        """At the gateway alone: the server, which does not know, announces segments that are too large."""
        self.gateway.ip("link", "set", "outside", "mtu", str(size))
        for version in (4, 6):
            self.client.ip(f"-{version}", "route", "flush", "cache")

    def capture(self, host, interface, *options):
        process = host.start(program(), "diagnose", "--json", "--live", interface, "--for", "60s", *options, stderr=subprocess.PIPE)
        wait_until_capturing(process.pid)
        return process

    def play(self, script, *arguments):
        return self.client.python(script, *arguments)


@pytest.fixture(scope="module")
def path():
    network = open_network()
    try:
        yield Path(network)
    finally:
        network.close()


def forward(rule):
    return f"table inet filter {{\nchain forward {{\ntype filter hook forward priority 0;\n{rule}\n}}\n}}\n"


def found(capture):
    status, report = end(capture)
    return status, {one["id"]: one for one in report["findings"]}, report


@BOTH
def test_a_gateway_that_drops_is_told_from_the_middle(path, version):
    path.rules(path.gateway, forward("tcp dport 1935 drop"))
    capture = path.capture(path.gateway, "inside")
    path.play(PLAYER, SERVER[version], 3.6, 1)
    status, findings, report = found(capture)
    assert (status, list(findings)) == (10, ["syn-silent"]), report
    finding = findings["syn-silent"]
    assert finding["seconds_lost"] == pytest.approx(3.6, abs=1) and finding["fallback"]["port"] == 443
    assert (finding["client"], finding["server"]) == (CLIENT[version], SERVER[version])


@BOTH
@pytest.mark.parametrize("rule, finding", [("reject with tcp reset", "refused-rst"), ("reject with icmpx port-unreachable", "icmp-reject")])
def test_a_gateway_that_refuses_costs_nothing(path, version, rule, finding):
    path.rules(path.gateway, forward("tcp dport 1935 " + rule))
    capture = path.capture(path.client, "wire")
    path.play(PLAYER, SERVER[version], 3.6, 1)
    status, findings, report = found(capture)
    assert (status, list(findings)) == (0, [finding]), report
    assert findings[finding]["seconds_lost"] == 0


@BOTH
def test_icmp_errors_that_the_kernel_holds_back(path, version):
    path.rules(path.gateway, forward("tcp dport 1935 reject with icmpx port-unreachable"))
    capture = path.capture(path.gateway, "inside")
    path.play(PLAYER, SERVER[version], 8, 14)
    status, findings, report = found(capture)
    assert (status, list(findings)) == (10, ["icmp-rate-limited"]), report
    assert findings["icmp-rate-limited"]["seconds_lost"] > .5
    assert "reject with tcp reset" in findings["icmp-rate-limited"]["fix"]["nft"]


@BOTH
def test_icmp_errors_that_get_lost(path, version):
    path.rules(path.gateway, forward("icmp type destination-unreachable drop\nicmpv6 type destination-unreachable drop"),
               (path.server, forward("").replace("forward", "input").replace("\n\n", "\ntcp dport 1935 reject with icmpx port-unreachable\n")))
    capture = path.capture(path.server, "wire")
    path.play(PLAYER, SERVER[version], 3.6, 1)
    status, findings, report = found(capture)
    assert (status, list(findings)) == (10, ["icmp-not-honoured"]), report
    assert findings["icmp-not-honoured"]["seconds_lost"] == pytest.approx(3.6, abs=1)


@BOTH
def test_answers_that_get_lost_on_the_way_back(path, version):
    path.rules(path.gateway, forward("tcp sport 5223 tcp flags & (syn | ack) == (syn | ack) drop"))
    capture = path.capture(path.server, "wire", "--client", CLIENT[version])  # SYN-ACKs of the test before may still come
    path.play("import socket, sys\ntry: socket.create_connection((sys.argv[1], 5223), 3.6)\nexcept OSError: pass", SERVER[version])
    status, findings, report = found(capture)
    assert (status, list(findings)) == (10, ["synack-unacked"]), report


def source_nat(version, expression):
    return f"table {FAMILY[version]} nat {{\nchain postrouting {{\ntype nat hook postrouting priority 100;\noifname outside snat to {expression}\n}}\n}}\n"


@BOTH
def test_a_nat_that_changes_the_address(path, version):
    pool = [POOL[version] % number for number in range(4)]
    network = "203.0.113.0/24" if version == 4 else "fd51::2:0/112"
    path.server.ip(f"-{version}", "route", "replace", network, "via", GATEWAY[version][1])
    path.rules(path.gateway, source_nat(version, "numgen inc mod 4 map { " + ", ".join(f"{number} : {address}" for number, address in enumerate(pool)) + " }"))
    outside, both = path.capture(path.server, "wire"), path.capture(path.gateway, "any")
    path.play(SPEAKER, SERVER[version], 6)
    status, findings, report = found(outside)
    if version == 4:  # of IPv6 a host's own addresses in one network look the same
        assert (status, list(findings)) == (10, ["nat-unstable"]), report
        assert findings["nat-unstable"]["confidence"] == "likely" and "ipad-0001" in findings["nat-unstable"]["why"]
    status, findings, report = found(both)
    assert (status, list(findings)) == (10, ["nat-unstable"]), report
    assert findings["nat-unstable"]["confidence"] == "certain" and findings["nat-unstable"]["client"] == CLIENT[version]

    path.rules(path.gateway, source_nat(version, f"{FAMILY[version]} saddr map {{ {CLIENT[version]} : {pool[1]} }}"))
    outside, both = path.capture(path.server, "wire"), path.capture(path.gateway, "any")
    path.play(SPEAKER, SERVER[version], 6)
    for capture in (outside, both):
        status, findings, report = found(capture)
        assert (status, findings) == (0, {}), report


NO_ERRORS = """table inet filter {
chain output {
type filter hook output priority 0;
icmp type destination-unreachable drop
icmpv6 type packet-too-big drop
}
}
"""


@BOTH
def test_a_narrow_link_that_says_nothing_and_one_that_does(path, version):
    path.outside_mtu(1300)
    try:
        path.rules(path.gateway, NO_ERRORS)
        capture = path.capture(path.client, "wire")
        path.play(UPLOADER, SERVER[version], 4)
        status, findings, report = found(capture)
        assert (status, list(findings)) == (10, ["mtu-blackhole"]), report

        path.rules(path.gateway, "")
        capture = path.capture(path.client, "wire")
        path.play(UPLOADER, SERVER[version], 4)
        status, findings, report = found(capture)
        assert (status, list(findings)) == (0, ["pmtud-ok"]), report
    finally:
        path.outside_mtu(1500)


@BOTH
@pytest.mark.parametrize("place, interface", [("client", "wire"), ("gateway", "inside"), ("gateway", "any"), ("server", "wire")])
def test_what_is_well_is_left_in_peace(path, version, place, interface):
    path.rules(path.gateway, "")
    capture = path.capture(getattr(path, place), interface)
    path.play(SPEAKER, SERVER[version], 5)
    path.play(UPLOADER, SERVER[version], 4)
    status, findings, report = found(capture)
    assert status == 0 and not [one for one in findings.values() if one["severity"] != "info"], report
