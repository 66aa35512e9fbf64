"""The rows of the programme, as data."""

import dataclasses

from .dns import CACHED, FEW, KNOWN, MANY
from .peers import REFERENCE, Setup

BEST = "best peer"
TUNNEL = "/apps/tunnel"
SNI = Setup(front="sni")
RSA = Setup(certificate="rsa")
TWO = Setup(workers=2)
LDAP = Setup(front="blind", protocol="ldap")
SIP = Setup(front="blind", protocol="sip")
PUSH = Setup(front="push")
DNS = Setup(front="dns", names=50)


@dataclasses.dataclass(frozen=True)
class Goal:
    """Where sallyport should be: at most so many times a peer, or at most so much in the row's unit."""
    most: float
    of: str = REFERENCE  # a peer; BEST, whoever is least in the round; "" for the value itself


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    title: str
    kind: str        # load: CPU of the relay; latency, fair: a message's time; idle, peak: memory; wakes; calls; checks;
                     # of the name server: queries, rate, names, resident
    unit: str
    arguments: dict  # of bench_load
    goals: tuple = ()
    setup: Setup = Setup()

    @property
    def reference(self):
        """The peer that all are compared with."""
        return BEST if self.setup.front == "dns" else REFERENCE

    @property
    def per_byte(self):
        return self.kind == "load" and self.arguments["mode"] == "bulk"


def _http(**more):
    return {"mode": "http", "carrier": "http", "connections": 64, "forwarded_for": "yes", **more}


def _tunnel(mode, connections, **more):
    return {"mode": mode, "carrier": "tunnel", "path": TUNNEL, "connections": connections, **more}


def _sni(mode, connections, **more):
    return {"mode": mode, "carrier": "sni", "connections": connections, **more}


def _dialogue(setup, mode, connections, **more):
    return {"mode": mode, "carrier": setup.protocol, "connections": connections, **more}


_MILLION = "CPU s/million"
_TRIP, _GIGABYTE, _CONNECTION, _IDLE = "us/round trip", "s/GB", "us/connection", "bytes/connection"

# Without a limit so many streams fill the memory that the kernel has for all TCP, and that would be measured.
_BULK500 = _tunnel("bulk", 500, send_buffer=200_000)

