"""What clients that misbehave need beyond Client: bytes one by one, and how a conversation ended."""
import datetime
import socket
import ssl

# How an answer that was cut off shows itself to who reads it.
TRUNCATED = (EOFError, ConnectionResetError, ssl.SSLError)


def send_whole(wire, data):
    """In one piece. The gateway may have had enough before the end; what it said is there to be read."""
    try:
        wire.send(data)
    except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
        pass


def send_by_bytes(wire, data):
    """Every byte in a segment of its own."""
    wire.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(len(data)):
        send_whole(wire, data[at:at + 1])


def read_ending(wire, most=1 << 24):
    """(all that came, "closed" or "reset"). More than `most` bytes are an error: the peer would never end."""
    data = b""
    try:
        while piece := wire.read_some():
            data += piece
            assert len(data) <= most, f"more than {most} bytes, the last: {data[-200:]!r}"
    except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
        return data, "reset"
    return data, "closed"


def from_client(wire):
    """A predicate for the records of this connection. Taken before it is closed."""
    client, listener = (f"{host}:{port}" for host, port in (wire.sock.getsockname()[:2], wire.sock.getpeername()[:2]))
    # The system gives the same port again sooner or later: what is older belongs to another connection.
    since = datetime.datetime.fromtimestamp(wire.born - 0.5, datetime.timezone.utc).isoformat()
    return lambda record: (record["client"], record["listener"]) == (client, listener) and record["time"] >= since
