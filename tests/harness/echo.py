"""A target that answers each request with its head, so that a client sees what the gateway made of it."""
from harness.target import answer_each, plain_answer

echo_heads = answer_each(lambda request: plain_answer(request.head))


def saw(response):
    """The request as the target saw it."""
    assert response.status == 200, response.head
    return response.body.decode("latin-1")


def field(head, name):
    """All values of this field of a head."""
    lines = (line.partition(": ") for line in head.split("\r\n")[1:])
    return [value for key, _, value in lines if key.lower() == name.lower()]
