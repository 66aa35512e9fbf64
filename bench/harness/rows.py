"""The rows of the programme, as data. A goal is a ratio to haproxy as it comes, unless it says otherwise."""

import dataclasses

TUNNEL = "/apps/tunnel"


@dataclasses.dataclass(frozen=True)
class Row:
    key: str
    title: str
    kind: str                 # load: CPU of the relay; idle: memory; calls: system calls; checks: right or wrong
    unit: str
    arguments: dict           # of bench_load
    goal: float | None = None
    absolute: bool = False    # the goal is a value in this unit, not a ratio
    quick: bool = True        # part of --quick

    @property
    def per_byte(self):
        return self.arguments["mode"] == "bulk"


def _http(**more):
    return {"mode": "http", "carrier": "http", "connections": 64, "forwarded_for": "yes", **more}


def _tunnel(mode, connections, **more):
    return {"mode": mode, "carrier": "tunnel", "path": TUNNEL, "connections": connections, **more}


ROWS = (
    Row("http", "HTTP keep-alive, 64 connections: Host, URL rule, X-Forwarded-For", "load", "us/request",
        _http(), 0.85),
    Row("close", "HTTP, a connection a request, 32 at a time", "load", "us/request",
        _http(close="yes", connections=32), 0.97),
    Row("ping", "plain relay: 100 bytes each way in 64 tunnels", "load", "us/round trip", _tunnel("ping", 64), 0.92),
    Row("bulk", "plain relay: bulk in 1 tunnel", "load", "s/GB", _tunnel("bulk", 1), 0.40),
    Row("ping1000", "plain relay: 100 bytes each way in 1000 tunnels", "load", "us/round trip",
        _tunnel("ping", 1000), 0.92, quick=False),
    Row("bulk16", "plain relay: bulk in 16 tunnels", "load", "s/GB", _tunnel("bulk", 16), 0.40, quick=False),
    Row("body16", "HTTP answer bodies of 4 MiB, 16 connections", "load", "s/GB",
        {"mode": "bulk", "carrier": "http", "connections": 16, "size": 4 << 20}, quick=False),
    Row("tls-full", "HTTPS, a full handshake (P-256) a request, 32 at a time", "load", "us/connection",
        _http(close="yes", connections=32, tls="yes"), 0.92, quick=False),
    Row("tls-resumed", "HTTPS, a resumed handshake a request, 32 at a time", "load", "us/connection",
        _http(close="yes", connections=32, tls="yes", resume="yes"), 0.88, quick=False),
    Row("tls-ping", "TLS relay: 100 bytes each way in 64 tunnels", "load", "us/round trip",
        _tunnel("ping", 64, tls="yes"), 0.90, quick=False),
    Row("tls-bulk", "TLS relay: bulk in 4 tunnels", "load", "s/GB", _tunnel("bulk", 4, tls="yes"), 0.72, quick=False),
    Row("idle", "memory of an idle tunnel", "idle", "bytes/connection", _tunnel("idle", 9000), 0.75),
    Row("tls-idle", "memory of an idle tunnel over TLS", "idle", "bytes/connection",
        _tunnel("idle", 5000, tls="yes"), 0.88, quick=False),
    Row("calls-http", "system calls of a kept HTTP request", "calls", "calls/request", _http(ops=2000)),
    Row("calls-close", "system calls of an HTTP connection", "calls", "calls/request",
        _http(close="yes", connections=32, ops=1000)),
    Row("calls-ping", "system calls of a relayed round trip", "calls", "calls/round trip",
        _tunnel("ping", 64, ops=2000), 4.3, absolute=True),
    Row("checks", "half-close, slow reader, resets", "checks", "", _tunnel("half_close", 1)),
)

QUICK_IDLE = 1000  # connections of the idle row under --quick


def chosen(names, quick):
    """The rows by name, in the programme's order; all of them (or all quick ones) without names."""
    known = [row.key for row in ROWS]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"bench: no row '{unknown[0]}'; there are {', '.join(known)}")
    rows = [row for row in ROWS if (row.key in names if names else row.quick or not quick)]
    if quick:
        shrink = {"connections": QUICK_IDLE}
        rows = [dataclasses.replace(row, arguments=row.arguments | shrink) if row.kind == "idle" else row
                for row in rows]
    return rows
