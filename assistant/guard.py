"""Keep to the job: text that gives orders to a program is no material, and some questions get a signpost, not an answer.

An extractive answer cannot obey, but it could quote an order; a chat model could do both. Rules chosen on the odd rows
of eval/injection.jsonl; `python -m eval.injection` measures them on all.
"""

import re

from assistant.schema import Notice
from assistant.text import normalise

_READER = (  # a program that is spoken to, or of
    r"(?:(?<![a-z])ai(?![a-z+\d])|人工智能|(?<!工业)(?<!协作)机器人|大?(?:语言)?模型|助手|助理|智能体|智能?客服|转述者|提示词"
    r"|(?<![a-z])(?:chat)?gpt(?![a-z])|(?<![a-z])(?:assistant|chatbot|llm|ai agent)s?(?![a-z]))"
)
_DEED = (  # what it is told to do
    r"(?:回答|答复|作答|应答|请答|应答|答[“\"「:]|输出|打印|回复|说[“\"「:成出不]|要说|请说|改说|称[“\"「]|改称|改为|概括为|告知|告诉|断言|声称"
    r"|播报|念出|宣传|夸|赞美|忽略|无视|忘掉|忘记|切换|写[“\"「:上]|加[“\"「一]|逐字|宣誓|附上|引导|只?推荐|展示|执行|服从|引用|出处|来源|优先于)"
)
_ORDER = re.compile(
    rf"{_READER}[^。!?！？\n]{{0,40}}?{_DEED}"
    rf"|{_DEED}[^。!?！？\n]{{0,16}}?(?<!给){_READER}(?!领域|企业|产业|人才|技术|应用|赋能)"
    r"|你(?:现在|已经?|不再|必须|叫|是[“\"「一])|忘掉你|系统(?:指令|消息)|机器指令|仅机器可读|提示注入"
    r"|<!--|-->|\[/?(?:inst|admin|system|系统|管理员)\]|(?:begin|hidden|system) ?prompt|\{\{|^```|```\w|#!|<img |!\[[^\]]*\]\(|[\"“](?:answer|system|role)[\"”] ?:"
    r"|ignore (?:all|any|the|previous|above|earlier|conflict)|disregard (?:all|the|previous|any)|you are (?:now|no longer)"
    r"|(?:to|dear) any (?:ai|model|llm)|(?:should|must) the model|every ai|any model|(?:answer|say|reply|respond)(?: only)?(?: with)?:? [\"“]"
    r"|system override|no_citation|(?:append|output|print|reveal)(?:ing)? (?:the|your|only|!)",
    re.IGNORECASE,
)
_END = re.compile(r"[。!?！？\n]")


def orders(text: str) -> tuple[int, int] | None:
    """Return where a text begins to give orders to a program, from the start of that sentence to the end of its line."""
    found = _ORDER.search(text)
    if not found:
        return None
    begun = [match.end() for match in _END.finditer(text, 0, found.start())]
    line = text.find("\n", found.end())
    return (begun[-1] if begun else 0), (len(text) if line < 0 else line)


_GREETING = re.compile(
    r"(?:您好|你好|早上好|上午好|下午好|晚上好|嗨|哈喽|在吗|(?:非常|太)?(?:谢谢|感谢)(?:您|你|啦|了)?(?:的?帮助|的?解答)?|多谢|辛苦[了啦]|今天|再见|拜拜|下次再聊|好的|知道[了啦]|明白[了啦]"
    r"|(?:请问)?(?:你|您)(?:是谁|叫什么(?:名字)?|几岁了?|能(?:做|干|帮我(?:做|干)?)什么|会(?:做|干)?什么|是(?:真)?人(?:工)?(?:吗|还是机器(?:人)?)|是机器人吗|怎么用)"
    r"|hello|hi|hey|thanks?(?: you)?(?: a lot| so much| very much)?|bye(?:-bye)?|good (?:morning|afternoon|evening)|who are you|what can you do|how are you)"
    r"[呀啊哦哈呢吗的了啦嘛~～]*"
)
_PERSON = r"(?:区长|书记|主任|局长|科长|处长|镇长|老板|董事长|总经理|领导|官员|同志|先生|女士|小姐|他|她|secretary|director|mayor|official|(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,3}(?=家住))"
_PRIVATE = re.compile(
    r"身份证号|家住|住(?:在)?哪[里儿个]?|家庭(?:住址|地址|成员|情况)|私人|个人(?:电话|手机|微信|住址|号码)|手机号|微信号?|车牌|几点下班|生日|婚姻|银行卡|工资多少|home address|mobile number|cell ?phone|id number|personal (?:phone|number|mobile)"
)
_OWN = re.compile(r"填错|怎么改|修改|变更|忘记|我的|我们的|法定代表人")
_HARM = re.compile(
    r"伪造|造假|做假|作假|假的?(?:发票|合同|证书|材料|台账|数据|流水|报表|印章|公章|社保)|编[一1]?(?:整)?套?假|虚报|虚构|骗[取补过]|套取|逃税|偷税|漏税|避税天堂|行贿|塞钱|塞红包|送(?:红包|礼|钱)|贿赂|洗钱"
    r"|黑进|入侵|攻破|破解|攻击(?:系统|网站)|木马|躲(?:过|避|开)|逃避|糊弄|应付(?:过去|检查)|蒙混|空壳公司|虚开|互相开票|刷(?:产值|数据|流水)|看不出来|不被?发现|查不出|偷偷|"
    r"(?:forg|fak|brib|hack|evad|launder)(?:e|es|ing|y)?\b"
)
_HOW = re.compile(r"怎么|如何|怎样|教我|帮我|想|行情|办法|操作|能不能|可以吗|有没有|给我|how|help|can i")
_ENFORCED = re.compile(r"处罚|处理|后果|举报|投诉|追回|退回|退还|罚|认定|算不算|责任|规定|曝光|通报|名单")
_OPINION = re.compile(
    r"你(?:个人)?(?:怎么看|如何看|觉得|认为|支持|更?喜欢|看好|相信)|你(?:自己)?的(?:看法|观点|意见)|说说.{0,6}看法|谁(?:更|最|干得|的?能力)|哪个.{0,4}(?:书记|区长|领导|主任).{0,4}(?:好|强|能干)"
    r"|股(?:票|价)|(?:房价|房子).{0,8}(?:涨|跌|买)|会(?:涨|跌)|能买[吗嘛]|该不该买|目标(?:价|位)|彩票|政治体制|do you think|your opinion|should i buy"
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
    if not rest:
        return _signpost("smalltalk")
    if _PRIVATE.search(text) and re.search(_PERSON, text) and not _OWN.search(text):
        return _signpost("personal")
    if _HARM.search(text) and _HOW.search(text) and not _ENFORCED.search(text):
        return _signpost("harmful")
    return _signpost("opinion") if _OPINION.search(text) else None


def _signpost(kind: str) -> Notice:
    return Notice("routed", _ROUTES[kind])
