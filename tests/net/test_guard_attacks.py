"""Real attackers at an address of their own guess passwords of real servers: they are banned within the threshold, and
let in again when the ban has ended."""
import contextlib
import sys

import pytest

from harness import Client, http_service, ldap_service, sip_service, wait_until
from harness.hosts import Hosts, two_hosts
from harness.phone import register
from harness.slapd import PASSWORD, guest
from harness.waiting import free_port

HQ = "hq.example.com"
THRESHOLD = 5
GUESSES = [f"guess{number}" for number in range(4 * THRESHOLD)]
ADDRESS = Hosts.SERVER["v4"]
# svcrack speaks UDP alone: this brings each of its messages over TCP, and the answers back. It ends with its input.
BRIDGE = """
import select, socket, sys
server = (sys.argv[1], int(sys.argv[2]))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
print(udp.getsockname()[1], flush=True)
tcp = peer = None
while True:
    ready, _, _ = select.select([sys.stdin, udp] + ([tcp] if tcp else []), [], [])
    if sys.stdin in ready:
        break
    if tcp in ready:
        try:
            got = tcp.recv(65536)
        except ConnectionError:
            got = b""
        if not got:
            tcp.close()
            tcp = None
        for message in got.split(b"\\r\\n\\r\\n")[:-1]:
            udp.sendto(message + b"\\r\\n\\r\\n", peer)
    if udp in ready:
        message, peer = udp.recvfrom(65536)
        try:
            tcp = tcp or socket.create_connection(server, 10)
            tcp.sendall(message.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP"))
        except ConnectionError:
            tcp = None
"""


@pytest.fixture(scope="module")
def hosts():
    with two_hosts() as hosts:
        yield hosts


def gateway_for(stage, listen, service):
    return stage.gateway({"guard": {"suspicious_per_minute": THRESHOLD, "ban_for": "10s"},
                          "listen": {listen: f"{ADDRESS}:{free_port()}"}, "service": [service]})


def banned_for(gateway, how):
    told = gateway.wait_message("ban.added")
    assert told["address"] == Hosts.CLIENT["v4"] and told["why"] == f"within a minute: {how}", told


def test_svcrack_against_kamailio(stage, hosts):
    kamailio = stage.kamailio([HQ])
    gateway = gateway_for(stage, "sip", sip_service(HQ, kamailio))
    bridge = hosts.start_at_client(sys.executable, "-c", BRIDGE, ADDRESS, gateway.sip_port)
    port = bridge.stdout.readline().strip()
    words = stage.directory / "words"
    words.write_text("\n".join(GUESSES) + "\n")

    def registers():
        with hosts.at(hosts.client), contextlib.suppress(ConnectionError), Client(gateway.sip_port, address=ADDRESS) as phone:
            return register(phone, HQ, 1)
    try:
        hosts.from_client("svcrack", "-u", "alice", "-d", words, "-t", "0.2", "--maximumtime", "3", "--domain", HQ, "-p", port,
                          "127.0.0.1", cwd=stage.directory)
    finally:
        bridge.communicate("")
    banned_for(gateway, f"wrong_credentials {THRESHOLD + 1} (sip)")
    wait_until(lambda: registers() == [401, 200], "the end of the ban")


def test_ldapwhoami_against_slapd(stage, hosts):
    gateway = gateway_for(stage, "ldap", ldap_service(HQ, stage.slapd([HQ])))

    def bind(password):
        done = hosts.from_client("ldapwhoami", "-x", "-o", "nettimeout=10", "-H", f"ldap://{ADDRESS}:{gateway.ldap_port}", "-D", guest(HQ), "-w", password)
        return done.returncode
    results = [bind(guess) for guess in GUESSES[:THRESHOLD + 1]]
    assert results == [49] * (THRESHOLD + 1)  # invalidCredentials
    banned_for(gateway, f"wrong_credentials {THRESHOLD + 1} (ldap)")
    assert bind(PASSWORD) in (254, 255)  # -2 or -1, the library's own errors: the reset comes before or after it writes
    wait_until(lambda: bind(PASSWORD) == 0, "the end of the ban")


def test_curl_against_nginx(stage, hosts):
    gateway = gateway_for(stage, "http", http_service(HQ, stage.nginx("one")))

    def ask(password):
        done = hosts.from_client("curl", "-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", "-u", f"alice:{password}",
                                 "-H", f"Host: {HQ}", f"http://{ADDRESS}:{gateway.http_port}/private")
        return int(done.stdout)
    answers = [ask(guess) for guess in GUESSES[:THRESHOLD + 1]]
    assert answers == [401] * (THRESHOLD + 1)
    banned_for(gateway, f"wrong_credentials {THRESHOLD + 1} (http)")
    assert ask("wonder") == 0
    wait_until(lambda: ask("wonder") == 200, "the end of the ban")
