"""examples/isolated-apple-devices as it stands: unbound answers the couriers' names, the gateway relays, and each device
shows Apple one address. Only the places of files and the name server's address are the test's own."""
import contextlib
import pathlib
import re
import subprocess

import pytest

from harness.gateway import Gateway
from harness.namespaces import open_network
from harness.waiting import wait_until
from push_scene import APPLE, DEVICES, DNS, NAME, Site, relayed

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "isolated-apple-devices"

RESOLVE = """
import socket, struct, sys
def ask(name, kind):
    query = b"\\x12\\x34\\x01\\x00\\x00\\x01" + bytes(6) + b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(10)
        udp.sendto(query + struct.pack("!HH", kind, 1), ("10.1.0.1", 53))
        answer = udp.recv(4096)
    rcode, count = answer[3] & 15, struct.unpack("!H", answer[6:8])[0]
    return rcode, [socket.inet_ntoa(answer[-4:])] if kind == 1 and count == 1 else count
print([ask(name, int(kind)) for name, kind in (word.split("/") for word in sys.argv[1:])])
"""


@pytest.fixture(scope="module")
def site(module_stage):
    with contextlib.closing(open_network()) as net:
        yield Site(net, module_stage)


@pytest.fixture(scope="module")
def unbound(site):
    folder = site.stage.folder("unbound")
    folder.mkdir()
    (folder / "couriers.conf").write_text(subprocess.run([EXAMPLE / "couriers.sh", "10.100.100"], check=True,
                                                         capture_output=True, text=True).stdout)
    (folder / "unbound.conf").write_text(
        f'server:\n interface: 10.1.0.1\n access-control: 10.1.0.0/24 allow\n username: ""\n chroot: ""\n pidfile: ""\n'
        f' use-syslog: no\n module-config: "iterator"\n do-not-query-localhost: no\n'
        f'include: "{folder}/couriers.conf"\nforward-zone:\n name: "."\n forward-addr: {DNS}\n')
    site.house.start("unbound", "-d", "-c", folder / "unbound.conf")
    wait_until(lambda: "10.1.0.1:53 " in site.house.run("ss", "-Hlun"), "unbound")


@pytest.fixture(scope="module")
def gateway(site):
    gateway = Gateway(site.stage.folder("gateway"), {}, wrapper=site.house.enter)
    text = (EXAMPLE / "sallyport.toml").read_text()
    text, changed = re.subn(r'resolver = "[^"]*"', f'resolver = "{DNS}"', text)
    assert changed == 1
    text = text.replace("/var/lib/sallyport", str(gateway.directory / "state"))
    text = text.replace("[log]", f'user = "root"\n\n[admin]\nsocket = "{gateway.socket}"\n\n[log]')
    gateway.write_text(text)
    site.house.ip("route", "replace", "local", "192.0.2.16/28", "dev", "lo")
    with gateway:
        yield gateway


def test_names_lead_here_and_nothing_else_does(site, unbound):
    answers = site.devices.python(RESOLVE, "7-courier.push.apple.com/1", "7-courier.push.apple.com/28",
                                  "51-courier.push.apple.com/1", "init.push.apple.com/1").strip()
    assert answers == "[(0, ['10.100.100.7']), (0, 0), (3, 0), (0, ['17.1.1.1'])]"


def test_each_device_reaches_apple_from_one_address(site, unbound, gateway):
    for device in DEVICES[:3]:
        seen = {relayed(site.device(vip, own=device))["peer"] for vip in ("10.100.100.7", "10.100.100.8", "10.100.100.50")}
        assert len(seen) == 1 and next(iter(seen)).removeprefix("::ffff:").startswith("192.0.2.")
    assert all(record["target"].partition(":")[0] in APPLE for record in gateway.records())
    assert {record["looked_for"].partition("-")[2] for record in gateway.records()} == {NAME}


def test_push_check_says_that_it_works(site, gateway):
    done = gateway.verb("push", "check", wrapper=site.house.enter)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "courier: 51 couriers, 0 to 50" in done.stdout and "devices would reach Apple" in done.stdout
    assert "10.0.0.1:5223" in done.stdout and "not in allow_to" in done.stdout


def test_push_devices_shows_who_came(gateway):
    answer = gateway.json_verb("push", "devices")[1]["devices"]
    assert {row["device"] for row in answer} >= set(DEVICES[:3])
    assert all(row["remark"] == "connected without asking" for row in answer), "for the name server is another's"
