"""Active Directory's two forms of a name, domain\\user and user@domain, lead to a real domain controller: Samba."""
import pytest

from harness import ldap_listen, ldap_service
from harness import ldap_message as ldap
from harness.samba import BASE, DOMAIN, NETBIOS_NAME, PASSWORD, PLAIN_PORT, TLS_PORT, USER, Samba, may_listen
from harness.slapd import ldap_program

LEGS = {  # of the service: which of Samba's ports it gives, and so the way its leg goes
    "both": {"plain_port": PLAIN_PORT, "tls_port": TLS_PORT}, "plain": {"plain_port": PLAIN_PORT},
    "tls": {"tls_port": TLS_PORT}}
CLIENTS = {"plain": ("ldap", []), "starttls": ("ldap", ["-ZZ"]), "ldaps": ("ldaps", [])}
NAMES = [rf"{NETBIOS_NAME}\{USER}", f"{USER}@{DOMAIN}", f"CN={USER},{BASE}"]


@pytest.fixture(scope="module")
def samba(module_stage):
    if not may_listen():
        pytest.skip("Samba's LDAP has port 389, and we may not listen there: needs root or CAP_NET_BIND_SERVICE")
    return module_stage.keep(Samba(module_stage.folder("samba"), module_stage.authority))


@pytest.fixture(scope="module", params=LEGS)
def gateway(module_stage, samba, request):
    chain, key = module_stage.authority.issue(f"edge-{request.param}", ["127.0.0.1"])
    # In front of a backslash Samba knows the NetBIOS name alone.
    service = {**ldap_service([DOMAIN, NETBIOS_NAME], target_ca=module_stage.authority.ca), "target": samba.address,
               **LEGS[request.param]}
    gateway = module_stage.gateway({
        "listen": ldap_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}], "service": [service]})
    gateway.ca, gateway.legs = module_stage.authority.ca, request.param
    return gateway


def search(gateway, how, name, password=PASSWORD):
    scheme, options = CLIENTS[how]
    port = gateway.ldaps_port if scheme == "ldaps" else gateway.ldap_port
    return ldap_program("ldapsearch", f"{scheme}://127.0.0.1:{port}", *options, "-LLL", "-b", BASE,
                        f"(sAMAccountName={USER})", "userPrincipalName", ca=gateway.ca, name=name, password=password)


@pytest.mark.parametrize("how", CLIENTS)
@pytest.mark.parametrize("name", NAMES)
def test_who_is_of_the_domain_finds_itself_there(gateway, samba, name, how):
    before = gateway.settled()
    found = search(gateway, how, name)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(f"dn: CN={USER},{BASE}\nuserPrincipalName: {USER}@{DOMAIN}\n"), found.stdout
    record = gateway.latest_record(before)
    client_tls = how != "plain"
    target_tls = {"both": client_tls, "plain": False, "tls": True}[gateway.legs]
    assert (record["verdict"], record["reason"], record["protocol"]) == ("forwarded", "ok", "ldap")
    assert (record["service"], record["tls_client"], record["tls_target"]) == (DOMAIN, client_tls, target_tls)
    assert record["target"] == f"{samba.address}:{TLS_PORT if target_tls else PLAIN_PORT}"


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_wrong_password_is_the_controllers_answer(gateway, name):
    before = gateway.settled()
    found = search(gateway, "plain", name, password="wrong")
    assert found.returncode == ldap.INVALID_CREDENTIALS and "AcceptSecurityContext" in found.stderr, found.stderr
    assert gateway.latest_record(before)["verdict"] == "forwarded"


def test_another_domain_is_refused_with_the_nearest_named(gateway):
    before = gateway.settled()
    found = search(gateway, "plain", f"{USER}@hq.exmaple.com")
    assert found.returncode == ldap.INVALID_CREDENTIALS and "[service.unknown]" in found.stderr, found.stderr
    assert gateway.latest_record(before)["nearest"] == DOMAIN
