"""Template tags of the pages; built in, so that no page needs to load them."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import conditional_escape, format_html, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from trial.core import clock
from trial.core.ui.addresses import here
from trial.core.ui.charts import Chart
from trial.core.ui.forms import Form
from trial.core.ui.gathering import gathered, head, is_gathering, under
from trial.core.ui.live import part as live_part
from trial.core.ui.parts import Change, Crumb, Progress, Result, SaveState
from trial.core.ui.tables import STATE_WORDS, State, Table, grouped, lines, shown
from trial.core.ui.text import Text
from trial.core.ui.work import Panel, WorkList

register = template.Library()
register.simple_tag(here)

ICONS = "vendor/icons/3.51.0/icons.svg"
STATE_ICONS = {
    "due": "clock",
    "overdue": "alert-triangle",
    "waiting": "hourglass",
    "blocked": "ban",
    "upcoming": "calendar-event",
    "done": "circle-check",
    "open": "circle-dashed",
    "missed": "circle-minus",
    "failed": "circle-x",
    "running": "player-play",
    "cancelled": "circle-minus",
    "info": "info-circle",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A sign of the sprite; it never stands for words, so readers of the screen do not hear it."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', static(ICONS), name
    )


@register.simple_tag
def state(kind: str, text: Text = "") -> SafeString:
    """A state word with its sign and color."""
    if is_gathering():
        if kind:
            gathered("state", State(kind, text))
        return SafeString("")
    words = text or STATE_WORDS.get(kind, kind)
    sign = icon(STATE_ICONS.get(kind, "info-circle"))
    return format_html('<span class="state state-{}">{}<span>{}</span></span>', kind, sign, words)


@register.inclusion_tag("components/form_page.html", takes_context=True)
def form(
    context: Context,
    form: Form,
    submit: str,
    action: str = "",
    cancel_url: str = "",
    cancel: str = "",
    autosave: str = "",
    danger: bool = False,
) -> dict[str, Any]:
    """A whole form: summary of errors, fields, one primary button named ``submit``. ``autosave`` is an address that takes the answers."""
    if is_gathering():
        return {}
    return {
        "form": form,
        "submit": submit,
        "action": action,
        "cancel_url": cancel_url,
        "cancel": cancel,
        "autosave": autosave,
        "danger": danger,
        "csrf_token": context.get("csrf_token"),
        **_where(context),
    }


@register.simple_tag(takes_context=True)
def fields(context: Context, form: Form) -> SafeString:
    """Only the fields, for a page that writes its own ``<form>``. A long one begins with a bar that stays in sight."""
    if is_gathering():
        return SafeString("")
    given = {"form": form, **_where(context)}
    return mark_safe(form.renderer.render("components/forms/fields.html", given))  # noqa: S308 - our own template


def _where(context: Context) -> dict[str, Any]:
    """Role and side, as the shell shows them: the bar of a long form repeats them."""
    return {name: context.get(name, "") for name in ("role_label", "side_label")}


@register.inclusion_tag("components/filters.html")
def filters(form: Form, submit: str = "", clear_url: str = "") -> dict[str, Any]:
    """A form on one line that filters by address (GET)."""
    if gathered("filters", form):
        return {}
    return {"form": form, "submit": submit, "clear_url": clear_url}


@register.inclusion_tag("components/table.html", takes_context=True)
def table(context: Context, table: Table) -> dict[str, Any]:
    """A table, its page numbers, and its CSV."""
    return {} if gathered("table", table, context) else {"table": table}


@register.inclusion_tag("components/facts.html", takes_context=True)
def facts(context: Context, facts: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Pairs of label and value."""
    return {} if gathered("facts", facts, context) else {"facts": lines(facts)}


@register.inclusion_tag("components/breadcrumb.html")
def breadcrumb(crumbs: Sequence[Crumb | tuple[str, str]]) -> dict[str, Any]:
    """The way to this page; pairs are fine."""
    return {"crumbs": [crumb if isinstance(crumb, Crumb) else Crumb(*crumb) for crumb in crumbs]}


@register.inclusion_tag("components/worklist.html")
def worklist(work: WorkList, all_url: str = "") -> dict[str, Any]:
    """A list of work that can be finished: what presses most; ``all_url`` has the rest."""
    return {} if gathered("work", work) else {"work": work, "all_url": all_url}