ROWS = (
    Row("http", "HTTP keep-alive, 64 connections: Host, URL rule, X-Forwarded-For", "load", "us/request",
        _http(), (Goal(0.85),)),
    Row("close", "HTTP, a connection a request, 32 at a time", "load", "us/request",
        _http(close="yes", connections=32), (Goal(0.97),)),
    Row("ping", "plain relay: 100 bytes each way in 64 tunnels", "load", _TRIP, _tunnel("ping", 64), (Goal(0.92),)),
    Row("ping1000", "plain relay: 100 bytes each way in 1000 tunnels", "load", _TRIP,
        _tunnel("ping", 1000), (Goal(0.92),)),
    Row("bulk", "plain relay: bulk in 1 tunnel", "load", _GIGABYTE, _tunnel("bulk", 1),
        (Goal(0.40), Goal(1.05, "haproxy-tuned"))),
    Row("bulk16", "plain relay: bulk in 16 tunnels", "load", _GIGABYTE, _tunnel("bulk", 16),
        (Goal(0.40), Goal(0.75, "haproxy-tuned"))),
    Row("bulk500", "plain relay: bulk in 500 tunnels", "load", _GIGABYTE, _BULK500, (Goal(0.40),)),
    Row("body16", "HTTP answer bodies of 4 MiB, 16 connections", "load", _GIGABYTE,
        {"mode": "bulk", "carrier": "http", "connections": 16, "size": 4 << 20}),
    Row("tls-full", "HTTPS, a full handshake (P-256) a request, 32 at a time", "load", _CONNECTION,
        _http(close="yes", connections=32, tls="yes"), (Goal(0.92),)),
    Row("tls-rsa", "HTTPS, a full handshake (RSA-2048) a request, 32 at a time", "load", _CONNECTION,
        _http(close="yes", connections=32, tls="yes"), (Goal(0.95),), RSA),
    Row("tls-resumed", "HTTPS, a resumed handshake a request, 32 at a time", "load", _CONNECTION,
        _http(close="yes", connections=32, tls="yes", resume="yes"), (Goal(0.88),)),
    Row("tls-ping", "TLS relay: 100 bytes each way in 64 tunnels", "load", _TRIP,
        _tunnel("ping", 64, tls="yes"), (Goal(0.90),)),
    Row("tls-bulk", "TLS relay: bulk in 4 tunnels", "load", _GIGABYTE, _tunnel("bulk", 4, tls="yes"), (Goal(0.72),)),
    Row("close2", "two workers: HTTP, a connection a request, 32 at a time", "load", "us/request",
        _http(close="yes", connections=32), (Goal(0.94),), TWO),
    Row("ping2", "two workers: 100 bytes each way in 64 tunnels", "load", _TRIP, _tunnel("ping", 64), (Goal(0.90),),
        TWO),
    Row("sni-close", "routed by server name, unopened: a connection an exchange, 32 at a time", "load", _CONNECTION,
        _sni("short", 32), (Goal(0.97),), SNI),
    Row("sni-ping", "routed by server name, unopened: 100 bytes each way, 64 connections", "load", _TRIP,
        _sni("ping", 64), (Goal(0.92),), SNI),
    Row("sni-bulk", "routed by server name, unopened: bulk, 1 connection", "load", _GIGABYTE, _sni("bulk", 1),
        (Goal(0.40), Goal(1.05, "haproxy-tuned")), SNI),
    Row("ldap", "LDAP after the bind, read: a search for one entry, 64 connections", "load", "us/search",
        _dialogue(LDAP, "ping", 64), (Goal(1.05),), LDAP),
    Row("ldap-close", "LDAP, read and routed: a connection a bind and search, 32 at a time", "load", _CONNECTION,
        _dialogue(LDAP, "short", 32), (Goal(1.05),), LDAP),
    Row("ldap-entries", "LDAP after the bind, read: a search for 1000 entries, 16 connections", "load", "us/search",
        _dialogue(LDAP, "ping", 16, entries=1000), (Goal(1.05),), LDAP),
    Row("sip", "SIP, read: a ping by OPTIONS, 64 connections", "load", "us/ping", _dialogue(SIP, "ping", 64),
        (Goal(1.05),), SIP),
    Row("sip-close", "SIP, read and routed: a connection a ping by OPTIONS, 32 at a time", "load", _CONNECTION,
        _dialogue(SIP, "short", 32), (Goal(1.05),), SIP),
    Row("latency", "a message and its answer at half the relay's own full load, 64 tunnels", "latency", "us, 99 of 100",
        _tunnel("ping", 64), (Goal(1.0),)),
    Row("fair", "a message and its answer while 16 tunnels stream", "fair", "us, 99 of 100",
        _tunnel("fair", 16, rate=4000, streams=16), (Goal(1.2),)),
    Row("bulk500-peak", "memory while 500 tunnels stream", "peak", "KiB/connection", _BULK500, (Goal(1024, ""),)),
    Row("idle", "memory of an idle tunnel", "idle", _IDLE, _tunnel("idle", 9000), (Goal(0.75),)),
    Row("tls-idle", "memory of an idle tunnel over TLS", "idle", _IDLE, _tunnel("idle", 5000, tls="yes"),
        (Goal(0.88), Goal(0.50, "nginx"))),
    Row("sni-idle", "memory of an idle connection that was routed by server name", "idle", _IDLE,
        _sni("idle", 9000), (Goal(0.75),), SNI),
    Row("push-idle", "memory of a device that waits for pushes", "idle", _IDLE,
        _sni("idle", 9000, host="courier.push.apple.com"), (Goal(6300, ""),), PUSH),
    Row("push-wakes", "how often devices that wait for pushes wake the gateway", "wakes", "wake-ups/s",
        _sni("idle", 9000, host="courier.push.apple.com"), (Goal(5, ""),), PUSH),
    Row("calls-http", "system calls of a kept HTTP request", "calls", "calls/request", _http(ops=2000),
        (Goal(4.3, ""),)),
    Row("calls-close", "system calls of an HTTP connection", "calls", "calls/request",
        _http(close="yes", connections=32, ops=1000), (Goal(19, ""),)),
    Row("calls-ping", "system calls of a relayed round trip", "calls", "calls/round trip",
        _tunnel("ping", 64, ops=2000), (Goal(4.3, ""),)),
    Row("calls-sni-close", "system calls of a connection that is routed by server name", "calls", "calls/connection",
        _sni("short", 32, ops=1000), (Goal(17, ""),), SNI),
    Row("calls-ldap", "system calls of an LDAP search for one entry", "calls", "calls/search",
        _dialogue(LDAP, "ping", 64, ops=2000), (Goal(4.3, ""),), LDAP),
    Row("calls-ldap-close", "system calls of an LDAP connection with a bind and a search", "calls", "calls/connection",
        _dialogue(LDAP, "short", 32, ops=1000), (Goal(24, ""),), LDAP),
    Row("calls-ldap-entries", "system calls of an LDAP search for 100 entries", "calls", "calls/search",
        _dialogue(LDAP, "ping", 16, ops=1000, entries=100), (Goal(4.3, ""),), LDAP),
    Row("calls-sip", "system calls of a SIP ping by OPTIONS", "calls", "calls/ping", _dialogue(SIP, "ping", 64, ops=2000),
        (Goal(4.3, ""),), SIP),
    Row("checks", "half-close, slow reader, resets: in tunnels", "checks", "", _tunnel("half_close", 1)),
    Row("sni-checks", "half-close, slow reader, resets: routed by server name", "checks", "", _sni("half_close", 1),
        setup=SNI),
    Row("dns-local", "names: 50 of our own, by UDP", "queries", _MILLION, {"ask": "home", "count": 50},
        (Goal(0.95, BEST),), DNS),
    Row("dns-cached", f"names: {CACHED} that are cached, by UDP", "queries", _MILLION,
        {"ask": "cached", "count": CACHED}, (Goal(0.97, BEST),), DNS),
    Row("dns-miss", "names that have to be asked for, by UDP", "queries", _MILLION, {"ask": "miss"},
        (Goal(1.0, BEST),), DNS),
    Row("dns-tcp", "names: 50 of our own, by 20 TCP connections with 100 questions under way on each", "rate",
        "us/answer", {"ask": "home", "count": 50, "connections": 20, "pipeline": 100}, (Goal(1.0, "dnsdist"),), DNS),
    Row("dns-names", f"names: what a question costs with {MANY} of our own, in what it costs with {FEW}", "names",
        "times", {"ask": "home"}, (Goal(1.05, ""),), DNS),
    Row("dns-memory", f"memory with {KNOWN} cached answers", "resident", "MiB", {"count": KNOWN}, (Goal(20, ""),),
        DNS),
)

QUICK_IDLE = 1000  # connections of the rows that wait under --quick


def chosen(names, quick):
    """The rows by name, in the programme's order; "dns" is all of the name server; all rows without names."""
    known = [row.key for row in ROWS]
    if "dns" in names:
        names = [name for name in names if name != "dns"] + [key for key in known if key.startswith("dns-")]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"bench: no row '{unknown[0]}'; there are {', '.join(known)}")
    rows = [row for row in ROWS if row.key in names or not names]
    if quick:
        shrink = {"connections": QUICK_IDLE}
        rows = [dataclasses.replace(row, arguments=row.arguments | shrink) if row.kind in ("idle", "wakes") else row
                for row in rows]
    return rows
