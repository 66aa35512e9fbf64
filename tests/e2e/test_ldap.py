"""OpenLDAP's own programs reach the slapd of their domain through the gateway, over every combination of TLS."""
import re
import time

import pytest

from harness import Client, ldap_listen, ldap_service, unverified_context, wait_until
from harness import ldap_message as ldap
from harness.rude_client import from_client
from harness.slapd import LARGE, PHOTOS, domain_dn, guest, ldap_program

HQ = "hq.example.com"
DOMAINS = [HQ, "plain.example.com", "tls.example.com", "told.example.com"]
LEGS = {  # of the service: which of slapd's ports it gives
    HQ: ("plain", "tls"), "plain.example.com": ("plain",), "tls.example.com": ("tls",)}
ACCEPTED = "cn=ldap-guest,dc=hq,dc=example,dc=com"  # a word of the list of accepted forms


@pytest.fixture(scope="module")
def slapd(module_stage):
    return module_stage.slapd(DOMAINS, tls_names=DOMAINS)


@pytest.fixture(scope="module")
def scripted(module_stage):
    return module_stage.target(ldap.directory)


@pytest.fixture(scope="module")
def gateway(module_stage, slapd, scripted):
    chain, key = module_stage.authority.issue("edge", ["127.0.0.1", *DOMAINS])
    services = [ldap_service(domain, slapd if "plain" in ports else None, slapd if "tls" in ports else None,
                             target_ca=module_stage.authority.ca) for domain, ports in LEGS.items()]
    gateway = module_stage.gateway({
        "listen": ldap_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
        "service": [*services, ldap_service("scripted.example.com", scripted),
                    ldap_service("*.wild.example.com", scripted),
                    ldap_service("closed.example.com", scripted, allow_from=["192.0.2.0/24"])]})
    gateway.ca = module_stage.authority.ca
    return gateway


CLIENTS = {"plain": ("ldap", []), "starttls": ("ldap", ["-ZZ"]), "ldaps": ("ldaps", [])}


def run(gateway, how, program, *arguments, name=None, **more):
    scheme, options = CLIENTS[how]
    port = gateway.ldaps_port if scheme == "ldaps" else gateway.ldap_port
    return ldap_program(program, f"{scheme}://127.0.0.1:{port}", *options, *arguments, ca=gateway.ca, name=name, **more)


@pytest.mark.parametrize("how", CLIENTS)
@pytest.mark.parametrize("domain", LEGS)
def test_a_search_finds_its_directory_over_each_combination_of_tls(gateway, slapd, domain, how):
    before = gateway.settled()
    found = run(gateway, how, "ldapsearch", "-LLL", "-b", domain_dn(domain), "(cn=alice)", "telephoneNumber",
                name=guest(domain))
    assert found.returncode == 0, found.stderr
    assert found.stdout == f"dn: cn=alice,ou=people,{domain_dn(domain)}\ntelephoneNumber: 5\n\n"
    record = gateway.latest_record(before)
    client_tls = how != "plain"
    target_tls = {("plain", "tls"): client_tls, ("plain",): False, ("tls",): True}[LEGS[domain]]
    assert (record["verdict"], record["reason"], record["protocol"]) == ("forwarded", "ok", "ldap")
    assert (record["service"], record["looked_for"]) == (domain, domain)
    assert (record["tls_client"], record["tls_target"]) == (client_tls, target_tls)
    assert record["target"] == f"127.0.0.1:{slapd.tls_port if target_tls else slapd.port}"
    assert record["bytes_in"] > 100 and record["bytes_out"] > 50


@pytest.mark.parametrize("how", CLIENTS)
def test_who_one_is_comes_back_as_the_directory_sees_it(gateway, how):
    said = run(gateway, how, "ldapwhoami", name=guest(HQ))
    assert (said.returncode, said.stdout.strip()) == (0, f"dn:{guest(HQ)}"), said.stderr


def test_a_wrong_password_is_the_directorys_answer_and_no_refusal(gateway):
    before = gateway.settled()
    said = run(gateway, "plain", "ldapwhoami", name=guest(HQ), password="wrong")
    assert said.returncode == ldap.INVALID_CREDENTIALS and "Additional" not in said.stderr
    assert gateway.latest_record(before)["verdict"] == "forwarded"


