"""Say what a question of a letter is about that names it no more: 截止时间 after 《…》的首店奖励标准."""

import re
from collections.abc import Sequence

import rjieba

from assistant.asked import ITEM, Found
from assistant.asking import ASKING, LEAD

LONGEST = 30  # characters of a topic
REACH, QUESTIONS = 600, 20  # characters and questions before it in which a question's topic is looked for
_SLOTS = frozenset(  # words for what is asked of a thing, which name no thing
    (
        "标准 金额 条件 材料 纸质 时间 电话 联系电话 部门 科室 流程 比例 面积 奖励 补贴 扶持 支持 政策 公司 企业 区里 市里 嘉定 嘉定区 上海 单位 联系 期限 文件 依据 方式 "
        "方案 行动 行动方案 三年 年限 地方 要求 截止 申报 申请 受理 资金 项目 数量 规划 有效期 邮箱 文号 进度 全文 通知 公告 情况 奖金 奖励金 最高额 投资 总投资 补助 审核 认定 资格 "
        "窗口 地址 名单 细则 办法 政府 领导 方面 问题 时候 个月 名额 额度 上限 封顶 申请表 网站 渠道 入口 手续 办理 影响 结果 依据 机构 团队 个人 我司 贵区 今年 去年 明年 当年 目前 现在 "
        "年底 年底前 一共 才能 要建 首批 申报表 钱 目录 附件 大概 范围 对象 年度 内容 规定 水平 程度 待遇 好处 人员 资料 原因 工作 管理 联系方式 名称 制度 服务 生活 问题"
    ).split()
)
_NAMED = re.compile(
    r"《[^》]+》|[\u4e00-\u9fff]{1,8}(?:小镇|谷|港|湾|产业园|软件园|新城|汽车城|创新城)|\d+条"
    r"|贴息|流片|首店|工业上楼|智造空间|技改|技术改造|小巨人|专精特新|众创空间|孵化器|人才公寓|租房补贴|加氢站|产值奖励|企业技术中心|智能工厂"  # matters that are often asked about
)
_ABOUT = re.compile(r"(?:关于|有关|就|对于?|针对)(?P<what>[^，,。：:？?；\n]{2,30}?)(?:的(?:咨询|事情?|问题|申报|政策)?|事宜|问题)?(?=[，,。：:；\s]|咨询|有|请)")  # fmt: skip
_TRAILING = re.compile(r"(?:到底|究竟|一共|分别|需?要|满足|[有的是，,、：:\s])+$")
_PARTS = re.compile(r"[。！？；!?;\n，,：:]")


def anchored(text: str) -> bool:
    """Return whether a question names what it is about, so that it can be asked alone."""
    if _NAMED.search(text) or not re.search("[\u4e00-\u9fff]", text):
        return True
    return any(map(names_a_thing, rjieba.cut(ASKING.sub(" ", text))))


def names_a_thing(word: str) -> bool:
    """Return whether a word is a noun that says what a question is about, not what is asked of it."""
    if _NAMED.search(word):
        return True
    tag = rjieba.tag(word)[-1][1] if word.strip() else "x"
    return len(word) > 1 and (tag[0] in "nj" or tag in ("vn", "eng", "l")) and word not in _SLOTS


def topic_of(text: str, one: Found, before: Sequence[tuple[str, str]]) -> str:
    """Return what an unanchored question is about: named in its sentence, by the questions before it, or further up.

    `before` are these questions, in order, each with its own topic; "" where nothing is named.
    """
    for part in reversed(_PARTS.split(text[max(one.sentence[0], one.start - REACH) : one.start])):
        if _NAMED.search(part) or (len(part) > 5 and anchored(part)):
            return _named(part)
    for said, topic in reversed(before[-QUESTIONS:]):
        if topic or anchored(said):
            return topic or _named(said)
    earlier = [part for part in _PARTS.split(text[max(0, one.sentence[0] - REACH) : one.sentence[0]]) if part.strip()]
    named = next((part for part in reversed(earlier) if _NAMED.search(part) or _ABOUT.search(part)), "")
    return _named(named or "".join(said for said, _ in before[-1:]))


def _named(part: str) -> str:
    """Return the title, the name after 关于, or the words of a clause that do not ask."""
    title = re.search("《(?:[^《》]|《[^》]*》)+》", part)
    about = _ABOUT.search(part)
    if title:
        return title.group()
    if about and anchored(about["what"]):
        return about["what"]
    if part.strip().startswith("我"):  # of the sender itself: only the matter it names
        return next((match.group() for match in _NAMED.finditer(part)), "")
    said = LEAD.sub("", ITEM.sub("", part.strip(), count=1))
    asked = ASKING.search(said)
    head = said[: asked.start()] if asked and anchored(said[: asked.start()]) else ASKING.sub("", said)
    return _TRAILING.sub("", head)[:LONGEST]
