"""Find documents that are one document under another name or from another site, so that both sources can be cited.

Candidates come from MinHash signatures; what makes two texts the same is decided on their alignment. A fold that loses
a difference is worse than one that is missed: whatever might be a fact counts as one.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from hashlib import blake2b
from itertools import pairwise

import numpy as np
import rjieba

from assistant.text import normalise

SHINGLE = 5  # characters
HASHES, BANDS = 64, 16  # texts of resemblance 0.8 share a band of 4 with probability 0.9998, 0.7 0.988, 0.6 0.89
SAME = 0.6  # resemblance from which two texts are aligned at all
SHORT = 80  # characters; a shorter text is the same as an equal one only
ANCHOR = 30  # characters alike in a row, before the first of which stands the head, and behind the last the tail
HEAD, TAIL = 60, 30  # characters that a head may have of its own, a title; a tail, a source line
EDIT = 8  # characters that may be put in another's place between head and tail
EDITED = 0.05  # share of the shorter text that may be so
TITLE, LINE = 100, 300  # characters that may stand in front of a dateline; that a site's own line has at most
BEFORE, AFTER = 3, 4  # characters around a figure that say what it counts

_MULTIPLIERS = np.random.default_rng(20261126).integers(0, 2**64, (HASHES, 1), dtype=np.uint64) | np.uint64(1)
_MIX = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio; Knuth, TAOCP 3, 6.4

# What a site puts around a text, in normalised text. None but stamps and the site's own line may hold figures.
_DATE = r"\d{4}(?:-\d{1,2}-\d{1,2}|/\d{1,2}/\d{1,2}|年\d{1,2}月\d{1,2}日)"
_STAMP = rf"(?:(?:{_DATE}|\d{{1,2}}-\d{{1,2}})\s*\d{{1,2}}:\d\d(?::\d\d)?|\d{{4}}-\d{{1,2}}-\d{{1,2}})"
_EDITOR = "责任编辑|值班编辑|流程编辑|编辑|责编|编审|校对|审校|监制|实习生"
_AUTHOR = r"(?<![\u3400-\u9fff])(?:记者|通讯员|摄影|作者|信息来源|文章来源|来源|转自)"
_CREDIT = (
    rf"(?:{_EDITOR}|{_AUTHOR})(?: *[:|丨/] *| +)"
    rf"(?:(?!{_EDITOR}|{_AUTHOR}| [\u3400-\u9fff]{{2,6}}:)[\u3400-\u9fffa-z·@、, ]){{0,20}}(?:[a-z]{{1,2}}\d{{2,5}})?"
)
_FIELD = (
    rf"(?:发布|公开|更新|发文|发稿)(?:日期|时间):\s*(?:{_DATE})?(?:\s*\d{{1,2}}:\d\d(?::\d\d)?)?"
    r"|(?:浏览|阅读|点击)(?:次数|量|数):\s*\d*|索引号:\s*[a-z\d-]*|(?:发布机构|公开主体|主题分类|公开属性|字号):\s*[^\s:]*(?:\s[大中小]\s*[大中小]\]?)?"
    r"|首页\s*>[^\n]*|[\[]?(?:打印本页|关闭窗口|打印|关闭|返回顶部)[\]]?"
)
_LABEL = re.compile("(?:发文字号|文号):")
_SITE = r"(?:版权所有|copyright|沪icp备|上一篇|下一篇|分享到|主办单位[^\n]*?icp备)[^\n]*"
_ITEM = re.compile(rf"{_FIELD}|{_SITE}|{_CREDIT}|[\s|>,]+")
_ITEM_ABOVE = re.compile(rf"{_STAMP}|{_ITEM.pattern}")
ABOVE = 5  # lines in which a stamp is the site's; further below it may be a deadline
_OPENING = re.compile(rf"^(?:[^\n]{{0,60}}?正文:|\s*{_STAMP})?\s*(?:原标题:)?")
_CLOSING = re.compile(
    rf"(?:返回搜狐,查看更多|分享让更多人看到|更多精彩内容[^\n]{{0,12}}|\(完\)|(?:广告)?声明:[^\d\n]{{0,150}}|如遇作品内容[^\n]{{0,120}}"
    rf"|[(《][^()\n]{{0,12}}》?\s*\(?\s*(?:{_DATE}|\d{{1,2}}月\d{{1,2}}日)\s*\d+\s*版[^()\n]{{0,20}}\)|{_SITE}|{_CREDIT})"
    r"[\s()\[\].,;]*$"
)
_BYLINE = r"(?:全媒体)?(?:记者|通讯员)[\u3400-\u9fff ]{2,12}?"
_AGENCY = r"(?:本报|[\u3400-\u9fffa-z]{1,8}?(?:社|网|报|之家|台|新闻|经纬|客户端))[\u3400-\u9fff]{0,6}?\s*"
_DAY = r"(?P<day>\d{1,2}\s*月\s*\d{1,2}\s*日)\s*"
_SENT = r"(?:电|讯|消息|报道)[)\],: ]*(?:\([^()\d]{0,20}记者[^()\d]{2,20}\))?"
_DATELINE = re.compile(rf"^\s*[(\[]?{_AGENCY}(?:\(?{_BYLINE}\)?\s*)?(?:{_DAY})?{_SENT}")
_DATELINE_BELOW = re.compile(rf"{_AGENCY}(?:\(?{_BYLINE}\)?\s*)?{_DAY}{_SENT}")  # a title
_NUMBERS_APART = re.compile(r"(?<=\d)(?:[^\w.%]|_|\.(?!\d))+(?=\d)")
_KEPT = re.compile(r"[^\W_]+|%|\||(?<=\d)\.(?=\d)|(?<=[\u3400-\u9fff:,( ])(?<![年月日号时分万亿元])-(?=\d)")
_DIGIT = re.compile(r"\d")
_FIGURES = frozenset("0123456789.%-")
_FIGURE = re.compile(r"-?\d+(?:\.\d+)*%?")

_STATUS = re.compile(
    "征求意见|草案|送审|修订|修正|试行|暂行|废止|失效|解读|问答|补充|延长|延期|更正|取消|撤销|解除|暂停|终止"
)
_QUANTITY = re.compile(r"[\d.%|a-z-]|[一二三四五六七八九十百千万亿两半几双倍]")
_DECISIVE = re.compile(
    "[不没未无非禁免仅只除应须必可能得拟已曾勿莫否]|[增减升降高低涨跌多少大小长短早晚胜负进出买卖收支]"
    "|[上下前后内外左右东南西北中男女春夏秋冬红橙黄蓝甲乙丙丁今昨明去年月周季旬天]|[国省市区县镇乡村街]"
    "|停止|恢复|同意|批准|启动|完成|鼓励|支持|要求"
)
_RULE = re.compile("[不没未无非禁免仅只除须必可应]")  # more words within a title or a first sentence rule something
_CREDITING = {"编辑", "摄", "摄影", "报道", "编译", "供图", "责编", "转自", "综合", "完"}  # verbs of credits
_NAMED = ("nr", "ns", "nt", "nz", "eng")  # rjieba's tags of persons, places, bodies, other names, letters

Gap = tuple[int, int, int, int]  # start and end of what one text has of its own, and of what the other has there


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents that are one; a < b. `similarity` is their resemblance, see `sameness`."""

    a: str
    b: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Body:
    """A text without what a site puts around it: normalised letters and figures only, and the day of its dateline."""

    text: str
    day: str = ""
    figures: frozenset[str] = field(default=frozenset(), compare=False)


