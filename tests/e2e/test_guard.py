"""Who tries names, paths and forms is banned for a while, on every port; administrators see why, and have the last word.

Only 127.0.0.1 and ::1 are exempt of loopback: a client from 127.0.0.9 is a stranger like any other.
"""
import pytest

from harness import Client, http_service, ldap_listen, ldap_service, wait_until
from harness.waiting import free_port

NAME = "a.example"
THRESHOLD = 10
ATTACKER, BYSTANDER = "127.0.0.9", "127.0.0.10"


@pytest.fixture
def nginx(stage):
    return stage.nginx("one")


@pytest.fixture
def gateway(stage, nginx):
    return stage.gateway({"guard": {"suspicious_per_minute": THRESHOLD, "ban_for": "1h", "never_ban": ["127.0.0.77"]},
                          "listen": {"http": f"127.0.0.1:{free_port()}", **ldap_listen()},
                          "service": [http_service(NAME, nginx, allow_url=["/free"]),
                                      http_service("down.example", free_port()),
                                      ldap_service("ldap.example", free_port())]})


def ask(gateway, source, host=NAME, path="/free"):
    """The status, or "reset" where the connection ends without an answer."""
    try:
        with Client(gateway.http_port, source=source) as client:
            return client.request(host, path).status
    except (ConnectionError, AssertionError, EOFError):
        return "reset"


def bans(gateway):
    return {one["address"]: one for one in gateway.json_verb("bans", "list")[1]["bans"]}


def is_banned(gateway, address):
    return wait_until(lambda: address in bans(gateway), f"a ban of {address}")


def probe(gateway, source=ATTACKER, times=THRESHOLD + 1):
    for _ in range(times):
        assert ask(gateway, source, "nobody.example") in (404, 421)


def test_one_more_than_the_threshold_bans_on_every_port(gateway):
    probe(gateway, times=THRESHOLD)
    assert ask(gateway, ATTACKER) == 200
    probe(gateway, times=1)
    is_banned(gateway, ATTACKER)
    assert ask(gateway, ATTACKER) == "reset"
    with pytest.raises((ConnectionError, AssertionError, EOFError)):
        Client(gateway.ldap_port, source=ATTACKER).read_exactly(1)
    assert ask(gateway, BYSTANDER) == 200 and ask(gateway, "127.0.0.1") == 200

    entry = bans(gateway)[ATTACKER]
    assert entry["origin"] == "auto" and entry["protocol"] == "http" and entry["count"] == THRESHOLD + 1
    assert entry["node"] == "test-node" and entry["reason"] == f"within a minute: refused {THRESHOLD + 1} (http)"
    assert gateway.wait_record(lambda record: record["reason"] == "ban.active")["client"].startswith(ATTACKER)
    told = gateway.wait_message("ban.added")
    assert told["address"] == ATTACKER and told["why"] == entry["reason"] and told["until"] == entry["until"]
    assert gateway.metrics()["sallyport_guard_bans"] == 1
    assert gateway.status()["guard"]["bans"] == 1


def test_a_forbidden_path_counts_as_an_unknown_name_does(gateway):
    for _ in range(THRESHOLD + 1):
        assert ask(gateway, ATTACKER, path="/secret") == 403
    is_banned(gateway, ATTACKER)


def test_a_connection_that_lives_on_is_refused_at_its_next_request(gateway):
    with Client(gateway.http_port, source=ATTACKER) as kept:
        assert kept.request(NAME, "/free").status == 200
        probe(gateway)
        is_banned(gateway, ATTACKER)
        response = kept.request(NAME, "/free")
        assert response.status == 403 and b"ban.active" in response.body


def test_it_ends_by_itself(stage, nginx):
    gateway = stage.gateway({"guard": {"suspicious_per_minute": 1, "ban_for": "2s"}, "service": [http_service(NAME, nginx)]})
    probe(gateway, times=2)
    wait_until(lambda: ask(gateway, ATTACKER) == "reset", "the ban")
    wait_until(lambda: ask(gateway, ATTACKER) == 200, "the end of the ban")
    assert gateway.wait_message("ban.lifted")["how"] == "expired"
    assert bans(gateway) == {}


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.77"])
def test_who_is_never_banned(gateway, source):
    probe(gateway, source, 3 * THRESHOLD)
    assert ask(gateway, source) == 200 and bans(gateway) == {}


