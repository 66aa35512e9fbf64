#!/usr/bin/python3
"""Holds every #include under src/ to the house plan; prints file:line and the broken rule, exits 1 when there is one.

The arrows are rooms.txt, which CMake reads too. What is said here is the rest: which third-party headers live in which
rooms, and what the codecs must not know.
"""
import pathlib
import re
import sys
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Rooms that stand side by side and never use one another, with the exceptions that the plan allows.
CAPABILITIES = {"gate", "turn", "dns", "push", "ice", "firewall", "diagnose"}
SIDEWAYS = {("push", "dns")}

# Third-party headers by the beginning of their name: the rooms whose sources may include them.
LIBRARIES = {
    "openssl/": {"crypto", "io", "certs"},
    "toml++/": {"config"},
    "sqlite3.h": {"store"},
    "SQLiteCpp/": {"store"},
    "hiredis/": {"store"},
    "pcap": {"diagnose"},
    "zlib.h": {"diagnose"},
    "uninorm.h": {"turn"},
    "unistr.h": {"turn"},
    "CLI/": {"cli"},
    "prometheus/": {"telemetry"},
    "nlohmann/": {"telemetry", "admin", "cli"},
    "cap-ng.h": {"cli"},
    "systemd/": {"cli"},
}
# Only tests include these, in any room.
TEST_LIBRARIES = ("gtest/", "gmock/", "boost/", "benchmark/", "lber.h", "ldap.h", "ldns/")

# The system's own headers: C and POSIX, Linux. Everything else in <> that has a slash or an extension is third-party.
SYSTEM = re.compile(
    r"(sys|netinet|arpa|net|linux|asm|bits)/|"
    r"(dirent|dlfcn|endian|errno|fcntl|fnmatch|getopt|glob|grp|ifaddrs|limits|locale|netdb|poll|pthread|pwd|sched|"
    r"semaphore|signal|spawn|stddef|stdint|stdio|stdlib|string|strings|syslog|termios|time|unistd|cxxabi|execinfo|"
    r"sanitizer/[a-z_]+)\.h$")

# A codec turns bytes into values: no socket, no clock, no thread, so that it can be tested and fuzzed by itself.
PURE_ROOMS = {"wire"}
IMPURE_HEADER = re.compile(
    r"(sys/(socket|epoll|select|time|timerfd|uio|un|ioctl|eventfd)|netinet/.*|net/.*|arpa/inet|netdb|poll|unistd|time|"
    r"pthread)\.h$|(ctime|thread|mutex|condition_variable|fstream|filesystem)$")
IMPURE_CALL = re.compile(r"_clock::now\b|\b(clock_gettime|gettimeofday|timespec_get)\s*\(|std::time\s*\(")

INCLUDE = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


class Violation(NamedTuple):
    file: str
    line: int
    rule: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.rule}"


def read_rooms(text, name="rooms.txt"):
    """The include list: {room: rooms it may include}, and what is wrong with the list itself."""
    rooms, violations = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        room, colon, uses = line.partition(":")
        uses = uses.split()
        if not colon or room in rooms:
            violations.append(Violation(name, number, "one line a room: \"room: the rooms it may include\""))
        # Listed top down, a room may only look up the page: so arrows point down the house and no cycle can be.
        violations += [Violation(name, number, f"{room} may not use {use}: arrows point only to rooms that are listed before")
                       for use in uses if use not in rooms]
        violations += [Violation(name, number, f"{room} may not use {use}: capabilities never use one another")
                       for use in uses if {room, use} <= CAPABILITIES and (room, use) not in SIDEWAYS]
        rooms[room] = set(uses)
    return rooms, violations


def without_comments(text):
    """The text with comments blanked, line numbers kept. Strings that hold // are rare enough to be cut short."""
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match.group().count("\n"), text, flags=re.DOTALL)
    return re.sub(r"//[^\n]*", "", text)


# A test, a fuzz target, or a header that helps tests; the last are for the others only.
TEST_FILE = re.compile(r"(.*_test\.cpp|fuzz_.*\.cpp|(.*_)?testing\.hpp)$")
TEST_HEADER = re.compile(r"(.*[/_])testing\.hpp$")


def broken_by_quoted(room, header, test, rooms):
    target = header.partition("/")[0]
    if "/" not in header or target not in rooms:
        return f'"{header}" names no room: write "room/file.hpp"'
    if target != room and target not in rooms[room]:
        return f"{room} may not include {target} (rooms.txt): \"{header}\""
    if TEST_HEADER.match(header) and not test:
        return f"only tests include \"{header}\""
    return None


def broken_by_bracketed(room, header, test):
    if room in PURE_ROOMS and not test and IMPURE_HEADER.match(header):
        return f"{room} knows no socket, clock, thread or file: <{header}>"
    if SYSTEM.match(header) or re.fullmatch(r"[a-z_0-9]+", header):
        return None
    if header.startswith(TEST_LIBRARIES):
        return None if test else f"only tests include <{header}>"
    for beginning, allowed in LIBRARIES.items():
        if header.startswith(beginning):
            return None if room in allowed else f"<{header}> stays in {', '.join(sorted(allowed))}"
    return f"<{header}> is in no table of check.py: a new library needs its room"


def check_file(path, room, rooms, name):
    test = TEST_FILE.match(path.name) is not None
    violations = []
    for number, line in enumerate(without_comments(path.read_text(encoding="utf-8")).splitlines(), 1):
        rule = None
        if match := INCLUDE.match(line):
            quoted, bracketed = match.groups()
            rule = broken_by_quoted(room, quoted, test, rooms) if quoted else broken_by_bracketed(room, bracketed, test)
        elif room in PURE_ROOMS and not test and IMPURE_CALL.search(line):
            rule = f"{room} asks no clock: time is a parameter"
        if rule:
            violations.append(Violation(name, number, rule))
    return violations


def check(root):
    """Everything that breaks the plan in a checkout."""
    rooms, violations = read_rooms((root / "tests/architecture/rooms.txt").read_text(encoding="utf-8"))
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in (".hpp", ".cpp"):
            continue
        room = path.relative_to(root / "src").parts[0]
        name = str(path.relative_to(root))
        if room in rooms:
            violations += check_file(path, room, rooms, name)
        else:
            violations.append(Violation(name, 1, f"{room} is not in rooms.txt"))
    return violations


if __name__ == "__main__":
    found = check(ROOT)
    for violation in found:
        print(violation)
    sys.exit(1 if found else 0)
