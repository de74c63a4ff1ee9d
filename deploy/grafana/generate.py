"""Write the Grafana dashboards: `python deploy/grafana/generate.py` makes `dashboards/*.json` from `dashboards.yaml`.

The YAML has what a reader of a dashboard sees (titles, descriptions, units, queries); this file decides how it is
drawn. The JSON has the schema of Grafana 11.6, made with Grafana's foundation SDK. Each query is filtered by the
variables `job` and `instance`, as grafana/dashboard-linter demands.
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders import bargauge, dashboard, heatmap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)

HERE = Path(__file__).parent
SPEC = HERE / "dashboards.yaml"
OUT = HERE / "dashboards"

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
#: The matchers of every query; `$filter` in the YAML stands for them.
FILTER = 'job=~"$job", instance=~"$instance"'

PANELS: dict[str, Any] = {
    "stat": stat.Panel,
    "timeseries": timeseries.Panel,
    "bargauge": bargauge.Panel,
    "table": table.Panel,
    "heatmap": heatmap.Panel,
}
#: The title of links to the board.
BOARD = "Open on the board"
#: Links at the top of each dashboard: to the other dashboards, with the chosen variables, and to the board.
LINKS = [
    dashboard.DashboardLink("Dashboards")
    .type(DashboardLinkType.DASHBOARDS)
    .tags(["summitry"])
    .keep_time(True)
    .include_vars(True),
    dashboard.DashboardLink("Board")
    .type(DashboardLinkType.LINK)
    .url("${board}/")
    .icon("external link")
    .target_blank(True),
]
COLORS = ("green", "orange", "red")


def panel(spec: dict[str, Any], number: int, page: str) -> Any:  # noqa: ANN401 - the SDK has a builder class a panel type
    """Return the builder of one panel. `spec` is an entry of `panels` in the YAML, `page` the board's page to link."""
    kind = spec.get("type", "timeseries")
    built = (
        PANELS[kind]()
        .id(number)
        .title(spec["title"])
        .description(spec["description"])
        .datasource(SOURCE)
        .unit(spec["unit"])
        .span(spec.get("width", 8))
        .height(spec.get("height", 8 if kind != "stat" else 4))
    )
    for n, query in enumerate(spec["queries"]):
        target = (
            prometheus.Dataquery()
            .expr(query["expr"].replace("$filter", FILTER))
            .legend_format(query.get("legend", ""))
            .datasource(SOURCE)
            .ref_id(chr(ord("A") + n))
        )
        if kind in ("stat", "bargauge", "table"):
            target = target.instant()
        if kind == "heatmap":
            target = target.format("heatmap")
        built = built.with_target(target)
    link = dashboard.DashboardLink(BOARD).url("${board}" + spec.get("board", page)).target_blank(True)
    built = built.data_links([link])
    limits = spec.get("thresholds", [])
    steps = [Threshold(color=COLORS[0])]
    steps += [Threshold(value=value, color=color) for value, color in zip(limits, COLORS[1:], strict=False)]
    if kind == "timeseries":
        built = built.fill_opacity(8).legend(
            common_builders.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    if kind != "heatmap":
        built = built.thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    return built


def build(uid: str, spec: dict[str, Any]) -> str:
    """Return one dashboard as JSON text with a newline at the end."""
    board = (
        dashboard.Dashboard(spec["title"])
        .uid(uid)
        .description(spec["description"])
        .tags(["summitry"])
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("utc")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .readonly()
        .links(LINKS)
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(variable("job", "label_values(summitry_build_info, job)"))
        .with_variable(dashboard.TextBoxVariable("board").label("Board").default_value("http://127.0.0.1:9650"))
        .with_variable(variable("instance", 'label_values(summitry_build_info{job=~"$job"}, instance)'))
    )
    numbers = count(1)
    for row in spec["rows"]:
        board = board.with_row(dashboard.Row(row["title"]).id(next(numbers)))
        for entry in row["panels"]:
            board = board.with_panel(panel(entry, next(numbers), spec["board"]))
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def variable(name: str, query: str) -> dashboard.QueryVariable:
    """Return a variable for the values of a label; all are chosen by default."""
    return (
        dashboard.QueryVariable(name)
        .label(name)
        .query(query)
        .datasource(SOURCE)
        .multi(True)
        .include_all(True)
        .all_value(".+")
    )


def generated() -> dict[str, str]:
    """Return the JSON text of every dashboard by file name."""
    specs = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
    return {f"{uid}.json": build(uid, spec) for uid, spec in specs.items()}


def main() -> int:
    """Write the dashboards that changed, and print their names. Returns the exit code."""
    OUT.mkdir(exist_ok=True)
    for name, text in generated().items():
        path = OUT / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
