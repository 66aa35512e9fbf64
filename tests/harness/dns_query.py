"""kdig (Knot DNS) as the client: one question, and what its answer says."""
import re
import subprocess

from harness.waiting import PATIENCE


class Answer:
    """`code`, `flags`, `records` as {(type, data)}, `ttls`, `authority` as a list of types; `text` is all of it."""

    def __init__(self, text):
        self.text = text
        self.code = re.search(r"status: (\w+)", text)[1]
        self.flags = set(re.search(r"Flags: ([a-z ]*)", text)[1].split())
        self.id = int(re.search(r"id: (\d+)", text)[1])
        answer = self._section("ANSWER")
        self.records = {(kind, data) for _, _, kind, data in answer}
        self.ttls = {ttl for _, ttl, _, _ in answer}
        self.names = [name for name, _, _, _ in answer]
        self.authority = [kind for _, _, kind, _ in self._section("AUTHORITY")]

    def _section(self, name):
        found = re.search(rf";; {name} SECTION:\n((?:[^;\n].*\n)*)", self.text)
        rows = [re.split(r"\s+", line, maxsplit=4) for line in found[1].splitlines()] if found else []
        return [(row[0], int(row[1]), row[3], row[4]) for row in rows]

    @property
    def addresses(self):
        return {data for kind, data in self.records if kind in ("A", "AAAA")}


def ask(port, name, kind="A", *options, server="127.0.0.1", timeout=PATIENCE, tries=3):
    """The Answer; None where there was none."""
    command = ["kdig", f"@{server}", "-p", str(port), "-t", kind, name, f"+timeout={timeout:g}", f"+retry={tries - 1}",
               "+noidn", *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout * tries + PATIENCE)
    return Answer(done.stdout) if "status:" in done.stdout else None
