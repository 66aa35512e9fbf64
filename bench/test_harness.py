"""Holds the harness to account: arithmetic, verdicts, what is held, and the page.

Run it with: python3 -m unittest bench/test_harness.py
"""

import json
import pathlib
import sys
import tempfile
import types
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from harness import baseline, dns, measure, page, peers, report, rows  # noqa: E402  (the path comes first)


def taken(*values):
    return [{"round": number, "value": value, "problem": None, "utilization": 0.5}
            for number, value in enumerate(values)]


class Arithmetic(unittest.TestCase):
    def test_ratios_pair_the_rounds(self):
        # The machine got twice as slow in the second round: the ratio does not see it.
        self.assertEqual(report.paired(taken(9, 18), taken(10, 20)), [0.9, 0.9])

    def test_a_round_without_its_reference_has_no_ratio(self):
        self.assertEqual(report.paired(taken(9, 18), taken(10, None)), [0.9])

    def test_a_goal_is_met_only_by_the_whole_range(self):
        row = next(row for row in rows.ROWS if row.key == "ping")
        cases = (((0.90, 0.88, 0.92), "met"), ((0.90, 0.88, 0.93), "undecided"), ((0.95, 0.93, 0.97), "missed"))
        for ratio, word in cases:
            with self.subTest(word):
                seen = {"sallyport": {"problems": [], "value": (1, 1, 1)}, "haproxy": {"ours": ratio, "enough": True}}
                self.assertIn(f": {word}", report.verdict(row, seen)[0])

    def test_a_goal_may_name_another_peer_or_an_amount(self):
        samples = {"haproxy": taken(10, 10, 10), "haproxy-tuned": taken(4, 5, 5), "sallyport": taken(5, 5, 5)}
        row = row_of(rows.Goal(0.6), rows.Goal(1.1, "haproxy-tuned"), rows.Goal(4.5, ""))
        words = [word.partition(",")[0] for _, word in report.judged(row, report.summary(row, samples))]
        self.assertEqual(words, ["met", "undecided", "missed"])

    def test_two_rounds_of_a_time_decide_nothing(self):
        samples = {"haproxy": taken(10, 10), "sallyport": taken(5, 5)}
        for kind, expected in (("load", "undecided, too few rounds"), ("peak", "met")):
            row = row_of(rows.Goal(0.6), kind=kind)
            self.assertEqual([word for _, word in report.judged(row, report.summary(row, samples))], [expected])

    def test_a_goal_of_an_absent_peer_is_not_judged(self):
        row = row_of(rows.Goal(0.6, "nginx"))
        self.assertEqual(report.judged(row, report.summary(row, {"sallyport": taken(5)})), [])

    def test_an_invalid_sample_shows_and_has_no_median(self):
        row = rows.ROWS[0]
        samples = {"nginx": [{"round": 0, "value": None, "problem": "the body differs"}]}
        summaries = report.summary(row, samples)
        self.assertIn("INVALID 1 of 1", "\n".join(report.text(row, samples, summaries, {})))

    def test_idle_memory_is_own_and_the_relays_share_of_the_kernel(self):
        row = next(row for row in rows.ROWS if row.kind == "idle")
        samples = {"direct": [{"round": 0, "value": 0, "kernel": 7000, "problem": None}],
                   "haproxy": [{"round": 0, "value": 3000, "kernel": 12500, "problem": None}]}
        self.assertEqual(report.summary(row, samples)["haproxy"]["value"][0], 8500)


def row_of(*goals, kind="load"):
    return rows.Row("some", "some row", kind, "us", {"mode": "ping"}, goals)


class Latency(unittest.TestCase):
    RELAY = types.SimpleNamespace(pids=[1], setup=peers.Setup())

    def told(self, **more):
        return {"valid": True, "ops": 20000, "bytes": 0, "seconds": 0.5, "relay_cpu": 0.4, "utilization": 0.5,
                "p50": 30_000, "p99": 90_000, "p999": 200_000, "late": 1000} | more

    def sample(self, **more):
        asked = []
        generator = types.SimpleNamespace(run=lambda relay, arguments: asked.append(arguments) or self.told(**more))
        return measure.latency(row_of(kind="latency"), self.RELAY, generator, 0.4), asked

    def test_the_load_is_half_of_what_would_keep_the_relay_busy(self):
        sample, asked = self.sample()
        self.assertEqual((asked[1]["mode"], asked[1]["rate"]), ("paced", "25000"))  # 40 000/s kept it busy for 0.8
        self.assertEqual((sample["p50"], sample["value"], sample["p999"]), (30, 90, 200))

    def test_it_is_done_again_where_the_generator_came_late(self):
        lateness = iter((0, 60_000, 1000))  # of the closed loop, which has none; of two paced runs
        generator = types.SimpleNamespace(run=lambda *_: self.told(late=next(lateness)))
        self.assertEqual(measure.latency(row_of(kind="latency"), self.RELAY, generator, 0.4)["late"], 1)

    def test_a_fault_makes_it_invalid(self):
        sample, _ = self.sample(valid=False, first_fault="it lied")
        self.assertEqual((sample["value"], sample["problem"]), (None, "it lied"))

    def test_a_late_generator_shows(self):
        row = row_of(kind="latency")
        for late, expected in ((1000, False), (60_000, True)):
            sample, _ = self.sample(late=late)
            notes = report.summary(row, {"haproxy": [sample | {"round": 0}]})["haproxy"]["notes"]
            self.assertEqual("generator at its limit" in notes, expected)


