"""TURN: the tables of a gateway that relays on loopback, coturn's own clients, and a STUN request by hand."""
import concurrent.futures
import os
import random
import re
import socket
import struct
import subprocess

USER, PASSWORD, SECRET, REALM = "alice", "a secret", "shared among servers", "example.com"
RELAYS = (61000, 64999)  # where neither listeners of tests nor the kernel take theirs


def free_udp_port():
    """One outside the relays' range."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            port = random.randrange(10000, 19999)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def turn_tables(**more):
    """[turn] and [[turn.user]] on a free port of loopback, whose peers may be on loopback too."""
    turn = {"udp": f"127.0.0.1:{free_udp_port()}", "realm": REALM, "shared_secret": [SECRET],
            "relay_ports": "{}-{}".format(*RELAYS), "peer_allow": ["127.0.0.0/8"], "allocations_per_user": 0}
    return {"turn": {**turn, **more}, "turn.user": [{"name": USER, "password": PASSWORD}]}


def port_of(gateway):
    return int(gateway.config["turn"]["udp"].rsplit(":", 1)[1])


def uclient(port, *options, user=USER, password=PASSWORD, secret=None, timeout=120):
    """turnutils_uclient: what it printed."""
    credentials = ["-W", secret] if secret else ["-w", password]
    return subprocess.run(["turnutils_uclient", *options, "-p", str(port), "-u", user, *credentials, "127.0.0.1"],
                          capture_output=True, text=True, timeout=timeout)


def side_by_side(runs):
    """{name: uclient() with its arguments bound}, for each waits for seconds by itself: {name: future of its answer}, done."""
    with concurrent.futures.ThreadPoolExecutor(len(runs)) as pool:
        return {name: pool.submit(run) for name, run in runs.items()}


def assert_all_came(run, least):
    """So many messages at least were sent by a run of side_by_side(), and none of them lost."""
    printed = run.result().stdout
    sent, gone = lost(printed)
    assert sent >= least and gone == 0, printed[-2000:]


def lost(printed):
    """(messages sent, messages lost), as uclient counts them."""
    sent = re.findall(r"tot_send_msgs=(\d+)", printed)
    gone = re.findall(r"Total lost packets (\d+)", printed)
    assert sent and gone, printed[-2000:]
    return int(sent[-1]), int(gone[-1])


def ask(port, method=1, attributes=b"", kind=0, patience=10):
    """One request over UDP: (the answer's bytes, the own address)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(patience)
        sock.connect(("127.0.0.1", port))
        sock.send(struct.pack("!HHI", method | kind, len(attributes), 0x2112A442) + os.urandom(12) + attributes)
        return sock.recv(2048), sock.getsockname()


def mapped_address(answer):
    """Of a Binding answer that holds XOR-MAPPED-ADDRESS alone."""
    _code, _size, _family, port, address = struct.unpack("!HHHHI", answer[20:32])
    return socket.inet_ntoa(struct.pack("!I", address ^ 0x2112A442)), port ^ 0x2112


def binding_by_stream(sock):
    """Asks over a connected TCP or TLS socket: the mapped address."""
    sock.sendall(struct.pack("!HHI", 1, 0, 0x2112A442) + os.urandom(12))
    answer = b""
    while len(answer) < 32:
        part = sock.recv(32 - len(answer))
        assert part, answer
        answer += part
    return mapped_address(answer)
