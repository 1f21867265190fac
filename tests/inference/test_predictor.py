"""The predictor: the run's network, classes and preprocessing; plain values; safe in threads."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from drnn_core.counting import network_cost
from drnn_core.data.pictures import PictureError, decode_picture
from drnn_core.inference import predictor as predictor_module
from drnn_core.inference.prediction import Prediction
from drnn_core.inference.predictor import Predictor, one_thread
from drnn_core.store.runs import RunError
from tests.hostile_pictures import encode, scene
from tests.tiny_runs import CLASSES, PREPROCESSING, tiny_images, tiny_network, tiny_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    tiny_run(folder)
    return folder


@pytest.fixture(scope="module")
def predictor(run: Path) -> Predictor:
    return Predictor(run)


def pictures(count: int = 40) -> list[Image.Image]:
    pixels = tiny_images(count).pixels.permute(0, 2, 3, 1).numpy()
    return [Image.fromarray(image) for image in pixels]


def assert_same(one: Prediction, other: Prediction) -> None:
    for field in dataclasses.fields(Prediction):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if field.name in ("probabilities", "prob"):
            np.testing.assert_allclose(a, b, atol=1e-5, err_msg=field.name)
        elif field.name == "top":
            assert [name for name, _ in a] == [name for name, _ in b]
        else:
            np.testing.assert_array_equal(a, b, err_msg=field.name)


def test_it_says_what_the_network_says(predictor: Predictor) -> None:
    network = tiny_network()
    cost = network_cost(network, 16)
    images = tiny_images(40)
    with torch.inference_mode():
        output = network(PREPROCESSING.normalise(images.pixels))
    found = predictor.predict_many(pictures())
    assert len({one.loops for one in found}) > 2, "the test needs images that differ"
    for row, one in enumerate(found):
        logits, trace = output.logits[row], output.trace
        np.testing.assert_allclose(one.probabilities, logits.softmax(0).numpy(), atol=1e-5)
        assert one.label == int(logits.argmax())
        assert one.loops == int(trace.ran[row].sum()) == one.block_loops.sum()
        np.testing.assert_array_equal(one.ran, trace.ran[row].numpy())
        np.testing.assert_array_equal(one.asked, trace.asked[row].numpy())
        np.testing.assert_allclose(
            one.prob[one.asked], trace.prob[row].numpy()[one.asked], atol=1e-5
        )
        assert np.isnan(one.prob[~one.asked]).all()
        assert one.macs == int(cost.macs_of(trace.asked, trace.ran)[row])
        np.testing.assert_array_equal(one.seen, images.pixels[row].permute(1, 2, 0).numpy())


def test_types_and_context(predictor: Predictor) -> None:
    one = predictor.predict(scene())
    assert [type(getattr(one, f.name)) for f in dataclasses.fields(one)] == [
        np.ndarray, np.ndarray, list, int, np.ndarray, np.ndarray, np.ndarray, np.ndarray, int,
        int, float, int, float, float,
    ]  # fmt: skip
    assert one.seen.dtype == np.uint8
    assert one.seen.shape == (16, 16, 3)
    assert one.probabilities.shape == (len(CLASSES),)
    assert one.probabilities.sum() == pytest.approx(1, abs=1e-6)
    assert (one.loops_max, one.loops_mean_of_run, one.loops_std_of_run) == (5, 2.5, 1.25)
    assert one.macs_mean_of_run == 1e5
    assert one.macs <= one.macs_max == predictor.cost.macs_max
    assert sum(block.loops for block in predictor.layout) == len(one.ran)


def test_a_file_and_what_pil_opened_of_it_are_one_picture(
    predictor: Predictor, tmp_path: Path
) -> None:
    draw = np.random.default_rng(2)
    layer = draw.integers(0, 256, (20, 24, 4), dtype=np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    wide = Image.fromarray(draw.integers(0, 65536, (20, 24)).astype(np.uint16))
    Image.fromarray(layer[..., :3]).save(tmp_path / "turned.png", exif=turned)
    wide.save(tmp_path / "wide.png")
    Image.fromarray(layer).save(tmp_path / "layer.png")
    for name in ("wide.png", "layer.png", "turned.png"):
        file = tmp_path / name
        wanted = predictor.predict(decode_picture(file.read_bytes()))
        assert_same(predictor.predict(file), wanted)
        with Image.open(file) as opened:
            assert_same(predictor.predict(opened), wanted)
    with pytest.raises(PictureError, match="expected a longer side"):
        predictor.predict(Image.new("RGB", (1, 3000)))


def test_the_likeliest_come_first(predictor: Predictor) -> None:
    one = predictor.predict(scene())
    assert len(one.top) == 4  # all classes, where there are fewer than five
    assert [chance for _, chance in one.top] == sorted(one.probabilities.tolist(), reverse=True)
    assert one.top[0] == (CLASSES[one.label], float(one.probabilities.max()))


def test_no_more_than_five(tmp_path: Path) -> None:
    classes = tuple(f"class {number}" for number in range(9))
    tiny_run(tmp_path, tiny_network(9), classes=classes)
    assert len(Predictor(tmp_path).predict(scene()).top) == 5


def test_many_equal_each(predictor: Predictor) -> None:
    many = predictor.predict_many(pictures(40))  # more than one batch
    assert len(many) == 40
    for one, picture in zip(many, pictures(40), strict=True):
        assert_same(one, predictor.predict(picture))
    assert predictor.predict_many([]) == []


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (500, 7), (7, 500), (1000, 800)])
def test_any_size_of_picture(predictor: Predictor, size: tuple[int, int]) -> None:
    picture = decode_picture(encode(scene(*size), "PNG"))
    assert predictor.predict(picture).seen.shape == (16, 16, 3)


def test_preprocessing_and_classes_are_the_runs(tmp_path: Path) -> None:
    other = dataclasses.replace(PREPROCESSING, mean=(0.0, 0.0, 0.0), std=(5.0, 5.0, 5.0))
    tiny_run(tmp_path / "a", classes=("k", "l", "m", "n"), preprocessing=other)
    tiny_run(tmp_path / "b")
    ours, theirs = Predictor(tmp_path / "a"), Predictor(tmp_path / "b")
    assert {name for name, _ in ours.predict(scene()).top} == {"k", "l", "m", "n"}
    a, b = ours.predict(scene()), theirs.predict(scene())
    assert not np.allclose(a.probabilities, b.probabilities)


def test_a_plain_network_has_no_steps(tmp_path: Path) -> None:
    args: dict[str, Any] = {"loops": [1, 1, 1]}
    network = tiny_network(**args)
    model_args = {"blocks": [1, 2, 2], "widths": [8, 8, 8], **args}
    tiny_run(tmp_path, network, model_args=model_args)
    one = Predictor(tmp_path).predict(scene())
    assert (one.loops, len(one.ran), len(one.block_loops)) == (0, 0, 0)
    assert one.macs == one.macs_max


def test_sessions_in_threads_get_their_own_answers(predictor: Predictor) -> None:
    inputs = pictures(24)
    expected = [predictor.predict(picture) for picture in inputs]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(predictor.predict, inputs))
    for one, other in zip(found, expected, strict=True):
        assert_same(one, other)


@pytest.fixture
def two_threads() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_one_thread_and_back(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    forward = predictor._forward

    def counted(x: torch.Tensor) -> Any:
        counts.append(torch.get_num_threads())
        return forward(x)

    monkeypatch.setattr(predictor, "_forward", counted)
    predictor.predict(scene())
    assert counts == [1]
    assert torch.get_num_threads() == 2
    with pytest.raises(RuntimeError, match="inside"), one_thread(), one_thread():
        raise RuntimeError("inside")
    assert torch.get_num_threads() == 2


def test_one_at_a_time() -> None:
    lock = predictor_module._one_at_a_time
    with ThreadPoolExecutor(1) as other_session:
        with one_thread():
            assert not other_session.submit(lock.acquire, blocking=False).result()
        assert other_session.submit(lock.acquire, blocking=False).result()
        other_session.submit(lock.release).result()


def test_a_damaged_run_is_a_sentence(tmp_path: Path) -> None:
    tiny_run(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(RunError, match="expected safetensors"):
        Predictor(tmp_path)


def test_pixels_at_the_network_s_size_are_taken_as_they_are(tmp_path: Path) -> None:
    """Where pictures are cropped, one that was seen would be cropped again by ``predict``."""
    sizing = dataclasses.replace(PREPROCESSING, resize=20)
    tiny_run(tmp_path / "run", preprocessing=sizing)
    cropping = Predictor(tmp_path / "run")
    whole = cropping.predict(scene(40, 40))
    again = cropping.predict_seen(whole.seen)
    assert np.array_equal(again.seen, whole.seen)
    assert np.array_equal(again.probabilities, whole.probabilities)
    assert (again.loops, again.macs) == (whole.loops, whole.macs)
    with pytest.raises(ValueError, match=r"shape \(16, 16, 3\), got uint8 of \(20, 20, 3\)"):
        cropping.predict_seen(np.zeros((20, 20, 3), np.uint8))
