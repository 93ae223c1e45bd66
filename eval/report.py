"""Make one HTML file of a run, perhaps beside an earlier one: it opens offline, needs no script, and prints."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eval import metrics
from eval.compare import Comparison
from eval.names import COLUMNS, COMPONENTS, GROUPS, PLAIN, SETTINGS, as_percent, category_name

WIDTH, HEIGHT, LEFT, BOTTOM = 420, 220, 44, 30  # of a plot, pixels; room for its labels
BINS = 24
HEADLINES = (
    "all_facts",
    "false_answers",
    "false_refusals",
    "validity_errors",
    "recall@5",
    "citation_precision",
    "latency_p95_ms",
)


def report(run: Mapping[str, Any], comparison: Comparison | None = None) -> str:
    """Return the HTML."""
    rows = run["questions"]
    wrong = sorted((row for row in rows if not metrics.handled(row)), key=lambda row: (row["category"], row["id"]))
    return _TEMPLATES.get_template("report.html").render(
        run=run, wrong=wrong, comparison=comparison,
        categories=bars(rows), risk=curve(run["risk_coverage"]), latency=histogram([row["latency_ms"] for row in rows]),
    )  # fmt: skip


def summary_html(run: Mapping[str, Any]) -> str:
    """Return what a run was made with and its headline figures as HTML."""
    return str(_PARTS.summary(run))


def metrics_html(run: Mapping[str, Any]) -> str:
    """Return a run's metrics by category as HTML tables, each with what it means in plain words."""
    return str(_PARTS.measured(run))


def comparison_html(comparison: Comparison) -> str:
    """Return what changed between two runs, and whether the second may take the place of the first, as HTML."""
    return str(_PARTS.compared(comparison))


def _told(value: Any) -> str:
    """Return a setting's value as it is read: parts switched off by name, nothing as 无."""
    return (
        "、".join(COMPONENTS.get(one, str(one)) for one in (value if isinstance(value, list) else [value or "无"]))
        or "无"
    )


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
)  # fmt: skip
_TEMPLATES.filters |= {
    "told": _told,
    "category": category_name,
    "facts": lambda facts: "；".join(fact.replace("|", " 或 ") for fact in facts),
    "column": COLUMNS.__getitem__,
    "figure": lambda value, key: as_percent(key, value),
    "setting": lambda key: SETTINGS.get(key, key),
    "present": lambda found: {key for key, value in found.items() if value is not None},
}
_TEMPLATES.globals |= {"groups": GROUPS, "plain": PLAIN, "headlines": HEADLINES}
_PARTS: Any = _TEMPLATES.get_template("parts.html").module


def bars(rows: Sequence[metrics.Row]) -> Markup:
    """Return a bar a category, the worst first: the share of its questions that were handled rightly."""
    handled: dict[str, list[bool]] = {}
    for row in rows:
        handled.setdefault(category_name(row["category"]), []).append(metrics.handled(row))
    step, room, after, wide = 24, 170, 110, 560  # room for the names before a bar, and for the figures after it
    parts = []
    for at, (name, found) in enumerate(sorted(handled.items(), key=lambda one: (mean(one[1]), one[0]))):
        share = mean(found)
        y, length = at * step + 4, (wide - room - after) * share
        parts.append(
            Markup(
                '<text x="{}" y="{}" text-anchor="end">{}</text><rect x="{}" y="{}" width="{:.1f}" height="14"/>'
                '<text x="{:.1f}" y="{}">{:.0%}（{}题）</text>'
            ).format(room - 6, y + 12, name, room, y, length, room + length + 5, y + 12, share, len(found))
        )  # fmt: skip
    return _svg(wide, len(handled) * step + 4, parts, "各类题处理得对的比例")


def curve(points: Sequence[Mapping[str, float]]) -> Markup:
    """Return the risk–coverage curve."""
    if not points:
        return Markup()
    top = max(0.05, *(point["risk"] for point in points))
    line = " ".join(f"{_x(point['coverage']):.1f},{_y(point['risk'] / top):.1f}" for point in points)
    parts = [
        *_axes("回答的占全部题", "其中答错的", "0", "100%", f"{top:.0%}"),
        Markup('<polyline points="{}"/>').format(line),
    ]
    return _svg(WIDTH, HEIGHT, parts, "风险–覆盖曲线")


def histogram(values: Sequence[float]) -> Markup:
    """Return how many questions took how long."""
    if not values:
        return Markup()
    top = metrics.percentile(values, 99) or 1.0
    counts = [0] * BINS
    for value in values:
        counts[min(int(value / top * BINS), BINS - 1)] += 1
    width = (WIDTH - LEFT - 10) / BINS
    parts = [*_axes("毫秒", "题数", "0", f"{top:.0f}", str(max(counts)))]
    for at, count in enumerate(counts):
        tall = (HEIGHT - BOTTOM - 14) * count / max(counts)
        parts.append(
            Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
                LEFT + at * width, HEIGHT - BOTTOM - tall, width - 1, tall
            )
        )
    return _svg(WIDTH, HEIGHT, parts, "单题用时")


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - 10)


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - 14)


def _axes(below: str, beside: str, first: str, last: str, top: str) -> list[Markup]:
    return [
        Markup('<path d="M{} 10V{}H{}" class="axis"/>').format(LEFT, HEIGHT - BOTTOM, WIDTH - 5),
        Markup('<text x="{}" y="{}">{}</text>').format(LEFT, HEIGHT - 12, first),
        Markup('<text x="{}" y="{}" text-anchor="end">{}</text>').format(WIDTH - 8, HEIGHT - 12, last),
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format((LEFT + WIDTH) / 2, HEIGHT - 12, below),
        Markup('<text x="{}" y="16" text-anchor="end">{}</text>').format(LEFT - 5, top),
        Markup('<text x="{}" y="12">{}</text>').format(LEFT + 4, beside),
    ]


def _svg(width: int, height: int, parts: Sequence[Markup], label: str) -> Markup:
    return Markup('<svg viewBox="0 0 {} {}" width="{}" role="img" aria-label="{}">{}</svg>').format(
        width, height, width, label, Markup().join(parts)
    )
