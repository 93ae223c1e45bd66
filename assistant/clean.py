"""Turn a file's raw text into the text that offsets refer to: once, and with no policy text lost."""

import re
import unicodedata
from dataclasses import dataclass, field
from itertools import accumulate, groupby

from assistant.catalog import parse_date
from assistant.formats import PAGE

_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"), None)
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2009\u202f"), " ")
# What some programs write into PDFs for the characters that look the same: Kangxi radicals and their simplified forms.
_RADICALS = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)} | str.maketrans(
    "⼾⺟⺠⻄⻅⻆⻉⻋⻓⻔⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻳",
    "户母民西见角贝车长门青韦页风飞食马骨鬼鱼鸟卤麦黄黾齐齿龙龟",
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_PAGES = re.compile(rf"{PAGE}[{PAGE}\s]*")
_FRONT_MATTER = re.compile(r"\A---\n((?:[^\W\d][\w -]*:.*\n|[ \t#-].*\n|\n)*?)---\n")
# What stands on a saved news page around the text.
_NOISE = {
    "图片计数": re.compile(r"\d{1,3}\s*/\s*\d{1,3}"),
    "图片说明": re.compile(r".{0,60}[。\s]\S{0,12}\s*资料图"),
    "网页按钮": re.compile(
        r"(?:[【\[]?(?:打印本?页|关闭窗口|返回顶部|分享到.{0,20}|字体[:：].{0,8}|设为首页|加入收藏)[】\]]?[\s|>·/]*)+"
    ),
    "浏览计数": re.compile(r"(?:浏览|阅读|点击)(?:次数|量|数)?\s*[:：]?\s*\d+\s*次?"),
    "其他文章的链接": re.compile(r"(?:相关(?:阅读|链接|文章)|热门推荐|推荐阅读|上一篇|下一篇)\s*[:：].{0,60}"),
    "分享和关注提示": re.compile(r"(?:扫码|点击).{0,12}(?:关注|下载)[^，。；,;]{0,12}"),
}
_MENU = re.compile(  # alone, each of these may be a heading of a policy
    r"(?:网站)?首页|政务公开|办事(?:大厅|服务)|互动交流|数据开放|无障碍(?:阅读|浏览)|政务新媒体.{0,4}|长者(?:版|模式)|网站地图|登录|注册"
)
MENU = 3  # lines in a row that make a menu
_CLAUSE = re.compile(r"第[一二三四五六七八九十百零〇\d]+[章条]|附件|附[:：]")
_STAMP = re.compile(
    r"(?:来源[:：]\s*)?(?P<publisher>[^\s:：]{2,20}?)\s*(?P<date>\d{4}[-/年]\d{1,2}[-/月]\d{1,2}日?)(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?"
)
_NOTICES = re.compile(
    r"【?(?:知识产权|免责|版权|法律)(?:声明|、.{0,20}(?:联系|声明))】?|【?媒体合作】?|责任编辑[:：].*"
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The cleaned text, and what the page says of itself: keys are catalogue columns.

    `removed` pairs each line that was left out with the reason; `pages` is the document's; `note` is what must be known
    of how the text was read.
    """

    text: str
    stated: dict[str, str] = field(default_factory=dict)
    removed: tuple[tuple[str, str], ...] = ()
    pages: tuple[int, ...] = ()
    note: str = ""


def clean_markdown(raw: str) -> Cleaned:
    """Take off the front matter, which becomes `stated`, and normalise line ends and invisible characters."""
    text = _characters(raw)
    match = _FRONT_MATTER.match(text)
    if not match:
        text, pages = _lines(text)
        heading = re.search(r"^#+\s+(.+)$", text, re.MULTILINE)
        return Cleaned(text, {"title": heading[1].strip()} if heading else {}, (), pages)
    pairs = (line.partition(":") for line in match[1].split("\n") if ":" in line and not line.startswith(" "))
    text, pages = _lines(text[match.end() :])
    return Cleaned(text, {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}, (), pages)


def clean_page(raw: str) -> Cleaned:
    """Keep a plain-text news page's title, source line and paragraphs; drop counters, captions and legal notices.

    Everything from the first notice heading on is dropped, provided that text stands before it and that no clause or
    annex comes after it.
    """
    kept: list[str] = []
    removed: list[tuple[str, str]] = []
    stated: dict[str, str] = {}
    lines = [line.strip() for line in _characters(raw).split("\n")]
    menu = _menu_lines(lines)
    last = max((at for at, line in enumerate(lines) if _CLAUSE.match(line)), default=-1)
    for at, line in enumerate(lines):
        if _NOTICES.fullmatch(line) and sum(map(len, kept)) > 100 and at > last:
            removed += [("声明和联系方式", line) for line in lines[at:] if line]
            break
        reason = next((reason for reason, pattern in _NOISE.items() if pattern.fullmatch(line)), "")
        reason = "网页菜单" if at in menu else reason
        if reason:
            removed.append((reason, line))
            continue
        stamp = _STAMP.fullmatch(line)
        if stamp and "published" not in stated:
            stated |= {"publisher": stamp["publisher"], "published": parse_date(stamp["date"])}
        if line and "title" not in stated:
            stated["title"] = line
        kept.append(line)
    text, pages = _lines("\n".join(kept))
    return Cleaned(text, stated, tuple(removed), pages)


def _menu_lines(lines: list[str]) -> set[int]:
    """Return the lines that stand in a menu: MENU or more of its words in a row, blank lines aside."""
    found: set[int] = set()
    filled = [at for at, line in enumerate(lines) if line]
    for named, group in groupby(filled, lambda at: bool(_MENU.fullmatch(lines[at]))):
        run = list(group)
        if named and len(run) >= MENU:
            found.update(run)
    return found


def _characters(raw: str) -> str:
    raw = raw.encode("utf-8", "ignore").decode()  # halves of a character, as JSON may hold them
    text = raw.translate(_INVISIBLE).translate(_SPACES).translate(_RADICALS).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", re.sub("[\f\v\u2028\u2029]", "\n", text))


def _lines(text: str) -> tuple[str, tuple[int, ...]]:
    """Strip line ends, fold runs of blank lines, and take out the marks of pages; return the text and its pages.

    A page begins at its first character that is no white space; pages after the last such character are left out.
    """
    text = _PAGES.sub(lambda marks: marks[0].replace(PAGE, "") + PAGE * marks[0].count(PAGE), text).rstrip(PAGE)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"
    pieces = text.split(PAGE)
    return "".join(pieces), tuple(accumulate(map(len, pieces))) if len(pieces) > 1 else ()
