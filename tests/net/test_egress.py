"""Eight devices behind this gateway and, behind it, the NAT of somebody else: a server outside sees one address for
each device, through restarts, reloads and changes of the pool."""
import contextlib
import json

import pytest

from harness.gateway import Gateway, http_service
from harness.namespaces import open_network

DEVICES = [f"10.1.0.{number}" for number in range(11, 19)]
SERVERS = [f"17.0.0.{number}" for number in range(1, 9)]
POOL = "192.0.2.16/29"
INNER = [f"192.0.2.{number}" for number in range(16, 32)]

# Answers with the address that it sees.
SERVER = """
import http.server, socketserver
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = self.client_address[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
server = Server(("0.0.0.0", 80), Handler)
print("up", flush=True)
server.serve_forever()
"""

# One request from each of the addresses, so often: {device: [what the server saw]}.
DEVICE = """
import http.client, json, sys
times, seen = int(sys.argv[1]), {}
for device in sys.argv[2:]:
    for _ in range(times):
        connection = http.client.HTTPConnection("10.1.0.1", 80, timeout=20, source_address=(device, 0))
        connection.request("GET", "/", headers={"Host": "push.example"})
        response = connection.getresponse()
        seen.setdefault(device, []).append(response.read().decode() if response.status == 200 else response.status)
        connection.close()
print(json.dumps(seen))
"""


class Site:
    """devices – gateway – the Kingdom's NAT – servers."""

    def __init__(self, net, directory):
        self.devices, self.house, self.kingdom, self.outside = map(net.host, ("devices", "house", "kingdom", "outside"))
        net.join(self.devices, [f"{device}/24" for device in DEVICES], self.house, ["10.1.0.1/24"])
        net.join(self.house, ["10.2.0.1/24"], self.kingdom, ["10.2.0.2/24"])
        outer = net.join(self.kingdom, ["198.51.100.1/24"], self.outside, ["198.51.100.2/24"])[0]
        self.house.ip("route", "add", "default", "via", "10.2.0.2")
        self.kingdom.ip("route", "add", "192.0.2.0/24", "via", "10.2.0.1")
        self.kingdom.ip("route", "add", "17.0.0.0/8", "via", "198.51.100.2")
        self.outside.ip("route", "add", "203.0.113.0/24", "via", "198.51.100.1")
        for server in SERVERS:
            self.outside.ip("address", "add", f"{server}/32", "dev", "lo")
        self.route_pool(POOL)
        self.kingdom.forwards()
        # As its admin would, from the list of sources: one outer address for each inner one.
        pairs = ", ".join(f"{inner} : 203.0.113.{number}" for number, inner in enumerate(INNER, 1))
        self.kingdom.nft_alone(f"table ip nat {{\nmap outer {{\ntype ipv4_addr : ipv4_addr\nelements = {{ {pairs} }}\n}}\n"
                         f"chain post {{\ntype nat hook postrouting priority 100;\noifname \"{outer}\" snat to ip saddr map "
                         f"@outer\n}}\n}}\n")
        self.outside.serve(SERVER)
        self.gateway = Gateway(directory, {
            "node": {"user": "root"}, "listen": {"http": "10.1.0.1:80"},
            "egress": {"pool": [POOL], "seed": "site-1"},
            "service": [{**http_service("push.example", 80), "target": SERVERS, "balance": "round_robin"}],
        }, wrapper=self.house.enter)

    def route_pool(self, *networks):
        for network in networks:
            self.house.ip("route", "replace", "local", network, "dev", "lo")

    def seen(self, times=9, devices=DEVICES):
        """{device: the addresses that the servers saw}: each server once and one of them twice."""
        return {device: set(addresses)
                for device, addresses in json.loads(self.devices.python(DEVICE, times, *devices)).items()}

    def sources(self):
        answer = self.gateway.json_verb("egress", "list")[1]
        return {row["who"].removeprefix("address "): row["source"] for row in answer["sources"]}


@pytest.fixture
def site(stage):
    with contextlib.closing(open_network()) as net:
        site = Site(net, stage.directory / "gateway")
        site.gateway.start()
        yield site
        site.gateway.stop()


