"""`enforce = "nftables"`: the kernel itself refuses new connections of whoever is banned, and of nobody else."""
import sqlite3
import subprocess
import sys
import time

import pytest

from harness import GatewayFailed, wait_until
from harness.hosts import Hosts, two_hosts
from harness.namespaces import sh
from harness.turn import free_udp_port
from harness.waiting import free_port

TABLE = ("inet", "sallyport_bans")
NAME = "a.example"
CLIENT, SERVER = Hosts.CLIENT, Hosts.SERVER
# Says how a connection to address and port, from an address, fares: the kernel answers the SYN itself with a reset
# (refused); the gateway takes the connection first (reset); it serves (200).
TRY = """
import socket, sys
server, port, source = sys.argv[1], int(sys.argv[2]), sys.argv[3]
try:
    with socket.create_connection((server, port), 10, (source, 0)) as one:
        one.sendall(b"GET / HTTP/1.1\\r\\nHost: a.example\\r\\nConnection: close\\r\\n\\r\\n")
        print(one.recv(12).split()[-1].decode())
except ConnectionRefusedError:
    print("refused")
except (ConnectionError, IndexError):
    print("reset")
"""
# A connection that asks again for each line of its input.
KEPT = """
import socket, sys
one = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
for _ in sys.stdin:
    one.sendall(b"GET / HTTP/1.1\\r\\nHost: a.example\\r\\n\\r\\n")
    print(one.recv(65536).split()[1].decode(), flush=True)
"""
# A STUN Binding request, sent until it is answered or a second has passed.
BIND = """
import os, socket, sys
one = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
one.settimeout(.1)
for _ in range(10):
    one.sendto(bytes.fromhex("000100002112a442") + os.urandom(12), (sys.argv[1], int(sys.argv[2])))
    try:
        one.recv(2000)
        print("answered")
        break
    except TimeoutError:
        pass
else:
    print("silence")
"""
NFT_IS_MISSING = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null "$(readlink -f /usr/sbin/nft)" && exec "$@"', "sh"]
NO_NET_ADMIN = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]


@pytest.fixture(scope="module")
def hosts():
    with two_hosts() as hosts:
        yield hosts


def config(stage, **guard):
    """As it runs where it is installed: begun as root, an ordinary user afterwards."""
    return {"guard": {"enforce": "nftables", "ban_for": "1h", **guard}, "node": {"user": "nobody"},
            "admin": {"socket": stage.directory / "run" / "admin.sock"},
            "listen": {"http": f":{free_port()}"},
            "service": [{"name": NAME, "protocol": "http", "target": "builtin:welcome"}]}


@pytest.fixture
def gateway(stage, hosts):
    return started(stage, config(stage))


def started(stage, configuration, **options):
    gateway = stage.gateway(configuration, environment={"ASAN_OPTIONS": "detect_leaks=0"}, **options)
    in_step(gateway)
    return gateway


def in_step(gateway, wanted=True):
    wait_until(lambda: gateway.status()["guard"]["kernel"] is wanted, f"kernel: {wanted}")


def tried(hosts, gateway, family="v4", source=None, port=None):
    done = hosts.python(TRY, SERVER[family], port or gateway.http_port, source or CLIENT[family])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def becomes(hosts, gateway, outcome, *arguments, **more):
    wait_until(lambda: tried(hosts, gateway, *arguments, **more) == outcome, outcome)


def do(gateway, *words):
    done = gateway.verb("bans", *words)
    assert done.returncode == 0, done.stderr


