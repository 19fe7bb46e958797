"""A picture of either kind, the network or a chart, in every format."""

from __future__ import annotations

from derive.figures import chart_plot, chart_svg, chart_tikz, plot, svg, tikz
from derive.figures.chart import Chart
from derive.figures.network import Network

Picture = Network | Chart


def to_svg(picture: Picture) -> str:
    return chart_svg.to_svg(picture) if isinstance(picture, Chart) else svg.to_svg(picture)


def to_tikz(picture: Picture) -> str:
    return chart_tikz.to_tikz(picture) if isinstance(picture, Chart) else tikz.to_tikz(picture)


def to_png(picture: Picture) -> bytes:
    return chart_plot.to_png(picture) if isinstance(picture, Chart) else plot.to_png(picture)


def to_pdf(picture: Picture) -> bytes:
    return chart_plot.to_pdf(picture) if isinstance(picture, Chart) else plot.to_pdf(picture)
