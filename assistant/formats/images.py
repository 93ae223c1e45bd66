"""Read pictures of pages: scans and photographs."""

from pathlib import Path

from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from assistant.errors import CorpusError
from assistant.formats import ocr
from assistant.formats.converted import BROKEN, MAX_PAGES, OCR, PAGE, Converted
from assistant.formats.layout import Line, lines_of, markdown, without_edges

MAX_PIXELS = 100_000_000


def read(file: Path) -> Converted:
    """Return what can be recognised on a picture, or on each page of a .tif. Raises CorpusError where nothing can."""
    if not OCR:
        raise CorpusError(f"这是图片；{ocr.ADVICE}，或另存为 .docx 或 .txt")
    try:
        with Image.open(file) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise CorpusError(f"图片超过 {MAX_PIXELS // 10_000} 万像素，请缩小")
            if getattr(picture, "n_frames", 1) > MAX_PAGES:
                raise CorpusError(f"超过 {MAX_PAGES} 页，请拆分")
            pages = [_lines(page) for page in ImageSequence.Iterator(picture)]
    except UnidentifiedImageError as error:
        raise CorpusError(BROKEN) from error
    kept, edges = without_edges(pages)
    text = markdown(kept)
    return Converted(text if len(pages) > 1 else text.replace(PAGE, ""), note=ocr.NOTE, removed=edges)


def _lines(page: Image.Image) -> list[Line]:
    upright = ImageOps.exif_transpose(page).convert("RGB")
    upright.thumbnail((ocr.MAX_SIDE, ocr.MAX_SIDE))
    scale = 72 / ocr.RESOLUTION
    return list(lines_of(ocr.words(upright, ocr.RESOLUTION), upright.width * scale, upright.height * scale))
