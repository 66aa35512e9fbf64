"""A telephone, as far as it registers."""
from harness import sip_message as sip
from harness.kamailio import Kamailio


def register(wire, domain, number, user="alice", password=Kamailio.PASSWORD):
    """The statuses of one registration, the `number`-th of this user, at a registrar that challenges: [401, 200] when the
    password is right."""
    uri, address, statuses, fields = f"sip:{domain}", wire.sock.getsockname()[0], [], ""
    for step in (2 * number, 2 * number + 1):
        lines = [f"REGISTER {uri} SIP/2.0", f"Via: SIP/2.0/TCP {address};branch=z9hG4bK{user}{step};rport",
                 "Max-Forwards: 70", f"From: <sip:{user}@{domain}>;tag=1", f"To: <sip:{user}@{domain}>",
                 f"Call-ID: {user}@{address}", f"CSeq: {step} REGISTER",
                 f"Contact: <sip:{user}@{address}:5060;transport=tcp>", "Expires: 600"]
        wire.send(("\r\n".join(lines) + f"\r\n{fields}Content-Length: 0\r\n\r\n").encode())
        answer = sip.read_message(wire)
        if answer is None:
            raise ConnectionError("the connection ended")
        statuses.append(answer.status)
        if answer.status != 401:
            break
        fields = sip.credentials(answer, "REGISTER", user, password, uri)
    return statuses
