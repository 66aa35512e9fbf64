"""The results as tables of a Markdown page, between two marks: those of the relays, and those of the name servers."""

import dataclasses

from . import report



@dataclasses.dataclass(frozen=True)
class Section:
    begin: str
    end: str
    is_dns: bool

    def rows(self, results):
        return [row for row in results["rows"] if (row.get("front") == "dns") == self.is_dns]


RELAYS = Section("<!-- results: written by bench/run --write-page -->", "<!-- end of results -->", False)
NAMES = Section("<!-- results of name servers: written by bench/run --write-page -->",
                "<!-- end of results of name servers -->", True)
SECTIONS = (RELAYS, NAMES)


def render(about, rows):
    """Markdown of these rows of the results, as they are in the JSON."""
    here = about["machine"]
    parts = [
        f"Measured on {about['started'][:10]}: {here['processor']}, {here['cores']} cores, kernel {here['kernel']}, "
        f"load {here['load']:.1f} at the start; {about['rounds']} rounds of {about['window']:g} s each.",
        "\n".join(f"- {name}: {version}" for name, version in about["peers"].items()),
        _titled("### Sallyport's share of what each peer takes", _ratios(rows)),
        _titled("### What each takes", _values(rows)),
        _titled("### Right or wrong", _checks(rows))]
    return "\n\n".join(part for part in parts if part)


def write(path, results):
    """Writes the sections that there are results for, and leaves others alone."""
    text = path.read_text()
    for section in SECTIONS:
        rows = section.rows(results)
        if rows:
            text = replaced(path, text, section.begin, section.end, render(results, rows))
    path.write_text(text)


def replaced(path, text, begin, end, content):
    """The page with this content between two marks. Its path is for the error."""
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"{path} needs the lines '{begin}' and '{end}', once each and in this order")
    return f"{text.partition(begin)[0]}{begin}\n\n{content}\n\n{end}{text.partition(end)[2]}"


def _titled(title, table):
    return f"{title}\n\n{table}" if table else ""


def table(head, lines):
    if not lines:
        return ""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *lines])


def _peers(rows):
    """All that have figures, in the order of the programme."""
    seen = {name: None for row in rows for name in [*row["summary"], *row["absent"]]}
    return [name for name in seen if name not in ("direct", report.OURS)]


def _span(span, form):
    return f"{form(span[0])} [{form(span[1])}-{form(span[2])}]"


def _ratio(summary):
    """Bold where it may be said that sallyport takes less: the whole range is below 1, of enough rounds."""
    if summary is None or summary["problems"] or not summary.get("ours"):
        return ""
    text = _span(summary["ours"], "{:.2f}".format)
    return f"**{text}**" if summary["ours"][2] < 1 and summary["enough"] else text


def _ratios(rows):
    peers = _peers(rows)
    lines = []
    for row in rows:
        if row["kind"] == "checks" or not row["summary"].get(report.OURS, {}).get("value"):
            continue
        verdicts = row["judged"]
        lines.append([f"`{row['row']}`", row["title"], *(_ratio(row["summary"].get(name)) for name in peers),
                      "<br>".join(goal for goal, _ in verdicts), "<br>".join(word for _, word in verdicts)])
    return table(["row", "what", *peers, "goal", "verdict"], lines)


def _value(row, name):
    summary = row["summary"].get(name)
    if summary is None:
        return "-"
    if summary["problems"]:
        return "invalid"
    return _span(summary["value"], report.number) if summary["value"] else "-"


def _values(rows):
    seen = {name for row in rows for name in row["summary"]}
    peers = [name for name in ("direct", *_peers(rows), report.OURS) if name in seen or name not in ("direct", report.OURS)]
    lines = []
    for row in rows:
        if row["kind"] == "checks":
            continue
        limited = [name for name in peers if "limit" in (row["summary"].get(name) or {}).get("notes", "")]
        notes = "generator at its limit with " + ", ".join(limited) if limited else ""
        lines.append([f"`{row['row']}`", row["unit"], *(_value(row, name) for name in peers), notes])
    return table(["row", "unit", *peers, ""], lines)


def _checks(rows):
    lines = []
    for row in rows:
        for name, samples in row["samples"].items():
            for sample in samples if row["kind"] == "checks" else []:
                cells = [("pass: " if passed else "**fail**: ") + text
                         for passed, text in sample.get("checks", {}).values()]
                if name != "direct" and cells:
                    lines.append([f"`{row['row']}`", name, *cells])
    return table(["row", "peer", "half-close", "slow reader", "resets"], lines)
