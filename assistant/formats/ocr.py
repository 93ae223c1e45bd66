"""Recognise characters in pictures, if the optional extra is installed."""

import math
import resource
import statistics
from functools import cache
from typing import Any

from PIL import Image

from assistant.formats.converted import SCAN_MEMORY, SCAN_SECONDS

RESOLUTION, MAX_SIDE = 200, 3500  # dots per inch; the longer side in dots: A3
THREADS = 2  # each takes address space, which is limited
ADVICE = "请在程序所在的文件夹运行 pip install '.[ocr]' 装上文字识别，再重新收录"
NOTE = "文字由 OCR 识别，未核对，引用前请对照原件"
ALIKE = 0.25  # how far a line's height may be from the page's usual one to be of the same type


@cache
def _engine() -> Any:
    """Load the recogniser, and allow this process the time and memory that it takes."""
    resource.setrlimit(resource.RLIMIT_AS, (SCAN_MEMORY, SCAN_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SCAN_SECONDS, SCAN_SECONDS))
    from rapidocr import RapidOCR

    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.use_cls": False,  # it takes some level lines for ones upside down, and they are lost
            "Global.max_side_len": MAX_SIDE,
            "EngineConfig.onnxruntime.intra_op_num_threads": THREADS,
        }
    )


def words(picture: Image.Image, resolution: float) -> list[dict[str, Any]]:
    """Return the pieces of text on a picture with their place in points, as `lines_of` takes them.

    Heights vary by what letters a line happens to have, so those near the usual height count as that.
    """
    found = _engine()(picture)
    if found.boxes is None:
        return []
    boxes = (found.boxes * 72 / resolution).tolist()  # of each piece the corners (x, y), from the top left clockwise
    heights = [math.dist(box[0], box[3]) for box in boxes]
    usual = statistics.median(heights)
    return [
        {
            "text": text,
            "x0": min(x for x, _ in box),
            "x1": max(x for x, _ in box),
            "top": statistics.mean(y for _, y in box) - height / 2,  # at its middle, if the line is not quite level
            "size": usual if abs(height / usual - 1) <= ALIKE else height,
        }
        for text, box, height in zip(found.txts, boxes, heights, strict=True)
    ]
