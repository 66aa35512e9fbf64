"""One port for everything: browsers, directories and telephones, with TLS and without, by programs that people have."""
import concurrent.futures

import pytest

from harness import (Client, curl, free_port, has_ipv6, http_service, ldap_service, seen, sip_service,
                     unverified_context, wait_until)
from harness import ldap_message as ldap
from harness import sip_message as sip
from harness import sipsak
from harness.baresip import Baresip
from harness.sipp import Sipp
from harness.slapd import domain_dn, guest, ldap_program
from harness.stunnel import Stunnel

HQ, PASSED = "hq.example.com", "pass.example.com"
LDAP_WAYS = {"plain": ("ldap", []), "starttls": ("ldap", ["-ZZ"]), "ldaps": ("ldaps", [])}


class World:
    def __init__(self, stage):
        self.stage, self.ca = stage, stage.authority.ca
        self.nginx, self.passed = stage.nginx("web"), stage.nginx("passed", tls_names=[PASSED])
        self.slapd, self.kamailio = stage.slapd([HQ]), stage.kamailio([HQ], tls_names=[HQ])
        chain, key = stage.authority.issue("edge", ["127.0.0.1", HQ])
        self.gateway = stage.gateway({
            "listen": {"mux": f"127.0.0.1:{free_port()}"},
            "certificate": [{"name": "edge", "chain": chain, "key": key}],
            "service": [http_service(HQ, self.nginx), ldap_service(HQ, self.slapd),
                        sip_service(HQ, self.kamailio, self.kamailio, target_ca=self.ca),
                        {"name": PASSED, "protocol": "tls", "target": "127.0.0.1", "tls_port": self.passed.tls_port}]})
        self.port = self.gateway.mux_port
        tunnel = stage.keep(Stunnel(stage.folder("stunnel"), self.port, self.ca))
        self.sipp_ports = {"plain": self.port, "tls": tunnel.port}  # sipp has no TLS

    def curl(self, scheme, host=HQ, *options):
        return seen(curl(f"{scheme}://{host}:{self.port}/some/path", *options, connect_to=self.port, ca=self.ca))

    def ldap(self, how):
        scheme, options = LDAP_WAYS[how]
        return ldap_program("ldapsearch", f"{scheme}://127.0.0.1:{self.port}", *options, "-LLL", "-b", domain_dn(HQ),
                            "(cn=alice)", "sn", ca=self.ca, name=guest(HQ))

    def sipp(self, scenario, how, **more):
        return self.stage.keep(Sipp(self.stage.folder("sipp"), scenario, self.sipp_ports[how], HQ, **more))


@pytest.fixture(scope="module")
def world(module_stage):
    return World(module_stage)


def check_record(world, before, protocol, tls, service=HQ):
    record = world.gateway.latest_record(before)
    assert (record["verdict"], record["reason"], record["protocol"]) == ("forwarded", "ok", protocol)
    assert (record["service"], record["tls_client"]) == (service, tls)
    assert record["listener"] == f"127.0.0.1:{world.port}"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("options", [[], ["--no-alpn"], ["--http1.0"], ["-X", "OPTIONS"], ["-d", "body"]])
def test_curl(world, scheme, options):
    before = world.gateway.settled()
    answer = world.curl(scheme, HQ, *options)
    assert (answer["name"], answer["url"]) == ("web", "/some/path")
    check_record(world, before, "http", scheme == "https")


def test_curl_by_name_to_tls_that_passes_unopened(world):
    """The certificate is the target's own: curl would not believe another for this name."""
    before = world.gateway.settled()
    assert world.curl("https", PASSED)["name"] == "passed"
    check_record(world, before, "tls", True, PASSED)


@pytest.mark.parametrize("how", LDAP_WAYS)
def test_ldapsearch(world, how):
    before = world.gateway.settled()
    found = world.ldap(how)
    assert found.stdout == f"dn: cn=alice,ou=people,{domain_dn(HQ)}\nsn: alice\n\n", found.stderr
    check_record(world, before, "ldap", how != "plain")


