"""examples/quickstart does what `./dev run` promises, on ports of this test."""
import pathlib
import re

import pytest

from harness import Gateway, curl, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def quickstart(module_stage):
    """The example, copied: its ports replaced, its folders put below the test's own."""
    folder = module_stage.directory / "a" / "b"  # the example keeps its state two folders up
    gateway = Gateway(folder, {})
    text = (ROOT / "examples" / "quickstart" / "sallyport.toml").read_text()
    ports = {port: str(free_port()) for port in re.findall(r'127\.0\.0\.1:(\d+)"', text)}
    for port, free in ports.items():
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
    gateway.write_text(text)
    gateway.ports = ports
    gateway.socket = module_stage.directory / "build" / "quickstart" / "admin.sock"
    return module_stage.keep(gateway)


def promised():
    """The curl lines that ./dev run prints: (url, other options)."""
    lines = re.findall(r"^  curl (.*?)(?:   .*)?$", (ROOT / "dev").read_text(), re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        words = re.findall(r"'([^']*)'|(\S+)", line)
        words = [quoted or plain for quoted, plain in words]
        url, = (word for word in words if word.startswith("http"))
        yield url, [word for word in words if word != url]


@pytest.mark.parametrize("url, options", promised(), ids=lambda value: str(value))
def test_its_curl_lines_work(quickstart, url, options):
    for port, free in quickstart.ports.items():
        url = url.replace(f":{port}/", f":{free}/")
    status = curl(url, *options, "-o", "/dev/null", "-w", "%{http_code}")
    page = curl(url, *options)
    if any("exmaple" in option for option in options):
        assert status == "404" and "service.unknown" in page
        record = quickstart.wait_record(lambda record: record["reason"] == "service.unknown")
        assert record["nearest"] == "welcome.example"
    else:
        assert status == "200" and "sallyport" in page.lower()


EXPLAINED = {"http://hq.example.com/PBX0/ADMIN": ("refused", "url.not_allowed"),
             r"ldap:hq.example.com\guest": ("forwarded", "ok"), "sip:alice@example.com": ("forwarded", "ok")}


@pytest.mark.parametrize("subject", EXPLAINED)
def test_its_explain_lines_work(quickstart, subject):
    script = (ROOT / "dev").read_text()
    assert f"explain {subject} " in script or f"explain '{subject}' " in script
    explanation = quickstart.explain(subject, "192.0.2.7")
    assert explanation["source"] == "live"
    assert (explanation["verdict"], explanation["reason"]) == EXPLAINED[subject]


def test_its_status_line_works(quickstart):
    assert quickstart.status()["node"] == "quickstart"


def test_the_welcome_page_answers_head_and_keeps_the_connection(quickstart):
    out = curl(f"http://localhost:{quickstart.ports['8080']}/", "--head", "-w", "%{http_code}")
    assert out.endswith("200")


def test_check_finds_no_error_in_it(quickstart):
    status, found = quickstart.check()
    assert (status, found["errors"]) == (0, [])
