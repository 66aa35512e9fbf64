"""examples/isolated-apple-devices as it stands, started as its README says: couriers' names lead to the gateway, by its own
name server and by an unbound that couriers.sh tells of them, and each device shows Apple one address. Only the places of
files are the test's own."""
import contextlib
import pathlib
import re
import subprocess

import pytest

from harness.dns_query import Answer
from harness.gateway import Gateway
from harness.namespaces import open_network
from harness.waiting import wait_until
from push_scene import APPLE, DEVICES, NAME, Site, relayed

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "isolated-apple-devices"
RESOLVER = "9.9.9.9"  # of the example: Apple's own in these tests


def commands(whose):
    """What the README has an admin type under this heading, without the remarks."""
    block = re.search(rf"\*\*{whose}.*?```sh\n(.*?)```", (EXAMPLE / "README.md").read_text(), re.DOTALL)[1]
    return [line.partition("#")[0].strip() for line in block.splitlines()]


class ExampleSite(Site):
    """The same networks, without what the README is to set."""

    DNS = RESOLVER

    def __init__(self, net, stage):
        super().__init__(net, stage)
        self.house.route(RESOLVER, "198.51.100.2")
        self.house.ip("route", "delete", "local", "10.100.100.0/24", "dev", "lo")
        self.devices.ip("route", "delete", "10.100.100.0/24")

    def type(self, host, whose):
        for line in commands(whose):
            if line.startswith("ip "):
                host.run(*line.split())


@pytest.fixture(scope="module")
def site(module_stage):
    with contextlib.closing(open_network()) as net:
        yield ExampleSite(net, module_stage)


@pytest.fixture(scope="module")
def gateway(site):
    site.type(site.house, "The gateway")
    site.type(site.devices, "The router")
    gateway = Gateway(site.stage.folder("gateway"), {}, wrapper=site.house.enter)
    text = (EXAMPLE / "sallyport.toml").read_text().replace("/var/lib/sallyport", str(gateway.directory / "state"))
    gateway.write_text(text.replace("[log]", f'user = "root"\n\n[admin]\nsocket = "{gateway.socket}"\n\n[log]'))
    with gateway:
        yield gateway


@pytest.fixture(scope="module")
def unbound(site):
    """On another port: the gateway has 53."""
    folder = site.stage.folder("unbound")
    folder.mkdir()
    (folder / "couriers.conf").write_text(subprocess.run([EXAMPLE / "couriers.sh", "10.100.100"], check=True,
                                                         capture_output=True, text=True).stdout)
    (folder / "unbound.conf").write_text(
        f'server:\n interface: 10.1.0.1@5353\n access-control: 10.1.0.0/24 allow\n username: ""\n chroot: ""\n pidfile: ""\n'
        f' use-syslog: no\n module-config: "iterator"\n do-not-query-localhost: no\n'
        f'include: "{folder}/couriers.conf"\nforward-zone:\n name: "."\n forward-addr: {RESOLVER}\n')
    site.house.start("unbound", "-d", "-c", folder / "unbound.conf")
    wait_until(lambda: "10.1.0.1:5353 " in site.house.run("ss", "-Hlun"), "unbound")


@pytest.mark.parametrize("port", [53, 5353], ids=["ours", "unbound"])
def test_names_lead_here_and_nothing_else_does(site, gateway, unbound, port):
    def told(name, kind):
        answer = Answer(site.devices.run("kdig", "@10.1.0.1", "-p", port, "-t", kind, name, "+timeout=10"))
        return answer.code, answer.addresses

    assert told(f"7-{NAME}", "A") == ("NOERROR", {"10.100.100.7"})
    assert told(f"7-{NAME}", "AAAA") == ("NOERROR", set())
    assert told(f"51-{NAME}", "A") == ("NXDOMAIN", set())
    assert told("init.push.apple.com", "A") == ("NOERROR", {"17.1.1.1"})


def test_each_device_reaches_apple_from_one_address(site, gateway):
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
    assert re.search(r"^17\.57\.145\.32:5223 +connects +\d+ +192\.0\.2\.", done.stdout, re.MULTILINE), "as a device does"
    as_device = gateway.verb("push", "check", "--as", DEVICES[1], wrapper=site.house.enter).stdout
    assert gateway.json_verb("egress", "whois", DEVICES[1])[1]["v4"]["source"] in as_device


def test_push_devices_shows_who_came(gateway):
    answer = gateway.json_verb("push", "devices")[1]["devices"]
    assert {row["device"] for row in answer} >= set(DEVICES[:3])
    assert {row["device"] for row in answer if row["remark"] == "connected without asking"} == set(DEVICES[1:3])
