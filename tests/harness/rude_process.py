"""What the gateway's process holds, and that it gives it back."""
import contextlib
import os
import pathlib
import time

from harness.gateway import program
from harness.waiting import wait_until


def descriptors(pid):
    """{number: what it is} of the open file descriptors."""
    found = {}
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found[entry.name] = os.readlink(entry)
    return found


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def is_instrumented():
    """Built with a sanitizer, whose shadow memory makes a figure of memory mean nothing."""
    return b"__sanitizer_" in pathlib.Path(program()).read_bytes()


@contextlib.contextmanager
def returns_descriptors(gateway):
    """At the end the gateway holds as many descriptors as at the start; let it serve a request before.

    A reload lets go of the target connections that wait for a next request: without it they would hide a leak.
    """
    gateway.reload()
    before = settled_descriptors(gateway)
    yield gateway
    gateway.reload()
    wait_until(lambda: len(descriptors(gateway.pid)) <= len(before),
               lambda: f"{len(before)} descriptors; there are {descriptors(gateway.pid)}")


def settled_descriptors(gateway):
    """What is held once nothing of it goes any more."""
    before = None
    while before != (before := descriptors(gateway.pid)):
        time.sleep(0.1)
    return before
