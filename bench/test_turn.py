"""Holds bench/turn and its clients to account: servers that lie must make a run invalid, and a goal is met by all rounds.

Run it with: python3 -m unittest bench/test_turn.py (BENCH_TURN names the clients if they are not in build/bench/bin).
"""

import importlib.machinery
import importlib.util
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import types
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent

GENERATOR = os.environ.get("BENCH_TURN", str(HERE.parent / "build/bench/bin/bench_turn"))


def load_turn():
    """The program bench/turn as a module."""
    loader = importlib.machinery.SourceFileLoader("bench_turn_program", str(HERE / "turn"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module  # dataclasses look there
    loader.exec_module(module)
    return module


turn = load_turn()


class StunServer:
    """Answers Binding; `lie` changes (address, port), or answers None for silence."""

    def __init__(self, lie):
        self._lie, self._count = lie, 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", ("127.0.0.1", self.port))

    def _serve(self):
        with self._socket:
            while request := self._socket.recvfrom(2048):
                data, client = request
                if not data:
                    return
                self._count += 1
                told = self._lie(client, self._count)
                if told is None:
                    continue
                address = struct.unpack("!I", socket.inet_aton(told[0]))[0] ^ 0x2112A442
                value = struct.pack("!HHHHI", 0x0020, 8, 1, told[1] ^ 0x2112, address)
                self._socket.sendto(struct.pack("!HHI", 0x0101, len(value), 0x2112A442) + data[8:20] + value, client)


def ask(server, **options):
    """What bench_turn reports of it; None: it found a lie."""
    words = {"server": f"127.0.0.1:{server.port}", "work": "binding", "guests": 4, "seconds": 0.1, **options}
    done = subprocess.run([GENERATOR, *(f"{name}={value}" for name, value in words.items())], input="\n\n",
                          capture_output=True, text=True, timeout=40, check=False)
    server.close()
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


class Clients(unittest.TestCase):
    def test_an_honest_server_is_measured(self):
        told = ask(StunServer(lambda client, _: client), window=4)
        self.assertEqual(told["sent"], told["came"])
        self.assertGreater(told["came"], 0)

    def test_a_rate_is_kept(self):
        told = ask(StunServer(lambda client, _: client), rate=100, seconds=0.5)
        self.assertLessEqual(told["sent"], 51)

    def test_what_is_lost_is_counted(self):
        told = ask(StunServer(lambda client, count: None if count % 10 == 5 else client), rate=200, seconds=0.5)
        self.assertLess(told["came"], told["sent"])
        self.assertGreater(told["came"], 0)

    def test_another_address_is_noticed(self):
        self.assertIsNone(ask(StunServer(lambda client, count: (client[0], client[1] ^ (count == 5)))))

    def test_a_server_that_is_no_turn_server_is_noticed(self):
        server = StunServer(lambda client, _: client)
        self.assertIsNone(ask(server, work="channel", user="a", password="b"))


class Verdicts(unittest.TestCase):
    @staticmethod
    def summary(ours, theirs, **more):
        row = turn.Row("x", "a row", "us", 0.8, {}, **more)
        taken = {name: [{"round": n, "value": value, "problem": None} for n, value in enumerate(values)]
                 for name, values in (("sallyport", ours), ("turnserver", theirs))}
        return turn.summary(row, taken)

    def test_a_goal_is_met_only_by_the_whole_range(self):
        for ours, word in (((7, 7, 7.5), "met"), ((7, 8, 9), "undecided"), ((8.5, 9, 9), "missed")):
            with self.subTest(word):
                self.assertEqual(self.summary(ours, (10, 10, 10))["verdict"], word)

    def test_two_rounds_of_a_ratio_decide_nothing_and_one_of_an_amount_does(self):
        self.assertEqual(self.summary((7, 7), (10, 10))["verdict"], "-")
        self.assertEqual(self.summary((0.5,), (), ratio=False)["verdict"], "met")

    def test_the_table_shows_every_row(self):
        results = {"machine": {"processor": "P", "cores": 2, "kernel": "6", "load": 1.0}, "started": "2026-01-02T03:04:05",
                   "rounds": 3, "window": 1, "versions": {"sallyport": "s 1"}, "rows": [self.summary((7, 7, 7), (10, 10, 10))]}
        self.assertIn("| `x` | a row | us | 10.00 [10.00-10.00] | 7.00 [7.00-7.00] | 0.70 [0.70-0.70] | 0.8 | met |",
                      turn.render(results))

    def test_an_invalid_sample_has_no_figure_and_shows(self):
        row = turn.Row("x", "a row", "us", 0.8, {})
        seen = turn.summary(row, {"sallyport": [{"round": 0, "value": None, "problem": "a lie"}]})
        self.assertEqual(seen["problems"], ["sallyport: a lie"])
        self.assertIn("INVALID sallyport: a lie", turn.text(seen))

    def test_quick_asks_ours_alone_for_little(self):
        options = turn.parse(["--quick"])
        self.assertEqual(len(options.rows), len(turn.ROWS))
        self.assertTrue(all(row.work.get("guests", 0) <= 200 for row in options.rows))
        bench = turn.Bench(types.SimpleNamespace(**vars(options)), "/nowhere")
        self.assertNotIn("turnserver", [peer.name for peer in bench.peers])


if __name__ == "__main__":
    unittest.main()
