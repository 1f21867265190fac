"""The pictures that a user brought, kept for the session whatever page is shown meanwhile.

The uploader says what it lists; the inbox follows it. Streamlit forgets the uploader's list when
another page is shown, the inbox does not: then a fresh uploader lists nothing, and nothing is
taken away for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.inspection.pictures import Picture, short_name
from drnn_core.data.pictures import PictureError, decode_picture

MOST_PICTURES = 200
MOST_BYTES = 256 << 20


class Upload(Protocol):
    """What Streamlit's uploader lists."""

    @property
    def name(self) -> str:
        """As the browser says; may hold anything."""
        ...

    @property
    def file_id(self) -> str:
        """Of this one upload."""
        ...

    @property
    def size(self) -> int:
        """In bytes."""
        ...

    def getvalue(self) -> bytes:
        """The content."""
        ...


@dataclass
class Inbox:
    """The pictures, and what became of the files that are none.

    Attributes:
        pictures: by key, in the order of their arrival.
        refused: by upload, a sentence why it is none of them.
        listed: uploads that the uploader on the page lists.
        generation: counts how often the inbox was cleared; a part of the uploader's key.
    """

    pictures: dict[str, Picture] = field(default_factory=dict[str, Picture])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    listed: set[str] = field(default_factory=set[str])
    generation: int = 0

    def follow(
        self,
        uploads: Sequence[Upload],
        changed: bool,
        progress: Callable[[int, int, Picture | None], None] | None = None,
    ) -> list[str]:
        """Take in what is new in the uploader and drop what was removed from it.

        Args:
            uploads: what it lists now.
            changed: the user changed the list. If not, and it is empty, it is a fresh one.
            progress: called after each new file: how many of how many, and the picture.

        Returns:
            Keys of the new pictures.
        """
        now = {upload.file_id for upload in uploads}
        if changed:
            for gone in self.listed - now:
                self.pictures.pop(_key(gone), None)
                self.refused.pop(gone, None)
        new = [upload for upload in uploads if upload.file_id not in self.listed]
        arrived: list[str] = []
        for count, upload in enumerate(new, 1):
            picture = self._take(upload)
            if picture:
                arrived.append(picture.key)
            # Said at once: if the page is left in the middle, the rest is still new.
            self.listed.add(upload.file_id)
            if progress:
                progress(count, len(new), picture)
        self.listed = now
        return arrived

    def clear(self) -> None:
        """Forget everything."""
        self.pictures.clear()
        self.refused.clear()
        self.listed.clear()
        self.generation += 1

    def _take(self, upload: Upload) -> Picture | None:
        try:
            self._check_room(upload)
            data = upload.getvalue()
            decode_picture(data, upload.name)
        except PictureError as error:
            self.refused[upload.file_id] = str(error)
            return None
        picture = Picture(_key(upload.file_id), short_name(upload.name), data)
        self.pictures[picture.key] = picture
        return picture

    def _check_room(self, upload: Upload) -> None:
        name = short_name(upload.name)
        if len(self.pictures) >= MOST_PICTURES:
            raise PictureError(
                f"{name} is one too many: expected at most {MOST_PICTURES} pictures at a time; "
                "clear them and go on with the next ones"
            )
        held = sum(len(picture.data) for picture in self.pictures.values())
        if held + upload.size > MOST_BYTES:
            raise PictureError(
                f"{name} does not fit: expected at most {MOST_BYTES >> 20} MB of pictures at a "
                "time; clear them and go on with the next ones"
            )


def _key(file_id: str) -> str:
    return f"upload-{file_id}"
