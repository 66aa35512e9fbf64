"""What the tests of bad LDAP share: a directory that does what none does, and a gateway with several services."""
from harness import ldap_message as ldap
from harness.certificates import unverified_context
from harness.client import Client
from harness.gateway import ldap_listen, ldap_service
from harness.rude_scene import fixtures
from harness.wire import Wire

GUEST = r"hq.example.com\guest"
AS_DN = "cn=other,ou=people,dc=HQ,dc=example,dc=com"
MARK = b"must not arrive"


def script(connection):
    """A directory; what a search asks for may be something that no directory does."""
    target = connection.target
    while (request := ldap.read_message(connection)) and request.op != ldap.UNBIND:
        target.requests.append(request)
        wish = request.parts[0][1] if request.op == ldap.SEARCH else b""
        if wish == b"garbage":
            connection.send(b"\xff" * 1000)
        elif wish == b"half":
            connection.send(ldap.entry(request.number, value=b"x" * 5000)[:1000])
        elif request.op == ldap.SEARCH:
            connection.send(ldap.entry(request.number) + ldap.answer(request.number, ldap.DONE))
        elif request.op in (ldap.BIND, ldap.EXTENDED):
            connection.send(ldap.answer(request.number, request.op + 1))


def config_of(stage, target, other):
    chain, key = stage.authority.issue("edge", ["127.0.0.1"])
    return {"listen": ldap_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
            "service": [ldap_service(["hq.example.com", "alias.example.com"], target),
                        ldap_service("other.example.com", other),
                        ldap_service("closed.example.com", other, allow_from=["192.0.2.0/24"])]}


def connect(gateway, tls=False, **more):
    return Client(gateway.ldaps_port if tls else gateway.ldap_port, unverified_context() if tls else None, **more)


def bound(client, name=GUEST):
    client.send(ldap.bind(name))
    answer = ldap.read_message(client)
    assert (answer.op, answer.code) == (ldap.BIND_ANSWER, ldap.SUCCESS)
    return client


def is_notice(message, code):
    return (message.number, message.op, message.oid, message.code) == (
        0, ldap.EXTENDED_ANSWER, ldap.NOTICE_OF_DISCONNECTION, code)


def secured(client):
    """TLS over this connection, once StartTLS was answered."""
    sock = unverified_context().wrap_socket(client.sock)
    return Wire(sock)


target, other, gateway, nothing_strange_arrives = fixtures(script, config_of, connect, bound, MARK)


def sequence(*contents):
    return ldap.element(0x30, *contents)


ONE = ldap.integer(1)
BIND_PARTS = [ldap.integer(3), ldap.octets(GUEST), ldap.octets(MARK, 0x80)]
INDEFINITE = b"\x30\x80" + ONE + ldap.element(0x60, *BIND_PARTS) + b"\0\0"
MALFORMED_BINDS = {
    "no version": ldap.message(1, ldap.BIND, *BIND_PARTS[1:]),
    "no authentication": ldap.message(1, ldap.BIND, *BIND_PARTS[:2]),
    "a constructed password": ldap.message(1, ldap.BIND, *BIND_PARTS[:2], ldap.element(0xA0, ldap.octets(MARK))),
    "two passwords": ldap.message(1, ldap.BIND, *BIND_PARTS, ldap.octets(MARK, 0x80)),
    "nothing": ldap.message(1, ldap.BIND),
}
