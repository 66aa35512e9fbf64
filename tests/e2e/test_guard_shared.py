"""Two gateways share bans through a real Redis, through its kills and restarts; no connection ever waits for it."""
import socket

import pytest

from harness import Client, http_service, wait_until
from harness.waiting import free_port

ATTACKER = "127.0.0.9"


def pair(stage, redis):
    target = stage.nginx("one")
    config = {"guard": {"suspicious_per_minute": 3, "ban_for": "1h", "never_ban": ["127.0.0.77"]},
              "shared": {"redis": redis.url}, "service": [http_service("a.example", target)]}
    nodes = [stage.gateway({**config, "node": {"name": name}}) for name in ("edge-1", "edge-2")]
    for node in nodes:
        in_step(node)
    return nodes


def in_step(node, wanted=True):
    wait_until(lambda: node.status()["guard"]["shared"] is wanted, f"shared: {wanted}")


def lists(node):
    both = node.json_verb("bans")[1]
    return {one["address"]: one for one in both["bans"]}, {one["address"] for one in both["allows"]}


def knows(node, address, timeout=15):
    return wait_until(lambda: lists(node)[0].get(address), f"a ban of {address}", timeout)


def forgot(node, address):
    wait_until(lambda: address not in lists(node)[0], f"the end of the ban of {address}")


def is_reset(node, source):
    try:
        with Client(node.http_port, source=source) as client:
            client.request("a.example")
            return False
    except (ConnectionError, AssertionError, EOFError):
        return True


def test_a_ban_on_one_holds_on_the_other_within_a_second(stage):
    one, other = pair(stage, stage.redis())
    for _ in range(4):
        with Client(one.http_port, source=ATTACKER) as client:
            client.request("nobody.example")
    knows(one, ATTACKER)
    entry = knows(other, ATTACKER, timeout=1)
    assert entry["node"] == "edge-1" and entry["origin"] == "auto"
    wait_until(lambda: is_reset(other, ATTACKER), "the reset")
    assert other.verb("bans", "allow", ATTACKER).returncode == 0
    forgot(one, ATTACKER)
    wait_until(lambda: ATTACKER in lists(one)[1], "the allow entry")
    assert not is_reset(one, ATTACKER)


def test_who_comes_later_learns_what_is_there(stage):
    redis = stage.redis(password="pass word%")
    redis_url = redis.url.replace("pass word%", "pass%20word%25")
    one = stage.gateway({"shared": {"redis": redis_url}, "node": {"name": "edge-1"}})
    in_step(one)
    assert one.verb("bans", "add", "198.51.100.7", "--for", "1h").returncode == 0
    wait_until(lambda: redis.command("HLEN", "sallyport:guard") == "1", "the line in Redis")
    other = stage.gateway({"shared": {"redis": redis_url}, "node": {"name": "edge-2"}})
    knows(other, "198.51.100.7")


@pytest.mark.parametrize("keeps", [True, False])
def test_bans_made_while_redis_is_away_travel_when_it_is_back(stage, keeps):
    redis = stage.redis(keeps=keeps)
    one, other = pair(stage, redis)
    assert one.verb("bans", "add", "198.51.100.1", "--for", "1h").returncode == 0
    knows(other, "198.51.100.1")
    redis.kill()
    for node in (one, other):
        in_step(node, False)
    assert one.metrics()["sallyport_guard_shared"] == 0
    assert one.verb("bans", "add", "198.51.100.2", "--for", "1h").returncode == 0
    assert other.verb("bans", "remove", "198.51.100.1").returncode == 0
    assert not is_reset(one, "127.0.0.10")  # nobody waits, nobody fails
    redis.start()
    for node in (one, other):
        in_step(node)
    knows(other, "198.51.100.2")
    forgot(one, "198.51.100.1")
    assert one.wait_message("bans are not shared")["error"]


def test_a_hostile_redis_bans_nobody_it_should_not(stage):
    redis = stage.redis()
    one, _ = pair(stage, redis)
    since = 1_000
    ever = 7_000_000_000_000
    for who, verdict, expires in [("127.0.0.77/32", "ban", "-"), ("127.0.0.1/32", "ban", "-"), ("0.0.0.0/0", "ban", "-"),
                                  ("0.0.0.0/0", "allow", "-"), ("198.51.100.5/32", "ban", ever), ("x", "ban", "-"),
                                  ("198.51.100.6/32", "ban", "99999999999999999999")]:
        line = f"{who}\t{verdict}\tauto\t{since}\t{expires}\tsip\t1\tevil\twhy"
        redis.command("HSET", "sallyport:guard", who, line)
        redis.command("PUBLISH", "sallyport:guard:told", line)
    redis.command("HSET", "sallyport:guard", "198.51.100.9/32", "\u00ff garbage")
    redis.command("PUBLISH", "sallyport:guard:told", "x" * 100_000)
    # Too long for what is read: the connection is given up and made anew.
    in_step(one)
    good = f"198.51.100.8/32\tban\tmanual\t{since}\t-\t\t0\tedge-3\tgood"
    redis.command("HSET", "sallyport:guard", "198.51.100.8/32", good)
    wait_until(lambda: redis.command("PUBLISH", "sallyport:guard:told", good) and lists(one)[0].get("198.51.100.8"), "the ban")
    assert set(lists(one)[0]) == {"198.51.100.8"} and lists(one)[1] == set()


def test_what_is_no_redis_stops_nothing(stage):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway = stage.gateway({"shared": {"redis": f"redis://127.0.0.1:{silent.getsockname()[1]}"},
                                 "service": [http_service("a.example", stage.nginx("one"))]})
        assert not is_reset(gateway, "127.0.0.1")
        assert "it does not answer" in gateway.wait_message("bans are not shared")["error"]
    closed = stage.gateway({"shared": {"redis": f"redis://127.0.0.1:{free_port()}"}})
    assert "can't connect" in closed.wait_message("bans are not shared")["error"]


def test_no_gateway_bans_another(stage):
    redis = stage.redis()
    redis.command("HSET", "sallyport:gateways", "evil", "4000000000000 198.51.100.0/24", "old", "1000 198.51.100.9")
    config = {"guard": {"ban_for": "1h"}, "shared": {"redis": redis.url}}
    one = stage.gateway({**config, "node": {"name": "edge-1", "nat_map": ["203.0.113.1=10.0.0.1"]}})
    in_step(one)
    assert one.verb("bans", "add", "203.0.113.2").returncode == 0
    other = stage.gateway({**config, "node": {"name": "edge-2", "nat_map": ["203.0.113.2=10.0.0.2"]}})
    in_step(other)
    forgot(one, "203.0.113.2")  # it was a gateway's, though nobody knew
    for node, address in ((one, "203.0.113.2"), (other, "203.0.113.1")):
        wait_until(lambda: "is never banned" in node.verb("bans", "add", address).stderr, f"{address} to be exempt")
    redis.kill()
    in_step(one, False)
    assert "is never banned" in one.verb("bans", "add", "203.0.113.2").stderr
    assert one.verb("bans", "add", "198.51.100.9").returncode == 0
    redis.start()
    in_step(one)
    wait_until(lambda: sorted(redis.command("HKEYS", "sallyport:gateways").split()) == ["edge-1", "edge-2"],
               "both to be announced again")
