"""Keep to the job: text that gives orders to a program is no material, and some questions get a signpost, not an answer.

An extractive answer cannot obey, but it could quote an order; a chat model could do both. Sentences that give orders
are told by a linear model over characters, which eval/fit_guard.py fits.
"""

import json
import re
from functools import cache, lru_cache
from pathlib import Path

from assistant.schema import Notice
from assistant.text import normalise

MODEL = Path(__file__).parent / "model" / "guard.json"
SUSPECT = -2.0  # least score of a sentence that gives orders to a program; chosen on how few honest ones reach it
_SENTENCE = re.compile(r"[^。!?！？\n]+[。!?！？\n]*")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, white space around them left out."""
    return [sentence for match in _SENTENCE.finditer(text) if (sentence := match.group().strip())]


def shape(text: str) -> set[str]:
    """Return the characters of a text and each two side by side, numbers written 0: what the model knows of it."""
    text = re.sub(r"\d+", "0", normalise(text))
    return {*text, *(text[i : i + 2] for i in range(len(text) - 1))}


@lru_cache(maxsize=5_000)  # the same passages are found for question after question
def orders(text: str) -> tuple[int, int] | None:
    """Return where a text begins to give orders to a program, from the start of that sentence to the end of its line."""
    bias, weights = _model()
    for match in _SENTENCE.finditer(text):
        if bias + sum(weights.get(unit, 0.0) for unit in shape(match.group().strip())) > SUSPECT:
            line = text.find("\n", match.end() - 1)
            return match.start(), (len(text) if line < 0 else line)
    return None


@cache
def _model() -> tuple[float, dict[str, float]]:
    content = json.loads(MODEL.read_text(encoding="utf-8"))
    return content["bias"], content["weights"]


_GREETING = re.compile(
    r"(?:您好|你好|早上好|上午好|下午好|晚上好|嗨|哈喽|在吗|(?:非常|太)?(?:谢谢|感谢)(?:您|你|啦|了)?(?:的?帮助|的?解答)?|多谢|辛苦[了啦]|今天|再见|拜拜|下次再聊|好的|知道[了啦]|明白[了啦]"
    r"|(?:请问)?(?:你|您)(?:是谁|叫什么(?:名字)?|几岁了?|能(?:做|干|帮我(?:做|干)?)什么|会(?:做|干)?什么|是(?:真)?人(?:工)?(?:吗|还是机器(?:人)?)|是机器人吗|怎么用)"
    r"|帮了?(?:我)?大忙|[哈呵嘿]{2,}|你?真(?:的)?(?:有意思|棒|厉害|聪明|好|可爱|有趣)|几岁了?|没事了?|不用了|测试[1一]下|加油|新年快乐|节日快乐|周末愉快|hello|hi(?: there)?|hey|thanks?(?: you)?(?: a lot| so much| very much)?|bye(?:-bye)?|good (?:morning|afternoon|evening)|who are you|what can you do|how are you)"
    r"[你您我]?[呀啊哦哈呢吗的了啦嘛~～]*"
)
_PERSON = r"(?:区长|书记|主任|局长|科长|处长|镇长|老板|董事长|总经理|领导|官员|同志|先生|女士|小姐|他|她|人员|负责人|法人|法定代表人|创始人|员工|专家|举报人|secretary|director|mayor|official|(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,3}(?=家住))"
_PRIVATE = re.compile(
    r"身份证号|家住|住(?:在)?哪[里儿个]?|家庭(?:住址|地址|成员|情况)|私人|个人(?:电话|手机|微信|住址|号码)|手机号|微信号?|车牌|几点下班|个人(?:收入|资产|财产|存款)|银行账[户号]的?(?:密码|余额)|银行卡|工资多少|home address|mobile number|cell ?phone|id number|personal (?:phone|number|mobile)"
)
_OFFICIAL = re.compile(
    r"(?:区长|书记|主任|局长|科长|处长|镇长|领导|官员|董事长|总经理|老总|评审专家|负责人|[招办]\w{0,2}人员).{0,8}(?:配偶|孩子|子女|儿子|女儿|家人|家属|父母|老婆|丈夫|妻子|婚姻|生日|行程|收入|月薪|年薪|银行账|住址)"
)
_OWN = re.compile(r"填错|怎么改|修改|变更|忘记|我的|我们的|法定代表人")
_HARM = re.compile(
    r"伪造|造假|做假|作假|假的?(?:发票|合同|证书|材料|台账|数据|流水|报表|印章|公章|社保)|编[一1]?(?:整)?套?假|虚报|虚构|骗[取补过]|套取|逃税|偷税|漏税|避税天堂|行贿|塞钱|塞红包|送(?:红包|礼|钱)|贿赂|洗钱"
    r"|黑进|入侵|攻破|破解|攻击(?:系统|网站)|木马|躲(?:过|避|开)|逃避|糊弄|应付(?:过去|检查)|蒙混|空壳公司|虚开|互相开票|刷(?:产值|数据|流水)|攻[进入击陷]|黑客|盗[取号]|篡改|改(?:一下)?(?:评审)?(?:分数|成绩|数据库)|骗.{0,4}(?:资助|资金|奖励|补助|补贴|钱)|闭嘴|报复|恐吓|威胁|跟踪|找到举报人|销毁|瞒报|走后门|打点关系|好处费|回扣|挂靠|代持|看不出来|不被?发现|查不出|偷偷|"
    r"(?:forg|fak|brib|hack|evad|launder)(?:e|es|ing|y)?\b"
)
_HOW = re.compile(r"怎么|写[1一]段|如何|怎样|教我|帮我|想|行情|办法|操作|能不能|可以吗|有没有|给我|how|help|can i")
_ENFORCED = re.compile(
    r"处罚|处理|后果|举报|投诉|追回|退回|退还|罚|怎么办|维权|判断|认定|算不算|责任|规定|曝光|通报|名单"
)
_OPINION = re.compile(
    r"你(?:个人)?(?:怎么看|如何看|觉得|认为|支持|更?喜欢|看好|相信)|你(?:自己)?的(?:看法|观点|意见)|说说.{0,6}看法|谁(?:更|干得|的?能力)|哪个.{0,4}(?:书记|区长|领导|主任).{0,4}(?:好|强|能干)"
    r"|会不会倒闭|预测[1一]?下|你.{0,4}预测|(?:好|值得|靠谱)不(?:好|值得)|浪费纳税人|谁更|股票.{0,8}(?:买|卖|涨|跌|推荐)|推荐.{0,4}股票|股价|(?:房价|房子).{0,8}(?:涨|跌|买)|会(?:涨|跌)|能买[吗嘛]|该不该买|目标(?:价|位)|彩票|政治体制|do you think|your opinion|should i buy"
)

_ROUTES = {
    "smalltalk": "您好，这里是嘉定产业园区与政策问答助手，只依据已收录的资料回答，并注明出处。您可以问，例如：“嘉定有哪些特色产业园区？”“科技小巨人怎么申报？”",
    "personal": "不提供个人的住址、证件、私人电话等信息。办事请联系主管部门的公开电话，可以问，例如：“技术改造的咨询电话是多少？”",
    "harmful": "不能协助提供虚假材料、规避监管或其他违法的做法。申报请如实填写；拿不准的地方，请先向主管部门核实。",
    "opinion": "只能依据已收录的资料回答，不作评价、比较优劣或预测。您可以问资料中的政策、数字和时间。",
}


def route(question: str) -> Notice | None:
    """Return a short signpost for a question that is no matter of the corpus, or None."""
    text = normalise(question)
    rest = re.sub(r"[\s,.!?;:~、…\"']+", " ", _GREETING.sub(" ", text)).strip()
    if not rest and _GREETING.search(text):
        return _signpost("smalltalk")
    private = _OFFICIAL.search(text) or (_PRIVATE.search(text) and re.search(_PERSON, text))
    if private and not _OWN.search(text):
        return _signpost("personal")
    if _HARM.search(text) and _HOW.search(text) and not _ENFORCED.search(text):
        return _signpost("harmful")
    return _signpost("opinion") if _OPINION.search(text) else None


def _signpost(kind: str) -> Notice:
    return Notice("routed", _ROUTES[kind])
