"""`sallyport diagnose --live` while the scenes of the captures are played again: two hosts in namespaces of their own, and
nftables that drops, rejects and resets."""
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

from harness.gateway import program
from harness.namespaces import sh
from harness.waiting import wait_until

V4, V6 = ("10.77.0.1", "10.77.0.2"), ("fd77::1", "fd77::2")

# Tries 1935 until its patience ends, then 443, as the players of the time did.
PLAYER = """
import socket, sys
server, patience = sys.argv[1], float(sys.argv[2])
family = socket.AF_INET6 if ":" in server else socket.AF_INET
one = socket.socket(family, socket.SOCK_STREAM)
one.settimeout(patience)
try:
    one.connect((server, 1935))
except OSError as error:
    print(error)
one.close()
two = socket.create_connection((server, 443), 5)
two.sendall(b"hello")
print(two.recv(10))
two.close()
"""
LISTENER = """
import socket
listener = socket.create_server(("::", 443), family=socket.AF_INET6, dualstack_ipv6=True)
print("up", flush=True)
while True:
    peer = listener.accept()[0]
    peer.sendall(peer.recv(10))
    peer.close()
"""


class Hosts:
    """client (…1) and server (…2) on one wire."""

    def __init__(self):
        self.client, self.server = f"sp-c{os.getpid()}", f"sp-s{os.getpid()}"
        self.processes = []
        for name in (self.client, self.server):
            sh("ip", "netns", "add", name)
            sh("ip", "-n", name, "link", "set", "lo", "up")
        sh("ip", "link", "add", "wire", "netns", self.client, "type", "veth", "peer", "name", "wire", "netns", self.server)
        for name, place in ((self.client, 0), (self.server, 1)):
            sh("ip", "-n", name, "address", "add", V4[place] + "/24", "dev", "wire")
            sh("ip", "-n", name, "address", "add", V6[place] + "/64", "dev", "wire", "nodad")
            sh("ip", "-n", name, "link", "set", "wire", "up")
        listener = self.start(self.server, sys.executable, "-c", LISTENER)
        assert listener.stdout.readline() == "up\n"

    def start(self, host, *words, **more):
        process = subprocess.Popen(["ip", "netns", "exec", host, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        self.processes.append(process)
        return process

    def rules(self, text):
        sh("ip", "netns", "exec", self.server, "nft", "flush", "ruleset")
        sh("ip", "netns", "exec", self.server, "nft", "-f", "-", input=f"table inet filter {{\nchain input {{\ntype filter hook input priority 0;\n{text}\n}}\n}}\n")

    def play(self, server, patience):
        return sh("ip", "netns", "exec", self.client, sys.executable, "-c", PLAYER, server, str(patience))

    def capture(self, *options, **more):
        """A capture at the server that has begun."""
        process = self.start(self.server, program(), "diagnose", "--json", "--live", "wire", "--for", "60s", *options, **more)
        wait_until_capturing(process.pid)
        return process

    def close(self):
        for process in self.processes:
            process.kill()
            process.communicate()
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "delete", name], check=False)


def wait_until_capturing(pid):
    """Until `diagnose --live` misses no packet any more: it holds back its stop signals once its filter stands."""
    def holds_back():
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        blocked = next(line.split()[1] for line in status.splitlines() if line.startswith("SigBlk:"))
        return int(blocked, 16) & 1 << signal.SIGINT - 1
    wait_until(holds_back, "the capture")


def end(process):
    """(exit status, report) of a capture that is told to stop."""
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=20)
    assert errors == "", errors
    return process.returncode, json.loads(out)


@pytest.fixture(scope="module")
def hosts():
    try:
        hosts = Hosts()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        pytest.skip(f"no network namespaces here: {getattr(error, 'stderr', error)}")
    yield hosts
    hosts.close()


