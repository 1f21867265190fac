"""More than a hundred files that a stranger may drop on the app, each with what must come of it.

``Case.expected`` is the right picture, or None where the file must be refused with a sentence.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Case:
    """One file: as a browser names it, its bytes, and the picture to expect (None: refused).

    ``tolerance`` is the largest mean difference of pixels, 0 to 255. ``lenient``: a decoder may
    also refuse the file, or show what is left of it.
    """

    name: str
    data: bytes
    expected: Image.Image | None = None
    tolerance: float = 0.0
    lenient: bool = False


class Bomb:
    """Leaves a file behind if anybody ever unpickles it."""

    path = ""

    def __reduce__(self) -> Any:
        return open, (Bomb.path, "w")


@cache
def scene(width: int = 48, height: int = 32) -> Image.Image:
    """A picture without any symmetry."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + 2 * y) * 2 % 256], axis=-1)
    pixels[2:9, 3:20] = (250, 20, 30)
    return Image.fromarray(pixels.astype(np.uint8))


def encode(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG by hand: what Pillow cannot write. ``rows`` with their filter bytes."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = chunk(b"IHDR", head) + b"".join(more)
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def exif(orientation: int) -> bytes:
    """EXIF with nothing but an orientation."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def hostile_pictures() -> list[Case]:
    """All of them."""
    return [
        *_sound(),
        *_modes(),
        *_wide(),
        *_animated(),
        *_turned(),
        *_truncated(),
        *_bombs(),
        *_foreign(),
        *_names(),
        *_noise(),
    ]


def _sound() -> list[Case]:
    image = scene()
    return [
        Case("a.png", encode(image, "PNG"), image),
        Case("a.webp", encode(image, "WEBP", lossless=True), image),
        Case("a.jpg", encode(image, "JPEG", quality=95), image, 6),
        Case("progressive.jpg", encode(image, "JPEG", quality=95, progressive=True), image, 6),
        Case("jpeg named.png", encode(image, "JPEG", quality=95), image, 6),
        Case("png named.jpg", encode(image, "PNG"), image),
        Case("webp named.gif", encode(image, "WEBP", lossless=True), image),
        Case("no extension", encode(image, "PNG"), image),
        Case("one pixel.png", encode(scene(1, 1), "PNG"), scene(1, 1)),
        Case("interlaced.png", _adam7(), Image.new("RGB", (1, 1), (9, 8, 7))),
        Case("rubbish after the end.jpg", encode(image, "JPEG", quality=95) + b"x" * 999, image, 6),
        Case("rubbish after the end.png", encode(image, "PNG") + b"x" * 999, image),
    ]


def _adam7() -> bytes:
    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 1)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\x09\x08\x07"))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def _over_white(layer: Image.Image) -> Image.Image:
    pixels = np.asarray(layer.convert("RGBA")).astype(np.float64)
    alpha = pixels[..., 3:] / 255
    return Image.fromarray(np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8))


def _modes() -> list[Case]:
    image, grey = scene(), scene().convert("L")
    alpha = Image.fromarray(np.tile(np.arange(48, dtype=np.uint8) * 5, (32, 1)))
    rgba, la = image.copy(), Image.merge("LA", (grey, alpha))
    rgba.putalpha(alpha)
    palette = image.quantize(64)
    holed = palette.copy()
    see_through = holed.getpixel((5, 5))
    holed_rgb = np.asarray(palette.convert("RGB")).copy()
    holed_rgb[np.asarray(palette) == see_through] = 255
    cmyk = image.convert("CMYK")
    one_bit = image.convert("1")
    return [
        Case("grey.png", encode(grey, "PNG"), grey.convert("RGB")),
        Case("grey.jpg", encode(grey, "JPEG", quality=95), grey.convert("RGB"), 6),
        Case("1 bit.png", encode(one_bit, "PNG"), one_bit.convert("RGB")),
        Case("cmyk.jpg", encode(cmyk, "JPEG", quality=95), cmyk.convert("RGB"), 6),
        Case("rgba.png", encode(rgba, "PNG"), _over_white(rgba), 1),
        Case("rgba.webp", encode(rgba, "WEBP", lossless=True, exact=True), _over_white(rgba), 1),
        Case("la.png", encode(la, "PNG"), _over_white(la), 1),
        Case("palette.png", encode(palette, "PNG"), palette.convert("RGB")),
        Case(
            "palette with a hole.png",
            encode(holed, "PNG", transparency=see_through),
            Image.fromarray(holed_rgb),
        ),
        Case(
            "palette with alpha bytes.png",
            encode(palette, "PNG", transparency=bytes([128] * 64)),
            _over_white(_with_alpha(palette.convert("RGB"), 128)),
            1,
        ),
        Case(
            "rgb with a see-through colour.png",
            encode(image, "PNG", transparency=(250, 20, 30)),
            _repainted(image, (250, 20, 30)),
        ),
        Case(
            "grey with a see-through tone.png",
            encode(grey, "PNG", transparency=grey.getpixel((5, 5))),
            _repainted(grey.convert("RGB"), (grey.getpixel((5, 5)),) * 3),
        ),
        Case("fully transparent.png", encode(_with_alpha(image, 0), "PNG"), _white(image)),
    ]


def _with_alpha(image: Image.Image, alpha: int) -> Image.Image:
    layer = image.copy()
    layer.putalpha(alpha)
    return layer


def _white(image: Image.Image) -> Image.Image:
    return Image.new("RGB", image.size, (255, 255, 255))


def _repainted(image: Image.Image, colour: Any) -> Image.Image:
    pixels = np.asarray(image).copy()
    pixels[(pixels == colour).all(axis=-1)] = 255
    return Image.fromarray(pixels)


def _rows(pixels: np.ndarray) -> bytes:
    """Filter byte 0 before every row, samples in network order."""
    order = pixels.astype(pixels.dtype.newbyteorder(">"))
    return b"".join(b"\0" + row.tobytes() for row in order)


def _wide() -> list[Case]:
    """16-bit PNGs, and grey of 2 and 4 bits with a transparent tone."""
    ramp = np.linspace(0, 65535, 48 * 32).astype(np.uint16).reshape(32, 48)
    eight = np.rint(ramp / 257).astype(np.uint8)
    grey = Image.fromarray(eight).convert("RGB")
    rgb = np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=-1)
    rgb8 = Image.fromarray(np.rint(rgb / 257).astype(np.uint8))
    rgba = np.concatenate([rgb, np.full_like(rgb[..., :1], 32768)], axis=-1)
    half = np.dstack([np.asarray(rgb8), np.full((32, 48), 128, np.uint8)])
    hole = eight.copy()
    hole[ramp == ramp[3, 7]] = 255
    la = np.stack([ramp, np.full_like(ramp, 65535)], axis=-1)
    tone = struct.pack(">H", int(ramp[3, 7]))
    rgb_tone = struct.pack(">HHH", *(int(value) for value in rgb[3, 7]))
    nibbles, quads = b"\0\x12\x34", b"\0\x1b"
    return [
        Case("grey 16.png", png(48, 32, 16, 0, _rows(ramp)), grey, 0.6),
        Case(
            "grey 16, hole.png",
            png(48, 32, 16, 0, _rows(ramp), chunk(b"tRNS", tone)),
            Image.fromarray(hole).convert("RGB"),
            0.6,
        ),
        Case("rgb 16.png", png(48, 32, 16, 2, _rows(rgb)), rgb8, 1),
        Case(
            "rgb 16, hole.png",
            png(48, 32, 16, 2, _rows(rgb), chunk(b"tRNS", rgb_tone)),
            rgb8,
            2,
        ),
        Case("rgba 16.png", png(48, 32, 16, 6, _rows(rgba)), _over_white(Image.fromarray(half)), 1),
        Case("la 16.png", png(48, 32, 16, 4, _rows(la)), grey, 1),
        Case("written by Pillow, 16.png", encode(Image.fromarray(ramp), "PNG"), grey, 0.6),
        Case(
            "grey 4 bits, tone 2 a hole.png",
            png(4, 1, 4, 0, nibbles, chunk(b"tRNS", b"\0\x02")),
            _grey_row([17, 255, 51, 68]),
        ),
        Case(
            "grey 2 bits, tone 1 a hole.png",
            png(4, 1, 2, 0, quads, chunk(b"tRNS", b"\0\x01")),
            _grey_row([0, 255, 170, 255]),
        ),
        Case(
            "1 bit, tone 0 a hole.png",
            png(8, 1, 1, 0, b"\0\xa5", chunk(b"tRNS", b"\0\0")),
            _grey_row([255] * 8),
        ),
        Case(
            "1 bit, tone 1 a hole.png",
            png(8, 1, 1, 0, b"\0\xa5", chunk(b"tRNS", b"\0\x01")),
            _grey_row([255, 0, 255, 0, 0, 255, 0, 255]),
        ),
    ]


def _grey_row(tones: list[int]) -> Image.Image:
    return Image.fromarray(np.asarray([tones], dtype=np.uint8)).convert("RGB")


def _animated() -> list[Case]:
    first, second = scene(), scene().transpose(Image.Transpose.ROTATE_180)
    frames = {"save_all": True, "append_images": [second], "duration": 50}
    apng = encode(first, "PNG", **frames)
    return [
        Case("moving.webp", encode(first, "WEBP", lossless=True, **frames), first),
        Case("moving.png", apng, first),
        Case("moving, broken frame count.png", _spoil_actl(apng), first, lenient=True),
        Case("moving.gif", encode(first, "GIF", **frames)),
        Case("still.gif", encode(first, "GIF")),
        Case("many pictures.jpg", encode(first, "MPO", **frames, quality=95), first, 6),
    ]


def _spoil_actl(apng: bytes) -> bytes:
    at = apng.index(b"acTL")
    return apng[: at - 4] + chunk(b"acTL", b"\0" * 8) + apng[at + 16 :]


def _turned() -> list[Case]:
    image = scene()
    cases: list[Case] = []
    for turn in range(1, 9):
        upright = image.transpose(TURNS[turn]) if turn in TURNS else image
        cases += [
            Case(f"turned {turn}.jpg", _with_exif("JPEG", exif(turn), quality=95), upright, 6),
            Case(f"turned {turn}.png", _with_exif("PNG", exif(turn)), upright),
            Case(f"turned {turn}.webp", _with_exif("WEBP", exif(turn), lossless=True), upright),
        ]
    sound = exif(6)
    spoiled = {
        "cut": sound[:-9],
        "cut short": sound[:12],
        "wild offset": sound[:10] + b"\xff\xff\xff\x7f" + sound[14:],
        "many tags": sound[:14] + b"\xff\xff" + sound[16:],
        "no text": b"Exif\0\0" + bytes(range(256)),
        "orientation 77": exif(77),
        "orientation 0": exif(0),
        "header only": b"Exif\0\0",
    }
    for what, data in spoiled.items():
        # The one tag of "many tags" is still readable: turning is right.
        shown = image.transpose(TURNS[6]) if what == "many tags" else image
        cases += [
            Case(f"EXIF, {what}.jpg", _with_exif("JPEG", data, quality=95), shown, 6),
            Case(f"EXIF, {what}.png", _with_exif("PNG", data), shown),
            Case(f"EXIF, {what}.webp", _with_exif("WEBP", data, lossless=True), shown),
        ]
    return cases


def _with_exif(kind: str, data: bytes, **options: Any) -> bytes:
    return encode(scene(), kind, exif=data, **options)


def _truncated() -> list[Case]:
    cases: list[Case] = []
    sources = {"jpg": encode(scene(), "JPEG", quality=95), "png": encode(scene(), "PNG")}
    sources["webp"] = encode(scene(), "WEBP", lossless=True)
    for suffix, data in sources.items():
        parts = (1, 3, 8, 16, 29, len(data) // 4, len(data) // 2, 3 * len(data) // 4)
        cases += [Case(f"first {part} bytes.{suffix}", data[:part]) for part in parts]
        cases.append(Case(f"all but two bytes.{suffix}", data[:-2], scene(), 6, lenient=True))
    return [*cases, *(Case(f"empty.{suffix}", b"") for suffix in ("jpg", "png", "webp", ""))]


def _bombs() -> list[Case]:
    jpeg = encode(scene(), "JPEG")
    frame = jpeg.index(b"\xff\xc0") + 5
    wide = jpeg[:frame] + struct.pack(">HH", 65500, 65500) + jpeg[frame + 4 :]
    vp8x = encode(_with_alpha(scene(), 9), "WEBP", exif=exif(1))
    assert vp8x[12:16] == b"VP8X"
    canvas = vp8x[:24] + b"\xff\xff\xff\xff\xff\x00" + vp8x[30:]
    vp8l = encode(scene(), "WEBP", lossless=True)
    lossless = vp8l[:21] + b"\xff\xff\xff\x0f" + vp8l[25:]
    vp8 = encode(scene(), "WEBP", quality=50)
    lossy = vp8[:26] + b"\xff\x3f\xff\x3f" + vp8[30:]
    many_texts = b"".join(
        chunk(b"zTXt", b"k%d\0\0" % i + zlib.compress(b"a" * 900_000)) for i in range(99)
    )
    zeros = zlib.compress(b"\0" * 50_000_000)
    return [
        Case("60,000 x 60,000.png", png(60000, 60000, 8, 2, b"")),
        Case("2^31 wide.png", png(2**31 - 1, 2**31 - 1, 8, 2, b"")),
        Case("2^32 wide.png", png(2**32 - 1, 5, 8, 2, b"")),
        Case("5,001 x 5,000.png", png(5001, 5000, 8, 0, b"")),
        Case("no width.png", png(0, 5, 8, 2, b"")),
        Case("65,500 x 65,500.jpg", wide),
        Case("16 million wide.webp", canvas),
        Case("lossless, 16,384 x 16,384.webp", lossless),
        Case("lossy, 16,383 x 16,383.webp", lossy),
        Case("long and thin.png", encode(Image.new("L", (3000, 2)), "PNG")),
        Case("texts that unfold.png", png(1, 1, 8, 2, b"\0\1\2\3", many_texts)),
        Case(
            "too much data.png",
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zeros)
            + chunk(b"IEND", b""),
            Image.new("RGB", (2, 2)),
            lenient=True,
        ),
        Case("over 20 MB.png", encode(scene(), "PNG") + b"\0" * (20 << 20)),
    ]


def _foreign() -> list[Case]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as pack:
        pack.writestr("../../evil.png", encode(scene(), "PNG"))
    state = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, state)
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    return [
        Case("drawing.svg", svg),
        Case("drawing.png", b"<?xml version='1.0'?>" + svg),
        Case("page.jpg", b"<!DOCTYPE html><html><img src=x onerror=alert(1)></html>"),
        Case("page with mark.webp", b"\xef\xbb\xbf<html></html>"),
        Case("script.py", b"import os\nos.system('touch /tmp/owned')\n"),
        *(
            Case(f"pickle {protocol}.png", pickle.dumps(Bomb(), protocol))
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
        ),
        Case("archive.png", archive.getvalue()),
        Case("model.pt", state.getvalue()),
        Case("scan.tiff", encode(scene(), "TIFF")),
        Case("scan, big-endian.jpg", b"MM\0*" + encode(scene(), "TIFF")[4:]),
        Case("bitmap.bmp", encode(scene(), "BMP")),
        Case("bitmap.jpg", encode(scene(), "BMP")),
        Case("icon.png", encode(scene(), "ICO")),
        Case("old.ppm", encode(scene(), "PPM")),
        Case("paper.jpg", b"%PDF-1.7 " + b"x" * 99),
        Case("postscript.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        Case("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
        Case("sound.webp", b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 40),
        Case("text.jpg", "Grüße aus Köln".encode("utf-16")),
        Case("nothing but zeros.png", b"\0" * 4096),
        Case("jpeg head, zip body.jpg", b"\xff\xd8\xff\xe0" + archive.getvalue()),
        Case("png head, html body.png", b"\x89PNG\r\n\x1a\n<html></html>" + b" " * 99),
    ]


NAMES = (
    "../../x.png",
    "..\\..\\x.png",
    "/etc/passwd",
    "C:\\Windows\\system32\\x.png",
    "nul\0byte.png",
    "\0",
    "a" * 100_000 + ".png",
    "line\nbreak\rand\ttab.png",
    "\x1b[31mred.png",
    "right to left \u202egnp.exe",
    "<script>alert(1)</script>.png",
    "file:///etc/passwd",
    "http://example.org/x.png",
    "..",
    "",
    " ",
    "\ud800 half a character.png",
    "$(touch /tmp/owned).png",
    "smile \U0001f600.png",
)


def _names() -> list[Case]:
    sound = encode(scene(), "PNG")
    return [
        *(Case(name, sound, scene()) for name in NAMES),
        *(Case(name, b"no picture") for name in NAMES),
    ]


def _noise() -> list[Case]:
    """Random bytes behind sound heads, and bytes changed at random: shown or refused."""
    generator = np.random.default_rng(7)
    cases = [
        Case(f"noise {i}.{suffix}", head + generator.bytes(400))
        for i in range(5)
        for suffix, head in (
            ("jpg", b"\xff\xd8\xff\xe0"),
            ("png", b"\x89PNG\r\n\x1a\n"),
            ("webp", b"RIFF\x88\1\0\0WEBP"),
        )
    ]
    for kind, options in (("JPEG", {}), ("PNG", {}), ("WEBP", {}), ("WEBP", {"lossless": True})):
        for number in range(25):
            data = np.frombuffer(encode(scene(), kind, **options), dtype=np.uint8).copy()
            places = generator.integers(12, len(data), 3)
            data[places] = generator.integers(0, 256, 3)
            name = f"changed {number}, {options}.{kind.lower()}"
            cases.append(Case(name, data.tobytes(), scene(), 256, lenient=True))
    return cases
