"""One sample of one row with one relay, by the kind of row. A sample is a dict with "value" (None when invalid)."""

import pathlib
import shutil
import signal
import subprocess
import time

from . import machine

SLOW_READER_LIMIT = 1024 * 1024  # bytes that a relay may grow for each connection whose reader stands still
SLOW_READERS = 8
PACED_LOAD = 0.5     # of what the relay could do at most
PACED_SECONDS = 0.7  # at least, for the slowest to be many; under --realtime no core is ours for a whole second
LATE_LIMIT = 0.5     # of a latency that may be the generator's own: above it nothing is said about the relay
LATE_TRIES = 3
WATCHED_SECONDS = 4
WAITING = ("epoll_wait", "epoll_pwait", "poll", "ppoll", "select", "pselect6", "futex", "clock_gettime")


def _problem(report):
    return None if report["valid"] else report.get("first_fault") or "invalid"


def _for(relay, row):
    """Without a relay nobody adds X-Forwarded-For, and nobody ends TLS."""
    return {name: value for name, value in row.arguments.items() if relay.pids or name not in ("forwarded_for", "tls")}


def load(row, relay, generator, window):
    report = generator.run(relay, _for(relay, row) | {"seconds": window})
    sample = {"value": None, "problem": _problem(report), "report": report}
    amount = report["bytes"] if row.per_byte else report["ops"]
    if sample["problem"] or amount == 0:
        sample["problem"] = sample["problem"] or "no work was done"
        return sample
    seconds = report["seconds"]
    sample["rate"] = amount / seconds
    sample["utilization"] = report["utilization"]
    sample["busy"] = report["relay_cpu"] / seconds
    if relay.pids:
        sample["value"] = report["relay_cpu"] / amount * (1e9 if row.per_byte else 1e6)
        if not sample["value"] > 0:
            sample |= {"value": None, "problem": "the relay's CPU time can't be read"}
    return sample


def _percentiles(report):
    return {name: report[name] / 1000 for name in ("p50", "p99", "p999", "late")}


def latency(row, relay, generator, window):
    """Microseconds, "value" at the 99th percentile, at half the load that would keep the relay busy all the time.

    That load is worked out from a closed loop: its rate, divided by the share of the time in which the relay ran.
    """
    closed = generator.run(relay, _for(relay, row) | {"mode": "ping", "seconds": window})
    sample = {"value": None, "problem": _problem(closed), "report": closed}
    busy = closed["relay_cpu"] / closed["seconds"] if relay.pids else closed["utilization"]
    if sample["problem"] or not busy > 0:
        sample["problem"] = sample["problem"] or "the relay's CPU time can't be read"
        return sample
    rate = PACED_LOAD * closed["ops"] / closed["seconds"] / busy
    return _paced(relay, generator, _for(relay, row) | {"mode": "paced", "rate": f"{rate:.0f}"}, window)


def fair(row, relay, generator, window):
    """Microseconds, "value" at the 99th percentile, of messages at a fixed rate while streams keep the relay busy."""
    return _paced(relay, generator, _for(relay, row), window)


def _paced(relay, generator, arguments, window):
    """Where the generator itself came late, because the machine stood still say, it is done again."""
    for _ in range(LATE_TRIES):
        sample = _paced_once(relay, generator, arguments, window)
        if sample["problem"] or not came_late(sample):
            break
    return sample


def came_late(sample):
    return sample["late"] > LATE_LIMIT * sample["p99"]


def _paced_once(relay, generator, arguments, window):
    report = generator.run(relay, arguments | {"seconds": max(window, PACED_SECONDS)})
    sample = {"value": None, "problem": _problem(report), "report": report}
    if not sample["problem"]:
        sample |= _percentiles(report) | {"rate": report["ops"] / report["seconds"],
                                          "streams": report["bytes"] / report["seconds"]}
        sample["value"] = sample["p99"]
    return sample


def peak(row, relay, generator, window):
    """KiB for each connection by which the relay grew at most, from before the first of them."""
    seen = {}

    def note_start():
        seen["start"] = machine.start_peak(relay.pids)

    def note_peak():
        seen["peak"] = machine.peak(relay.pids)

    report = generator.run(relay, _for(relay, row) | {"seconds": window}, {"empty": note_start, "done": note_peak})
    sample = {"value": None, "problem": _problem(report), "report": report}
    if not sample["problem"]:
        sample["value"] = (seen["peak"] - seen["start"]) / 1024 / row.arguments["connections"]
    return sample