@pytest.mark.parametrize("server", [V4[1], V6[1]], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("rule, patience, finding, status", [
    ("tcp dport 1935 drop", 3.6, "syn-silent", 10),
    ("tcp dport 1935 reject with tcp reset", 3.6, "refused-rst", 0),
    ("", 3.6, "refused-rst", 0),
])
def test_the_scene_gives_the_finding(hosts, server, rule, patience, finding, status):
    hosts.rules(rule)
    capture = hosts.capture()
    hosts.play(server, patience)
    exit_status, report = end(capture)
    assert [one["id"] for one in report["findings"]] == [finding] and exit_status == status
    found = report["findings"][0]
    assert found["server"] == server and found["port"] == 1935 and found["fallback"]["port"] == 443
    assert found["seconds_lost"] == pytest.approx(patience if finding == "syn-silent" else 0, abs=1)


def test_the_rule_that_mends_it_mends_it(hosts):
    hosts.rules("tcp dport 1935 drop")
    capture = hosts.capture()
    hosts.play(V4[1], 3.6)
    fix = end(capture)[1]["findings"][0]["fix"]
    sh("ip", "netns", "exec", hosts.server, *fix["nft"].split())
    capture = hosts.capture()
    hosts.play(V4[1], 3.6)
    status, report = end(capture)
    assert status == 0 and [one["id"] for one in report["findings"]] == ["refused-rst"]


def test_the_last_packets_are_not_left_in_the_kernel(hosts, tmp_path):
    hosts.rules("")
    file = tmp_path / "kept.pcap"
    capture = hosts.capture("--write", file, "--client", V4[0])
    hosts.play(V4[1], 1)
    report = end(capture)[1]
    assert report["packets"] >= 10  # two SYNs, a reset, a handshake, a question, an answer, the end
    assert len(sh("tcpdump", "-n", "-r", str(file)).splitlines()) == report["packets"]


def test_limits_end_a_capture(hosts):
    hosts.rules("")
    capture = hosts.capture("--packets", 2)
    hosts.play(V4[1], 1)
    out, _ = capture.communicate(timeout=20)
    assert json.loads(out)["packets"] == 2


def test_the_own_session_is_left_out(hosts):
    hosts.rules("")
    capture = hosts.capture(env={**os.environ, "SSH_CONNECTION": f"{V4[0]} 50000 {V4[1]} 443"})
    code = (f"import socket; one = socket.create_connection(('{V4[1]}', 443), 5, ('{V4[0]}', 50000)); one.sendall(b'x'); one.recv(5)")
    sh("ip", "netns", "exec", hosts.client, sys.executable, "-c", code)
    hosts.play(V4[1], 1)
    report = end(capture)[1]
    assert report["flows"] == 2  # 1935 and the other connection to 443


def test_the_own_session_is_left_out_behind_sudo_too(hosts):
    """It takes the variable away; the shell that it was called from has it still."""
    hosts.rules("")
    shell = hosts.start(hosts.server, "env", f"SSH_CONNECTION={V4[0]} 50000 {V4[1]} 443", "sh", "-c",
                        f"env -u SSH_CONNECTION {program()} diagnose --json --live wire --for 60s; exit $?")
    children = pathlib.Path(f"/proc/{shell.pid}/task/{shell.pid}/children")
    inner, = wait_until(lambda: children.read_text().split(), "the capture")
    wait_until_capturing(int(inner))
    code = f"import socket; one = socket.create_connection(('{V4[1]}', 443), 5, ('{V4[0]}', 50000)); one.sendall(b'x'); one.recv(5)"
    sh("ip", "netns", "exec", hosts.client, sys.executable, "-c", code)
    hosts.play(V4[1], 1)
    os.kill(int(inner), signal.SIGINT)
    assert json.loads(shell.communicate(timeout=20)[0])["flows"] == 2  # 1935 and the other connection to 443


def test_a_disk_that_is_full_costs_the_copy_and_not_the_report(hosts):
    hosts.rules("")
    capture = hosts.capture("--write", "/dev/full")
    hosts.play(V4[1], 1)
    status, report = end(capture)
    assert status == 0 and report["packets"] > 0
    assert any("not all is kept" in note and "No space left" in note for note in report["notes"])


def test_who_looks_on_sees_how_far_it_is_and_a_pipe_sees_nothing(hosts):
    hosts.rules("")
    screen, terminal = os.openpty()
    process = subprocess.Popen(["ip", "netns", "exec", hosts.server, program(), "diagnose", "--live", "wire", "--packets", "2"],
                               stdout=subprocess.PIPE, stderr=terminal)
    hosts.processes.append(process)
    os.close(terminal)
    shown = os.read(screen, 4096)  # within a turn of the capture, whatever it gets
    assert b"capturing from wire" in shown and b"Ctrl-C" in shown
    hosts.play(V4[1], 1)
    assert process.communicate(timeout=20)[0].startswith(b"Nothing wrong")
    os.close(screen)
    quiet = hosts.capture("--packets", 2)
    hosts.play(V4[1], 1)
    assert quiet.communicate(timeout=20)[1] == ""


def test_an_interface_that_is_not_there(hosts):
    process = hosts.start(hosts.server, program(), "diagnose", "--live", "nowhere")
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1 and "nowhere" in errors


def test_a_ring_file_does_not_grow_without_end(hosts, tmp_path):
    hosts.rules("")
    file = tmp_path / "ring.pcap"
    capture = hosts.capture("--write", file, "--write-limit", "2KiB")
    for _ in range(3):
        hosts.play(V4[1], 1)
    packets = end(capture)[1]["packets"]
    old = pathlib.Path(str(file) + ".1")
    assert file.stat().st_size <= 1024 and old.stat().st_size <= 1024
    assert 0 < len(captures_in(file)) + len(captures_in(old)) < packets


def captures_in(file):
    return sh("tcpdump", "-n", "-r", str(file)).splitlines()