def only(seen):
    """{device: its address}, where each has one."""
    assert all(len(addresses) == 1 for addresses in seen.values()), seen
    return {device: next(iter(addresses)) for device, addresses in seen.items()}


def test_each_device_shows_one_address_through_all_that_happens(site):
    before = only(site.seen())
    assert len(set(before.values())) > 1, "else this shows nothing"

    site.gateway.stop()
    site.gateway.start()
    assert only(site.seen()) == before, "after a restart"

    site.gateway.kill()
    (site.gateway.directory / "state" / "sallyport.db").rename(site.gateway.directory / "lost.db")
    site.gateway.start()
    assert only(site.seen()) == before, "by the hash alone, for the memory is lost"

    site.route_pool("192.0.2.24/29")
    site.gateway.config["egress"]["pool"] = ["192.0.2.16/28"]
    site.gateway.write()
    site.gateway.reload()
    assert only(site.seen()) == before, "the pool has grown"

    site.gateway.stop()
    site.gateway.start()
    assert only(site.seen()) == before, "and after a restart too"

    sources = site.sources()
    gone = sources[DEVICES[0]]
    rest = [f"{inner}/32" for inner in INNER if inner != gone]
    site.gateway.config["egress"]["pool"] = rest
    site.gateway.write()
    site.gateway.reload()
    after = only(site.seen())
    moved = {device for device in DEVICES if after[device] != before[device]}
    assert moved == {device for device in DEVICES if sources[device] == gone}, "those whose pool member is gone"


def test_a_pin_holds_and_an_exclusive_pool_is_no_ones_twice(site):
    site.gateway.config["egress"]["mode"] = "exclusive"
    site.gateway.config["egress.pin"] = [{"client": DEVICES[0], "source": "192.0.2.16"}]
    site.gateway.write()
    site.gateway.reload()
    assert site.gateway.verb("egress", "pin", "--client", DEVICES[1], "192.0.2.17").returncode == 0
    seen = only(site.seen(times=2))
    assert seen[DEVICES[0]] == "203.0.113.1" and seen[DEVICES[1]] == "203.0.113.2"
    assert len(set(seen.values())) == len(DEVICES), "eight devices, eight addresses"

    site.devices.ip("address", "add", "10.1.0.99/32", "dev", "lo")
    refused = site.seen(times=1, devices=["10.1.0.99"])
    assert refused == {"10.1.0.99": {503}}, "a ninth finds none"
    record = site.gateway.wait_record(lambda record: record["client"].startswith("10.1.0.99"))
    assert record["reason"] == "egress.exhausted"


def test_pins_are_told_and_taken_away(site):
    assert site.gateway.verb("egress", "pin", "--client", DEVICES[0], "192.0.2.20").returncode == 0
    assert only(site.seen(times=3, devices=DEVICES[:1])) == {DEVICES[0]: "203.0.113.5"}
    status, whois = site.gateway.json_verb("egress", "whois", DEVICES[0])
    assert status == 0 and whois["v4"] == {"source": "192.0.2.20", "why": "pin"}
    assert f"client {DEVICES[0]}" in site.gateway.json_verb("egress", "whois", "192.0.2.20")[1]["users"]
    csv = site.gateway.verb("egress", "list", "--csv").stdout.splitlines()
    assert csv[0] == "who,source,since,origin" and csv[1].startswith(f"client {DEVICES[0]},192.0.2.20,")
    assert site.gateway.verb("egress", "pin", "--client", DEVICES[0], "192.0.2.20", "--remove").returncode == 0
    assert site.gateway.verb("egress", "pin", "--client", DEVICES[0], "192.0.2.20", "--remove").returncode == 1
    assert site.gateway.json_verb("egress", "whois", DEVICES[0])[1]["v4"]["why"] == "hash"


def test_a_pool_that_is_not_routed_here_is_told(site):
    site.gateway.config["egress"]["pool"] = ["192.0.2.64/30"]
    site.gateway.write()
    site.gateway.reload()
    message = site.gateway.wait_message("the pool of source addresses is not this node's")
    assert message["remedy"] == "ip route add local 192.0.2.64/30 dev lo"
