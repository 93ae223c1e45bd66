"""Measure how well scanned pages are read: text of the corpus is set, turned, speckled and read back.

    python -m eval.scans --font FILE [--pages N] [--dpi N] [--keep DIR]

FILE is a font with Chinese characters (.ttf, .otf or .ttc). Each page is A4 in 12 point, turned by half a degree, with
noise as a scanner leaves it; all are one PDF without a text layer. Prints the share of characters that are read as
they were set (1 - edit distance / length, white space aside), the seconds per page and the reader's peak of memory.
"""

import argparse
import random
import re
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

from assistant.formats import convert
from eval.grounding import CORPUS

POINTS, LEADING, MARGIN = 12, 1.7, 0.11  # of the type; of a line, in its height; of the page, in its width
TURNED, NOISE = 0.5, 14.0  # degrees; standard deviation of a pixel's brightness, of 255


def paragraphs() -> Iterator[str]:
    """Yield the corpus's paragraphs and list items of some length, without Markdown's signs and web addresses."""
    for file in sorted((CORPUS / "documents").glob("*.md")):
        for line in file.read_text(encoding="utf-8").splitlines():
            text = re.sub(r"^(?:[#\-]+|\d+\.)\s*|[*`]", "", line).strip()
            if len(text) > 30 and not line.startswith("|") and "http" not in line:
                yield text


def set_page(texts: Iterator[str], font: Path, dpi: int) -> tuple[Image.Image, str]:
    """Set one page and return its picture and its text."""
    type_ = ImageFont.truetype(font, round(POINTS * dpi / 72))
    width, height = round(8.27 * dpi), round(11.69 * dpi)
    page = Image.new("L", (width, height), 255)
    draw, edge, told = ImageDraw.Draw(page), round(MARGIN * width), ""
    down = edge
    for text in texts:
        line = "\u3000\u3000"
        for character in text:
            if draw.textlength(line + character, type_) > width - 2 * edge:
                draw.text((edge, down), line, 0, type_)
                down, line = down + round(type_.size * LEADING), ""
            line += character
        draw.text((edge, down), line, 0, type_)
        down, told = down + round(type_.size * LEADING), told + text
        if down > height - edge - 4 * type_.size:
            break
    return page, told


def scanned(page: Image.Image, seed: int) -> Image.Image:
    """Return the page as a scanner gives it: turned and with noise."""
    turned = np.asarray(page.rotate(TURNED, Image.Resampling.BICUBIC, fillcolor=255), dtype=np.float32)
    noise = np.random.default_rng(seed).normal(0, NOISE, turned.shape)
    return Image.fromarray(np.clip(turned * 0.92 + 10 + noise, 0, 255).astype(np.uint8))


def main() -> None:
    """Set, scan, read and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--font", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="keep the PDF in this folder")
    arguments = parser.parse_args()
    texts = list(paragraphs())
    random.Random(20261126).shuffle(texts)
    rest = iter(texts)
    pages = [set_page(rest, arguments.font, arguments.dpi) for _ in range(arguments.pages)]
    with tempfile.TemporaryDirectory() as folder:
        file = (arguments.keep or Path(folder)) / "scans.pdf"
        first, *others = [scanned(page, seed) for seed, (page, _) in enumerate(pages)]
        first.save(file, save_all=True, append_images=others, resolution=arguments.dpi, quality=75)
        start = time.perf_counter()
        converted = convert(file)
        seconds = time.perf_counter() - start
    bare = re.compile(r"[\s\ufdd0]|^# ", re.MULTILINE)
    read, told = bare.sub("", converted.text), bare.sub("", "".join(text for _, text in pages))
    wrong = Levenshtein.distance(read, told)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{len(pages)} pages, {len(told)} characters, {wrong} wrong: {1 - wrong / len(told):.2%} right")
    print(f"{seconds / len(pages):.1f} s per page, the reader's start included; peak {peak:.0f} MB")


if __name__ == "__main__":
    main()
