"""Ports that nobody else takes, and waiting for a condition instead of for a while."""
import errno
import random
import socket
import time

PATIENCE = 15.0  # seconds; generous, as the machine may be busy: only a failure ever waits so long

_reservations = []  # sockets that hold a port's name for the life of this process


def wait_until(condition, what, timeout=PATIENCE):
    """Polls until `condition()` is truthy and returns that value; fails at the deadline.

    `what` is waited for: a text, or a function that makes one.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain for {what() if callable(what) else what}")
        time.sleep(0.01)


def has_ipv6():
    """Whether this machine's loopback speaks it."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def free_port(low=False):
    """A TCP port free on every address, below the ephemeral ones, so that no outgoing connection takes it meanwhile.
    `low`: one below 1024, which only root (or CAP_NET_BIND_SERVICE) may bind; None when we may not.

    An abstract Unix socket of its name keeps test runs at the same time apart: they could share a port unnoticed,
    because the gateway listens with SO_REUSEPORT.
    """
    while True:
        port = random.randrange(600, 1024) if low else random.randrange(15000, 32000)
        reservation = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            reservation.bind(f"\0sallyport-test-port-{port}")
            for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))[:1 + has_ipv6()]:
                with socket.socket(family, socket.SOCK_STREAM) as probe:
                    probe.bind((anywhere, port))
        except OSError as error:
            reservation.close()
            if error.errno == errno.EACCES:
                return None
            continue
        _reservations.append(reservation)
        return port