def table():
    """The table as the kernel has it; empty: there is none."""
    return subprocess.run(["nft", "list", "table", *TABLE], capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_new_connections_are_refused_by_the_kernel_and_a_live_one_goes_on(hosts, gateway, family):
    assert tried(hosts, gateway, family) == "200"
    kept = hosts.start_at_client(sys.executable, "-c", KEPT, SERVER[family], gateway.http_port)
    try:
        def asks():
            print(file=kept.stdin, flush=True)
            return kept.stdout.readline().strip()
        assert asks() == "200"
        do(gateway, "add", CLIENT[family])
        becomes(hosts, gateway, "refused", family)
        assert tried(hosts, gateway, "v6" if family == "v4" else "v4") == "200"
        assert asks() == "403"  # it was not cut: the gateway says what a new request meets
    finally:
        kept.kill()
        kept.communicate()
    do(gateway, "remove", CLIENT[family])
    becomes(hosts, gateway, "200", family)
    assert gateway.metrics()["sallyport_guard_in_kernel"] == 1
    assert "in the kernel too" in gateway.verb("status").stdout


@pytest.mark.parametrize("family", ["v4", "v6"])
def test_what_comes_over_udp_is_dropped(stage, hosts, family):
    port = free_udp_port()
    gateway = started(stage, config(stage) | {"stun": {"listen": f":{port}"}})
    fares = lambda which: hosts.python(BIND, SERVER[which], port).stdout.strip()
    assert fares(family) == "answered"
    do(gateway, "add", CLIENT[family])
    wait_until(lambda: fares(family) == "silence", "silence")
    assert fares("v6" if family == "v4" else "v4") == "answered"
    do(gateway, "remove", CLIENT[family])
    wait_until(lambda: fares(family) == "answered", "an answer")


def test_too_many_signs_lead_to_the_kernel_and_time_leads_out(stage, hosts):
    gateway = started(stage, config(stage, suspicious_per_minute=1, ban_for="10s"))
    ask = TRY.replace("a.example", "nobody.example")
    for _ in range(2):
        hosts.python(ask, SERVER["v4"], gateway.http_port, CLIENT["v4"])
    becomes(hosts, gateway, "refused")
    becomes(hosts, gateway, "200")


def test_an_allow_entry_beats_a_banned_network(hosts, gateway):
    other = hosts.address("10.78.9.9")
    do(gateway, "add", "10.78.0.0/17")
    becomes(hosts, gateway, "refused")
    do(gateway, "allow", CLIENT["v4"])
    becomes(hosts, gateway, "200")
    assert tried(hosts, gateway, source=other) == "refused"


def test_no_other_port_of_the_machine_is_closed(stage, hosts, gateway):
    do(gateway, "add", CLIENT["v4"])
    becomes(hosts, gateway, "refused")
    code = "import http.server, sys; http.server.HTTPServer(('', int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()"
    port = free_port()
    other = subprocess.Popen([sys.executable, "-c", code, str(port)], stderr=subprocess.DEVNULL, cwd=stage.directory)
    try:
        becomes(hosts, gateway, "200", port=port)
    finally:
        other.kill()
        other.wait()


def test_the_table_of_one_that_was_killed_is_replaced(hosts, gateway):
    do(gateway, "add", CLIENT["v4"])
    becomes(hosts, gateway, "refused")
    time.sleep(1.1)  # a kill may lose the last second
    gateway.kill()
    sh("nft", "add", "element", *TABLE, "clients4", "{ 192.0.2.77 }")  # what it might have left
    gateway.start()
    in_step(gateway)
    assert "192.0.2.77" not in table()
    assert tried(hosts, gateway) == "refused"


def test_it_is_gone_when_the_gateway_goes(hosts, gateway):
    assert table()
    gateway.stop()
    assert table() == ""


def test_a_start_that_fails_later_leaves_nothing(stage, hosts):
    gateway = stage.gateway({**config(stage), "admin": {"socket": stage.directory / ("x" * 100) / "admin.sock"}}, start=False)
    with pytest.raises(GatewayFailed):
        gateway.start()
    assert table() == ""


def test_what_others_flush_is_made_again(hosts, gateway):
    do(gateway, "add", CLIENT["v4"])
    becomes(hosts, gateway, "refused")
    sh("nft", "flush", "ruleset")
    becomes(hosts, gateway, "reset")  # the ban itself holds
    do(gateway, "add", "192.0.2.1")  # the next change finds out, or the next look within 30 s
    assert gateway.wait_message("bans hold at accept alone")["error"]
    becomes(hosts, gateway, "refused")
    assert "192.0.2.1" in table()


def test_a_reload_takes_it_up_and_gives_it_up(hosts, gateway):
    gateway.config["guard"]["always_ban"] = [CLIENT["v4"]]
    gateway.write()
    gateway.reload()
    becomes(hosts, gateway, "refused")
    gateway.config["guard"]["enforce"] = "accept"
    gateway.write()
    gateway.reload()
    wait_until(lambda: table() == "", "the table to go")
    assert tried(hosts, gateway) == "reset" and gateway.status()["guard"]["kernel"] is None
    gateway.config["guard"]["enforce"] = "nftables"
    gateway.config["listen"]["http"] = f":{free_port()}"
    gateway.write()
    gateway.reload()
    becomes(hosts, gateway, "refused")


def test_many_bans_are_known_to_it_from_the_start(stage, hosts):
    gateway = stage.gateway(config(stage))
    gateway.stop()
    count, now = 50_000, int(time.time() * 1000)
    with sqlite3.connect(gateway.directory / "state" / "sallyport.db") as write:
        write.executemany("INSERT INTO guard_entry VALUES (?, 'ban', 'auto', ?, ?, '', 'sip', 1, 'n')",
                          ((f"100.64.{i >> 8}.{i & 255}/32", now, now + 3_600_000) for i in range(count)))
    gateway.start()
    in_step(gateway)
    assert table().count(" timeout ") == count
    assert tried(hosts, gateway) == "200"


@pytest.mark.parametrize("wrapper, says", [(NFT_IS_MISSING, "install the package nftables"), (NO_NET_ADMIN, "CAP_NET_ADMIN")])
def test_where_it_can_not_be_check_and_start_say_why(stage, hosts, wrapper, says):
    gateway = stage.gateway(config(stage), start=False, wrapper=wrapper)
    done = gateway.verb("check", wrapper=wrapper)
    assert done.returncode != 0 and says in done.stderr, done
    assert f"{gateway.file}:" in done.stderr
    with pytest.raises(GatewayFailed, match=says):
        gateway.start()
    assert gateway.verb("check").returncode == 0


def test_a_reload_can_not_bring_back_the_privilege(stage, hosts):
    gateway = stage.gateway(config(stage, enforce="accept"))
    gateway.config["guard"]["enforce"] = "nftables"
    gateway.write()
    done = gateway.verb("reload")
    assert done.returncode != 0 and "restart needed" in done.stderr and "CAP_NET_ADMIN" in done.stderr
    assert table() == ""
