"""Passwords are guessed at real servers; who guesses is banned at the threshold and let in again after the ban."""
import base64

import pytest

from harness import Client, http_service, ldap_listen, ldap_service, plain_answer, wait_until
from harness import ldap_message as ldap
from harness.slapd import PASSWORD, guest
from harness.waiting import free_port

HQ = "hq.example.com"
THRESHOLD = 5
ATTACKER = "127.0.0.9"
GUARD = {"suspicious_per_minute": THRESHOLD, "ban_for": "3s"}


def bind(gateway, password):
    """The result code, or "reset"."""
    try:
        with Client(gateway.ldap_port, source=ATTACKER) as client:
            client.send(ldap.bind(guest(HQ), password))
            answer = ldap.read_message(client)
            return answer.code if answer else "reset"
    except (ConnectionError, AssertionError, EOFError):
        return "reset"


@pytest.fixture
def directory(stage):
    return stage.gateway({"guard": GUARD, "listen": ldap_listen(), "service": [ldap_service(HQ, stage.slapd([HQ]))]})


def banned(gateway):
    return [one["address"] for one in gateway.json_verb("bans")[1]["bans"]]


def test_changing_passwords_are_banned_and_forgiven(directory):
    for guess in range(THRESHOLD + 1):
        assert bind(directory, f"guess {guess}") == ldap.INVALID_CREDENTIALS
    wait_until(lambda: bind(directory, PASSWORD) == "reset", "the ban")
    assert "wrong_credentials 6 (ldap)" in directory.wait_message("ban.added")["why"]
    wait_until(lambda: bind(directory, PASSWORD) == ldap.SUCCESS, "the end of the ban")


def test_one_wrong_password_again_and_again_is_a_device_and_no_attack(directory):
    for _ in range(4 * THRESHOLD):
        assert bind(directory, "an old password") == ldap.INVALID_CREDENTIALS
    assert bind(directory, PASSWORD) == ldap.SUCCESS and banned(directory) == []


def asks_for_password(connection):
    right = base64.b64encode(b"alice:wonder").decode()
    while request := connection.read_request():
        if request.get("Authorization") == f"Basic {right}":
            connection.send(plain_answer(b"welcome"))
        else:
            connection.send(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")


@pytest.fixture
def web(stage):
    target = stage.target(asks_for_password)
    return stage.gateway({"guard": GUARD, "listen": {"http": f"127.0.0.1:{free_port()}"},
                          "service": [http_service("a.example", target)]})


def ask(gateway, password=None):
    login = base64.b64encode(f"alice:{password}".encode()).decode()
    try:
        with Client(gateway.http_port, source=ATTACKER) as client:
            return client.request("a.example", fields=f"Authorization: Basic {login}\r\n" if password else "").status
    except (ConnectionError, AssertionError, EOFError):
        return "reset"


def test_basic_passwords_are_counted_and_challenges_are_not(web):
    for _ in range(4 * THRESHOLD):
        assert ask(web) == 401
    for _ in range(4 * THRESHOLD):
        assert ask(web, "an old password") == 401
    assert ask(web, "wonder") == 200 and banned(web) == []
    for guess in range(THRESHOLD):
        assert ask(web, f"guess {guess}") == 401
    wait_until(lambda: ask(web, "wonder") == "reset", "the ban")
    wait_until(lambda: ask(web, "wonder") == 200, "the end of the ban")
