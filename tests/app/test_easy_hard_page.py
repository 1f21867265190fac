"""The page "Easy & hard" as Streamlit runs it, without a browser."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from app import cache, columns, images
from app.charts import LIGHT
from app.columns import BROUGHT, Brought, Column, names_of
from app.easy_hard import findings, forest, prints, sheet
from app.easy_hard.comparison import Compared, View, compared, resamples_for
from app.easy_hard.tiles import pixels_of
from app.settings import RUNS_VARIABLE
from drnn_core.analysis.bootstrap import Estimate
from drnn_core.analysis.effects import Effect
from drnn_core.analysis.galleries import ByCount, ByLoops
from drnn_core.data.sets import MemorySet, fingerprint_of
from tests.app.fake_runs import fake_run
from tests.app.test_distribution_page import again, charts
from tests.app.test_distribution_page import texts as said

PAGE = """
from app import runpicker
from app.easy_hard import page

runpicker.choose_run()
page.show()
"""
SHIPPED = Path(__file__).resolve().parents[2] / "checkpoints"


def opened(run: str, **params: Any) -> AppTest:
    page = AppTest.from_string(PAGE, default_timeout=120)
    page.query_params["run"] = run
    for name, value in params.items():
        page.query_params[name] = value
    return again(page)


def tiles(page: AppTest) -> list[dict[str, Any]]:
    """What the gallery shows, a class each."""
    sources = [json.loads(each.proto.json) for each in page.get("bidi_component")]
    (source,) = [source for source in sources if "columns" in source]
    return source["columns"]


def frame_of(runs: Path, run: str = "dr") -> pd.DataFrame:
    return cache.table(cache.open_run(runs / run)).frame


def by_hand(frame: pd.DataFrame, images: int) -> list[tuple[list[int], list[int]]]:
    """Indices of the easiest and the hardest of each class, fewest and most loops first.

    With all that loop as often as the last of them.
    """
    found = []
    for _, part in frame.groupby("label"):
        up = part.sort_values(["loops", "index"])
        least, most = sorted(part["loops"])[images - 1], sorted(part["loops"])[-images]
        few, many = (
            up[up["loops"] <= least],
            up[up["loops"] >= most].sort_values("loops", ascending=False, kind="stable"),
        )
        tied = set(few["loops"]) & set(many["loops"])
        found.append(
            tuple(each[~each["loops"].isin(tied)]["index"].tolist() for each in (few, many))
        )
    return found


def indices(column: dict[str, Any]) -> tuple[list[int], list[int]]:
    easy, hard = ([tile["index"] for tile in column[end]] for end in ("easy", "hard"))
    return easy, hard


def test_the_easiest_and_the_hardest_of_every_class_stand_over_each_other(runs: Path) -> None:
    page = opened("dr", each="5", rows="4")
    frame = frame_of(runs)
    info = cache.open_run(runs / "dr").info
    assert info is not None
    assert [column["name"] for column in tiles(page)] == list(info.classes)
    expected = by_hand(frame, 5)
    assert [indices(column) for column in tiles(page)] == [
        (easy[:4], hard[:4]) for easy, hard in expected
    ]
    rows = frame.set_index("index")
    for column, ends in zip(tiles(page), expected, strict=True):
        for name, end in zip(("easy", "hard"), ends, strict=True):
            count, shown = len(end), len(column[name])
            assert column[f"{name}Count"] == count
            words = f"all {count}" if shown == count else f"{shown} of {count}"
            assert column[f"{name}Of"] == words
        for tile in (*column["easy"], *column["hard"]):
            row = rows.loc[tile["index"]]
            assert tile["loops"] == row["loops"]
            wrong = "" if row["correct"] else info.classes[row["prediction"]]
            assert tile["answer"] == wrong
            assert tile["picture"].startswith("data:image/png;base64,")


def test_among_the_images_of_a_range_only(runs: Path) -> None:
    page = opened("dr", each="5", rows="4", where="confidence")
    slider = page.slider(key="between-confidence")
    slider.set_value((slider.min, 0.8))
    again(page)
    frame = frame_of(runs)
    kept = frame[frame["confidence"] <= 0.8]
    assert 0 < len(kept) < len(frame)
    # fewer than ten of a class: half of them at either end
    halves = [len(part) // 2 for _, part in kept.groupby("label")]
    assert [indices(column) for column in tiles(page)] == [
        indices_of(part, min(5, half))
        for (_, part), half in zip(kept.groupby("label"), halves, strict=True)
    ]
    (figure,) = [each for each in page.metric if each.label == "Easy images"]
    assert "confidence" in figure.help
    assert "to 0.8" in figure.help
    page.slider(key="between-confidence").set_value((slider.min, slider.min))
    again(page)
    next(each for each in page.button if each.label == "Show all").click()
    assert len(tiles(again(page))) == frame["label"].nunique()


def indices_of(part: pd.DataFrame, images: int) -> tuple[list[int], list[int]]:
    """Of one class, four of each end shown."""
    ((easy, hard),) = by_hand(part, images)
    return easy[:4], hard[:4]


def test_every_figure_has_its_definition_and_its_n(runs: Path) -> None:
    page = opened("dr", each="5")
    frame = frame_of(runs).set_index("index")
    both = zip(*by_hand(frame.reset_index(), 5), strict=True)
    ends = [[index for part in parts for index in part] for parts in both]
    shown = {metric.label: metric for metric in page.metric}
    for name, end in zip(("Easy", "Hard"), ends, strict=True):
        part = frame.loc[end]
        assert shown[f"{name} images"].value == f"{len(end)}"
        assert shown[f"{name}: loops"].value == f"{part['loops'].mean():.2f}"
        assert shown[f"{name}: error"].value == f"{100 * (1 - part['correct'].mean()):.1f} %"
        assert f"n = {len(end)}" in shown[f"{name}: error"].help
        assert "95" in shown[f"{name}: error"].help
    words = "the 5 images of each class with the fewest loops, and all that loop as often as the"
    assert words in shown["Easy images"].help
    helps = {part.value: part.help or "" for part in page.subheader}
    assert "Cliff's δ" in helps["What separates them"]
    assert "500 resamples" in helps["What separates them"]
    assert f"n = {len(ends[0])}" in helps["Easy against hard"]


def test_effects_are_those_of_counting_pairs_within_classes(runs: Path) -> None:
    forest, _ = charts(opened("dr", each="5"))
    names = [facts[0] for facts in forest["data"][0]["customdata"]]
    values = {}
    for trace in forest["data"][1:]:
        values.update(zip(trace["y"], trace["x"], strict=True))
    frame = frame_of(runs).set_index("index")
    deltas, weights = [], []
    for easy, hard in by_hand(frame.reset_index(), 5):
        a, b = (frame.loc[part, "occlusion"] for part in (easy, hard))
        deltas.append(np.mean([np.sign(y - x) for x, y in itertools.product(a, b)]))
        weights.append(len(easy) * len(hard) / (len(easy) + len(hard)))
    place = names.index("occlusion (known)")
    assert values[place] == pytest.approx(np.average(deltas, weights=weights))
    sizes = [abs(values[place]) for place in range(len(names))]
    assert sizes == sorted(sizes, reverse=True)


def test_the_shipped_run_says_what_separates_its_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUNS_VARIABLE, str(SHIPPED))
    page = opened("generated_dr_resnet32_l4", column="edge density")
    assert "lower **edge density** in **80\u00a0%**" in said(page)
    assert "Of the network itself" in said(page)
    assert "would have to be of another), but δ compares within classes" in said(page)
    forest, distribution = charts(page)
    labels = [facts[0] for facts in forest["data"][0]["customdata"]]
    assert {"Saliency: concentration", "Grad-CAM: spread"} <= set(labels)
    assert "Input × gradient: distance from the centre" in labels
    assert not any("grad cam" in str(part) for part in labels)
    names = forest["layout"]["yaxis"]["ticktext"]
    assert "Grad-CAM: distance from<br>the centre" in names
    assert all("…" not in name for name in names)
    assert {trace["name"] for trace in forest["data"][1:]} == {
        "picture, measured", "picture, known", "network's own",
    }  # fmt: skip
    easy, hard = distribution["data"]
    assert easy["type"] == "bar"
    assert (hard["type"], hard["mode"]) == ("scatter", "lines")  # apart without colour
    assert "drnn saliency" not in said(page)
    page.selectbox(key="column").set_value("answered right")
    again(page)
    axis = charts(page)[1]["layout"]["xaxis"]
    assert axis["ticktext"] == ["0", "1"]
    page.segmented_control(key="of").set_value("network")
    again(page)
    (network,) = charts(page)[0]["data"][1:]
    assert network["name"] == "network's own"
    assert page.selectbox(key="column").value != "edge density"


def _ties(folder: Path) -> list[int]:
    """A run whose images of class 0 tie: how many of them are hard by the rule of four."""
    fake_run(folder, 200, "dr_resnet16_l2", spread=0.2)
    frame = frame_of(folder.parent, folder.name)
    part = frame[frame["label"] == 0].sort_values("index")
    return part[part["loops"] == part["loops"].max()]["index"].tolist()


def test_ties_count_whole_and_are_shown_from_all_over_the_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hard = _ties(tmp_path / "tied")
    assert len(hard) > 4, "the test needs ties"
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    page = opened("tied", each="4", rows="3")
    first = tiles(page)[0]
    assert first["hardCount"] == len(hard)
    assert first["hardOf"] == f"3 of {len(hard)}"
    top = frame_of(tmp_path, "tied")["loops"].to_numpy()[hard[0]]
    assert first["hardLast"] == f"{len(hard)} run {top} loops"
    middle = hard[round((len(hard) - 1) / 2)]
    assert indices(first)[1] == [hard[0], middle, hard[-1]]
    view = _view(tmp_path / "tied", ByCount(4, with_ties=True))
    most = max(view.found, key=lambda gallery: len(gallery.hard))
    loops = frame_of(tmp_path, "tied")["loops"].to_numpy()[most.hard]
    assert (
        f"{len(most.hard)} hard ones ({view.classes[most.label]}, where "
        f"{(loops == loops.min()).sum()} run {loops.min()} loops)"
    ) in said(page)
    helps = {part.value: part.help or "" for part in page.subheader}
    assert f"n = {sum(len(each.hard) for each in view.found)}" in helps["Easy against hard"]
    pictures = images.pictures_of(view.run, view.table)
    assert isinstance(pictures, images.Pictures)
    drawn: list[list[int]] = []

    def noted(read: Any, rows: Any) -> Any:
        drawn.append(rows.tolist())
        return pixels_of(read, rows)

    monkeypatch.setattr(prints, "pixels_of", noted)
    prints.sheet_of(view, 3, pictures)
    assert tuple(drawn[:2]) == indices(first), "the sheet has the pictures of the page"


def test_an_address_gives_the_view(runs: Path) -> None:
    page = opened(
        "dr", rule="loops", limits=["7", "11"], answer="right", rows="2", column="blur (known)",
        **{"class": ["fish", "car"]},
    )  # fmt: skip
    assert page.segmented_control(key="rule").value == "loops"
    assert page.slider(key="limits").value == (7, 11)
    frame = frame_of(runs)
    kept = frame[frame["correct"]]
    assert [column["name"] for column in tiles(page)] == ["car", "fish"]
    info = cache.open_run(runs / "dr").info
    assert info is not None
    for column in tiles(page):
        part = kept[kept["label"] == info.classes.index(column["name"])]
        assert column["easyCount"] == int((part["loops"] <= 7).sum())
        assert column["hardCount"] == int((part["loops"] >= 11).sum())
        assert max(len(column["easy"]), len(column["hard"])) == 2
    assert "at most 7 loops, answered right only" in page.metric[0].help
    assert not any("error" in metric.label for metric in page.metric)
    assert page.selectbox(key="column").value == "blur (known)"
    assert charts(page)[1]["layout"]["xaxis"]["title"]["text"] == "blur (known)"
    names = [facts[0] for facts in charts(page)[0]["data"][0]["customdata"]]
    assert "answered right" not in names  # all are: nothing to compare


@pytest.mark.parametrize(
    "params",
    [
        {"rule": "dice", "each": "0", "rows": "4000", "answer": "perhaps", "column": "../../x"},
        {"each": "many", "share": "99", "limits": ["-3", "1000"], "class": "unicorn"},
    ],
)
def test_nonsense_in_the_address_is_ignored(runs: Path, params: dict[str, Any]) -> None:
    page = opened("dr", **params)
    plain = [(easy[:3], hard[:3]) for easy, hard in by_hand(frame_of(runs), 15)]  # half of a class
    assert [indices(column) for column in tiles(page)] == plain
    assert len(charts(page)) == 2


def test_a_share_takes_all_that_loop_as_often(runs: Path) -> None:
    page = opened("dr", rule="share", share="10")
    for (_, part), column in zip(frame_of(runs).groupby("label"), tiles(page), strict=True):
        third = sorted(part["loops"])[2]  # a tenth of thirty images
        assert column["easyCount"] == int((part["loops"] <= third).sum())
    assert "the 10 % of each class" in page.metric[0].help


def test_without_records_or_gates_or_a_sound_run_it_says_so(runs: Path) -> None:
    page = opened("unrecorded")
    assert f"drnn records {runs / 'unrecorded'} --data" in said(page)
    page = opened("plain")
    assert "no recursive blocks" in said(page)
    assert not page.get("bidi_component")
    assert "broken cannot be opened" in said(opened("broken"))


def test_where_no_class_holds_both_kinds_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUNS_VARIABLE, str(SHIPPED))
    run = "generated_dr_resnet32_l4_lvbn_short_s3"
    frame = frame_of(SHIPPED, run)
    ends = frame.groupby("label")["loops"].agg(["min", "max"])
    low = int(ends["min"].min())
    high = next(
        k for k in range(low + 1, 17) if not ((ends["min"] <= low) & (ends["max"] >= k)).any()
    )
    assert (frame["loops"] >= high).sum() > 1
    page = opened(run, rule="loops", limits=[str(low), str(high)])
    assert not page.exception
    assert "no class has both easy and hard ones" in said(page)


def test_limits_and_filters_that_leave_nothing(runs: Path) -> None:
    touching = opened("dr", rule="loops", limits=["8", "8"])
    assert "Easy ends where hard begins" in said(touching)
    frame, info = frame_of(runs), cache.open_run(runs / "dr").info
    assert info is not None
    spans = [frame[frame["label"] == label]["loops"] for label in range(10)]
    label = next(n for n, loops in enumerate(spans) if loops.min() > 0 and loops.max() < 16)
    wrong: dict[str, Any] = {"answer": "wrong", "class": info.classes[label]}
    outside = opened("dr", rule="loops", limits=["0", "16"], **wrong)
    assert "No image is easy or hard" in said(outside)
    next(button for button in outside.button if button.label == "Show all").click()
    again(outside)
    assert outside.segmented_control(key="answer").value == "all"
    assert outside.multiselect(key="class").value == []
    outside.multiselect(key="class").set_value([info.classes[label]])
    outside.slider(key="limits").set_value((int(spans[label].min()), 16))
    again(outside)
    assert "There is no hard image by this rule" in said(outside)
    (column,) = tiles(outside)
    assert column["easyCount"] > column["hardCount"] == 0
    assert charts(outside) == []


def test_pictures_elsewhere_are_explained_and_not_printed(runs: Path) -> None:
    page = opened("elsewhere", each="3")
    assert "--data" in said(page)
    assert {tile["picture"] for column in tiles(page) for tile in column["easy"]} == {""}
    (button,) = [each for each in page.get("download_button") if "sheet" in each.proto.label]
    assert button.proto.disabled
    assert "not at hand" in button.proto.help
    assert len(charts(page)) == 2


def test_of_many_classes_a_few_stand_for_all(tmp_path: Path, monkeypatch: Any) -> None:
    rows, names = 400, tuple(f"class {number} <b>" for number in range(40))
    many = MemorySet(
        "Many", names, [f"{row}" for row in range(rows)], np.arange(rows) % 40,
        fingerprint_of([b"many"]), torch.zeros(1, 3, 1, 1, dtype=torch.uint8).expand(rows, 3, 1, 1),
    )  # fmt: skip
    fake_run(tmp_path / "many", model="dr_resnet16_l2", images=many)
    monkeypatch.setenv(RUNS_VARIABLE, str(tmp_path))
    page, rule = opened("many", each="2"), ByCount(2, with_ties=True)
    means = frame_of(tmp_path, "many").groupby("label")["loops"].mean().sort_values(kind="stable")
    shown = [column["name"] for column in tiles(page)]
    assert len(shown) == 10
    assert {names[int(means.index[0])], names[int(means.index[-1])]} <= set(shown)
    assert "10 of 40 classes" in said(page)
    assert page.metric[0].value == str(len(_view(tmp_path / "many", rule).ends[0]))
    page.multiselect(key="class").set_value(list(names[:14]))
    again(page)
    assert [column["name"] for column in tiles(page)] == list(names[:12])
    assert "The first 12 of the 14" in said(page)


def test_a_users_columns_are_compared_and_kept_for_nobody(runs: Path) -> None:
    page = opened("dr", each="5")
    loops = frame_of(runs)["loops"].to_numpy().astype(float)
    own = {"doubt": loops, "blur (known)": -loops}
    page.session_state[BROUGHT] = {"dr": Brought("doubts.csv", own)}
    again(page)
    first, second = charts(page)[0]["data"][0]["customdata"][:2]
    assert {first[0], second[0]} == {"doubt", "blur (known)"}
    assert first[1] == "your table"
    assert "**doubt** in **100\u00a0%**" in said(page)
    assert "blur (known) (blur)" in page.selectbox(key="column").options
    other = opened("dr", each="5")
    assert "doubt" not in other.selectbox(key="column").options


def _view(folder: Path, rule: Any) -> View:
    run = cache.open_run(folder)
    return View(run, cache.table(run), rule, None, ())


def test_the_contact_sheet_holds_the_pictures_themselves(runs: Path) -> None:
    view = _view(runs / "dr", ByCount(5))
    pictures = images.pictures_of(view.run, view.table)
    assert isinstance(pictures, images.Pictures)
    png = Image.open(io.BytesIO(prints.sheet_of(view, 2, pictures)))
    assert png.info["dpi"][0] == pytest.approx(300, abs=1)
    whole = np.asarray(png.convert("RGB"))
    first = view.table.frame["index"].to_numpy()[view.found[0].easy[:1]]
    tile = np.repeat(np.repeat(pictures.pixels(first)[0], 6, axis=0), 6, axis=1)  # 32 to 192
    inner = tile[60:132, 60:132]  # within any frame
    left = 80 + 190 + 60
    tops = [y for y in range(whole.shape[0] - 72) if (whole[y, left : left + 72] == inner[0]).all()]
    assert any((whole[y : y + 72, left : left + 72] == inner).all() for y in tops)
    lines = prints.lines_of(dataclasses.replace(view, correct=False))
    assert "run dr, on generated (test): 300 images" in lines[0]
    assert lines[1].startswith("Easy: the 5 images of each class with the fewest loops (n")
    assert lines[-1] == "Images answered wrong only"


def test_a_sheet_of_one_class_of_a_long_name_and_of_no_class() -> None:
    grey = sheet.Tile(np.full((224, 224, 3), 128, np.uint8), 3, "a very long name of another class")
    one = sheet.Column("a class whose name does not fit over its picture", [grey], [])
    png = sheet.contact_sheet("Title", ["word " * 60], [one], "note")
    assert Image.open(io.BytesIO(png)).width >= 1000
    with pytest.raises(ValueError, match="at least one class"):
        sheet.contact_sheet("Title", [], [], "")


def pair(name: str, kind: Any, value: float, half: float = 0.04, overall: float = 0.0) -> Compared:
    within = Estimate(value, value - half, value + half, 500, 0.95)
    delta = Estimate(overall, overall - half, overall + half, 500, 0.95)
    return Compared(
        Column(name, name.removeprefix("image_"), "Meaning.", kind),
        Effect(name, 250, 250, 0.1, 0.2, delta, within, within, 0.01),
    )


def test_findings_are_honest_about_size() -> None:
    pairs = [
        pair("entropy", "output", 0.5), pair("blur", "factor", 0.4), pair("noise", "factor", -0.2),
        pair("correct", "output", -0.18), pair("image_contrast", "measured", 0.1),
    ]  # fmt: skip
    pictures, network = findings.largest(pairs)
    assert pictures.startswith("Take a hard and an easy image of the same class")
    assert "higher **blur** in **70\u00a0%** of such pairs (68 to 72\u00a0%, medium)" in pictures
    assert "lower **noise** in **60\u00a0%** of such pairs (58 to 62\u00a0%, small)" in pictures
    assert "contrast" not in pictures
    assert "higher **entropy** in **75\u00a0%**" in network
    assert "not what the pictures are like" in network
    assert "correct" not in network
    (nothing,) = findings.largest([pair("blur", "factor", -0.06, half=0.1)])
    assert "Nothing known of the pictures clearly separates" in nothing
    assert "lower **blur** in **53\u00a0%** of such pairs (48 to 58\u00a0%, negligible)" in nothing
    (unsure,) = findings.largest([pair("blur", "factor", 0.3, half=0.4)])
    assert "Nothing known" in unsure
    assert "small" in unsure
    assert "only the network's own" in findings.largest([pair("entropy", "output", 0.1)])[0]


def test_what_may_be_class_make_up_is_said(runs: Path) -> None:
    pairs = [pair("brightness", "factor", 0.0, overall=0.4), pair("blur", "factor", 0.3)]
    told = findings.classes_in(_view(runs / "dr", ByLoops(7, 11)), pairs)
    assert "would have to be of another" in told
    assert "also differ in brightness, where within classes no difference is sure" in told
    even = findings.classes_in(_view(runs / "dr", ByCount(1)), pairs)  # as many of each class
    assert even.endswith("which classes are easy makes no difference here.")


def test_long_names_are_wrapped_whole_and_the_ends_of_the_axis_are_named_where_they_are() -> None:
    long = pair("x", "brought", 0.5)
    long = dataclasses.replace(long, column=Column("x", "a long name " * 5, "", "brought"))
    pairs = [pair("blur", "factor", 0.6), long, pair("noise", "factor", 0.1)]
    figure: Any = forest.forest_figure(pairs, "x", LIGHT)
    ticks = figure.layout.yaxis.ticktext
    lines = ticks[1].removeprefix("<b>").removesuffix("</b>").split("<br>")
    assert " ".join(lines) == ("a long name " * 5).strip()
    assert len(lines) == 3
    rows = figure.data[0]
    edges = [(y - height / 2, y + height / 2) for y, height in zip(rows.y, rows.width, strict=True)]
    assert edges[0][0] == pytest.approx(figure.layout.yaxis.range[1])
    assert edges[0][1] == pytest.approx(edges[1][0])
    assert edges[1][1] == pytest.approx(edges[2][0])
    assert edges[2][1] == pytest.approx(figure.layout.yaxis.range[0])
    marks = {y: x for trace in figure.data[1:] for y, x in zip(trace.y, trace.x, strict=True)}
    assert [marks[y] for y in rows.y] == [0.6, 0.5, 0.1]
    ends = {note.x: (note.xanchor, note.text) for note in figure.layout.annotations}
    assert ends[0] == ("left", "hard has<br>← less")
    assert ends[1] == ("right", "hard has<br>more →")


def test_many_images_get_fewer_resamples() -> None:
    assert [resamples_for(images) for images in (0, 500, 5_000, 50_000)] == [500, 500, 200, 100]


def test_columns_of_one_label_have_names_of_their_own() -> None:
    twice = [Column("a", "blur", "", "factor"), Column("b", "blur", "", "brought")]
    assert names_of([*twice, Column("c", "noise", "", "factor")]) == [
        "blur (a)",
        "blur (b)",
        "noise",
    ]


def test_what_was_compared_is_kept(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = _view(runs / "dr", ByCount(5))
    frame = columns.frame(view.run, view.table)
    first = compared(view, frame)
    monkeypatch.setattr("app.easy_hard.comparison.separation", None)  # whoever asks again fails
    assert compared(_view(runs / "dr", ByCount(5)), frame) == first
    with pytest.raises(TypeError):
        compared(_view(runs / "dr", ByCount(4)), frame)
