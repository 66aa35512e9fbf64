#!/usr/bin/python3
"""Counts what a test run of ./dev did, from the JUnit XML that ctest, GoogleTest, pytest and the fuzz part leave.

tally.py part DIR STATUS SECONDS   counts one part: its files in DIR, the exit status of its command, how long it took
tally.py sum RESULTS PART...       prints why tests failed, the table of parts and, as the last line,
                                   "N passed, N failed, N skipped"
"""
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


MOST_REASONS = 5  # are printed, of so many lines each: who reads a long log's end should find what happened
REASON_LINES = 40


def elements(path):
    """Yields (name, element) for each test case of one file; a file cut short by a crash yields nothing."""
    try:
        tree = ElementTree.parse(path)
    except (ElementTree.ParseError, OSError):
        return
    for case in tree.iter("testcase"):
        yield ".".join(filter(None, (case.get("classname"), case.get("name")))), case


def problem_of(case):
    """What a failed case has to say, None for others."""
    found = case.find("failure")
    return case.find("error") if found is None else found


def reasons(directory):
    """Yields (name, text) for each failed case of a part."""
    for path in sorted(directory.glob("*.xml")):
        for name, case in elements(path):
            problem = problem_of(case)
            if problem is not None:
                lines = ((problem.text or "") + "\n" + (case.findtext("system-out") or "")).strip().splitlines()
                told = [line for line in lines if line.startswith("E ")] or lines
                yield name, [problem.get("message", "").split("\n")[0], *told[:REASON_LINES]]


def cases(path):
    """Yields (name, verdict) for each test case of one file."""
    for name, case in elements(path):
        if problem_of(case) is not None:
            yield name, "failed"
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            yield name, "skipped"
        else:
            yield name, "passed"


def count(directory, status):
    """Every case once. A program that failed without a failed case (a crash, a leak found at exit) is one failure."""
    found = {"passed": [], "failed": [], "skipped": []}
    for path in sorted(directory.glob("*.xml")):
        if path.name != "ctest.xml":
            for name, verdict in cases(path):
                found[verdict].append(name)
    for room, verdict in cases(directory / "ctest.xml"):
        program = room.split(".")[-1] + "_test"
        own = [v for _, v in cases(directory / f"{program}.xml")]
        if verdict == "failed" and "failed" not in own:
            found["failed"].append(f"{program}: the program itself (crash, time-out or sanitizer)")
        elif verdict == "skipped":
            found["failed"].append(f"{program}: did not run")
    if status != 0 and not found["failed"]:
        found["failed"].append(f"the part itself: exit status {status}")
    return found


def part(directory, status, seconds):
    directory = pathlib.Path(directory)
    found = count(directory, int(status))
    (directory / "tally.json").write_text(json.dumps({"found": found, "seconds": int(seconds)}))
    return 0


def total(results, parts):
    sums = {"passed": 0, "failed": 0, "skipped": 0}
    failures = []
    why = [reason for name in parts for reason in reasons(pathlib.Path(results) / name)]
    for name, lines in why[:MOST_REASONS]:
        print(f"\n{name} failed:", *lines, sep="\n  ")
    print(f"\n{'part':14}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for name in parts:
        tally = json.loads((pathlib.Path(results) / name / "tally.json").read_text())
        numbers = {verdict: len(names) for verdict, names in tally["found"].items()}
        for verdict, number in numbers.items():
            sums[verdict] += number
        failures += [f"{name}: {case}" for case in tally["found"]["failed"]]
        note = "" if sum(numbers.values()) else "   none yet"
        print(f"{name:14}{numbers['passed']:8}{numbers['failed']:8}{numbers['skipped']:9}{tally['seconds']:9}{note}")
    print()
    for failure in failures:
        print("failed:", failure)
    print(f"{sums['passed']} passed, {sums['failed']} failed, {sums['skipped']} skipped")
    return 1 if sums["failed"] else 0


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    sys.exit(part(*arguments) if verb == "part" else total(arguments[0], arguments[1:]))
