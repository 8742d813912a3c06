"""Views: what a person sees and touches in a notebook, all of it a function of a report's rows.

`explorer` links charts and examples by brushing, `selection` remembers which explorer was brushed last, `progress` shows a run
and lets it be cancelled. The browser's part stands in `static/`: plain JavaScript and CSS, put together by `_assets` and sent
by anywidget, so that there is no build step. Only this layer imports ipywidgets and anywidget.
"""

__all__: list[str] = []