def body(text: str) -> Body:
    """Return what two copies of a text have in common: no stamp, source, editor, width, punctuation or spaces.

    Figures that only punctuation keeps apart stay apart, by |.
    """
    text = normalise.__wrapped__(text)  # documents pass once: not worth a place in the cache
    text = _OPENING.sub("", text)
    text = _LABEL.sub("", text)
    text = "\n".join(_without_site_lines(text.split("\n")))
    while closing := _CLOSING.search(text, max(0, len(text) - LINE)):
        text = text[: closing.start()]
    dateline = _DATELINE.match(text) or _DATELINE_BELOW.search(text, 0, TITLE)
    day = ""
    if dateline:
        day = "".join((dateline["day"] or "").split())
        text = text[: dateline.start()] + text[dateline.end() :]
    text = _NUMBERS_APART.sub("|", text)
    kept = "".join(_KEPT.findall(text))
    return Body(kept, day, frozenset(_FIGURE.findall(kept)))


def _without_site_lines(lines: list[str]) -> Iterator[str]:
    for at, line in enumerate(lines):
        item = _ITEM_ABOVE if at < ABOVE else _ITEM
        if len(line) > LINE or item.sub("", line):
            yield line


def signature(text: str) -> np.ndarray:
    """Return the signature of a text, shape (HASHES + 1,), uint32: its MinHash, then a hash of the figures it holds.

    MinHash (Broder 1997) over the shingles of the text's body, by multiply-shift (Dietzfelbinger et al. 1997). The
    share of equal hashes of two texts estimates their resemblance, standard error at most 0.0625.
    """
    return _signature(body(text))


