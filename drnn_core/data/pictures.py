"""Pictures from strangers: bytes in, an RGB picture or one clear sentence out.

The content decides what a file is; its name is only for messages and never touches the file
system. Only three decoders are ever asked (JPEG, PNG, WebP), and only after the header passed
the limits below, so a small file cannot unfold into gigabytes.
"""

from __future__ import annotations

import threading
import warnings
from io import BytesIO
from typing import Any, cast

import numpy as np
from PIL import Image

MOST_BYTES = 20 << 20
MOST_PIXELS = 25_000_000
# A picture of the user's own data set may be so many times larger: one vast photograph among a
# million must not end a training.
_OWN = 4
# Nothing recognisable is longer; scaling its short side up would take memory without bound.
MOST_ASPECT = 100

_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_OTHER_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"8BPS", "a Photoshop file"),
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"<", "an SVG, HTML or XML text"),
    (b"\xef\xbb\xbf<", "an SVG, HTML or XML text"),
)


class _Quiet:
    """Drops what the decoders mutter about harmless oddities while pictures are decoded.

    Warning filters belong to the whole process and are not safe to change from two threads: of
    all pictures that are decoded at once, the first one in sets them and the last one out resets
    them, and the decoders themselves run side by side.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)


quiet_decoders = _Quiet()


class PictureError(ValueError):
    """A file that is no picture for us; the message is one sentence for the user."""


def decode_picture(data: bytes, name: str = "", own: bool = False) -> Image.Image:
    """Decode a JPEG, PNG or WebP file.

    The first frame counts; the EXIF orientation is applied; transparency is laid over white;
    16 bits are scaled to 8; CMYK, palettes and grey become RGB. Colour profiles are not applied.

    Args:
        data: the file's content, at most ``MOST_BYTES``.
        name: as the user calls it, for messages only; it may hold anything.
        own: of the user's own data set, not a stranger's; the limits are four times as wide.

    Returns:
        An RGB picture of at most ``MOST_PIXELS``, with no metadata.

    Raises:
        PictureError: anything else; the message says what was expected and what came.
    """
    shown = _shown(name)
    if not data:
        raise PictureError(f"{shown} is empty; expected a JPEG, PNG or WebP picture")
    wider = _OWN if own else 1
    if len(data) > MOST_BYTES * wider:
        most = MOST_BYTES * wider >> 20
        raise PictureError(f"{shown} has {len(data) / 2**20:.1f} MB; expected at most {most} MB")
    kind = _kind_of(data)
    if kind is None:
        raise PictureError(f"{shown} is {_other_kind(data)}; expected a JPEG, PNG or WebP picture")
    with quiet_decoders:
        return _decode(data, kind, shown, MOST_PIXELS * wider)


def as_decoded(picture: Image.Image) -> Image.Image:
    """A picture that PIL opened, as ``decode_picture`` would give it.

    Args:
        picture: of any mode; it is read from its file where that has not been done.

    Raises:
        PictureError: it has too many pixels, or is far longer than wide.
    """
    _check_size(picture.size, "the picture", MOST_PIXELS * _OWN)
    picture.load()
    turn = _TURNS.get(_orientation(picture))
    if picture.mode != "RGB" or "transparency" in picture.info:
        picture = _to_rgb(picture.copy(), 8)
    return picture if turn is None else picture.transpose(turn)


def _decode(data: bytes, kind: str, shown: str, most: int) -> Image.Image:
    try:
        if kind == "WEBP":  # its decoder makes room for the whole canvas when it is opened
            _check_size(_webp_size(data), shown, most)
        with Image.open(BytesIO(data), formats=[kind]) as image:
            _check_size(image.size, shown, most)
            image.load()
            picture = _to_rgb(image, data[24] if kind == "PNG" else 8)
            turn = _TURNS.get(_orientation(image))
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(_too_large(shown, "far too many", most)) from error
    except MemoryError as error:
        raise PictureError(f"{shown} needs more memory than there is; expected less") from error
    except Exception as error:  # decoders raise whatever they stumble over
        raise PictureError(
            f"{shown} is a damaged or incomplete {_NAMES[kind]} file; expected a whole picture"
        ) from error
    if turn is not None:
        picture = picture.transpose(turn)
    picture.info = {}
    return picture


_NAMES = {"JPEG": "JPEG", "PNG": "PNG", "WEBP": "WebP"}


def _kind_of(data: bytes) -> str | None:
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    return None


def _other_kind(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file"
    head = data[:256].lstrip()
    return next((kind for magic, kind in _OTHER_KINDS if head.startswith(magic)), "no picture")


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height that a WebP header claims; (0, 0) where it claims none."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        return 0, 0
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        sides = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
        return sides[0] & 0x3FFF, sides[1] & 0x3FFF
    return 0, 0


def _check_size(size: tuple[int, int], shown: str, most: int) -> None:
    width, height = size
    if width * height > most:
        raise PictureError(_too_large(shown, f"{width:,} x {height:,}", most))
    if width and height and max(width, height) > MOST_ASPECT * min(width, height):
        raise PictureError(
            f"{shown} has {width:,} x {height:,} pixels; expected a longer side of at most "
            f"{MOST_ASPECT} times the shorter one"
        )


def _too_large(shown: str, size: str, most: int) -> str:
    return f"{shown} has {size} pixels; expected at most {most // 10**6} million"


def _to_rgb(image: Image.Image, bits: int) -> Image.Image:
    """Any mode that the three decoders give, as RGB over white.

    Args:
        image: loaded.
        bits: of a PNG's samples, in which its transparent colour is written.
    """
    if image.mode.startswith("I"):
        return _from_16_bit_grey(image)
    transparent: Any = image.info.get("transparency")
    if transparent is not None and image.mode != "P":
        image.info["transparency"] = _to_8_bits(transparent, bits)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _from_16_bit_grey(image: Image.Image) -> Image.Image:
    wide = np.asarray(image).astype(np.int64)
    grey = (np.clip(wide, 0, 65535) * 255 + 32767) // 65535
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[wide == transparent] = 255
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def _to_8_bits(colour: Any, bits: int) -> Any:
    """The transparent colour in the 8 bits to which the decoder scaled the pixels."""
    if isinstance(colour, tuple):  # of 16 bits the decoder keeps the upper 8
        values = cast(tuple[int, ...], colour)
        return tuple(value >> 8 if bits == 16 else value for value in values)
    if isinstance(colour, int) and bits < 8:
        return colour * 255 // (2**bits - 1)
    return colour


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 ("as it is") where it is missing or unreadable."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - metadata may be anything; the picture is still whole
        return 1
    return value if isinstance(value, int) else 1


def _shown(name: str) -> str:
    """What a message calls the file: the last part of its name, printable and short."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(letter if letter.isprintable() else "?" for letter in last).strip()
    if not clean:
        return "the file"
    return clean if len(clean) <= 60 else clean[:57] + "..."
