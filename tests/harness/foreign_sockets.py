"""Sockets of another process: what it has set on them, and setting something else where its own patience is too long for a
test."""
import ctypes
import os
import socket

_PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)


def tcp_sockets(pid):
    """Duplicates of all connected TCP sockets of this process; the caller closes them."""
    found = []
    process = os.pidfd_open(pid)
    try:
        for number in map(int, os.listdir(f"/proc/{pid}/fd")):
            descriptor = _libc.syscall(_PIDFD_GETFD, process, number, 0)
            if descriptor < 0:
                continue  # it was closed meanwhile
            try:
                found.append(socket.socket(fileno=descriptor))
                if found[-1].type != socket.SOCK_STREAM or found[-1].family not in (socket.AF_INET, socket.AF_INET6):
                    raise OSError
                found[-1].getpeername()
            except OSError:  # no socket, or none that is connected
                os.close(descriptor) if not found or found[-1].fileno() != descriptor else found.pop().close()
    finally:
        os.close(process)
    return found


def keepalive(one):
    """{"silence": seconds until the first probe, "budget": until the other side is given up}; None where there is none."""
    if not one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE):
        return None
    silence, every, count = (one.getsockopt(socket.IPPROTO_TCP, option)
                             for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT))
    limit = one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) / 1000
    return {"silence": silence, "budget": max(silence + every * count, limit)}


def hasten(one, gives_up_after=2):
    """It asks once a second whether the other side is there. Who is silent is given up after `gives_up_after` seconds."""
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, gives_up_after * 1000)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
