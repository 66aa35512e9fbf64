"""Holds the generator to account: it must notice a relay that lies. test_harness.py does so with the harness.

Run it with: python3 -m unittest bench/test_bench.py (BENCH_LOAD names the generator if it is not in build/bench/bin).
"""

import json
import os
import pathlib
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import machine  # noqa: E402  (the path comes first)

GENERATOR = os.environ.get("BENCH_LOAD", str(HERE.parent / "build/bench/bin/bench_load"))
PORTS = machine.Ports(first=11000)


class LyingRelay:
    """Relays each connection on a thread of its own; `lie` may change what comes from the backend, or end it (None).

    `lie_inward` may change what comes from the client.
    """

    def __init__(self, backend, lie, tls=None, lie_inward=lambda data: data):
        self._backend, self._lie, self._tls, self._lie_inward = backend, lie, tls, lie_inward
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            if self._tls:
                client = self._tls.wrap_socket(client, server_side=True)
            with client, socket.create_connection(("127.0.0.1", self._backend)) as target:
                self._relay(client, target)
        except OSError:
            pass

    def _relay(self, client, target):
        count = 0
        reading = [client, target]
        while reading:
            for source in select.select(reading, [], [])[0]:
                data = source.recv(65536)
                sink = client if source is target else target
                if not data:
                    reading.remove(source)
                    sink.shutdown(socket.SHUT_WR)
                    continue
                if source is target:
                    count += 1
                    data = self._lie(data, count)
                else:
                    data = self._lie_inward(data)
                if data is None:
                    return
                sink.sendall(data)


def truth(data, _):
    return data


