"""What the tests of bad SIP share: a registrar that does what none does, and a gateway with several services."""
from harness import sip_message as sip
from harness.certificates import unverified_context
from harness.client import Client
from harness.gateway import sip_listen, sip_service
from harness.rude_scene import fixtures

HQ = "hq.example.com"
MARK = b"must-not-arrive"
MARKED = f"X-Mark: {MARK.decode()}\r\n"
GARBAGE = b"\xff\x00" * 500 + b"\r\n\r\n"  # as it would end a head
LARGE = 1024 * 1024  # bytes


def _next(connection):
    try:
        return sip.read_message(connection)
    except EOFError:  # in the midst of one
        return None


def script(connection):
    """A registrar; the Subject of a request may ask for something that none does."""
    while asked := _next(connection):
        if not asked.is_request:
            continue
        connection.target.requests.append(asked)
        wish = asked.get("Subject")
        if wish == "garbage":
            connection.send(GARBAGE)
        elif wish == "half a head":
            connection.send(sip.answer(asked)[:-2])
            return
        elif wish == "half":
            connection.send(sip.answer(asked, body=b"x" * 5000)[:1000])
        elif wish == "a lie":
            connection.send(sip.answer(asked).replace(b"Content-Length: 0", b"Content-Length: 99999999999999999999"))
        elif wish == "a request":
            sender = "<sip:registrar@nobody.example>;tag=9"
            connection.send(sip.request("NOTIFY", sender=sender, body=b"news"))
        elif wish == "large":
            connection.send(sip.answer(asked, body=b"x" * LARGE))
        elif asked.method != "ACK":
            connection.send(sip.answer(asked))


def config_of(stage, target, other):
    """HQ and some other names belong to the one target, two more domains to the other: one of them is closed."""
    chain, key = stage.authority.issue("edge", ["127.0.0.1"])
    return {"listen": sip_listen(), "certificate": [{"name": "edge", "chain": chain, "key": key}],
            "service": [sip_service([HQ, "192.0.2.1", "[2001:db8::1]", "*.wild.example.com"], target),
                        sip_service("other.example.com", other),
                        sip_service("closed.example.com", other, allow_from=["192.0.2.0/24"])]}


def connect(gateway, tls=False, **more):
    return Client(gateway.sips_port if tls else gateway.sip_port, unverified_context() if tls else None, **more)


def routed(client):
    """Its first request has been answered by the target."""
    client.send(sip.request())
    assert sip.read_message(client).get("To").endswith("tag=target")
    return client


target, other, gateway, nothing_strange_arrives = fixtures(script, config_of, connect, routed, MARK)
