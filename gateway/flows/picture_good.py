"""A good gets a picture: what was uploaded is drawn anew, kept, and recorded with the digest of its bytes."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from gateway import goods
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import InvalidError, NotFoundError

MOST_BYTES: Final = 5 * 1024 * 1024
MOST_PIXELS: Final = 40_000_000
SIDE_PX: Final = 320  # twice what a page shows
FORMATS: Final = ("JPEG", "PNG", "WEBP")


def picture_good(house: House, code: str, uploaded: bytes, *, by: str, now: datetime) -> bool:
    """From now on the good with this code looks like this; False when it did already.

    `uploaded` is a JPEG, PNG or WebP of at most 5 MiB and 40 million pixels. Only its pixels are kept: it is drawn anew as a
    square WebP, so nothing that hides in a file (a place, a script) comes along. Raises InvalidError, NotFoundError.
    """
    content = _drawn_anew(uploaded)
    with house.db.transaction() as tx:
        good = goods.find_good(tx, code)
        if good is None:
            raise NotFoundError("no good has this code", where="code", value=code[:40])
        draft = goods.insert_picture(tx, good.good_id, content, by=by, now=now, picture_id=house.new_id())
        append_records(tx, [draft] if draft else [], now=now, new_id=house.new_id)
    return draft is not None


def _drawn_anew(uploaded: bytes) -> bytes:
    if not 0 < len(uploaded) <= MOST_BYTES:
        raise InvalidError(
            "a picture has at most 5 MiB", code="picture-too-large", where="picture", value=len(uploaded),
            remedy="make it smaller: 640 pixels a side are plenty",
        )  # fmt: skip
    try:
        with Image.open(BytesIO(uploaded), formats=FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise InvalidError(
                    "a picture has at most 40 million pixels", code="picture-too-large", where="picture",
                    value=f"{opened.width}x{opened.height}",
                )  # fmt: skip
            upright = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise InvalidError(
            "a picture is a JPEG, PNG or WebP that can be opened", code="picture-unreadable", where="picture",
            remedy="save it as JPEG or PNG",
        ) from exc  # fmt: skip
    ground = Image.new("RGBA", upright.size, "white")
    ground.alpha_composite(upright)
    square = ImageOps.pad(ground.convert("RGB"), (SIDE_PX, SIDE_PX), color="white")
    out = BytesIO()
    square.save(out, "WEBP", quality=80, method=4)
    return out.getvalue()