class Calls(unittest.TestCase):
    def test_the_table_of_strace_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "strace").write_text(
                "% time     seconds  usecs/call     calls    errors syscall\n"
                "------ ----------- ----------- --------- --------- ----------------\n"
                " 60.00    0.012000           3      4000           sendto\n"
                " 40.00    0.008000           2      4100       100 recvfrom\n"
                "------ ----------- ----------- --------- --------- ----------------\n"
                "100.00    0.020000           2      8100       100 total\n")
            counts = measure._Strace([], folder).counts()
        self.assertEqual(counts, {"sendto": 4000, "recvfrom": 4100})


class Baseline(unittest.TestCase):
    def passes(self, value, most, before, kind="calls"):
        return baseline.passes(baseline.Held("some", "calls", value, most, before), kind)

    def test_what_is_held(self):
        cases = (
            ("within both", 4.05, 4.3, 4.0, True),
            ("over the maximum", 4.35, 4.3, 4.2, False),
            ("worse than before, if within the maximum", 12.0, 17, 10.0, False),
            ("a maximum that was not reached yet: no worse than before", 27.2, 17, 27.1, True),
            ("the same, and worse", 30.0, 17, 27.1, False),
            ("nothing known before", 12.0, 17, None, True),
            ("nothing known at all", 12.0, None, None, True))
        for name, value, most, before, expected in cases:
            with self.subTest(name):
                self.assertEqual(self.passes(value, most, before), expected)

    def test_a_peak_is_held_to_its_maximum_alone(self):
        self.assertTrue(self.passes(900, 1024, 12, "peak"))
        self.assertFalse(self.passes(1100, 1024, 12, "peak"))

    def test_the_least_of_the_rounds_counts_and_no_time_is_held(self):
        samples = [{"problem": None, "value": 5, "without_waiting": n} for n in (4.2, 4.0, 4.1)]
        invalid = {"problem": "it lied", "value": None}
        self.assertEqual(baseline.held(row_of(kind="calls"), [*samples, invalid], {}).value, 4.0)
        for kind in ("load", "latency", "fair", "checks"):
            self.assertIsNone(baseline.held(row_of(kind=kind), samples, {}))

    def test_every_figure_of_the_baseline_belongs_to_a_row_that_is_held(self):
        known = {row.key for row in rows.ROWS if row.kind in ("calls", "idle", "peak")}
        self.assertEqual(set(baseline.read(HERE / "baseline.json")), known)


class Peers(unittest.TestCase):
    def able(self, key):
        row = next(row for row in rows.ROWS if row.key == key)
        return {peer.name for peer in peers.PEERS if peers.is_concerned(peer, row) and not peers.why_not(peer, row)}

    def test_who_takes_part_in_what(self):
        relays = {"haproxy", "haproxy-tuned", "nginx", "nginx-tuned", "sallyport"}
        self.assertEqual(self.able("ping"), relays | {"direct"})
        self.assertEqual(self.able("tls-ping"), relays)
        self.assertEqual(self.able("tls-idle"), relays | {"direct"}, "for the kernel's share")
        self.assertEqual(self.able("ping2"), relays)
        self.assertEqual(self.able("sni-ping"), relays | {"direct", "sslh"})
        self.assertEqual(self.able("sni-idle"), relays | {"direct"})
        self.assertEqual(self.able("calls-sni-close"), relays | {"sslh"})
        servers = {"dnsmasq", "unbound", "dnsdist", "sallyport"}
        self.assertEqual(self.able("dns-local"), servers)
        self.assertEqual(self.able("dns-tcp"), servers - {"dnsmasq"})
        self.assertEqual(self.able("dns-names"), servers - {"dnsdist"})