def idle(row, relay, generator):
    """Memory for each of many idle tunnels: "value" is the processes' own; "kernel" the sockets', both sides of all."""
    seen = {}

    def note(name):
        seen[name] = (machine.resident(relay.pids), machine.socket_slabs())

    report = generator.run(relay, _for(relay, row), {"empty": lambda: note("empty"), "open": lambda: note("open")})
    sample = {"value": None, "problem": _problem(report), "report": report}
    if sample["problem"]:
        return sample
    count = row.arguments["connections"]
    (own_before, kernel_before), (own_after, kernel_after) = seen["empty"], seen["open"]
    sample["value"] = (own_after - own_before) / count
    sample["kernel"] = None if kernel_after is None else (kernel_after - kernel_before) / count
    return sample


def wakes(row, relay, generator):
    """How often in a second the relay is woken by connections that wait: beyond what it is without any."""
    seen = {}

    def watch(name):
        before = machine.wakes(relay.pids)
        time.sleep(WATCHED_SECONDS)
        seen[name] = (machine.wakes(relay.pids) - before) / WATCHED_SECONDS

    report = generator.run(relay, _for(relay, row), {"empty": lambda: watch("empty"), "open": lambda: watch("open")})
    problem = _problem(report)
    return {"value": None if problem else seen["open"] - seen["empty"], "problem": problem, "report": report}


def strace_works():
    if shutil.which("strace") is None:
        return False
    tried = subprocess.run(["strace", "-c", "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
    return tried.returncode == 0


class _Strace:
    """Counts the system calls of processes between attach() and detach()."""

    def __init__(self, pids, folder):
        self._pids = pids
        self._output = pathlib.Path(folder) / "strace"
        self._process = None

    def attach(self):
        words = [word for pid in self._pids for word in ("-p", str(pid))]
        self._process = subprocess.Popen(["strace", "-c", "-f", "-o", str(self._output), *words],
                                         stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        machine.wait_until(self._attached, 5, "strace did not attach")

    def _attached(self):
        tasks = [task for pid in self._pids for task in pathlib.Path("/proc", str(pid), "task").iterdir()]
        return all("TracerPid:\t0\n" not in (task / "status").read_text() for task in tasks)

    def detach(self):
        self._process.send_signal(signal.SIGINT)
        self._process.wait(5)

    def counts(self):
        """{call: times}, from lines such as "12.5  0.001  3  400  2 read", where the errors may be missing."""
        table = {}
        for line in self._output.read_text().splitlines():
            words = line.split()
            if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
                table[words[-1]] = int(words[3])
        return table


def calls(row, relay, generator, folder):
    strace = _Strace(relay.pids, folder)
    report = generator.run(relay, row.arguments | {"seconds": 10}, {"warm": strace.attach, "done": strace.detach})
    sample = {"value": None, "problem": _problem(report), "report": report}
    if sample["problem"]:
        return sample
    counts = strace.counts()
    if sum(counts.values()) < report["ops"]:
        sample["problem"] = "strace did not see the relay's work"
        return sample
    sample["value"] = sum(counts.values()) / report["ops"]
    # How often it waits depends on how many events come in one batch, and so on the machine's other work.
    sample["without_waiting"] = sum(n for name, n in counts.items() if name not in WAITING) / report["ops"]
    common = sorted(counts.items(), key=lambda item: -item[1])
    sample["calls"] = {name: round(count / report["ops"], 2) for name, count in common if count * 20 >= report["ops"]}
    return sample


def checks(row, relay, generator):
    """{check: (passed, text)} in "checks"."""
    half = generator.run(relay, row.arguments)
    seen = {}

    def note(name):
        seen[name] = machine.resident(relay.pids)

    slow = generator.run(relay, row.arguments | {"mode": "slow_reader", "connections": SLOW_READERS},
                         {"open": lambda: note("open"), "stalled": lambda: note("stalled")})
    reset = generator.run(relay, row.arguments | {"mode": "reset"})
    growth = (seen.get("stalled", 0) - seen.get("open", 0)) / SLOW_READERS
    bounded = slow["valid"] and growth <= SLOW_READER_LIMIT
    both = [reset.get("to_backend"), reset.get("to_client")]
    results = {
        "half-close": (half["valid"], _problem(half) or "every byte, both ends"),
        "slow reader": (bounded, _problem(slow) or f"grew {growth / 1024:.0f} KiB a connection"),
        "resets": (both == ["reset", "reset"],
                   _problem(reset) or f"arrives as {both[0]} at the backend, as {both[1]} at the client"),
    }
    return {"value": None, "problem": None, "checks": results}
