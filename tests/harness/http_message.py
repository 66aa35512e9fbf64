"""Reads HTTP/1 messages from a Wire, keeping what matters to tests: every field, chunks, trailers."""


class Message:
    """A request or response. Field names keep their case; `get` and `all` ignore it."""

    def __init__(self, head):
        self.head = head  # raw, with its empty line
        lines = head.decode("latin-1").split("\r\n")[:-2]
        self.start = lines[0]
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        self.trailers = []
        self.body = b""

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name):
        """The only value of this field; None when there is none."""
        values = self.all(name)
        assert len(values) < 2, f"{name} stands {len(values)} times in {self.head!r}"
        return values[0] if values else None

    @property
    def chunked(self):
        return (self.get("Transfer-Encoding") or "").lower() == "chunked"


class Response(Message):
    @property
    def status(self):
        return int(self.start.split(" ")[1])


class Request(Message):
    @property
    def method(self):
        return self.start.split(" ")[0]

    @property
    def url(self):
        return self.start.split(" ")[1]


def read_chunks(wire):
    """(body, trailers) of a chunked body."""
    body, trailers = [], []
    while size := int(wire.read_until(b"\r\n").split(b";")[0], 16):
        body.append(wire.read_exactly(size))
        assert wire.read_exactly(2) == b"\r\n"
    while (line := wire.read_until(b"\r\n")) != b"\r\n":
        trailers.append(tuple(part.strip() for part in line.decode("latin-1").split(":", 1)))
    return b"".join(body), trailers


def read_request(wire):
    """The next request with its body; None when the connection ends before one."""
    try:
        request = Request(wire.read_until(b"\r\n\r\n"))
    except EOFError:
        return None
    if request.chunked:
        request.body, request.trailers = read_chunks(wire)
    elif length := request.get("Content-Length"):
        request.body = wire.read_exactly(int(length))
    return request


def read_response(wire, method="GET", interim=False):
    """The next response with its body. 1xx ones are skipped, unless `interim`: then the first head is returned."""
    while True:
        response = Response(wire.read_until(b"\r\n\r\n"))
        if interim or response.status == 101 or response.status >= 200:
            break
    if method == "HEAD" or response.status < 200 or response.status in (204, 304):
        return response
    if response.chunked:
        response.body, response.trailers = read_chunks(wire)
    elif (length := response.get("Content-Length")) is not None:
        response.body = wire.read_exactly(int(length))
    else:
        response.body = wire.read_to_end()
    return response
