"""Who is behind an address, from the servers that know it: radclient as an access server, leases files as DHCP servers
write them. Loopback's addresses are everybody's, so the pool is of those."""
import http.client
import subprocess
import time

import pytest

from harness.gateway import http_service
from harness.waiting import free_port, wait_until

SECRET = "shared secret"


@pytest.fixture
def gateway(stage):
    target = stage.nginx("target")
    leases, secret = stage.directory / "dnsmasq.leases", stage.directory / "radius.secret"
    leases.write_text("")
    secret.write_text(SECRET + "\n")
    port = free_port()
    gateway = stage.gateway({
        "egress": {"pool": ["127.9.0.16/28"], "seed": "site-1", "leases": [leases], "radius": f"127.0.0.1:{port}",
                   "radius_secret_file": secret},
        "egress.pin": [{"user": "alice", "source": "127.9.1.1"}, {"mac": "02:00:5e:10:00:01", "source": "127.9.1.2"}],
        "service": [http_service("a.example", target)]})
    gateway.leases, gateway.radius_port = leases, port
    return gateway


def account(gateway, status, *attributes, secret=SECRET):
    """Sends accounting as an access server does. Whether it was acknowledged."""
    text = "\n".join([f"Acct-Status-Type = {status}", 'Acct-Session-Id = "s1"', *attributes]) + "\n"
    done = subprocess.run(["radclient", "-r", "2", "-t", "1", f"127.0.0.1:{gateway.radius_port}", "acct", secret],
                          input=text, capture_output=True, text=True, timeout=30)
    return done.returncode == 0 and "Accounting-Response" in done.stdout


def whois(gateway, address="127.0.0.7"):
    return gateway.json_verb("egress", "whois", address)[1]


def request(gateway, client="127.0.0.7"):
    connection = http.client.HTTPConnection("127.0.0.1", gateway.http_port, timeout=20, source_address=(client, 0))
    connection.request("GET", "/", headers={"Host": "a.example"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_radius_tells_the_user_until_they_leave(gateway):
    assert request(gateway) == 200
    assert account(gateway, "Start", 'User-Name = "alice"', "Framed-IP-Address = 127.0.0.7",
                   'Calling-Station-Id = "02-00-5E-10-00-09"')
    known = whois(gateway)
    assert known["identity"] == "user alice" and known["mac"] == "02:00:5e:10:00:09"
    assert known["v4"] == {"source": "127.9.1.1", "why": "pin"}
    assert request(gateway) == 200
    assert account(gateway, "Stop", 'User-Name = "alice"', "Framed-IP-Address = 127.0.0.7")
    assert whois(gateway)["identity"] == "address 127.0.0.7"


def test_a_forger_is_not_believed(gateway):
    assert not account(gateway, "Start", 'User-Name = "alice"', "Framed-IP-Address = 127.0.0.7", secret="guessed")
    assert whois(gateway)["identity"] == "address 127.0.0.7"
    assert gateway.json_verb("egress", "list")[1]["forged"] >= 1
    assert "is not believed" in gateway.wait_message("RADIUS accounting")["message"]


def test_a_stay_outlives_the_gateway(gateway):
    assert account(gateway, "Start", 'User-Name = "bob"', "Framed-IP-Address = 127.0.0.7")
    before = whois(gateway)["v4"]["source"]
    gateway.stop()
    gateway.start()
    assert whois(gateway)["identity"] == "user bob" and whois(gateway)["v4"]["source"] == before


def lease(mac, address="127.0.0.7"):
    return f"{int(time.time()) + 3600} {mac} {address} ipad *\n"


def test_a_leases_file_tells_the_device_and_is_followed(gateway):
    gateway.leases.write_text(lease("02:00:5e:10:00:01"))
    wait_until(lambda: whois(gateway)["identity"] == "mac 02:00:5e:10:00:01", "the lease to be seen")
    assert whois(gateway)["v4"]["source"] == "127.9.1.2"
    gateway.leases.write_text("")
    gateway.leases.write_text(lease("02:00:5e:10:00:02"))
    wait_until(lambda: whois(gateway)["identity"] == "mac 02:00:5e:10:00:02", "the other lease to be seen")
    assert whois(gateway)["v4"]["why"] == "hash"


def test_connections_to_a_target_are_not_shared_by_sources(gateway):
    for _ in range(2):
        for client in ("127.0.0.7", "127.0.0.8", "127.0.0.9"):
            assert request(gateway, client) == 200
    sources = {row["who"]: row["source"] for row in gateway.json_verb("egress", "list")[1]["sources"]}
    assert {f"address 127.0.0.{number}" for number in (7, 8, 9)} <= set(sources)


def test_a_secret_that_cannot_be_read_is_an_error(gateway):
    gateway.config["egress"]["radius_secret_file"] = gateway.directory / "none"
    gateway.write()
    status, report = gateway.check()
    assert status == 3 and "can't read a secret" in report["errors"][0]["message"]