def candidates(one: np.ndarray, signatures: np.ndarray) -> np.ndarray:
    """Return the rows of a matrix of signatures, shape (n, HASHES + 1), whose texts may be the same, in order.

    They hold the same figures and share a band. What is a candidate remains to be judged by `sameness`.
    """
    rows = np.flatnonzero(signatures[:, HASHES] == one[HASHES])
    bands = signatures[rows, :HASHES].reshape(len(rows), BANDS, HASHES // BANDS)
    found: np.ndarray = rows[(bands == one[:HASHES].reshape(BANDS, -1)).all(axis=2).any(axis=1)]
    return found


def near_duplicates(documents: Iterable[tuple[str, str]]) -> list[Pair]:
    """Return the pairs of documents, given as (id, text), that are the same by `sameness`, by id; ids are unique.

    Of documents with equal bodies only that with the smallest id is compared with others; it is paired with each of them.
    """
    equal: dict[Body, list[str]] = {}
    for key, text in documents:
        equal.setdefault(body(text), []).append(key)
    equal.pop(Body(""), None)
    firsts = sorted((min(keys), found) for found, keys in equal.items())
    pairs = [Pair(first, key, 1.0) for first, found in firsts for key in equal[found] if key != first]
    signatures = np.array([_signature(found) for _, found in firsts], dtype=np.uint32).reshape(-1, HASHES + 1)
    for i, j in sorted(_collisions(signatures)):
        similarity = _sameness(firsts[i][1], firsts[j][1])
        if similarity:
            pairs.append(Pair(firsts[i][0], firsts[j][0], similarity))
    return sorted(pairs, key=lambda pair: (pair.a, pair.b))


def sameness(a: str, b: str) -> float:
    """Return the resemblance of two texts' bodies if they are the same document, else 0.

    Resemblance is |A ∩ B| / |A ∪ B| of the sets of SHINGLE-character shingles (Broder 1997). Two texts are the same if it
    is at least SAME and their alignment shows no difference of fact: the same set of figures, the same words of status
    (征求意见, 修订), no two days of a dateline; in front at most HEAD characters of its own, behind TAIL without a verb, and where both
    texts have such, all nouns and figures stand in the other too; in between at most EDIT characters at a time, EDITED
    of the text in all, with no figure near, no name, no replaced noun and no word that turns the sense. Symmetric.
    """
    return _sameness(body(a), body(b))


def _sameness(a: Body, b: Body) -> float:
    if a == b:
        return 1.0 if a.text else 0.0
    if a.text > b.text:  # an alignment depends on which text comes first
        a, b = b, a
    if min(len(a.text), len(b.text)) < SHORT or a.figures != b.figures or (a.day and b.day and a.day != b.day):
        return 0.0
    if set(_STATUS.findall(a.text)) != set(_STATUS.findall(b.text)):
        return 0.0
    of_a, of_b = set(_grams(a.text)), set(_grams(b.text))
    resemblance = len(of_a & of_b) / len(of_a | of_b)
    return resemblance if resemblance >= SAME and _says_the_same(a.text, b.text) else 0.0


def _signature(found: Body) -> np.ndarray:
    points = np.frombuffer(found.text.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    count = max(0, len(points) - SHINGLE + 1)
    hashes = np.zeros(count, dtype=np.uint64)
    for offset in range(SHINGLE):
        hashes = (hashes ^ points[offset : offset + count]) * _MIX
        hashes ^= hashes >> np.uint64(29)
    least = ((hashes * _MULTIPLIERS) >> np.uint64(32)).min(axis=1, initial=np.uint64(2**32 - 1))
    figures = blake2b("|".join(sorted(found.figures)).encode(), digest_size=4).digest()
    return np.append(least.astype(np.uint32), np.frombuffer(figures, dtype=np.uint32))


def _collisions(signatures: np.ndarray) -> set[tuple[int, int]]:
    """Return the pairs of rows (lower, higher) that are candidates of each other."""
    width = HASHES // BANDS
    found: set[tuple[int, int]] = set()
    for start in range(0, HASHES, width):
        keys = np.column_stack([signatures[:, start : start + width], signatures[:, HASHES]])
        order = np.lexsort(keys.T)
        changes = np.flatnonzero((keys[order[1:]] != keys[order[:-1]]).any(axis=1)) + 1
        for group in np.split(order, changes):
            rows = sorted(group.tolist())
            found.update((low, high) for at, low in enumerate(rows) for high in rows[at + 1 :])
    return found


def _grams(text: str) -> list[str]:
    return [text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)]


def _blocks(a: str, b: str) -> Iterator[tuple[int, int, int]]:
    """Yield (start in a, start in b, length) of what both texts have in common, in order; no figure is cut."""
    end_a = end_b = 0
    for i, j, shingles in SequenceMatcher(None, _grams(a), _grams(b), autojunk=False).get_matching_blocks():
        last_a, last_b = i + shingles + SHINGLE - 1, j + shingles + SHINGLE - 1
        behind = max(0, end_a - i, end_b - j)  # neighbouring blocks may share characters
        i, j = i + behind, j + behind
        while shingles and i < last_a and (_in_figure(a, i) or _in_figure(b, j)):
            i, j = i + 1, j + 1
        while shingles and i < last_a and (_in_figure(a, last_a) or _in_figure(b, last_b)):
            last_a, last_b = last_a - 1, last_b - 1
        if shingles and i < last_a:
            yield i, j, last_a - i
            end_a, end_b = last_a, last_b


def _in_figure(text: str, at: int) -> bool:
    """Say whether a figure goes on at a place."""
    return 0 < at < len(text) and text[at - 1] in _FIGURES and text[at] in _FIGURES


def _says_the_same(a: str, b: str) -> bool:
    blocks = list(_blocks(a, b))
    anchors = [at for at, (_, _, length) in enumerate(blocks) if length >= ANCHOR]
    if not anchors:
        return False
    blocks = [(0, 0, 0), *blocks, (len(a), len(b), 0)]
    gaps = [
        (start_a + length, end_a, start_b + length, end_b)
        for (start_a, start_b, length), (end_a, end_b, _) in pairwise(blocks)
    ]
    head, edits, tail = gaps[: anchors[0] + 1], gaps[anchors[0] + 1 : anchors[-1] + 1], gaps[anchors[-1] + 1 :]
    changed = sum(max(end_a - start_a, end_b - start_b) for start_a, end_a, start_b, end_b in edits)
    return (
        _frames(a, b, head[0], head[1:], HEAD)
        and _frames(a, b, tail[-1], tail[:-1], TAIL)
        and not _states(a, b, tail[-1])
        and changed <= EDITED * min(len(a), len(b))
        and all(_harmless(a, b, *edit) for edit in edits)
    )


def _frames(a: str, b: str, outermost: Gap, inner: list[Gap], most: int) -> bool:
    """Say whether a head or a tail differs in words only; figures are the same in both texts, somewhere."""
    gaps = [outermost, *inner]
    own_a = [(start, end) for start, end, _, _ in gaps if start < end]
    own_b = [(start, end) for _, _, start, end in gaps if start < end]
    if any(sum(end - start for start, end in own) > most for own in (own_a, own_b)):
        return False
    if any(_harmful(a, b, gap) for gap in inner) or (_is_replacement(*outermost) and _harmful(a, b, outermost)):
        return False
    if not own_a or not own_b:  # only one has a title, a source: nothing is told otherwise
        return True
    words_a = {word for start, end in own_a for word in _words(a, start, end)}
    words_b = {word for start, end in own_b for word in _words(b, start, end)}
    told_a, told_b = ({word for word, tag in words if _tells(word, tag)} for words in (words_a, words_b))
    figures_a, figures_b = ({word for word in told if _DIGIT.search(word)} for told in (told_a, told_b))
    return (
        (figures_a <= figures_b or figures_b <= figures_a)
        and all(word in b for word in told_a)
        and all(word in a for word in told_b)
    )


def _harmful(a: str, b: str, gap: Gap) -> bool:
    """Say whether words put into a title or a first or last sentence, or others in their place, turn its sense."""
    short = max(gap[1] - gap[0], gap[3] - gap[2]) <= EDIT
    return not _harmless(a, b, *gap) if short else _rules(a, b, gap)


def _rules(a: str, b: str, gap: Gap) -> bool:
    return bool(_RULE.search(a[gap[0] : gap[1]] + b[gap[2] : gap[3]]))


def _states(a: str, b: str, gap: Gap) -> bool:
    """Say whether what stands behind a text may be a sentence of it: it has a verb."""
    start_a, end_a, start_b, end_b = gap
    tagged = [*rjieba.tag(a[start_a:end_a]), *rjieba.tag(b[start_b:end_b])]
    return any(tag == "v" and word not in _CREDITING for word, tag in tagged)


def _is_replacement(start_a: int, end_a: int, start_b: int, end_b: int) -> bool:
    """Say whether one short phrase stands for another."""
    return 0 < end_a - start_a <= EDIT and 0 < end_b - start_b <= EDIT


def _tells(word: str, tag: str) -> bool:
    return tag.startswith(("n", "eng")) or bool(_DIGIT.search(word))


def _harmless(a: str, b: str, start_a: int, end_a: int, start_b: int, end_b: int) -> bool:
    """Say whether putting a[start_a:end_a] for b[start_b:end_b] changes no fact."""
    if max(end_a - start_a, end_b - start_b) > EDIT:
        return False
    for text, start, end in ((a, start_a, end_a), (b, start_b, end_b)):
        near = text[max(0, start - AFTER) : end + BEFORE]
        own = text[start:end]
        if _QUANTITY.search(own) or _DECISIVE.search(own) or _DIGIT.search(near):
            return False
    words_a, words_b = _words(a, start_a, end_a), _words(b, start_b, end_b)
    replaced = start_a < end_a and start_b < end_b
    for word, tag in words_a ^ words_b:
        if _DECISIVE.search(word) or tag.startswith(_NAMED) or (replaced and tag.startswith("n")):
            return False
    return True


def _words(text: str, start: int, end: int) -> set[tuple[str, str]]:
    """Return the words, with their tags, that reach into text[start:end], or over it where it is empty."""
    at = max(0, start - 10)
    found: set[tuple[str, str]] = set()
    for word, tag in rjieba.tag(text[at : end + 10]):
        if at < max(end, start + 1) and at + len(word) > start:
            found.add((word, tag))
        at += len(word)
    return found
