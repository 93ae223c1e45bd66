"""The set phrases of a government reply, and what a question is called in one; they hold no figure, name or date of ours."""

import re
from collections.abc import Sequence

import rjieba

from assistant.asking import LEAD, asks
from assistant.catalog import written
from assistant.letter import Ask, Letter
from assistant.privacy import mask
from assistant.reply.schema import Reference, open_point
from assistant.schema import NORMATIVE, NoticeKind, Statement

ORDINALS = "一二三四五六七八九十"
LONGEST = 40  # characters of a question that are quoted
TITLE = "关于来信所询事项的答复"
CLOSING = "感谢您对我们工作的关心和支持。特此答复。"
SHORT_CLOSING = "特此答复。"
ON_REQUEST = f"您提出的诉求，{open_point('承办部门办理意见')}。"
THANKS = "来信收悉。感谢您对我们工作的肯定和支持。"
NO_CONTACT = f"如需进一步咨询，请联系{open_point('承办部门联系电话')}。"
SIGNATURE = open_point("落款单位")
_COLUMN = re.compile(
    r"^([^\s：；，。]{1,12}(?: / [^\s：；，。]{1,8})*) (?=[^\s/])"
)  # of a table row as answers have it: “列名 数值”
_SAYS_ITSELF = re.compile("突破|超过?|达|约|可比|增长|下降|按|最高|不[少多高低]于|无|有")  # a value that needs no 为
_TRAILING = re.compile(r"[呢啊呀]*[？?。！!\s]*$")
_ALSO = re.compile("^(?:也|还|并|另外|另|同时|此外)+")
_ASKED_LAST = re.compile(
    r"^(?P<what>.{4,}?)(?:(?:分别|具体|大概)*(?:是|为|有)?(?:多少|什么|哪些|哪个文件|多[大长久]|怎么样|如何)(?:钱|元|万元|公里|套|家)?)$"
)
_THANKFUL = re.compile("感谢|点赞|致谢|表扬|锦旗")
_COMPLAINT = re.compile("投诉|举报|反映|不满|寒心|态度|恶劣|推诿|踢皮球")


def ordinal(number: int) -> str:
    """Return 一, 二 … 十, 十一 … 九十九 for 1 to 99."""
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else ORDINALS[tens - 1] + "十"
    return head + (ORDINALS[ones - 1] if ones else "")


def gist(ask: Ask) -> str:
    """Return what is asked, short, without personal data: what is yet to be found out."""
    return f"{ask.topic}，{_short(ask)}" if ask.topic else _short(ask)


def _short(ask: Ask) -> str:
    lead = LEAD if ask.kind == "question" else _ALSO
    said = mask(_TRAILING.sub("", lead.sub("", " ".join(ask.text.split()))))
    said = said.translate(str.maketrans("【】“”", "〔〕‘’"))
    longest = LONGEST if re.search("[\u4e00-\u9fff]", said) else 3 * LONGEST
    return (
        said if len(said) <= longest else re.sub(r"[〔\[（(]?[\d.〔〕]+$", "", said[:longest]) + "…"
    )  # no half of a figure


def matter(ask: Ask) -> str:
    """Return what a question is about as a heading has it: as a noun where it only ends in an interrogative."""
    said = _short(ask)
    nominal = _ASKED_LAST.match(said)
    about = f"（{ask.topic}）" if ask.topic else ""
    if ask.kind == "question" and nominal and not asks(nominal["what"]) and _noun_last(nominal["what"]):
        return f"关于{nominal['what']}的问题{about}"
    return f"关于“{said}”的{'问题' if ask.kind == 'question' else '诉求'}{about if ask.kind == 'question' else ''}"


def _noun_last(text: str) -> bool:
    tag = rjieba.tag(text)[-1][1]
    return tag.startswith("n") or tag in ("vn", "an")


def salutation(letter: Letter) -> str:
    """Return how the reply addresses the sender; neutral where it is not known."""
    return f"{letter.sender}：" if letter.sender else "您好！"


def opening(letter: Letter) -> str:
    """Return that the letter has come, and that an answer follows."""
    you = "贵单位" if letter.organisation else "您"
    day = f"{written(letter.date)}的" if letter.date else "的"
    if letter.questions:
        return f"{you}{day}来信收悉。现就所询事项答复如下："
    if _COMPLAINT.search(letter.heard) or not _THANKFUL.search(letter.heard):
        return f"{you}{day}来信收悉。您反映的情况，{open_point('承办部门核查处理情况')}。"
    return f"{you}{day}{THANKS}"


def in_prose(statement: Statement) -> str:
    """Return a statement as a reply has it: a table row reads as a clause, “项目，列名为数值”."""
    said = statement.text.strip().rstrip("。；;，,")
    subject, _, values = said.partition("：")
    if not statement.citations[0].quote.startswith("|") or not _COLUMN.match(values):
        return said
    parts = [_COLUMN.sub(_joined, part) for part in values.split("；")]
    return f"{subject}，{'，'.join(parts)}"


def _joined(column: re.Match[str]) -> str:
    return column[1] + ("" if _SAYS_ITSELF.match(column.string, column.end()) else "为")


def for_the_reader(references: Sequence[Reference], kinds: frozenset[NoticeKind]) -> str:
    """Return what a reader must know of the document that some statements cite; `kinds` are the notices on it."""
    reference = references[0]
    said = []
    match reference.state:
        case "expired":
            until = written(reference.metadata.valid_to)
            term = f"有效期或执行期至{until}，目前已到期" if until else "目前已失效"
            said.append(f"该文件{term}，以上内容仅供了解当时情况，不作为现行办理依据。")
        case "superseded":
            said.append("该文件已被后来的文件替代，以上内容不作为现行办理依据。")
        case "draft":
            said.append("该文件为征求意见稿，尚未生效，以上内容不作为现行办理依据。")
        case "not_yet_valid":
            said.append(f"该文件自{written(reference.metadata.valid_from)}起执行，目前尚未生效。")
        case "unverified" if reference.metadata.doc_type in NORMATIVE and "expired" not in kinds:
            said.append(f"{open_point('上述文件是否现行有效')}。")
    if "expired" in kinds and reference.state != "expired":
        said.append("上述内容所定的期限已过，不作为现行办理依据。")
    if "target" in kinds:
        said.append("其中的数字为规划目标或预计，不是实际结果。")
    return "".join(said)
