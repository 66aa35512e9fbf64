"""What the machine lets us do and see: namespaces, cores, processes, memory."""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import platform
import signal
import socket
import struct
import subprocess
import time

RELAY_CORE = 0
GENERATOR_CORE = 1
NO_NAMESPACE = "loopback of this machine"
CORES = os.sched_getaffinity(0)

# The most that can be had first. With a process namespace everything that was started dies with the harness.
_NAMESPACES = (
    (("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"), "own network and process namespace"),
    (("unshare", "--map-current-user", "--keep-caps", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"),
     "own network and process namespace (unprivileged)"),
    (("unshare", "--net"), "own network namespace"),
)


def namespace_command():
    """The command that gives a namespace to what follows it, and how to call it; an empty one where none is allowed."""
    for command, name in _NAMESPACES:
        try:
            tried = subprocess.run([*command, "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if tried.returncode == 0:
            return list(command), name
    return [], NO_NAMESPACE


def raise_loopback():
    """Brings lo up, widens the range of client ports, and lets anybody be a name server: the namespace is ours."""
    siocgifflags, siocsifflags, up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14s", b"lo", 0, b"")
        flags = struct.unpack("16sH14s", fcntl.ioctl(any_socket, siocgifflags, request))[1]
        fcntl.ioctl(any_socket, siocsifflags, struct.pack("16sH14s", b"lo", flags | up, b""))
    for name, value in (("ip_local_port_range", "15000 65000"), ("ip_unprivileged_port_start", "53")):
        try:
            pathlib.Path("/proc/sys/net/ipv4", name).write_text(value + "\n")
        except OSError:
            pass


class Ports:
    """Hands out listening ports below every range that client ports are taken from."""

    def __init__(self, first=9000):
        self._next = first

    def take(self):
        while True:
            port, self._next = self._next, self._next + 1
            with socket.socket() as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    trial.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    if self._next > 15000:
                        raise


def child_setup(core=None, realtime=False):
    """For preexec_fn: dies with its parent, runs on one core, and ahead of ordinary jobs if asked."""
    libc = ctypes.CDLL(None, use_errno=True)
    pr_set_pdeathsig = 1

    def setup():
        libc.prctl(pr_set_pdeathsig, signal.SIGKILL)
        if core in CORES:
            os.sched_setaffinity(0, {core})
        if realtime:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))

    return setup


def family(pid):
    """The process and all its descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = pathlib.Path("/proc", entry, "stat").read_text()
        except OSError:
            continue
        parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one and child not in found]
    return found


def stop(process, known, patience=3.0):
    """Ends a process that we started: politely, then not; `known` are its descendants, seen while it ran."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pid in known:
        if pid != process.pid:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def run_time(pids):
    """Seconds that all threads of these processes have run, by the scheduler's own account."""
    total = 0
    for pid in pids:
        for task in pathlib.Path("/proc", str(pid), "task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident(pids):
    """Bytes of memory of these processes; what they share is counted once (PSS), where the kernel tells."""
    total = 0
    for pid in pids:
        for name, key in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
            try:
                lines = pathlib.Path("/proc", str(pid), name).read_text().splitlines()
            except OSError:
                continue
            sizes = [int(line.split()[1]) for line in lines if line.startswith(key)]
            if sizes:
                total += sizes[0] * 1024
                break
    return total


def wakes(pids):
    """How often threads of these processes have gone to sleep, and so were woken."""
    total = 0
    for pid in pids:
        for task in pathlib.Path("/proc", str(pid), "task").iterdir():
            words = (task / "status").read_text().split()
            total += int(words[words.index("voluntary_ctxt_switches:") + 1])
    return total


def start_peak(pids):
    """Bytes resident now, page by page; peak() tells the most since then."""
    for pid in pids:
        try:
            pathlib.Path("/proc", str(pid), "clear_refs").write_text("5\n")  # the peak begins anew
        except OSError:
            pass
    return _status_sum(pids, "VmRSS:")


def peak(pids):
    return _status_sum(pids, "VmHWM:")


def _status_sum(pids, key):
    lines = [line for pid in pids for line in pathlib.Path("/proc", str(pid), "status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024


def socket_slabs():
    """Bytes of kernel objects that sockets of the whole machine hold, or None where that can't be read.

    An entry of the directory cache is counted for each socket by its size: that cache itself moves with every file that
    anybody opens.
    """
    try:
        lines = pathlib.Path("/proc/slabinfo").read_text().splitlines()[2:]
    except OSError:
        return None
    slabs = {words[0]: (int(words[1]), int(words[3])) for words in map(str.split, lines)}
    counted = ("TCP", "sock_inode_cache", "filp", "eventpoll_epi")
    total = sum(count * size for count, size in (slabs.get(name, (0, 0)) for name in counted))
    return total + slabs.get("sock_inode_cache", (0, 0))[0] * slabs.get("dentry", (0, 0))[1]


def wait_until(holds, limit, what):
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


def describe():
    model = [line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"kernel": platform.release(), "processor": model[0] if model else platform.machine(),
            "cores": len(os.sched_getaffinity(0)), "load": os.getloadavg()[0]}


@contextlib.contextmanager
def alarm(seconds, what):
    """A TimeoutError in the body once the time is over."""

    def late(*_):
        raise TimeoutError(what)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