def test_an_outage_bans_nobody(gateway):
    for _ in range(5 * THRESHOLD):
        assert ask(gateway, ATTACKER, "down.example", "/") == 502
    assert ask(gateway, ATTACKER) == 200 and bans(gateway) == {}
    # Only the first of them met a target that was thought to be up.
    (suspect,) = wait_until(lambda: gateway.json_verb("bans", "top")[1]["suspects"], "a suspect")
    assert (suspect["address"], suspect["signs"]) == (ATTACKER, {"target_failed": 1}), suspect


def test_connections_without_a_word_are_no_sign(gateway):
    for _ in range(5 * THRESHOLD):
        Client(gateway.http_port, source=ATTACKER).close()
    assert ask(gateway, ATTACKER) == 200
    assert gateway.json_verb("bans", "top")[1]["suspects"] == []


def test_allow_lifts_the_ban_and_keeps_from_the_next(gateway):
    probe(gateway)
    is_banned(gateway, ATTACKER)
    done = gateway.verb("bans", "allow", ATTACKER, "--reason", "our own scanner")
    assert done.stdout == f"{ATTACKER} is never banned for ever\n"
    probe(gateway, times=3 * THRESHOLD)
    listed = gateway.json_verb("bans", "list")[1]
    assert listed["bans"] == [] and [one["reason"] for one in listed["allows"]] == ["our own scanner"]
    assert gateway.verb("bans", "remove", ATTACKER).returncode == 0
    probe(gateway)
    is_banned(gateway, ATTACKER)


def test_bans_by_hand(gateway):
    assert gateway.verb("bans", "add", "127.0.0.8/29", "--for", "1h", "--reason", "a bad lot").returncode == 0
    assert ask(gateway, ATTACKER) == "reset" and ask(gateway, "127.0.0.20") == 200
    assert gateway.explain(f"http://{NAME}/free", ATTACKER)["reason"] == "ban.active"
    assert gateway.explain(f"http://{NAME}/free", "127.0.0.20")["reason"] == "ok"
    assert gateway.verb("bans", "allow", ATTACKER).returncode == 0
    assert ask(gateway, ATTACKER) == 200 and ask(gateway, BYSTANDER) == "reset"
    text = gateway.verb("bans").stdout
    assert "127.0.0.8/29" in text and "a bad lot" in text and "1 banned" in text


@pytest.mark.parametrize("arguments, says", [
    (["add", "127.0.0.1"], "is never banned"),
    (["add", "127.0.0.77"], "127.0.0.77/32 is in never_ban"),
    (["add", "0.0.0.0/0"], "everybody"),
    (["add", "192.0.2.1:5060"], "neither an IP address nor a network"),
    (["add", "192.0.2.1", "--for", "soon"], "takes a duration"),
    (["remove", "192.0.2.1"], "no entry stands for"),
    (["add"], "address"),
])
def test_what_can_not_be_done_says_why(gateway, arguments, says):
    done = gateway.verb("bans", *arguments)
    assert done.returncode != 0 and says in done.stderr + done.stdout, done
    assert bans(gateway) == {}


def test_the_most_suspicious_come_first(gateway):
    probe(gateway, ATTACKER, 5)
    probe(gateway, BYSTANDER, 2)
    top = wait_until(lambda: (found := gateway.json_verb("bans", "top")[1])["suspects"][1:] and found, "two suspects")
    assert [(one["address"], one["score"]) for one in top["suspects"]] == [(ATTACKER, 5), (BYSTANDER, 2)]
    assert top["suspects"][0]["signs"] == {"refused": 5} and top["suspects"][0]["protocols"] == {"http": 5}
    assert ATTACKER in gateway.verb("bans", "top").stdout


def test_a_reload_takes_the_lists_up(gateway):
    gateway.config["guard"]["always_ban"] = [f"{BYSTANDER}/32"]
    gateway.config["guard"]["never_ban"] = [ATTACKER]
    gateway.write()
    gateway.reload()
    assert ask(gateway, BYSTANDER) == "reset"
    probe(gateway, times=2 * THRESHOLD)
    assert ask(gateway, ATTACKER) == 200
