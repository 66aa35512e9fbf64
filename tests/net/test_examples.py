"""examples/router and examples/behind-nat as they stand in the repository, in networks such as they are for."""
import pathlib
import subprocess

from firewall_scene import SERVER, seen_as, try_ports
from harness.gateway import program
from harness.waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEB = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the inside server")
    def log_message(self, *_):
        pass
server = http.server.ThreadingHTTPServer(("", 80), Answer)
print("up", flush=True)
server.serve_forever()
"""


class Example:
    """One of the examples, its places on the disk moved into a folder of the test."""

    def __init__(self, host, name, folder):
        self.host, self.file = host, folder / "sallyport.toml"
        text = (ROOT / "examples" / name / "sallyport.toml").read_text()
        text = text.replace("[node]\n", f'[node]\nstate_dir = "{folder}/state"\nuser = "root"\n', 1)
        if "[admin]\n" not in text:
            text += "\n[admin]\n"
        text = text.replace("[admin]\n", f'[admin]\nsocket = "{folder}/admin.sock"\n', 1)
        text = text.replace("[firewall]\n", f'[firewall]\nstate_dir = "{folder}/firewall"\n', 1)
        self.file.write_text(text)
        self.log = folder / "log"

    def verb(self, *words):
        return self.host.run(program(), *words, "-c", self.file)

    def start(self):
        with self.log.open("w") as log:
            self.process = subprocess.Popen([*self.host.enter, program(), "run", "-c", self.file], stdout=log, stderr=log)
        wait_until(lambda: '"ready"' in self.log.read_text() or " ready" in self.log.read_text(), lambda: self.log.read_text())

    def stop(self):
        self.process.terminate()
        assert self.process.wait(15) == 0, self.log.read_text()


def fetch(client, address):
    return client.run("curl", "-sS", "--max-time", 10, "--resolve", f"hq.example.com:80:{address}", "http://hq.example.com/")


def test_router(network, tmp_path):
    gateway, outside, client, server = (network.host(name) for name in ("gate", "outside", "client", "server"))
    network.wire(gateway, "eth0", outside, "eth0")
    network.bridge(gateway, "eth1", client, server)
    gateway.address("eth0", "198.51.100.1/24")
    gateway.address("eth1", "10.1.0.1/24")
    outside.address("eth0", "198.51.100.7/24")
    outside.address("lo", "17.1.2.3/32")
    gateway.route("default", "198.51.100.7")
    for host, address in ((client, "10.1.0.20/24"), (server, "10.1.0.10/24")):
        host.address("eth0", address)
        host.route("default", "10.1.0.1")
    gateway.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    outside.serve(SERVER, 5223, 25)
    server.serve(SERVER, 88)
    server.serve(WEB)
    example = Example(gateway, "router", tmp_path)
    example.verb("firewall", "apply", "--now")
    example.start()
    assert fetch(outside, "198.51.100.1") == "the inside server"
    assert seen_as(outside, 88, ["198.51.100.1"]) == ["198.51.100.7"]
    assert try_ports(outside, "198.51.100.1", [9443, 22, 1935]) == ["refused"] * 3
    assert try_ports(client, "10.1.0.1", [9443]) == ["connected"]
    assert seen_as(client, 5223, ["17.1.2.3"]) == ["198.51.100.1"]
    assert try_ports(client, "17.1.2.3", [25]) == ["refused"]
    example.stop()


def test_behind_nat(network, tmp_path):
    router, gateway, outside, server = (network.host(name) for name in ("router", "gate", "outside", "server"))
    network.wire(router, "eth0", outside, "eth0")
    network.bridge(router, "lan", gateway, server)
    router.address("eth0", "203.0.113.10/24")
    router.address("lan", "172.16.0.1/24")
    outside.address("eth0", "203.0.113.7/24")
    for host, address in ((gateway, "172.16.0.5/24"), (server, "172.16.0.10/24")):
        host.address("eth0", address)
        host.route("default", "172.16.0.1")
    router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    server.serve(WEB)
    example = Example(gateway, "behind-nat", tmp_path)
    rows = [line.split() for line in example.verb("firewall", "show", "--format", "portmap").splitlines()[1:]]
    assert [row[:5] for row in rows] == [["tcp", "203.0.113.10", port, "172.16.0.5", port] for port in ("80", "443")]
    maps = "\n".join(f"ip daddr {public} {protocol} dport {port} dnat to {own}:{own_port}" for protocol, public, port, own, own_port, *_ in rows)
    router.nft(f"table ip nat {{\nchain prerouting {{\ntype nat hook prerouting priority dstnat;\n{maps}\n}}\n}}\n")
    example.verb("firewall", "apply", "--now")
    example.start()
    assert fetch(outside, "203.0.113.10") == "the inside server"
    assert try_ports(server, "172.16.0.5", [8080]) == ["refused"]
    request = example.verb("firewall", "show", "--format", "request")
    assert "203.0.113.10" in request and "172.16.0.10" in request
    example.stop()