# What the gateway refuses, as a user reads it.

REFUSED = {  # the name: reason, result code
    "ldap-guest": ("service.no_name", ldap.INAPPROPRIATE_AUTHENTICATION),
    "cn=ldap-guest,o=example": ("service.no_name", ldap.INAPPROPRIATE_AUTHENTICATION),
    "cn=guest,dc=hq,dc=example,dc=con": ("service.unknown", ldap.INVALID_CREDENTIALS),
    r"closed.example.com\guest": ("acl.denied", ldap.INSUFFICIENT_ACCESS),
}


@pytest.mark.parametrize("how", CLIENTS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_told_to_the_program_that_asked(gateway, name, how):
    reason, code = REFUSED[name]
    before = gateway.settled()
    said = run(gateway, how, "ldapwhoami", name=name)
    assert (said.returncode, f"[{reason}]" in said.stderr) == (code, True), said.stderr
    assert (ACCEPTED in said.stderr) == (reason == "service.no_name"), said.stderr
    record = gateway.latest_record(before)
    assert (record["verdict"], record["reason"], record["tls_client"]) == ("refused", reason, how != "plain")
    if reason == "service.unknown":
        assert record["nearest"] == HQ


@pytest.mark.parametrize("program, arguments", [
    ("ldapwhoami", []), ("ldapsearch", ["-b", domain_dn(HQ)]), ("ldapwhoami", ["-D", guest(HQ), "-w", ""])])
def test_who_does_not_say_who_it_is_reads_how_to(gateway, slapd, program, arguments):
    before, log = gateway.settled(), slapd.log.count("ACCEPT")
    said = run(gateway, "plain", program, *arguments)
    assert said.returncode == ldap.INAPPROPRIATE_AUTHENTICATION and ACCEPTED in said.stderr, said.stderr
    assert gateway.latest_record(before)["reason"] == "service.no_name"
    assert slapd.log.count("ACCEPT") == log


def test_the_default_service_takes_what_names_no_domain(stage):
    slapd = stage.slapd([HQ])
    gateway = stage.gateway({"listen": ldap_listen(), "service": [ldap_service("any.example", slapd, default=True)]})
    url = f"ldap://127.0.0.1:{gateway.ldap_port}"
    for name in ("ldap-guest", "", r"nobody.example\guest"):
        explained = gateway.explain(f"ldap:{name}")
        assert (explained["verdict"], explained["service"]) == ("forwarded", "any.example")
    assert ldap_program("ldapwhoami", url).stdout.strip() == "anonymous"
    found = ldap_program("ldapsearch", url, "-LLL", "-b", domain_dn(HQ), "(cn=bob)", "sn")
    assert found.stdout == f"dn: cn=bob,ou=people,{domain_dn(HQ)}\nsn: bob\n\n"
    with Client(gateway.ldap_port) as client:  # without any bind (RFC 4513 section 5.1.1)
        client.send(ldap.search(domain_dn(HQ)))
        assert ldap.read_message(client).op == ldap.ENTRY
    for record in (gateway.wait_record(lambda record: True), *gateway.records()):
        assert (record["verdict"], record["service"]) == ("forwarded", "any.example")


# The form domain\user, which slapd does not take.

@pytest.mark.parametrize("name, service", [
    (r"scripted.example.com\guest", "scripted.example.com"), (r"SCRIPTED.Example.com.\guest", "scripted.example.com"),
    ("guest@scripted.example.com", "scripted.example.com"), (r"a.wild.example.com\guest", "*.wild.example.com")])
@pytest.mark.parametrize("how", CLIENTS)
def test_a_domain_in_front_of_the_user_leads_to_its_directory(gateway, scripted, how, name, service):
    before, asked = gateway.settled(), len(scripted.requests)
    said = run(gateway, how, "ldapsearch", "-LLL", "-b", "dc=com", name=name)
    assert said.returncode == 0 and "dn: cn=alice" in said.stdout, said.stderr
    assert scripted.requests[asked].name == name  # as it came
    assert gateway.latest_record(before)["service"] == service


@pytest.mark.parametrize("name", [
    guest(HQ), guest(HQ).upper(), rf"{HQ}\guest", f"guest@{HQ}", "ldap-guest", "cn=x,dc=nobody,dc=example", "cn=x,o=y",
    r"closed.example.com\guest", "cn=a,dc=a,dc=wild,dc=example,dc=com", "cn=x,dc=hq,,dc=com", r"\guest"])
@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_explain_says_what_happens(gateway, name, scheme):
    explained = gateway.explain(f"{scheme}:{name}")
    tls = unverified_context() if scheme == "ldaps" else None
    with Client(gateway.ldaps_port if tls else gateway.ldap_port, tls) as client:
        story = from_client(client)
        client.send(ldap.bind(name))
        assert ldap.read_message(client).op == ldap.BIND_ANSWER
        client.send(ldap.unbind())
    record = gateway.only_record(story)
    forwarded = explained["verdict"] == "forwarded"
    assert (record["verdict"] == "forwarded") == forwarded, (explained, record)
    assert record["reason"] == ("ok" if forwarded else explained["reason"])
    assert record["service"] == explained["service"]
    assert record["looked_for"] == explained["looked_for"]


# Long lives and long answers.

def test_a_connection_that_idles_goes_on_where_it_stopped(gateway):
    with Client(gateway.ldap_port) as client:
        story = from_client(client)
        client.send(ldap.bind(guest(HQ), "secret of a guest"))
        assert ldap.read_message(client).code == ldap.SUCCESS
        for number in (2, 3):
            time.sleep(3)
            client.send(ldap.search(guest(HQ), number))
            assert [ldap.read_message(client).op for _ in range(2)] == [ldap.ENTRY, ldap.DONE]
        assert gateway.records(story) == []  # its story has not ended
        client.send(ldap.unbind())
        assert client.read_to_end() == b""
    assert gateway.only_record(story)["reason"] == "ok"


@pytest.mark.parametrize("how", CLIENTS)
def test_an_answer_of_megabytes_comes_whole(gateway, how):
    before = gateway.settled()
    found = run(gateway, how, "ldapsearch", "-LLL", "-b", f"ou=photos,{domain_dn(HQ)}", "(cn=photo-*)", "jpegPhoto",
                name=guest(HQ))
    assert found.returncode == 0, found.stderr
    photos = re.findall(r"^jpegPhoto:: (\S+)$", found.stdout, re.MULTILINE)
    assert len(photos) == PHOTOS and sum(map(len, photos)) * 3 // 4 >= LARGE
    assert gateway.latest_record(before)["bytes_out"] > LARGE


def test_a_directory_replicates_through_the_gateway(stage, gateway, slapd):
    replica = stage.slapd([HQ], replica_of=gateway.ldap_port)
    url = f"ldap://127.0.0.1:{replica.port}"

    def value(name):
        found = ldap_program("ldapsearch", url, "-LLL", "-b", f"cn={name},ou=people,{domain_dn(HQ)}", "description")
        return found.stdout.partition("description: ")[2].strip() if found.returncode == 0 else None
    wait_until(lambda: value("bob") == "", "the replica to have the tree")
    change = stage.directory / "change.ldif"
    change.write_text(f"dn: cn=bob,ou=people,{domain_dn(HQ)}\nchangetype: modify\nreplace: description\n"
                      "description: changed\n")
    done = ldap_program("ldapmodify", f"ldap://127.0.0.1:{slapd.port}", "-f", change, name="cn=admin,dc=example,dc=com",
                        password="admin")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: value("bob") == "changed", "the change to arrive")
    row = next(row for row in gateway.json_verb("connections")[1]["connections"] if row["protocol"] == "ldap")
    assert (row["state"], row["service"]) == ("tunnel", HQ)


def test_slapd_is_told_who_asks(stage):
    """Its listener pldap:// wants a PROXY header."""
    slapd = stage.slapd([HQ], proxy_protocol=True)
    gateway = stage.gateway({"listen": ldap_listen(), "service": [
        ldap_service(HQ, slapd.told_port, proxy_protocol="v2")]})
    with Client(gateway.ldap_port, source="127.0.0.77") as client:
        client.send(ldap.bind(guest(HQ), "secret of a guest"))
        assert ldap.read_message(client).code == ldap.SUCCESS
        port = client.sock.getsockname()[1]
        assert f"IP=127.0.0.77:{port}" in slapd.log
