"""What --quick holds: counts and bytes, which a busy machine does not change, against maxima and our own last figures.

No time is held: a test that fails by noise teaches people to ignore it.
"""

import dataclasses
import json

from . import report

# How far above the baseline a kind of row may be: a share of it, and something for figures that are small.
_SLACK = {"calls": (0.08, 0.1), "idle": (0.15, 128)}


@dataclasses.dataclass(frozen=True)
class Held:
    row: str
    unit: str
    value: float
    most: float | None      # the row's absolute goal
    baseline: float | None  # ours, when it was last written

    def allowed(self, kind):
        """What was within its maximum stays within it; what is not yet there gets no worse."""
        if self.baseline is None or kind not in _SLACK:
            return self.most
        share, little = _SLACK[kind]
        near = self.baseline * (1 + share) + little
        return near if self.most is None or self.baseline > self.most else min(near, self.most)


def measured(row, samples):
    """The one figure of a row that is held, or None: the least of its rounds, as noise only ever adds."""
    good = [sample for sample in samples if not sample["problem"]]
    field = {"calls": "without_waiting", "idle": "resident", "peak": "value"}.get(row.kind)
    values = [sample[field] for sample in good if field and sample.get(field) is not None]
    return min(values, default=None)


def held(row, samples, baseline):
    value = measured(row, samples)
    if value is None:
        return None
    most = next((goal.most for goal in row.goals if not goal.of), None)
    return Held(row.key, row.unit, value, most, baseline.get(row.key))


def passes(one, kind):
    allowed = one.allowed(kind)
    return allowed is None or one.value <= allowed


def read(path):
    return json.loads(path.read_text()) if path.exists() else {}


def write(path, pairs):
    """Keeps the figures of rows that did not run."""
    figures = read(path) | {one.row: round(one.value, 3) for _, one in pairs}
    path.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")


def text(pairs):
    """The table of [(row, Held)]."""
    def cell(value):
        return "-" if value is None else f"{value:.2f}"
    lines = [("held", "unit", "seen", "at most", "baseline", "allowed", "")]
    for row, one in pairs:
        lines.append((one.row, one.unit, cell(one.value), cell(one.most), cell(one.baseline),
                      cell(one.allowed(row.kind)), "ok" if passes(one, row.kind) else "TOO MUCH"))
    return report.columns(lines)
