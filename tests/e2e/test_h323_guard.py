"""What a gatekeeper's answers say of a client: who is refused again and again is banned, and no honest phone is."""
import pytest

from harness import Client, h323_listen, h323_service, wait_until
from harness import h323_message as h323

BRANCH, MAIN = "example.com/branch-a", "example.com"
THRESHOLD = 5
ATTACKER, PHONE = "127.0.0.9", "127.0.0.8"
(_, RRQ), (_, DENIED) = h323.conversations("04")[0]  # an RRQ, and an RRJ securityDenial
RRQ_OF_PHONE, REGISTERED = (message for _, message in h323.conversations("01")[0][2:4])
REDIRECTED = h323.conversations("06")[0][2:]  # an RRQ for the main office, and where else it should go
SPOILT = h323.conversations("18")[0]
CALL, NOT_THERE = (message for _, message in h323.conversations("10")[2][:2])  # a Setup, and a release with cause 20


def reasoned(addition):
    """The RRJ with another reason: one of those behind the "..." that carry nothing."""
    found = b"\x83\x01\x00"  # securityDenial, the fourth
    assert DENIED.count(found) == 1
    return DENIED.replace(found, bytes([0x80 | addition]) + found[1:])


def script(connection):
    """Answers the phone, and whomever else as the test wants."""
    target = connection.target
    while asked := h323.read_tpkt(connection):
        answer = REGISTERED if asked == RRQ_OF_PHONE else target.answers.get(asked)
        if answer is None:
            return
        connection.send(answer)


@pytest.fixture
def target(stage):
    target = stage.target(script)
    target.answers = {}
    return target


@pytest.fixture
def gateway(stage, target):
    return stage.gateway({"guard": {"suspicious_per_minute": THRESHOLD, "ban_for": "3s"}, "listen": h323_listen(),
                          "service": [h323_service([BRANCH, MAIN], target)]})


def ask(gateway, message, source=ATTACKER):
    """The target's answer; b"" where it closes, "reset" where the gateway has nothing to do with us."""
    try:
        with Client(gateway.h323_port, source=source) as client:
            client.send(message)
            return h323.read_tpkt(client)
    except (ConnectionError, EOFError):
        return "reset"


def suspects(gateway):
    return gateway.json_verb("bans", "top")[1]["suspects"]


@pytest.mark.parametrize("asked, answer, sign", [(RRQ, DENIED, "wrong_credentials"), (CALL, NOT_THERE, "probing")],
                         ids=["registrations", "calls"])
def test_who_is_refused_again_and_again_is_banned_and_forgiven(gateway, target, asked, answer, sign):
    target.answers[asked] = answer
    for _ in range(THRESHOLD + 1):
        assert ask(gateway, asked) == answer
    wait_until(lambda: ask(gateway, RRQ_OF_PHONE) == "reset", "the ban")
    assert f"{sign} 6 (h323)" in gateway.wait_message("ban.added")["why"]
    wait_until(lambda: ask(gateway, RRQ_OF_PHONE) == REGISTERED, "the end of the ban")


HONEST = {"a redirect": tuple(message for _, message in REDIRECTED), "after a restart": (RRQ, reasoned(4)),
          "an answer that is spoilt": tuple(message for _, message in SPOILT)}


@pytest.mark.parametrize("what", HONEST)
def test_what_honest_phones_get_is_no_sign(gateway, target, what):
    asked, answer = HONEST[what]
    target.answers[asked] = answer
    for _ in range(5 * THRESHOLD):
        assert ask(gateway, asked) == answer
    assert ask(gateway, RRQ_OF_PHONE) == REGISTERED and suspects(gateway) == []


def test_a_request_that_is_sent_again_counts_once(gateway, target):
    target.answers[RRQ] = DENIED
    for _ in range(THRESHOLD):
        with Client(gateway.h323_port, source=ATTACKER) as client:
            client.send(RRQ * 3)
            assert client.read_exactly(3 * len(DENIED)) == 3 * DENIED
    assert ask(gateway, RRQ_OF_PHONE) == REGISTERED


def test_a_target_that_closes_on_one_alone_tells_a_quarter(gateway):
    assert ask(gateway, RRQ_OF_PHONE, PHONE) == REGISTERED  # it is at work
    for _ in range(4 * THRESHOLD):
        assert ask(gateway, RRQ) == b""
    assert ask(gateway, RRQ) == b""
    wait_until(lambda: ask(gateway, RRQ) == "reset", "the ban")
    assert "doubtful" in gateway.wait_message("ban.added")["why"]
    assert ask(gateway, RRQ_OF_PHONE, PHONE) == REGISTERED


def test_a_target_that_closes_on_all_bans_nobody(gateway):
    for _ in range(8 * THRESHOLD):
        assert ask(gateway, RRQ) == b""
    assert suspects(gateway) == []
