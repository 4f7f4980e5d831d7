"""Forms: what stands where, what is said of errors, how scales join."""

import datetime
import re
from decimal import Decimal

import pytest
from django.template import engines

from trial.core.ui import forms

FIVE = {1: "Never", 2: "Rarely", 3: "Sometimes", 4: "Often", 5: "Always"}
TWO = {0: "No", 1: "Yes"}


class Sample(forms.Form):
    name = forms.TextField("Name", hint="As on the card")
    ready = forms.YesNoField("Ready?")
    dose = forms.DecimalField("Dose", unit="mg", required=False)
    sure = forms.CheckField("I am sure.")


def _rendered(form: forms.Form, tag: str = "{% form form submit='Register participant' %}") -> str:
    return str(engines["django"].from_string(tag).render({"form": form}))


def test_label_hint_error_and_control_stand_in_this_order() -> None:
    html = _rendered(Sample({"name": ""}))
    places = [html.index(part) for part in ('for="id_name"', "As on the card", 'id="id_name_error"', 'name="name"')]
    assert places == sorted(places)
    assert 'aria-describedby="id_name_helptext id_name_error"' in html


def test_the_summary_comes_first_and_leads_to_each_field() -> None:
    form = Sample({"dose": "much"})
    form.add_error(None, "The visit is closed.")
    html = _rendered(form)
    assert html.index("data-error-summary") < html.index('for="id_name"')
    assert form.errors_for_summary[0] == ("", "The visit is closed.")
    targets = re.findall(r'<a href="#(\w+)">', html)
    assert targets == ["id_name", "id_ready_0", "id_dose", "id_sure"]
    for target in targets:
        assert html.count(f'id="{target}"') == 1
    assert "Ready? Answer yes or no." in html
    assert "I am sure: Tick this to go on." in html


def test_optional_is_said_in_words_and_required_never_by_a_star() -> None:
    html = _rendered(Sample())
    assert html.count("(optional)") == 1
    assert "*" not in html
    assert " required" not in html


def test_what_was_typed_stays() -> None:
    html = _rendered(Sample({"name": "<b>Ann</b>", "dose": "2,x", "ready": "no"}))
    assert 'value="&lt;b&gt;Ann&lt;/b&gt;"' in html
    assert 'value="2,x"' in html
    assert re.search(r'value="no" id="id_ready_1" checked', html)


@pytest.mark.parametrize(("typed", "number"), [("2,5", "2.5"), ("2.5", "2.5"), ("", None), ("1000", "1000")])
def test_decimals_take_both_marks(typed: str, number: str | None) -> None:
    form = Sample({"name": "a", "ready": "yes", "sure": "on", "dose": typed})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["dose"] == (Decimal(number) if number else None)
    assert form.cleaned_data["ready"] is True


@pytest.mark.parametrize("typed", ["1.000,5", "1,000,000", "NaN", "inf"])
def test_an_ambiguous_number_is_refused(typed: str) -> None:
    assert "dose" in Sample({"dose": typed}).errors


def test_no_style_and_no_script_inside_the_page() -> None:
    html = _rendered(Sample({}), "{% form form submit='Save' autosave='/save/' %}")
    assert " style=" not in html
    assert "<script" not in html
    assert not re.search(r"\son\w+=", html)


class Mixed(forms.Form):
    a = forms.ScaleField("A", anchors=FIVE, number="1")
    b = forms.ScaleField("B", anchors=FIVE, number="2")
    c = forms.ScaleField("C", anchors=TWO, number="3")
    between = forms.TextField("Between", required=False)
    d = forms.ScaleField("D", anchors=TWO, number="4", required=False)
    sections = (forms.Section("First", ["a", "b"]), forms.Section("Second", ["c"], "Now yes or no."))


def test_neighbors_with_the_same_anchors_make_one_block() -> None:
    blocks = Mixed().blocks
    assert [[field.name for field in block.fields] for block in blocks] == [["a", "b"], ["c"], ["between"], ["d"]]
    assert [block.is_scale for block in blocks] == [True, True, False, True]
    assert [block.section.title if block.section else None for block in blocks] == ["First", "Second", None, None]


def test_answers_are_counted_as_shown() -> None:
    form = Mixed({"a": "3", "b": "", "d": "0"})
    assert (form.answered_count, form.scale_count) == (2, 4)
    assert form.errors_for_summary == [
        ("id_b_0", "Item 2: Choose one answer."),
        ("id_c_0", "Item 3: Choose one answer."),
    ]
    assert form.cleaned_data == {"a": "3", "between": "", "d": "0"}


def test_an_answer_that_is_no_anchor_is_refused() -> None:
    assert "a" in Mixed({"a": "6"}).errors


def test_each_row_carries_its_anchors_for_those_who_hear_the_page() -> None:
    html = _rendered(Mixed(), "{% fields form %}")
    row = html[html.index('id="id_a"') : html.index('id="id_b"')]
    assert [f">{text}</span>" in row for text in FIVE.values()] == [True] * 5
    assert row.count("<legend>") == 1


class Bare(forms.Form):
    one = forms.ScaleField("Item 7", anchors={n: str(n) for n in range(3)}, number="7")
    two = forms.ScaleField("Item 8", anchors={0: "Never", 1: "1", 2: "Always"}, number="8")


def test_nothing_is_written_twice_in_a_scale() -> None:
    form = Bare({})
    html = _rendered(form, "{% fields form %}")
    first, second = html.index('id="id_one"'), html.index('id="id_two"')
    assert "item-number" not in html
    assert "scale-anchors" not in html[:first]
    assert "scale-text" not in html[first : html.index("scale-anchors")]
    assert "<span></span><span>Never</span><span></span><span>Always</span>" in html[:second]
    assert re.findall(r'<span class="scale-text">(\w+)<', html[second:]) == ["Never", "Always"]
    assert '<span class="scale-code">1</span>' in html[second:]
    assert form.errors_for_summary[0] == ("id_one_0", "Item 7: Choose one answer.")


def test_a_long_scale_has_a_bar_with_progress_and_side() -> None:
    names = {f"i{n}": forms.ScaleField(f"I {n}", anchors=TWO, number=str(n)) for n in range(9)}
    form = type("Long", (forms.Form,), names)({"i3": "1"})
    context = {"form": form, "side_label": "Open side", "role_label": "Interviewer"}
    for tag in ("{% fields form %}", "{% form form submit='Sign' %}"):
        html = str(engines["django"].from_string(tag).render(context))
        bar = html[html.index("data-form-bar") : html.index("data-scale-row")]
        assert "<span data-scale-done>1</span> of 9" in bar
        assert "Interviewer" in bar
        assert '<span class="side-word">Open side</span>' in bar


def test_the_time_of_saving_is_short_today_and_whole_on_hover() -> None:
    from trial.core import clock
    from trial.core.ui.parts import SaveState

    now = datetime.datetime(2026, 11, 23, 9, 42, tzinfo=datetime.UTC)
    with clock.frozen(now):
        show = engines["django"].from_string("{% save_state s %}").render
        assert ">10:42</time>" in show({"s": SaveState("saved", now)})
        assert 'title="23 Nov 2026, 10:42 CET +0100"' in show({"s": SaveState("saved", now)})
        assert ">22 Nov 2026, 10:42</time>" in show({"s": SaveState("saved", now - datetime.timedelta(days=1))})
