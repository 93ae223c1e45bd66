"""Mask personal data in what users write, before anything of it is kept.

Masked: mobile and landline numbers, identity card numbers, bank cards, e-mail addresses, WeChat and QQ accounts, unified
social credit codes (a sole trader's is a person's), licence plates, and names that 我叫, 本人, 姓名, 联系人 and the like
introduce or that stand before 先生, 女士 and the like. Digits may be full-width or Chinese, with spaces or hyphens.

Known limits. By its form alone no name is told from a word: one without such an introduction, before 经理 or 主任, or in
Latin letters, stays; a word after 本人 that begins like a name may be masked, and a name may take a character too many
with it. Home addresses, companies' names, passports and the like, digits told as amounts (一百三十八) or parted by other
signs, and 400 and short service numbers stay. Check digits are not looked at, as a mistyped number is as personal: a
long number that is none of these is masked too, and so is a figure of eight digits without a unit.
"""

import re

_SURNAMES = (  # the commonest, without those that are oftener a word
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施牛樊葛邢安齐乔伍庞颜倪庄"
    "聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂苗谷盛曲翁冉骆蓝游辛靳柴蒙鲍喻祁蒲房滕屈饶牟艾"
    "尤阳穆卓吉缪简项芦麦褚娄窦戚岑景宫费卜冷晏席卫米柏宗瞿桂佟臧闵邬卞姬仇栾隋刁沙荣巫寇桑郎甄仲虞巩佘池邝"
)
_COMPOUND = "欧阳|太史|端木|上官|司马|东方|独孤|南宫|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|申屠|公孙|慕容|钟离|长孙|宇文|司徒|鲜于|司空|令狐"
_HAN = "[\u4e00-\u9fff]"
_WORDS = (
    "想要问是的在和有能可请来从今现系与及为对就也还先女小太"  # what follows a name, or stands before 先生 without one
)
_SURNAME = f"(?:{_COMPOUND}|[{_SURNAMES}])"
_NAME = f"{_SURNAME}{_HAN}(?:(?![{_WORDS}]){_HAN})?"
_LONG_NAME = rf"{_HAN}{{1,8}}(?:·{_HAN}{{1,8}})+"  # of other peoples: 阿依古丽·买买提
_TOLD = f"(?P<name>{_LONG_NAME}|{_NAME}|{_HAN}{{2,4}}(?!{_HAN}))"
_ENDED = r"(?=[\s,.。;、:!?()]|$|想|身份|电话|手机|男|女|今年|现住|现在|系|是)"
_IS = r"[\s:是为叫]{0,3}"
_UNIT = r"\s?(?:元|万|亿|千|百|平方|吨|家|人|户|个|件|台|套|辆|%|公里|亩|度|小时)"
_DAY = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"
_CODE = "[0-9A-HJ-NPQRTUWXY]"  # of GB 32100—2015

_NUMBERS = (  # what stands first has the place; read with Chinese digits as digits
    ("邮箱", r"[A-Z0-9._%+-]+\s?@\s?[A-Z0-9-]+(?:\.[A-Z0-9-]+)+"),
    ("证件号码", r"(?<!\d)[1-9]\d{5}[\s-]?(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[\s-]?\d{3}[\dX](?![\dA-Z])"),
    ("信用代码", rf"(?<![0-9A-Z])(?=\d*[A-Z]){_CODE}{{2}}\d{{6}}{_CODE}{{10}}(?![0-9A-Z])"),
    ("证件号码", r"(?<!\d)(?:\d{17}X|[1-9]\d{14})(?!\d)"),
    ("银行卡号", r"(?<!\d)(?:\d{16,19}|[3-6]\d{3}(?:[\s-]\d{4}){3}(?:[\s-]?\d{1,3})?)(?!\d)"),
    ("手机号码", r"(?<!\d)(?:(?:\+|00)?86[\s-]?|0)?1[3-9]\d(?:[\s-]?\d{4}[\s-]?\d{4}|\d[\s-]\d{3}[\s-]?\d{4})(?!\d)"),
    ("长号码", r"(?<!\d)(?:\d{15}|\d{20,})(?!\d)"),
    ("电话号码", r"(?<!\d)[(]?0(?:10|2\d|[3-9]\d\d)[)]?[\s-]{0,2}\d{7,8}(?:\s?转\s?\d{1,6}|-\d{1,6})?(?!\d)"),
    ("电话号码", rf"(?<![\d.,])(?!{_DAY}|(?:19|20)\d\d\s)[2-9]\d{{3}}\s?\d{{4}}(?:\s?转\s?\d{{1,6}})?(?!\d|[.,]\d|{_UNIT})"),
    ("账号", rf"(?:微信|WX|VX|QQ)号?{_IS}(?P<name>[A-Z0-9][A-Z0-9_-]{{4,19}})"),
    ("车牌号", r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][\s·•.-]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]"),
)  # fmt: skip
_NAMES = (
    ("姓名", rf"(?:我叫|我的名字){_IS}{_TOLD}"),
    ("姓名", rf"(?:姓名|联系人|经办人|申请人|申报人|负责人|法人|法定代表人|收件人)\s?:\s?{_TOLD}"),
    ("姓名", rf"(?:姓名|联系人|经办人|本人){_IS}(?P<name>{_LONG_NAME}|{_NAME}){_ENDED}"),
    ("姓名", rf"(?P<name>{_SURNAME}{_HAN}{{0,2}}?|(?![{_WORDS}位名个们该各性])(?<!{_HAN}){_HAN})(?=先生|女士|小姐|太太|师傅|阿姨|老师|同志)"),
)  # fmt: skip
_CONTACTS = frozenset(("邮箱", "手机号码", "电话号码"))
_FOLDED = str.maketrans("－—–―＋＠（）．，：；！？％", "----+@().,:;!?%") | {
    ord(first) + at: chr(ord(to) + at)
    for first, to, many in (("０", "0", 10), ("Ａ", "A", 26), ("ａ", "A", 26), ("a", "A", 26))
    for at in range(many)
}
_DIGITS = _FOLDED | str.maketrans("〇零一二三四五六七八九幺", "001234567891")
_READINGS = tuple(
    (table, [(label, re.compile(pattern)) for label, pattern in patterns])
    for table, patterns in ((_DIGITS, _NUMBERS), (_FOLDED, _NAMES))
)


def mask(text: str, public: str = "") -> str:
    """Return the text with what is personal replaced by what it was, as ［手机号码］; masking again changes nothing.

    A telephone number or e-mail address that stands in `public`, what published documents say, is left.
    """
    while (masked := _once(text, public)) != text:
        text = masked
    return text


def _once(text: str, public: str) -> str:
    taken: list[tuple[int, int, str]] = []
    for table, patterns in _READINGS:
        plain = text.translate(table)  # character for character, so that offsets stay
        for label, pattern in patterns:
            for found in pattern.finditer(plain):
                start, end = found.span("name" if "name" in pattern.groupindex else 0)
                spared = label in _CONTACTS and text[start:end] in public
                if not spared and all(end <= low or high <= start for low, high, _ in taken):
                    taken.append((start, end, label))
    parts, at = [], 0
    for start, end, label in sorted(taken):
        parts += [text[at:start], f"［{label}］"]
        at = end
    return "".join([*parts, text[at:]])