def generate(target, backend, **options):
    words = {"target": f"127.0.0.1:{target}", "backend": f"127.0.0.1:{backend}", "connections": 4, "seconds": 0.1,
             "warmup": 0.05, **options}
    done = subprocess.run([GENERATOR, *(f"{name}={value}" for name, value in words.items())], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=40, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


TUNNEL = {"carrier": "tunnel", "mode": "ping"}
SNI = {"carrier": "sni", "mode": "ping"}
LDAP = {"carrier": "ldap", "mode": "ping"}
SIP = {"carrier": "sip", "mode": "ping"}


class HonestRelays(unittest.TestCase):
    CASES = {
        "http": {"mode": "http"},
        "http, closing": {"mode": "http", "close": "yes"},
        "short": {"mode": "short", "carrier": "raw"},
        "ping in a tunnel": TUNNEL,
        "ping, raw": TUNNEL | {"carrier": "raw"},
        "bulk in a tunnel": TUNNEL | {"mode": "bulk"},
        "bulk over http": {"mode": "bulk", "size": 1 << 20},
        "idle": TUNNEL | {"mode": "idle"},
        "ping after a ClientHello": SNI,
        "short, with a ClientHello": SNI | {"mode": "short"},
        "bulk after a ClientHello": SNI | {"mode": "bulk"},
        "searches after a bind": LDAP,
        "searches for many": LDAP | {"entries": 1000},
        "short, a bind and a search": LDAP | {"mode": "short"},
        "pings by OPTIONS": SIP,
        "short, a ping by OPTIONS": SIP | {"mode": "short"},
        "paced": TUNNEL | {"mode": "paced", "rate": 500},
        "fair": TUNNEL | {"mode": "fair", "rate": 200, "streams": 2},
        "bulk with a small buffer": TUNNEL | {"mode": "bulk", "send_buffer": 65536},
        "half-close": TUNNEL | {"mode": "half_close"},
        "slow reader": TUNNEL | {"mode": "slow_reader"},
    }

    def test_every_mode_is_valid_through_an_honest_relay(self):
        for name, options in self.CASES.items():
            with self.subTest(name):
                backend = PORTS.take()
                relay = LyingRelay(backend, truth)
                told = generate(relay.port, backend, **options)
                relay.close()
                self.assertTrue(told["valid"], told)
                self.assertGreater(told["ops"] + told["bytes"], 0)

    def test_a_window_of_operations_has_exactly_so_many(self):
        backend = PORTS.take()
        self.assertEqual(generate(backend, backend, mode="http", ops=100, seconds=5)["ops"], 100)


class PacedWork(unittest.TestCase):
    def test_a_pause_of_the_relay_is_charged_to_all_who_waited(self):
        # A closed loop would have one slow operation in 400 and a quick 99th percentile.
        backend = PORTS.take()
        relay = LyingRelay(backend, lambda data, n: time.sleep(0.2 if n == 50 else 0) or data)
        options = TUNNEL | {"mode": "paced", "rate": 800, "connections": 1, "seconds": 0.5}
        told = generate(relay.port, backend, **options)
        relay.close()
        self.assertTrue(told["valid"], told)
        self.assertGreater(told["p99"], 100e6)
        self.assertLessEqual(told["p50"], told["p99"])
        self.assertLessEqual(told["p99"], told["p999"])

    def test_there_are_about_as_many_operations_as_asked_for(self):
        backend = PORTS.take()
        told = generate(backend, backend, **TUNNEL | {"mode": "paced", "rate": 2000, "connections": 8, "seconds": 0.5})
        self.assertAlmostEqual(told["ops"] / told["seconds"], 2000, delta=400)


class LyingRelays(unittest.TestCase):
    CASES = {
        "a changed byte in an echo": (TUNNEL, lambda data, n: data if n < 3 else data[:-1] + b"!", "wrong_answer"),
        "a doubled echo": (TUNNEL, lambda data, n: data if n < 3 else data * 2, "wrong_answer"),
        "a changed body": ({"mode": "http"}, lambda data, n: data[:-1] + b"!", "wrong_answer"),
        "another status": ({"mode": "http"}, lambda data, n: data.replace(b" 200 ", b" 403 "), "wrong_answer"),
        "a body cut short": ({"mode": "http"}, lambda data, n: data[:-1], "stalled"),
        "an early end": ({"mode": "http"}, lambda data, n: None if n > 2 else data, "early_close"),
        "silence": ({"mode": "http"}, lambda data, n: b"", "stalled"),
        "a refused tunnel": (TUNNEL, lambda data, n: data.replace(b" 101 ", b" 403 "), "refused"),
        "a tunnel that ends": (TUNNEL, lambda data, n: None if n > 2 else data, "early_close"),
        "bulk with a piece lost": (TUNNEL | {"mode": "bulk"}, lambda data, n: data if n != 9 else data[1:], "stalled"),
        "no X-Forwarded-For": ({"mode": "http", "forwarded_for": "yes"}, truth, "bad_request"),
        "another ServerHello": (SNI, lambda data, n: data if n > 1 else data[:-1] + b"!", "refused"),
        "half a ServerHello": (SNI, lambda data, n: data if n > 1 else data[:-1], "stalled"),
        "another answer to a bind": (LDAP, lambda data, n: data if n > 1 else data[:-1] + b"!", "refused"),
        "another entry": (LDAP, lambda data, n: data.replace(b"Meier", b"Maier"), "wrong_answer"),
        "half an answer lost": (LDAP, lambda data, n: data if n < 3 else data[len(data) // 2:], "stalled"),
        "an answer of the search before": (LDAP, lambda data, n: data.replace(b"\x02\x04\x01\x00\x00\x03",
                                                                            b"\x02\x04\x01\x00\x00\x02"),
                                           "wrong_answer"),
        "another status of SIP": (SIP, lambda data, n: data.replace(b" 200 ", b" 403 "), "wrong_answer"),
        "another branch of SIP": (SIP, lambda data, n: data.replace(b"7219;rport", b"7218;rport"), "wrong_answer"),
        "another answer to a short connection": (SNI | {"mode": "short"},
                                                 lambda data, n: data[:-1] + b"!", "wrong_answer"),
        "a changed byte when paced": (TUNNEL | {"mode": "paced", "rate": 500},
                                      lambda data, n: data if n < 3 else data[:-1] + b"!", "wrong_answer"),
        "a piece lost beside others": (TUNNEL | {"mode": "fair", "rate": 200, "streams": 2},
                                       lambda data, n: data if n != 9 else data[1:], "stalled"),
        "half-close, a byte lost": (TUNNEL | {"mode": "half_close"},
                                    lambda data, n: data if n != 9 else data[1:], "lost_bytes"),
        "a slow reader's byte changed": (TUNNEL | {"mode": "slow_reader"},
                                         lambda data, n: data if n != 9 else data[:-1] + b"!", "lost_bytes"),
    }

    def test_each_lie_makes_the_run_invalid(self):
        for name, (options, lie, fault) in self.CASES.items():
            with self.subTest(name):
                backend = PORTS.take()
                relay = LyingRelay(backend, lie)
                told = generate(relay.port, backend, **options)
                relay.close()
                self.assertFalse(told["valid"], told)
                self.assertIn(fault, told["faults"], told)

    def test_a_changed_byte_is_noticed_at_the_backend(self):
        for name, options in {"ClientHello": SNI, "bind": LDAP, "request of SIP": SIP}.items():
            with self.subTest(name):
                backend = PORTS.take()
                relay = LyingRelay(backend, truth, lie_inward=lambda data: data[:-1] + b"!")
                told = generate(relay.port, backend, **options)
                relay.close()
                self.assertIn("bad_request", told["faults"], told)

    def test_a_changed_search_is_noticed_at_the_backend(self):
        backend = PORTS.take()
        relay = LyingRelay(backend, truth, lie_inward=lambda data: data.replace(b"mobile", b"mobilf"))
        told = generate(relay.port, backend, **LDAP)
        relay.close()
        self.assertIn("bad_request", told["faults"], told)

    def test_no_relay_at_all_is_invalid(self):
        told = generate(PORTS.take(), PORTS.take(), mode="http")
        self.assertIn("connect", told["faults"])


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", path / "key", "-out", path / "chain", "-subj", "/CN=bench.example", "-days", "2"],
                       check=True, capture_output=True)
        cls.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        cls.context.load_cert_chain(path / "chain", path / "key")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    CASES = {
        "full handshakes": {"mode": "http", "close": "yes"},
        "resumed": {"mode": "http", "close": "yes", "resume": "yes"},
        "ping": TUNNEL,
        "bulk": TUNNEL | {"mode": "bulk"},
    }

    def test_modes_over_tls(self):
        for name, options in self.CASES.items():
            with self.subTest(name):
                backend = PORTS.take()
                relay = LyingRelay(backend, truth, self.context)
                told = generate(relay.port, backend, tls="yes", **options)
                relay.close()
                self.assertTrue(told["valid"], told)
                self.assertGreater(told["ops"] + told["bytes"], 0)

    def test_a_server_that_does_not_resume_is_noticed(self):
        backend = PORTS.take()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = pathlib.Path(self.folder.name)
        context.load_cert_chain(path / "chain", path / "key")
        context.num_tickets = 0
        relay = LyingRelay(backend, truth, context)
        told = generate(relay.port, backend, tls="yes", mode="http", close="yes", resume="yes")
        relay.close()
        self.assertIn("handshake", told["faults"], told)


if __name__ == "__main__":
    unittest.main()
