"""From samples to medians, ranges and paired ratios; to text for people and JSON for programs."""

import statistics

from . import measure, peers
from .rows import BEST

OURS = "sallyport"
GENERATOR_LIMIT = 0.95  # of its core: above it the rate says more about the generator than about the relay
TIMED = ("load", "latency", "fair", "queries", "rate", "names")
ENOUGH_ROUNDS = 3       # for a range of times to mean anything; counts and bytes need no second look


def spread(values):
    """(median, least, most), or None without values."""
    return (statistics.median(values), min(values), max(values)) if values else None


def paired(samples, reference):
    """Ratios within each round: both values were taken seconds apart, on the machine as it was just then."""
    base = {sample["round"]: sample["value"] for sample in reference if sample["value"]}
    return [sample["value"] / base[sample["round"]] for sample in samples
            if sample["value"] is not None and sample["round"] in base]


def with_kernel(samples_by_peer):
    """Fills in "value" of the idle row: own memory and the relay's share of the kernel's.

    The client's and the backend's sockets are there without a relay as well: what `direct` took is taken off.
    """
    base = {sample["round"]: sample["kernel"] for sample in samples_by_peer.get(peers.DIRECT, [])
            if not sample["problem"] and sample.get("kernel") is not None}
    for name, samples in samples_by_peer.items():
        for sample in samples:
            if sample["problem"]:
                continue
            sample["resident"] = sample["value"]
            kernel = sample.get("kernel")
            if name == peers.DIRECT:
                sample["value"] = None
            elif kernel is not None and sample["round"] in base:
                sample["relay_kernel"] = kernel - base[sample["round"]]
                sample["value"] = sample["resident"] + sample["relay_kernel"]


def with_best(samples_by_peer):
    """The same, and BEST: in each round whoever was least of all but ours."""
    rounds = {}
    for name, samples in samples_by_peer.items():
        for sample in samples if name != OURS else []:
            if sample["value"] is not None:
                rounds.setdefault(sample["round"], []).append((sample["value"], name))
    best = [{"round": number, "value": min(seen)[0], "who": min(seen)[1], "problem": None}
            for number, seen in sorted(rounds.items())]
    return samples_by_peer | ({BEST: best} if best else {})


def summary(row, samples_by_peer):
    """{peer: {...}} with everything that the table shows."""
    if row.kind == "idle":
        with_kernel(samples_by_peer)
    if row.reference == BEST:
        samples_by_peer = with_best(samples_by_peer)
    reference = samples_by_peer.get(row.reference, [])
    out = {}
    for name, samples in samples_by_peer.items():
        problems = [sample["problem"] for sample in samples if sample["problem"]]
        out[name] = {
            "rounds": len(samples),
            "problems": problems,
            "value": spread([s["value"] for s in samples if s["value"] is not None]),
            "ratio": spread(paired(samples, reference)),
            "rate": spread([s["rate"] for s in samples if "rate" in s]),
            "utilization": spread([s["utilization"] for s in samples if "utilization" in s]),
            "busy": spread([s["busy"] for s in samples if "busy" in s]),
            "notes": _notes(row, samples),
            **_ours(row, samples_by_peer.get(OURS, []), samples),
        }
    return out


def _ours(row, ours, samples):
    """Sallyport's ratio to a peer, and whether there are enough rounds to say anything by it."""
    ratios = paired(ours, samples)
    return {"ours": spread(ratios), "enough": row.kind not in TIMED or len(ratios) >= ENOUGH_ROUNDS}


def _notes(row, samples):
    good = [sample for sample in samples if not sample["problem"]]
    if not good:
        return ""
    if "who" in good[0]:
        return " ".join(sorted({sample["who"] for sample in good}))
    if row.kind == "idle" and good[0]["value"] is None:
        return ""
    if row.kind == "idle":
        kernel = [sample["relay_kernel"] for sample in good if "relay_kernel" in sample]
        own = statistics.median(sample["resident"] for sample in good)
        return f"own {own:.0f}, kernel {statistics.median(kernel):.0f}" if kernel else "kernel memory not seen"
    if row.kind in ("latency", "fair"):
        return _latency_notes(row, good)
    if row.kind == "calls":
        return " ".join(f"{name} {count:g}" for name, count in list(good[0]["calls"].items())[:6])
    if row.kind in ("load", "rate") and statistics.median(sample["utilization"] for sample in good) > GENERATOR_LIMIT:
        return "generator at its limit"
    return ""