class Names(unittest.TestCase):
    REPORT = ("  Queries sent:         1000\n  Queries completed:    998 (99.80%)\n  Queries lost:         2 (0.20%)\n\n"
              "  Response codes:       NOERROR 990 (99.20%), SERVFAIL 8 (0.80%)\n  Run time (s):         0.5\n"
              "  Queries per second:   1996.000000\n")

    def test_the_report_of_dnsperf_is_read(self):
        self.assertEqual(dns.read_report(self.REPORT), {"completed": 998, "lost": 2, "rate": 1996, "other": 8})
        self.assertEqual(dns.read_report("Error: unable to connect"), {})

    def test_what_is_lost_or_no_answer_makes_a_sample_invalid(self):
        told = dns.read_report(self.REPORT) | {"cpu": 0.1, "took": 0.5, "utilization": 0.5}
        self.assertIn("2 lost, 8 not NOERROR", dns._sample(told)["problem"])
        self.assertIsNone(dns._sample(told | {"lost": 0, "other": 0})["problem"])

    def test_the_best_is_whoever_was_least_in_that_round(self):
        row = next(row for row in rows.ROWS if row.key == "dns-local")
        samples = {"dnsmasq": taken(10, 8, 10), "unbound": taken(9, 9, 9), "sallyport": taken(8.1, 7.2, 8.1)}
        summaries = report.summary(row, samples)
        self.assertAlmostEqual(summaries["sallyport"]["ratio"][2], 0.9)
        self.assertEqual(report.judged(row, summaries), [("at most 0.95 of best peer", "met")])
        self.assertIn("dnsmasq unbound", "\n".join(report.text(row, samples, summaries, {})))

    def test_names_of_our_own_have_addresses_of_their_own(self):
        for program in dns.RECORDS:
            lines = dns.records(program, 70_000).splitlines()
            self.assertEqual(len(lines), len(set(lines)) if program != "sallyport" else 4 * 70_000, program)
        self.assertIn("10.1.17.112", dns.records("dnsmasq", 70_001))

    def test_dns_stands_for_all_its_rows(self):
        keys = [row.key for row in rows.chosen(["dns"], False)]
        self.assertTrue(keys and all(key.startswith("dns-") for key in keys))


BEGIN, END = page.RELAYS.begin, page.RELAYS.end


class Page(unittest.TestCase):
    def results(self, rounds=3):
        row = row_of(rows.Goal(0.92))
        samples = {"direct": taken(None), "haproxy": taken(10, 20, 15)[:rounds], "nginx": taken(9, 18, 14)[:rounds],
                   "sallyport": taken(9, 17, 13)[:rounds]}
        summaries = report.summary(row, samples)
        seen = {"half-close": (False, "0 of 3000000 bytes"), "slow reader": (True, "grew 1 KiB"),
                "resets": (False, "none")}
        checks = {"sslh": [{"problem": None, "checks": seen}]}
        common = {"unit": "us", "judged": [], "absent": {}, "summary": {}, "samples": {}}
        results = {"started": "2026-01-02T03:04:05+00:00", "rounds": 2, "window": 0.4,
                   "machine": {"processor": "P", "cores": 2, "kernel": "6", "load": 0.1}, "peers": {"nginx": "1.22"},
                   "rows": [common | {"row": "some", "kind": "load", "title": "some row", "summary": summaries,
                                      "judged": report.judged(row, summaries)},
                            common | {"row": "checks", "kind": "checks", "title": "right", "samples": checks}]}
        return json.loads(json.dumps(results))  # as it is read back from the file

    def render(self, **more):
        results = self.results(**more)
        return page.render(results, results["rows"])

    def test_a_ratio_is_bold_only_if_its_whole_range_is_below_one(self):
        text = self.render()
        self.assertIn("| **0.87 [0.85-0.90]** | 0.94 [0.93-1.00] | at most 0.92 of haproxy | met |", text)

    def test_two_rounds_claim_nothing(self):
        self.assertIn("| 0.88 [0.85-0.90] | 0.97 [0.94-1.00] |", self.render(rounds=2))

    def test_amounts_and_checks_are_shown(self):
        text = self.render()
        self.assertIn("| `some` | us | - | 15.00 [10.00-20.00] | 14.00 [9.000-18.00] | 13.00 [9.000-17.00] |", text)
        self.assertIn("| `checks` | sslh | **fail**: 0 of 3000000 bytes | pass: grew 1 KiB | **fail**: none |", text)
        self.assertNotIn("direct", text.partition("### What each takes")[0])

    def test_only_what_is_between_the_marks_is_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "page.md")
            names = f"{page.NAMES.begin}\nkept\n{page.NAMES.end}"
            path.write_text(f"before\n\n{BEGIN}\nold\n{END}\n\nafter\n{names}")
            for _ in range(2):
                page.write(path, self.results())
            text = path.read_text()
            self.assertTrue(text.startswith(f"before\n\n{BEGIN}\n\nMeasured on 2026-01-02"))
            self.assertTrue(text.endswith(f"\n\n{END}\n\nafter\n{names}"), "no rows of name servers: as it was")
            self.assertNotIn("old", text)

    def test_a_page_without_marks_is_refused_and_kept(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "page.md")
            for text in ("no marks", f"{END}\n{BEGIN}", BEGIN * 2 + END):
                path.write_text(text)
                with self.assertRaises(ValueError):
                    page.write(path, self.results())
                self.assertEqual(path.read_text(), text)

    def test_the_pages_marks_are_there(self):
        text = (HERE.parent / "docs/performance.md").read_text()
        for section in page.SECTIONS:
            self.assertEqual((text.count(section.begin), text.count(section.end)), (1, 1))


if __name__ == "__main__":
    unittest.main()
