"""The house holds its plan, and the check that says so finds what is planted."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check  # noqa: E402

ROOMS = """# a small house
base:
wire: base
crypto: base
io: base crypto
config: base
gate: base wire io config
cli: base config gate
"""


def house(tmp_path, files, rooms=ROOMS):
    """A checkout with these files: {path under src/: text}."""
    for name, text in {"tests/architecture/rooms.txt": rooms, **{f"src/{k}": v for k, v in files.items()}}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [str(violation) for violation in check.check(tmp_path)]


def test_the_sources_hold_to_the_plan():
    assert [str(violation) for violation in check.check(check.ROOT)] == []


@pytest.mark.parametrize("file, text", [
    ("wire/a.cpp", '#include "base/bytes.hpp"\n#include "wire/a.hpp"\n#include <span>\n'),
    ("io/a.cpp", "#include <openssl/ssl.h>\n#include <sys/epoll.h>\n#include <unistd.h>\n"),
    ("gate/http/a_test.cpp", "#include <gtest/gtest.h>\n#include <boost/beast/http/parser.hpp>\n"),
    ("io/testing.hpp", "#include <gtest/gtest.h>\n"),
    ("gate/a_test.cpp", '#include "io/testing.hpp"\n'),
    ("wire/a.cpp", '// #include "gate/a.hpp"\n/* one\n#include <ctime>\n*/\n#include <chrono>\n'),
    ("wire/a.cpp", "// the caller asks steady_clock::now() and hands it in\n"),
    ("wire/a_test.cpp", "#include <ctime>\n"),
])
def test_what_the_plan_allows_passes(tmp_path, file, text):
    assert house(tmp_path, {file: text}) == []


@pytest.mark.parametrize("file, text, rule", [
    ("wire/a.cpp", '#include "base/b.hpp"\n#include "io/loop.hpp"\n', "src/wire/a.cpp:2: wire may not include io"),
    ("base/a.hpp", '#pragma once\n#include "wire/a.hpp"\n', "src/base/a.hpp:2: base may not include wire"),
    ("wire/a.cpp", '#include "a.hpp"\n', "src/wire/a.cpp:1: \"a.hpp\" names no room"),
    ("wire/a.cpp", '#include "attic/a.hpp"\n', "names no room"),
    ("wire/dns/a_test.cpp", '#include "gate/a.hpp"\n', "wire may not include gate"),
    ("attic/a.cpp", "\n", "src/attic/a.cpp:1: attic is not in rooms.txt"),
    ("gate/a.cpp", "#include <openssl/ssl.h>\n", "<openssl/ssl.h> stays in certs, crypto, io"),
    ("gate/a_test.cpp", "#include <toml++/toml.h>\n", "<toml++/toml.h> stays in config"),
    ("io/a.cpp", "#include <systemd/sd-daemon.h>\n", "stays in cli"),
    ("io/a.cpp", "#include <pcap/pcap.h>\n", "stays in diagnose"),
    ("gate/a.cpp", "#  include <boost/asio.hpp>\n", "only tests include"),
    ("io/a.cpp", '#include "io/testing.hpp"\n', "src/io/a.cpp:1: only tests include"),
    ("io/a.hpp", "#include <gtest/gtest.h>\n", "only tests include"),
    ("io/a.cpp", "#include <leveldb/db.h>\n", "is in no table"),
    ("wire/a.cpp", "\n/*\n*/ #include <sys/socket.h>\n", "src/wire/a.cpp:3: wire knows no socket"),
    ("wire/a.hpp", "#include <ctime>\n", "wire knows no socket, clock"),
    ("wire/a.cpp", "auto now = std::chrono::steady_clock::now();\n", "wire asks no clock"),
])
def test_a_planted_violation_is_found(tmp_path, file, text, rule):
    found = house(tmp_path, {file: text})
    assert len(found) == 1 and rule in found[0]


@pytest.mark.parametrize("rooms, rule", [
    ("base:\nwire: io\nio: base wire\n", "rooms.txt:2: wire may not use io"),
    ("base: base\n", "rooms.txt:1: base may not use base"),
    ("base:\nturn: base\ngate: base turn\n", "rooms.txt:3: gate may not use turn: capabilities"),
    ("base:\nbase:\n", "rooms.txt:2: one line a room"),
])
def test_a_list_whose_arrows_do_not_point_down_is_refused(tmp_path, rooms, rule):
    found = house(tmp_path, {}, rooms)
    assert len(found) == 1 and rule in found[0]


def test_push_may_use_dns(tmp_path):
    assert house(tmp_path, {}, "base:\ndns: base\npush: base dns\n") == []