@pytest.mark.parametrize("how", ["plain", "tls"])
@pytest.mark.parametrize("scenario", ["options", "register"])
def test_sipp(world, scenario, how):
    before = world.gateway.settled()
    world.sipp(scenario, how).succeeds()
    check_record(world, before, "sip", how == "tls")


@pytest.mark.parametrize("how", ["plain", "tls"])
def test_a_call(world, how):
    called = world.sipp("wait", how, user="bob", answers="answer")
    called.receives("SIP/2.0 200 OK")
    world.sipp("call", how, user="alice", callee="bob").succeeds()
    called.receives("BYE sip:bob@")
    called.stop()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_sipsak(world, stage, transport):
    before = world.gateway.settled()
    done = sipsak.register(stage.folder("sipsak"), f"carol@{HQ}", world.port, world.ca, transport)
    assert done.returncode == 0, done.stdout + done.stderr
    check_record(world, before, "sip", transport == "tls")


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_telephone(world, stage, transport):
    before = world.gateway.settled()
    phone = stage.keep(Baresip(stage.folder("baresip"), "dave", HQ, world.port, world.ca, transport))
    phone.says("200 OK")
    phone.stop()
    check_record(world, before, "sip", transport == "tls")


def test_everything_at_once(world):
    jobs = [lambda: world.curl("http")["name"] == "web", lambda: world.curl("https")["name"] == "web",
            lambda: world.curl("https", PASSED)["name"] == "passed",
            *(lambda how=how: world.ldap(how).returncode == 0 for how in LDAP_WAYS),
            *(lambda how=how: world.sipp("register", how).succeeds() is None for how in ("plain", "tls"))] * 3
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        assert all(done.result() for done in [pool.submit(job) for job in jobs])


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_what_is_refused_is_refused_in_the_protocol_that_asks(world, tls):
    context = unverified_context() if tls else None
    with Client(world.port, context) as client:
        assert client.request("nobody.example").status in (404, 421)
    with Client(world.port, context) as client:
        client.send(sip.request(sender=sip.user("alice@nobody.example")))
        assert sip.read_message(client).reason == "service.unknown"
    with Client(world.port, context) as client:
        client.send(ldap.bind(r"nobody.example\alice"))
        answer = ldap.read_message(client)
        assert (answer.op, answer.code) == (ldap.BIND_ANSWER, ldap.INVALID_CREDENTIALS)


def test_keep_alives_of_a_telephone_are_answered_before_its_first_request(world):
    with Client(world.port) as client:
        client.send(sip.PING)
        assert client.read_exactly(2) == sip.PONG
        client.send(sip.request())
        assert sip.read_message(client).status == 200


def test_its_connections_are_shown_by_their_protocol(world):
    with Client(world.port) as client:
        client.send(sip.request())
        assert sip.read_message(client).status == 200
        listed = world.gateway.json_verb("connections")[1]["connections"]
        assert [row["protocol"] for row in listed if row["service"] == HQ] == ["sip"]


def test_it_lives_beside_ports_of_one_protocol(stage, world):
    """And both find the same services."""
    gateway = stage.gateway({"listen": {"mux": f"127.0.0.1:{free_port()}", "sip": f"127.0.0.1:{free_port()}"},
                             "service": [sip_service(HQ, world.kamailio)]})
    for port in (gateway.mux_port, gateway.sip_port):
        with Client(port) as client:
            client.send(sip.request())
            assert sip.read_message(client).status == 200
    wait_until(lambda: len(gateway.records()) == 2, "a record each")


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 on loopback")
def test_it_listens_on_ipv6_too(stage, world):
    port = free_port()
    gateway = stage.gateway({"listen": {"mux": [f"127.0.0.1:{port}", f"[::1]:{port}"]},
                             "service": [http_service(HQ, world.nginx)]})
    for address in ("127.0.0.1", "::1"):
        with Client(port, address=address) as client:
            assert seen(client.request(HQ).body)["name"] == "web"
    assert gateway.counted() >= 1
