"""Read who signs a letter, when, and how to reach them."""

import re

from assistant.asking import HAN, asks, courtesies_left_out
from assistant.catalog import parse_date
from assistant.text import normalise

_ORG = re.compile(
    r"(?<![\w（）()])[\u4e00-\u9fffA-Za-z0-9（）()·&. ]{2,30}?(?:公司|集团|厂|研究院|研究所|工作室|合作社|商会|协会|事务所|中心|医院|学校|GmbH|Ltd\.?|Inc\.?)(?!的)"
)
_PERSON = re.compile(rf"[{HAN}]{{2,4}}(?:先生|女士|小姐|同志)?|[A-Z][a-z]+(?: [A-Z][a-z]+){{1,2}}")
_NOBODY = re.compile(
    "[一1][名位个]|全体|普通|热心|市民|群众|居民|网友|敬上|某|敬礼|此致|谢谢|感谢|盼复|您好|商祺|业主|员工$|期待|你好|匿名|领导|祝好|regards|sincerely|faithfully|yours"
)
_CALLS_ITSELF = re.compile(
    rf"(?:我司|我公司|我单位|本公司|我们公司)[（(]([^）)]{{4,30}})[）)]|(?:本人|我叫|我是)([{HAN}]{{2,4}}?)[，,、（(]"
)
_DATE = re.compile(r"(20\d\d)[年./-](\d{1,2})(?:[月./-](?:(\d{1,2})日?)?)?")
_PHONE = re.compile(r"(?<![\dA-Za-z])(?:1[3-9]\d{9}|0\d{2,3}[-— ]?\d{4}[ -]?\d{3,4}|[5-8]\d{7})(?!\d)")
_EMAIL = re.compile(r"(?<![A-Za-z0-9_.+-])[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
_REACHED = re.compile(rf"联\s*系\s*人[：:]?\s*([{HAN}]{{1,4}})")
_CONTACT_LINE = re.compile("^(?:联系人|联系电话|联系方式|电话|手机|地址|邮箱|Tel|E-?mail)", re.IGNORECASE)


def body_end(text: str) -> int:
    """Return where the signature begins: after the last line that says something."""
    end = len(text)
    lines = list(re.finditer(r"[^\n]+", text))
    for line in reversed(lines[1:]):
        said = line.group().strip()
        signs = len(said) <= 32 and not re.search("[，。？！；?;,]|吗|呢", said) and not asks(said)
        listed = re.match(r"[（(]?[\d一二三四五六七八九十①-⑳]{1,2}[）)、.． ]", said)
        if said and not (
            _CONTACT_LINE.match(said) or not courtesies_left_out(said) or (signs and (not listed or _DATE.match(said)))
        ):
            return line.end()
        end = line.start()
    return lines[0].end() if lines else end


def sender(text: str, end: int) -> str:
    """Return the organisation that signs, else the person, else who calls itself so in the letter; "" if nobody does."""
    lines = [*text[end:].split("\n"), *re.split(r"[ \u3000]+", text[max(0, end - 60) : end].split("\n")[-1])[1:]]
    tail = [_PHONE.sub("", line).strip(" \u3000，。,.：:") for line in lines]
    named = [line for line in tail if line and (not _NOBODY.search(line.lower()) or _ORG.match(line))]
    for line in named:
        organisation = _ORG.match(line)
        if organisation and "某" not in line:
            return organisation.group()
    within = _CALLS_ITSELF.search(text)
    if within and within[1]:
        return within[1]
    people = [line for line in named if _PERSON.fullmatch(line) and not asks(line)]
    reached = _REACHED.search(text)
    own = within[2] if within and not re.search("[一家做]", within[2]) else ""
    return (people[0] if people else "") or own or (reached[1] if reached else "")


def date_of(text: str, end: int) -> str:
    """Return the day the letter is signed on as a partial ISO date, "" if none."""
    for part in (text[end:], text[max(0, end - 30) : end]):
        found = list(_DATE.finditer(normalise(part)))
        if found:
            return parse_date("-".join(group for group in found[-1].groups() if group))
    return ""


def contact(text: str) -> str:
    """Return the person to reach, and the telephone numbers and addresses of mail."""
    reached = _REACHED.search(text)
    numbers = [match.group() for match in _PHONE.finditer(text)] + [match.group() for match in _EMAIL.finditer(text)]
    return " ".join(dict.fromkeys([*([reached[1]] if reached else []), *numbers]))


def organisation(name: str) -> bool:
    """Return whether a name is an organisation's."""
    return bool(_ORG.search(name))
