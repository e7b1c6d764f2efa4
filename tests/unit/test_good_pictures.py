"""Pictures of goods: only pixels come in, and what is none is told so."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from gateway.flows import picture_good
from schemas.errors import InvalidError


def _picture(form: str, size: tuple[int, int] = (60, 30), **more: object) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "red").save(out, form, **more)
    return out.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_a_picture_is_drawn_anew_as_a_square_without_what_hid_in_it(form: str) -> None:
    hidden = b"<script>alert(1)</script>"
    drawn = picture_good._drawn_anew(_picture(form) + hidden)
    assert hidden not in drawn
    with Image.open(BytesIO(drawn)) as shown:
        assert (shown.format, shown.size) == ("WEBP", (picture_good.SIDE_PX, picture_good.SIDE_PX))
        assert not shown.getexif()


@pytest.mark.parametrize(
    ("uploaded", "code"),
    [
        (b"", "picture-too-large"),
        (b"x" * (picture_good.MOST_BYTES + 1), "picture-too-large"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture-unreadable"),
        (_picture("GIF"), "picture-unreadable"),
        (_picture("PNG")[:60], "picture-unreadable"),
    ],
)
def test_what_is_no_picture_is_refused(uploaded: bytes, code: str) -> None:
    with pytest.raises(InvalidError) as told:
        picture_good._drawn_anew(uploaded)
    assert told.value.code == code


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_good, "MOST_PIXELS", 100)
    with pytest.raises(InvalidError, match="million pixels"):
        picture_good._drawn_anew(_picture("PNG"))
