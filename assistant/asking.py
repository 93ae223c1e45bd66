"""Tell whether a clause of a letter asks something or requests something; by rules over its words, no model."""

import re
from typing import Literal

AskKind = Literal["question", "request"]
HAN = r"\u4e00-\u9fff"
LEAST_SAID = 2  # characters left of a request without courtesies, below which it asks for nothing

# What only looks as if it asked.
_IDIOM = re.compile(
    r"(?:不见|[没未]见到?|没看到|看不到|没有?|无)有?什么|什么[都也的]|[谁哪]里?[都也]|怎么[都也]|如何是好|多少[有会]?[都点]|谁知道?|不怎么|那么|这么|要么|这个那个"
    r"|几[个点条项](?:小|关键|具体)?(?:问题|疑问|建议|意见|方面|想法|诉求)|(?:没|没有|无)人(?:管|理|问)|有没有|(?P<any>多少|什么|怎么|谁|哪里|哪个)[^，]{0,6}就[^，]{0,6}(?P=any)"
)
_NO_QUESTION = re.compile(
    "难道|岂[不能有]|凭什么|天理何在|何必|无论|不管|不论|哪怕|无所谓|怎么会有这[样种]|怎么能够?这[样么]"
)
_SURE = (  # words that ask wherever they stand
    r"[是能可会有应]否|有无|有没有|有木有|([\u4e00-\u9fff])不\1|可不可以|可以不可以|需不需要|属不属于|符不符合"
    r"|多少|多[大长久高远快](?!的?(?:困难|麻烦|影响|压力))|(?<=[共各哪需要分是设含达第给])几[家个人套年天月号期层批座平万元条]"
    r"|(?<![只仅才没])有几[家个人套层批座条](?!月)|哪|什么|啥|怎|如何|为何|何[时地处]|谁|咋|是[^，。]{1,14}还是"
)
ASKING = re.compile(rf"{_SURE}|吗|[么呢](?=\W|$)|(?:了|出来|下来|开始)没有?(?=\W|$)")
_LIST_ASKS = re.compile(_SURE)
LEAD = re.compile(  # words that only open a question
    r"^[\s“]*(?:(?:您好|你好|领导|那么|那(?![里个些边样种时])|还有|还(?![款贷清原建])|另外|另|此外|同时|再(?![次生造])|并且|并(?![购列行联非轨])|也|以及|且|但是|但"
    r"|所以|因此|其中|就是|就(?![算近业地餐读诊医])|请|麻烦|烦请|敬请|恳请|(?:特|现)(?=向|请|咨询|就))[，,：:\s]*"
    r"|(?:我们?|我司|我公司|本公司|本人|企业)?(?:很|非常|特别|就)?(?:想|要|欲|拟|希望|需要?)?(?:请问|请教|咨询|了解|知道|问问|问|打听|询问)(?:一下|下|的是)?[，,：:\s]*"
    r"|(?:我们?|也)?(?:不知道?|不清楚|不晓得))+"
)
_ADVERBS = (
    r"(?:强烈|恳切|迫切|急切|再次|特此|谨此|在此|故而?|因此|所以|为此|同时|此外|另外|另|也|还|并|更|特|现|但是|但|真心|诚心|衷心"
    r"|我们?|我司|我公司|本公司|本人|业主们?|居民们?|大家|企业|全体\w{2,4}|都|就|只|一致|是)"
)
_REQUEST = re.compile(
    rf"^[\s“]*(?:(?P<before>{_ADVERBS}*)[，,\s]*(?P<verb>想请|希望|请求|恳请|恳求|呼吁|要求|建议|盼望?|期盼|期望|期待|烦请|敬请|还请"
    r"|请(?![问教假客了到过他她示帖缨功辞勿])|望(?![着见去不])|麻烦(?!的|事)|拜托|求(?!助|职|学|医|购|租))"
    rf"|[^，,。]{{0,12}}(?:强烈|恳切|迫切|再次|共同|一致|联名|衷心)*(?:恳请|恳求|强烈(?:要求|建议|呼吁|希望)|呼吁))"
)
_TELL = re.compile("告知|告诉|明确|答复|回复|解释|说明|解答|明示|给.{0,6}(?:说法|答案)|问一?下|查一?下")
_COURTESY = re.compile(
    r"批评|指正|指教|赐教|解答|解惑|答疑|回复|答复|回信|回音|反馈|支持|重视|关注|关心|理解|谅解|体谅|采纳|参考|查阅|审阅|拨冗|百忙之中|抽空|尽[快早]|及时|早日|给[予个]?|予以|准话|说法|答案|好消息"
    r"|各位|领导|书记|区长|市长|贵[单位局委区办司]*|有关|相关|主管|职能|部门|单位|政府|[市区][里委]|组织|同志|您们?|你们?|大家|帮助|帮帮|帮忙|为[盼感谢荷]|不胜|感[谢激]|谢谢?|看[到见]|联系|[收得]到|[取获]得|一个|满意|书面|正面|肯定|详细|认真|电话"
    r"|一下|以上|问题|建议|意见|来信|情况|为?此|能|够|可以|我们?|我司|我公司|本人|一定|务必|考虑|强烈|呼吁|[的在中之对于向与和并了要]|\W"
)
_WISH = re.compile("越来越|更美好|蒸蒸日上|早日康复|工作顺利|身体健康|再创辉煌|更上一层楼")
_POLITE = re.compile("看到|回复|答复|帮|理解|谅解")
_ENGLISH_ASKS = re.compile(
    r"\?|\b(?:could|can|would) you (?:please )?(?:tell|let|inform|advise|explain|clarify)|(?:like|want|wish|need) to (?:know|ask|learn)|\bwhether\b"
)
_ENGLISH_REQUESTS = re.compile(r"\b(?:please|kindly|we (?:request|ask|suggest|hope)|i (?:request|suggest|hope))\b")
_ENGLISH_COURTESY = re.compile(
    r"look(?:ing)? forward|please (?:reply|respond|do not hesitate|feel free|accept)|thank|hope this"
)