@register.inclusion_tag("components/history.html")
def history(changes: Sequence[Change], empty: str = "") -> dict[str, Any]:
    """Who changed what, newest first as the caller ordered it."""
    return {} if gathered("history", changes) else {"changes": changes, "empty": empty}


@register.inclusion_tag("components/save_state.html")
def save_state(saved: SaveState) -> dict[str, Any]:
    """Saved, waiting or conflict, in words."""
    if is_gathering():
        return {}
    return {"saved": saved}


@register.inclusion_tag("components/progress.html", takes_context=True)
def progress(context: Context, job: Progress) -> dict[str, Any]:
    """Long work: how far, how long still, cancel."""
    if gathered("progress", job):
        return {}
    return {"job": job, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("components/result.html")
def result(result: Result) -> dict[str, Any]:
    """Sentence, table, pictures, certainty. Gathered, its tables and pictures follow as parts of their own."""
    gathered("result", result)
    return {"result": result}


@register.inclusion_tag("components/chart.html")
def chart(chart: Chart) -> dict[str, Any]:
    """A figure with its sentence and its table."""
    if gathered("chart", chart):
        return {}
    return {"chart": chart, "spec": json_script(chart.specs, f"{chart.key}-spec")}


@register.simple_tag(takes_context=True)
def panel(context: Context, panel: Panel) -> SafeString:
    """The template of a panel of the first page."""
    with under(panel.title):
        return mark_safe(render_to_string(panel.template, dict(panel.context), request=context.get("request")))  # noqa: S308


@register.simple_tag(takes_context=True)
def live(context: Context, code: str, template_name: str) -> SafeString:
    """A part of the page, by its template, that follows what happens (``ui.live``)."""
    return live_part(context["request"], code, template_name, {str(k): v for k, v in context.flatten().items()})


@register.simple_tag(takes_context=True)
def page_data(context: Context) -> SafeString:
    """Stands once in the shell; draws nothing. Gives title, line above and lead to whoever gathers the page (the API)."""
    head(context)
    return SafeString("")


@register.simple_tag
def say(text: Text) -> str:
    """A sentence or heading that a page writes itself, so that whoever gathers the page has it too."""
    gathered("text", text)
    return conditional_escape(text)


@register.simple_tag(takes_context=True)
def gather(context: Context, value: Any) -> SafeString:
    """Draws nothing. Hands a table, or pairs of label and value, to whoever gathers the page, for what the page writes by hand."""
    if is_gathering() and value:
        gathered("table" if isinstance(value, Table) else "facts", value, context)
    return SafeString("")


@register.filter
def signature_facts(signature: Mapping[str, str] | None) -> list[tuple[Text, Any]]:
    """What is printed of a signature."""
    if not signature:
        return []
    return [
        (_("Meaning"), signature["meaning"]),
        (_("Signed by"), signature["name"]),
        (_("Time"), datetime.datetime.fromisoformat(signature["at"])),
        (_("SHA-256 of what was signed"), signature["sha256"]),
    ]


@register.filter
def day(value: datetime.date | None) -> SafeString:
    """A date as 23 Nov 2026; of an instant, its day in the trial's time zone."""
    if value is None:
        return mark_safe("–")
    if isinstance(value, datetime.datetime):
        value = (timezone.localtime(value) if timezone.is_aware(value) else value).date()
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), shown(value))


@register.filter
def moment(value: datetime.datetime | str | None) -> SafeString:
    """A time as 23 Nov 2026, 10:42; the zone on hover. Takes the ISO text of a signature too."""
    if value is None or value == "":
        return mark_safe("–")
    if isinstance(value, str):
        value = datetime.datetime.fromisoformat(value)
    local = timezone.localtime(value) if timezone.is_aware(value) else value
    zone = f"{local.tzname() or ''} {local.strftime('%z')}".strip()
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), zone, shown(value))


@register.filter
def lately(value: datetime.datetime) -> SafeString:
    """A time of today as 10:42, an earlier one with its day; the whole of it on hover."""
    local = timezone.localtime(value)
    words = formats.date_format(local, "H:i") if local.date() == clock.today() else shown(value)
    title = f"{shown(value)} {local.tzname() or ''} {local.strftime('%z')}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), title, words)


@register.filter
def number(value: Any) -> SafeString:
    """A study number in a fixed-width face, in groups of four."""
    return format_html('<span class="study-number">{}</span>', grouped(str(value)))


@register.filter
def value(value: Any) -> str:
    """Any value in words: dates, times, numbers by locale, a dash for none."""
    return shown(value)
