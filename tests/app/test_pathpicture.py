"""The picture of the path: every decision is in it, in ink and in words, at every width."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.charts import DARK, LIGHT
from app.inspection.path import NetworkPath, digits, network_path, network_structure
from app.inspection.rows import parts_of, rows_of
from app.pathpicture import WIDTHS, legend, path_html, path_svg
from drnn_core.inference.facts import network_shape
from drnn_core.layout import StageLayout
from drnn_core.models.registry import create_model, list_models

SVG = "{http://www.w3.org/2000/svg}"
PIXEL = "data:image/png;base64,iVBORw0KGgo="


def layouts(name: str = "dr_resnet16_l2", **changes: Any) -> tuple[StageLayout, ...]:
    """Stages of a network, without its weights."""
    with torch.device("meta"):
        return create_model(name, **changes).stage_layouts


def example(answer: str = "ship") -> NetworkPath:
    """Two blocks of three loops: one ran twice, one not at all."""
    return network_path(
        layouts(blocks=(2, 2, 2), loops=(1, 3, 3)),
        32,
        (answer, "93 %"),
        asked=np.array([1, 1, 1, 1, 0, 0], bool),
        ran=np.array([1, 1, 0, 0, 0, 0], bool),
        prob=np.array([0.93, 0.61, 0.312, 0.049, np.nan, np.nan], np.float32),
    )


def structure(name: str) -> NetworkPath:
    """All paths of a network, no image."""
    shape = network_shape(name)
    return network_structure(shape)


def drawn(path: NetworkPath, width: int = 1040) -> ET.Element:
    return ET.fromstring(path_svg(path, width, LIGHT, PIXEL))


def titles(svg: ET.Element) -> list[str]:
    return [element.text or "" for element in svg.iter(f"{SVG}title")]


def texts(svg: ET.Element) -> list[str]:
    return [element.text or "" for element in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", list_models())
def test_the_path_has_the_blocks_of_the_network(name: str) -> None:
    network = create_model(name).eval()
    steps = sum(block.loops for block in network.layout)
    decisions = np.ones(steps, bool)
    path = network_path(
        network.stage_layouts,
        network.recipe.image_size,
        ("x", ""),
        decisions,
        decisions,
        decisions.astype("f4"),
    )
    assert [(block.name, len(block.loops)) for block in path.recursive] == [
        (block.name, block.loops) for block in network.layout
    ]
    assert [len(stage.blocks) for stage in path.stages] == list(network.recipe.blocks)
    sizes = [
        (out.features.shape[1], out.features.shape[2])
        for out in network.features(torch.zeros(1, 3, *[network.recipe.image_size] * 2))
    ]
    assert [(stage.channels, stage.side) for stage in path.stages] == sizes


def test_in_words() -> None:
    words = example().in_words()
    assert (
        "block 2.2 ran 2 of 3 loops (loop 1 gate 0.93, ran, loop 2 gate 0.61, ran, "
        "loop 3 gate 0.31, closed)" in words
    )
    assert "block 3.2 ran 0 of 3 loops (loop 1 gate 0.05, closed, loop 2 not asked" in words
    assert "Stage 1, 16 channels, 32 by 32: 2 plain blocks." in words
    assert "In all 2 of 6 loops ran. Answer: ship 93 %." in words


def test_the_picture_says_what_the_words_say() -> None:
    svg = drawn(example())
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == example().in_words()
    assert {"×2", "×0", ".93", ".61", ".31", ".05", "2.2", "3.2", "1.1", "stem"} <= set(texts(svg))
    assert "Block 2.2, loop 3: gate 0.31, closed" in titles(svg)
    assert "Block 3.2, loop 2: not asked" in titles(svg)


def test_a_gate_on_the_edge_shows_on_which_side() -> None:
    assert [digits(prob) for prob in (0.503, 0.4971, 0.506, 1.0)] == [
        "0.503",
        "0.497",
        "0.51",
        "1.00",
    ]
    assert [digits(prob) for prob in (0.50002, 0.49998, 0.5)] == ["> 0.5", "< 0.5", "0.50"]


def test_a_gate_hard_on_the_edge_says_the_side_alone() -> None:
    path = network_path(
        layouts(blocks=(2, 2, 2), loops=(1, 3, 3)),
        32,
        ("ship", ""),
        asked=np.array([1, 1, 0, 1, 0, 0], bool),
        ran=np.array([1, 0, 0, 1, 0, 0], bool),
        prob=np.array([0.50002, 0.49998, np.nan, 0.9, np.nan, np.nan], np.float32),
    )
    svg = drawn(path)
    assert {"> .5", "< .5"} <= set(texts(svg))
    assert "Block 2.2, loop 2: gate < 0.5, closed" in titles(svg)


def test_fates_are_told_apart_without_colour() -> None:
    source = path_svg(example(), 1040, LIGHT)
    assert source.count('stroke-width="6"') == 2  # bands: executed
    assert source.count('stroke-dasharray="5 3"') == 2  # closed
    assert source.count('stroke-dasharray="1 3.5"') == 2  # unasked
    assert source.count("l6,6m0,-6l-6,6") == 2  # a cross at each gate that closed


def test_blocks_without_gates_show_no_probability() -> None:
    path = network_path(
        layouts(), 32, ("x", ""), np.zeros(4, bool), np.ones(4, bool), np.ones(4, np.float32)
    )
    assert "loop 1 no gate, ran" in path.in_words()
    assert not [text for text in texts(drawn(path)) if re.fullmatch(r"\d?\.\d\d", text)]


def test_a_plain_network_has_a_path_too() -> None:
    nothing = np.zeros(0, bool)
    path = network_path(
        layouts("resnet20"), 32, ("cat", ""), nothing, nothing, nothing.astype("f4")
    )
    assert "It has no loops. Answer: cat." in path.in_words()
    assert [text for text in texts(drawn(path)) if text.startswith("3.")] == ["3.1", "3.2", "3.3"]


@settings(max_examples=25)
@given(
    blocks=st.tuples(*[st.integers(1, 20)] * 3),
    loops=st.tuples(st.just(1), st.integers(1, 6), st.integers(1, 6)),
    width=st.sampled_from(WIDTHS),
    data=st.data(),
)
def test_everything_stands_inside_the_picture(
    blocks: tuple[int, int, int],
    loops: tuple[int, int, int],
    width: int,
    data: st.DataObject,
) -> None:
    steps = sum((n - 1) * k for n, k in zip(blocks, loops, strict=True) if k > 1)
    ran = np.array(data.draw(st.lists(st.booleans(), min_size=steps, max_size=steps)), bool)
    stages = layouts(blocks=blocks, loops=loops)
    path = network_path(
        stages, 32, ("automobile", "100 %"), ~ran | ran, ran, np.full(steps, 0.5, "f4")
    )
    svg = drawn(path, width)
    across, down = (float(svg.get(side, "0")) for side in ("width", "height"))
    assert across <= width + 20
    for text in svg.iter(f"{SVG}text"):
        x, wide = float(text.get("x", "-1")), 0.45 * float(text.get("font-size", "0"))
        wide *= len(text.text or "")  # at least: 0.45 em is what narrow letters take
        start = x if text.get("text-anchor") == "start" else x - wide / 2
        assert 0 < start < start + wide < across
        assert 0 < float(text.get("y", "-1")) < down
    assert sum(title.startswith("Block") and "loop " in title for title in titles(svg)) == steps
    names = [text for text in texts(svg) if re.fullmatch(r"\d\.\d+", text)]
    assert len(names) == sum(blocks)


@pytest.mark.parametrize("name", list_models())
def test_the_answer_stands_beside_the_last_block(name: str) -> None:
    path = structure(name)
    last = path.stages[-1].blocks[-1]
    for width in WIDTHS:
        rows = rows_of(parts_of(path, width), width)
        assert [part.kind for part in rows[-1].parts][-2:] == ["block", "answer"]
        assert last in (*rows[-1].parts[-2].alike, rows[-1].parts[-2].block)
        assert all(row.extent <= width for row in rows)


def test_a_network_without_an_image() -> None:
    path = structure("dr_resnet53_l3")
    words = path.in_words()
    assert "Stage 3, 1024 channels, 14 by 14: 1 plain block; 7 recursive blocks of up to 3" in words
    assert "loop 3 34% of the images expected" in words
    # figure 8 of the paper
    assert "In all up to 23 loops, 11.92 expected. Answer: one of 1,000 classes." in words
    svg = drawn(path)
    assert texts(svg).count(".34") == texts(svg).count("≤3") == 7
    rings = [
        each.get("stroke-width") for each in svg.iter(f"{SVG}path") if "A26,30" in each.get("d", "")
    ]
    assert rings.count("4.2") == 8  # as thick as the share, 0.7 of 6
    assert "every image runs every loop" in legend(structure("r_resnet53_l3"), LIGHT)
    assert legend(structure("resnet50"), LIGHT) == ""


def test_blocks_that_are_alike_are_one_where_there_is_little_room() -> None:
    path = structure("aig_resnet101")
    wide, narrow = drawn(path), drawn(path, 330)
    assert {"3.2", "3.12", "3.23"} <= set(texts(wide))
    assert {"3.1", "3.2 to 3.23", "22 blocks"} <= set(texts(narrow))
    assert "3.12" not in texts(narrow)
    image = drawn(example(), 330)
    assert not [text for text in texts(image) if "blocks" in text], "of an image they differ"


def test_names_from_outside_stay_text() -> None:
    svg = drawn(example('<script>"&</script>'))
    assert not list(svg.iter(f"{SVG}script"))
    assert '<script>"&</script> 93 %' in texts(svg)


def test_a_long_name_is_cut_in_the_picture_only() -> None:
    name = "tabby, tabby cat, a cat with a coat of stripes"
    svg = drawn(example(name), 330)
    assert "tabby, tabby cat, a cat w… 93 %" in texts(svg)
    assert f"Global pooling, classifier: {name} 93 %" in titles(svg)
    assert f"Answer: {name} 93 %." in str(svg.get("aria-label"))


def test_a_picture_for_every_width_and_theme() -> None:
    html = path_html(example(), DARK, PIXEL)
    assert html.count("<svg") == len(WIDTHS)
    assert all(f'class="w{width}"' in html for width in WIDTHS)
    assert DARK.ran in html
    assert LIGHT.ran not in html


def test_a_foreign_trace_is_refused() -> None:
    flags = np.ones(3, bool)
    with pytest.raises(ValueError, match="expected a trace of 4 steps for this network, got 3"):
        network_path(layouts(), 32, ("x", ""), flags, flags, flags.astype("f4"))