def asks(clause: str) -> bool:
    """Return whether a clause asks something; a rhetorical question asks nothing."""
    return not _NO_QUESTION.search(clause) and bool(
        ASKING.search(clause if "有没有" in clause else _IDIOM.sub(" ", clause))
    )


def lists_asked(parts: list[str]) -> bool:
    """Return whether each part of a list asks something itself (怎么定的、最高多少), so that each is a question."""
    return len(parts) > 1 and all(len(part) > LEAST_SAID and bool(_LIST_ASKS.search(part)) for part in parts)


def rhetorical(text: str) -> bool:
    """Return whether a question mark in a text asks nothing."""
    return bool(_NO_QUESTION.search(text))


def courtesies_left_out(text: str) -> str:
    """Return what a request says besides asking for an answer, attention and support."""
    return re.sub(r"\W", "", _COURTESY.sub("", text))


def kind(clause: str, rest: str = "", first: bool = True) -> AskKind | None:
    """Return what a clause is: a question, a request, or neither. `rest` is the sentence after it, `first` whether it opens it."""
    request = _REQUEST.search(clause)
    if request and request["verb"] == "要求" and not (first or request["before"]):
        request = None  # reported: 他们要求……
    asked = asks(clause)
    if request and not (asked and _TELL.search(clause)):
        return "request" if _requested(clause[request.end() :], rest) else None
    said = LEAD.sub("", clause)
    polite = _POLITE.search(said) and not courtesies_left_out(ASKING.sub("", said))
    return "question" if asked and len(re.sub(r"\W", "", said)) > 1 and not polite else None


def _requested(what: str, rest: str) -> bool:
    what = what if re.search(f"[{HAN}]", what) else rest
    return not _WISH.search(what) and len(courtesies_left_out(what)) >= LEAST_SAID


def english_kind(sentence: str) -> AskKind | None:
    """Return what an English sentence is: a question, a request, or neither."""
    said = sentence.lower()
    if _ENGLISH_COURTESY.search(said):
        return None
    return "question" if _ENGLISH_ASKS.search(said) else "request" if _ENGLISH_REQUESTS.search(said) else None