def _latency_notes(row, good):
    median, slowest = (statistics.median(sample[name] for sample in good) for name in ("p50", "p999"))
    text = f"half of all {number(median)}, 999 of 1000 {number(slowest)}"
    if any(map(measure.came_late, good)):
        text += ", generator at its limit"
    if row.kind == "fair":
        text += f", streams {statistics.median(sample['streams'] for sample in good) / 1e9:.2f} GB/s"
    return text


def number(value):
    if value >= 1000:
        return f"{value:.0f}"
    return f"{value:.2f}" if value >= 10 else f"{value:.3f}"


def _range(spread_of, form=number):
    return "-" if spread_of is None else f"{form(spread_of[0])} [{form(spread_of[1])}-{form(spread_of[2])}]"


def _rate(row, rate):
    if rate is None:
        return "-"
    return f"{rate[0] / 1e9:.2f} GB/s" if row.per_byte else f"{rate[0]:.0f}/s"


def columns(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]


def _checks_text(samples_by_peer, absent):
    lines = [("peer", "check", "", "what was seen")]
    for name, samples in samples_by_peer.items():
        for sample in samples:
            for check, (passed, text) in sample.get("checks", {}).items():
                lines.append((name, check, "pass" if passed else "FAIL", text))
            if sample["problem"]:
                lines.append((name, "", "INVALID", sample["problem"]))
    lines += [(name, "", "-", why) for name, why in absent.items()]
    return columns(lines)


def text(row, samples_by_peer, summaries, absent):
    """The table of one row. `absent`: {peer: why it has no figures}."""
    head = [f"{row.key}: {row.title}" + (f" ({row.unit})" if row.unit else "")]
    if row.kind == "checks":
        return head + _checks_text(samples_by_peer, absent)
    lines = [("peer", "median [min-max]", f"ratio to {row.reference}, paired", "rate", "generator", "relay", "")]
    for name, seen in summaries.items():
        if seen["problems"]:
            invalid = f"INVALID {len(seen['problems'])} of {seen['rounds']}"
            lines.append((name, invalid, "", "", "", "", seen["problems"][0]))
            continue
        share = [f"{seen[key][0]:.2f}" if seen[key] else "-" for key in ("utilization", "busy")]
        if name == peers.DIRECT:
            share[1] = "-"
        lines.append((name, _range(seen["value"]), _range(seen["ratio"], "{:.3f}".format), _rate(row, seen["rate"]),
                      *share, seen["notes"]))
    lines += [(name, "-", "-", "-", "-", "-", why) for name, why in absent.items()]
    return head + columns(lines) + verdict(row, summaries)


def _within(span, enough, most):
    if not enough:
        return "undecided, too few rounds"
    if span[2] <= most:
        return "met"
    return "missed" if span[1] > most else "undecided, the range includes it"


def judged(row, summaries):
    """[(goal as text, verdict)] for sallyport: met or missed only if the whole range says so."""
    ours = summaries.get(OURS)
    if ours is None or ours["problems"]:
        return []
    out = []
    for goal in row.goals:
        other = summaries.get(goal.of, {}) if goal.of else ours
        span = other.get("ours") if goal.of else ours["value"]
        if span is not None:
            text_of = f"at most {goal.most:g} {'of ' + goal.of if goal.of else row.unit}"
            out.append((text_of, _within(span, other["enough"], goal.most)))
    return out


def verdict(row, summaries):
    return [f"  goal for sallyport: {goal}: {word}" for goal, word in judged(row, summaries)]
