"""Samples of the rows of the name server: dnsperf asks, unbound knows what is to be forwarded."""

import dataclasses
import math
import pathlib
import re
import resource
import shutil
import socket
import struct
import subprocess
import time

from . import machine

CACHED = 1000          # names that are asked for again and again
KNOWN = 10_000         # names that the upstream knows
MISSES = 60_000        # questions of a sample of names that nobody has asked for yet
FEW, MANY = 10, 100_000  # names of our own that must cost the same
SPREAD = 10_000        # of MANY, how many a sample asks for: as many as a cache would hold
LOST_AFTER = 2         # seconds; on loopback what has not come by then is lost

# How each program is told of a name of its own.
RECORDS = {
    "dnsmasq": "host-record={name},{address},30",
    "unbound": "local-data: \"{name}. 30 IN A {address}\"",
    "dnsdist": "addAction(QNameRule('{name}.'), SpoofAction('{address}', {{ttl=30}}))",
    "sallyport": "[[dns.record]]\nname = \"{name}\"\naddress = \"{address}\"\nttl = \"30s\"",
}


def records(program, count, domain="home.test"):
    """The lines of a configuration for h0, h1 ... of our own."""
    form = RECORDS[program]
    return "\n".join(form.format(name=f"h{number}.{domain}",
                                 address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
                     for number in range(count))


def known_records():
    """Public addresses: a private one from outside would be kept out."""
    return "\n    ".join(f"local-data: \"h{number}.cached.test. 3600 IN A 198.51.{number >> 8}.{number & 255}\""
                         for number in range(KNOWN))


def answers(port):
    """Whether a name server knows the root or refuses it: who can't be reached says nothing."""
    question = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + b"\x02h1\x04home\x04test\x00" + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.settimeout(1)
        try:
            trial.connect(("127.0.0.1", port))
            trial.send(question)
            return trial.recv(512)[:2] == question[:2]
        except OSError:
            return False


class Upstream:
    """unbound with all that the relays ask it for. It shares the core of dnsperf, so that theirs is their own."""

    def __init__(self, template, folder, port, push_port):
        """push_port: where the push relay asks; 53, as it can't be told another."""
        program = shutil.which("unbound") or shutil.which("unbound", path="/usr/sbin")
        if program is None or shutil.which("dnsperf") is None:
            raise RuntimeError("dnsperf or unbound, which the rows of the name server need, is not installed here")
        folder.mkdir()
        config = folder / "unbound.conf"
        text = template.read_text()
        for name, value in {"@DIR@": folder, "@PORT@": port, "@PUSH_PORT@": push_port, "@RECORDS@": known_records()}.items():
            text = text.replace(name, str(value))
        config.write_text(text)
        self.port = port
        self._process = subprocess.Popen([program, "-d", "-c", str(config)], stdin=subprocess.DEVNULL,
                                         stderr=subprocess.DEVNULL,
                                         preexec_fn=machine.child_setup(machine.GENERATOR_CORE))
        machine.wait_until(lambda: answers(port), 10, "the upstream does not answer")

    def stop(self):
        machine.stop(self._process, [])


class Questions:
    """Files of questions, made when they are first asked for."""

    def __init__(self, folder):
        self._folder = pathlib.Path(folder)
        self._misses = 0

    def of(self, kind, count):
        """kind: home, of our own; cached, of the upstream."""
        path = self._folder / f"{kind}-{count}"
        if not path.exists():
            # In an order that no cache likes, and the same one for everybody.
            numbers = ((place * 7919) % count for place in range(min(count, SPREAD)))
            path.write_text("".join(f"h{number}.{kind}.test A\n" for number in numbers))
        return path

    def never_asked(self, count):
        self._misses += 1
        path = self._folder / "misses"
        path.write_text("".join(f"m{self._misses}x{number}.miss.test A\n" for number in range(count)))
        return path


def _run(relay, file, *words, seconds):
    """What dnsperf saw, and what that took of the relay's processor time."""
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(relay.port), "-d", str(file), "-T", "1", "-t", str(LOST_AFTER),
               "-l", str(math.ceil(seconds)), *words]
    before, own_before = machine.run_time(relay.pids), resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
                          preexec_fn=machine.child_setup(machine.GENERATOR_CORE))
    took = time.monotonic() - started
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = read_report(done.stdout)
    if not report:
        raise RuntimeError(f"dnsperf: {(done.stderr or done.stdout).strip()[-200:]}")
    share = own.ru_utime + own.ru_stime - own_before.ru_utime - own_before.ru_stime
    return report | {"cpu": machine.run_time(relay.pids) - before, "utilization": share / took, "took": took}


