"""The ways by which a client comes, and what it does there: whoever is banned is turned away on every one of them, and what
honest programs do is nothing."""
import json
import os
import shutil
import subprocess

import pytest

from harness import Client, h323_service, http_service, ldap_service, sip_service, unverified_context, wait_until
from harness import h323_message as h323
from harness import ldap_message as ldap
from harness import sip_message as sip
from harness.waiting import free_port

HQ = "hq.example.com"
STRANGER = "127.0.0.9"
KINDS = ["http", "https", "sip", "sips", "ldap", "ldaps", "h323", "h323s", "mux"]


@pytest.fixture(scope="module")
def gateway(module_stage):
    stage = module_stage
    chain, key = stage.authority.issue("edge", [HQ])
    return stage.gateway({
        "guard": {"suspicious_per_minute": 3}, "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "admin": {"listen": f"127.0.0.1:{free_port()}"},
        "listen": {kind: f"127.0.0.1:{free_port()}" for kind in KINDS},
        "service": [http_service(HQ, stage.nginx("one"), health="http /private", health_interval="1s"), sip_service(HQ, stage.target(sip.registrar)),
                    ldap_service(HQ, stage.target(ldap.directory)), h323_service(HQ, stage.target(), default=True)]})


@pytest.fixture(autouse=True)
def afterwards_nobody_is_banned(gateway):
    yield
    gateway.verb("bans", "remove", STRANGER)


def ban(gateway):
    assert gateway.verb("bans", "add", STRANGER, "--reason", "a test").returncode == 0


def signs(gateway):
    return gateway.metrics()["sallyport_guard_signs_total"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_port_resets_whoever_is_banned(gateway, kind):
    ban(gateway)
    with pytest.raises((ConnectionError, EOFError)):
        Client(gateway._port(kind), source=STRANGER).read_exactly(1)


def test_the_admin_port_turns_nobody_away_and_tells_the_guard_nothing(gateway):
    port = int(gateway.config["admin"]["listen"].rsplit(":", 1)[1])
    ban(gateway)
    before = signs(gateway)
    for path in ["/api/v1/bans", "/nothing", "/../secret"] * 5 + ["/livez"]:
        with Client(port, unverified_context(), HQ, STRANGER) as client:
            status = client.request(HQ, path).status
    assert status == 200
    with Client(port, source=STRANGER) as client:
        client.send(b"\0garbage\r\n\r\n" * 100)
    assert signs(gateway) == before


def test_the_next_sip_request_of_a_live_connection_is_refused(gateway):
    with Client(gateway.sip_port, source=STRANGER) as phone:
        phone.send(sip.request(to=sip.user(f"bob@{HQ}")))
        assert sip.read_message(phone).status == 200
        ban(gateway)
        phone.send(sip.request(to=sip.user(f"bob@{HQ}").removesuffix(";tag=1")))
        answer = sip.read_message(phone)
        assert answer.status == 403 and b"ban.active" in answer.raw
    gateway.wait_record(lambda record: record["reason"] == "ban.active" and record["protocol"] == "sip")


def test_the_next_ldap_bind_of_a_live_connection_is_refused(gateway):
    with Client(gateway.ldap_port, source=STRANGER) as client:
        client.send(ldap.bind(f"{HQ}\\guest"))
        assert ldap.read_message(client).code == ldap.SUCCESS
        ban(gateway)
        client.send(ldap.bind(f"{HQ}\\guest", number=2))
        answer = ldap.read_message(client)
        assert answer.code != ldap.SUCCESS and b"ban.active" in client.received
    gateway.wait_record(lambda record: record["reason"] == "ban.active" and record["protocol"] == "ldap")


def test_the_first_h323_message_of_a_live_connection_is_refused(gateway):
    """A stock of connections that were opened before the ban is worth nothing."""
    with Client(gateway.h323_port, source=STRANGER) as phone:
        phone.send(h323.KEEP_ALIVE)
        wait_until(lambda: gateway.json_verb("connections")[1]["connections"], "the connection to be taken in")
        ban(gateway)
        phone.send(h323.q931(h323.SETUP, reference=b"\x12\x34"))
        assert b"[ban.active]" in phone.read_to_end()
    gateway.wait_record(lambda record: record["reason"] == "ban.active" and record["protocol"] == "h323")


def test_health_checks_that_are_refused_are_no_signs(gateway):
    # /private wants a password: nginx answers 401 to each.
    wait_until(lambda: [one for one in gateway.json_verb("services")[1]["targets"] if one["state"] == "down"], "checks to fail")
    assert gateway.json_verb("bans", "top")[1]["suspects"] == []


@pytest.mark.parametrize("spelling, address", [
    ("::ffff:192.0.2.1", "192.0.2.1"), ("192.0.2.1/32", "192.0.2.1"), ("192.0.2.77/24", "192.0.2.0/24"),
    ("2001:DB8::0:1", "2001:db8::/64"), ("2001:db8::/48", "2001:db8::/48")])
def test_an_address_is_the_same_in_every_spelling(gateway, spelling, address):
    assert gateway.verb("bans", "add", spelling).returncode == 0
    assert address in [one["address"] for one in gateway.json_verb("bans")[1]["bans"]]
    assert gateway.verb("bans", "remove", address).returncode == 0
    assert gateway.json_verb("bans")[1]["bans"] == []


@pytest.mark.parametrize("spelling", ["fe80::1%eth0", "192.0.2.1:5060", "[2001:db8::1]:443", "192.0.2.01", "192.0.2", "host.example",
                                      "192.0.2.1/33", "::/129", "::ffff:127.0.0.1", "", " 192.0.2.1"])
def test_what_is_no_address_or_exempt_in_disguise_is_refused(gateway, spelling):
    done = gateway.verb("bans", "add", spelling)
    assert done.returncode != 0 and done.stderr, done
    assert gateway.json_verb("bans")[1]["bans"] == []


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("nsenter"), reason="only root mounts a small disk")
def test_a_full_disk_is_told_and_stops_nothing(stage):
    state = stage.directory / "small"
    state.mkdir()
    gateway = stage.gateway({"node": {"state_dir": state}, "service": [http_service(HQ, stage.nginx("one"))]}, start=False,
                            wrapper=["unshare", "--mount", "sh", "-c", f'mount -t tmpfs -o size=512k none {state} && exec "$@"', "sh"])
    gateway.start()

    def inside(*words):
        return subprocess.run(["nsenter", "-t", str(gateway.pid), "-m", *map(str, words)], capture_output=True, text=True, check=False)

    def written():
        rows = inside("/usr/bin/python3", "-c", "import sqlite3, sys; print([row[0] for row in sqlite3.connect(sys.argv[1]).execute("
                      "'SELECT who FROM guard_entry')])", state / "sallyport.db")
        return rows.stdout
    assert gateway.verb("bans", "add", "198.51.100.1").returncode == 0
    wait_until(lambda: "198.51.100.1" in written(), "the first ban on the disk")
    inside("dd", "if=/dev/zero", f"of={state}/fill", "bs=1k")
    for number in range(2, 250):
        gateway.admin("POST", "/api/v1/bans", json.dumps({"address": f"198.51.100.{number}", "verdict": "ban"}))
    told = gateway.wait_message("disk")
    assert told["level"] == "error"
    with Client(gateway.http_port, source=STRANGER) as client:
        assert client.request(HQ).status == 200
    assert len(gateway.json_verb("bans")[1]["bans"]) == 249
    assert inside("rm", state / "fill").returncode == 0
    wait_until(lambda: "198.51.100.249" in written(), "the rest on the disk")