def read_report(text):
    """{"completed", "lost", "other" (answers that are not NOERROR), "rate"} of dnsperf's last words."""
    found = {key: re.search(pattern, text) for key, pattern in (
        ("completed", r"Queries completed: +(\d+)"), ("lost", r"Queries lost: +(\d+)"),
        ("rate", r"Queries per second: +([\d.]+)"))}
    if not all(found.values()):
        return {}
    report = {key: float(match[1]) for key, match in found.items()}
    codes = dict(re.findall(r"([A-Z]+) (\d+) \(", text))
    report["other"] = sum(int(count) for code, count in codes.items() if code != "NOERROR")
    return report


def _sample(report):
    sample = {"value": None, "problem": None, "rate": report["rate"], "utilization": min(report["utilization"], 1.0),
              "busy": report["cpu"] / report["took"], "report": report}
    if report["lost"] or report["other"] or not report["completed"]:
        sample["problem"] = f"{report['lost']:.0f} lost, {report['other']} not NOERROR, of {report['completed']:.0f}"
    return sample


def _warm(relay, file, lines):
    _run(relay, file, "-n", "1", "-c", "4", "-q", "50", seconds=30 + lines // 1000)


def queries(row, relay, questions, window):
    """CPU seconds for a million questions, "value"."""
    kind, count = row.arguments["ask"], row.arguments.get("count", 0)
    if kind == "miss":
        report = _run(relay, questions.never_asked(MISSES), "-n", "1", "-c", "4", "-q", "50", seconds=max(window, 4))
    else:
        file = questions.of(kind, count)
        _warm(relay, file, count)
        report = _run(relay, file, "-c", "4", "-q", "100", seconds=window)
    sample = _sample(report)
    if not sample["problem"]:
        sample["value"] = report["cpu"] / report["completed"] * 1e6
    return sample


def rate(row, relay, questions, window):
    """Microseconds from one answer to the next, "value", with so many questions under way on each TCP connection."""
    connections, each = row.arguments["connections"], row.arguments["pipeline"]
    file = questions.of(row.arguments["ask"], row.arguments["count"])
    report = _run(relay, file, "-m", "tcp", "-c", str(connections), "-q", str(connections * each), seconds=window)
    sample = _sample(report)
    if not sample["problem"]:
        sample["value"] = 1e6 / report["rate"]
    return sample


def names(row, few, many, questions, window):
    """How many times what a question costs with FEW names of our own it costs with MANY."""
    samples = []
    for relay, count in ((few, FEW), (many, MANY)):
        one = dataclasses.replace(row, arguments=row.arguments | {"count": count})
        samples.append(queries(one, relay, questions, window))
    for sample in samples:
        if sample["problem"]:
            return sample
    return samples[1] | {"value": samples[1]["value"] / samples[0]["value"], "few": samples[0]["value"]}


def resident(row, relay, questions):
    """MiB of memory once so many answers are cached."""
    file = questions.of("cached", row.arguments["count"])
    report = _run(relay, file, "-n", "2", "-c", "4", "-q", "50", seconds=30)
    sample = _sample(report)
    if not sample["problem"]:
        sample["value"] = machine.resident(relay.pids) / 1024 / 1024
    return sample
