"""What of a thing a question asks for (its rent, the day it opens, the hall where it is held), and whether a text speaks of it."""

import re
from functools import lru_cache

import rjieba

from assistant.lexical import share

_ASKS = re.compile(
    r"什么时候|多少|几(?!方面)|哪(?:1|几|些)?[个家条所项座位天年月日款场]?|什么|何时|谁|啥|多大|久|多长|怎么|怎样|如何"
)
_OF_MANY = re.compile("年|时间|日期|计划|进度|标准|基准|方式|范围|数|引进|四至|定位|开发|增加值|批$")
_LIGHT = frozenset(
    "是 为 有 在 到底 大概 的 各 分别 最 总共 1共 一共 具体 应该 可以 能 要 会 达到 达 完成 到 了 共 约 需要 规定 写 说 给 拿 领 定 归 讲 算 做 名字 嘉定 上海".split()
)
_SAME = tuple(  # words that ask for and tell one thing of a policy, a project or a park
    frozenset(row.split())
    for row in (
        "补贴 补助 奖励 资助 扶持 支持 贴息 奖补 奖金 补 奖 资金 给予 封顶 最高 上限 额度 金额",
        "面积 占地 用地 占地面积 规划面积 总面积 建筑面积 亩 公顷 平方公里 平方米",
        "租金 房租 月租 月租金 租价", "价格 价钱 房价 单价 均价 售价 地价", "收费 费用 价格 免费",
        "动工 开工 奠基 开建 打桩", "竣工 完工 建成 落成 建好 封顶", "启用 投用 开园 开业 揭牌 运营 投入 启动 开放",
        "通车 开通 运营", "投产 量产 下线 生产", "截止 截至 期限 止 受理 申报 前 受理期 申报期", "到期 有效期 失效 止 有效",
        "地址 位置 位于 地点 坐落 落户 落地", "电话 联系 联系方式 热线 咨询 邮箱", "牵头 主管 负责 管 归口 承办 受理",
        "成立 组建 设立 挂牌 揭牌", "举办 举行 召开 开幕 会 会议", "营收 收入 营业收入 销售额 销售收入 年收入",
        "产值 产出 总产值 总产出 工业产值 产业规模 规模", "投资 总投资 投资额 投 投入", "税收 税 纳税 税额 税利",
        "条件 要求 对象 应当 须 符合", "材料 提交 附件 申请表", "人 人数 人员 人才 员工 名", "企业 公司 家", "负责人 董事长 总经理 主任 局长 校长 院长",
    )
)  # fmt: skip


@lru_cache(maxsize=1000)  # asked of each unit of a question
def asked_for(text: str) -> tuple[str, ...]:
    """Return the words beside a normalised question's interrogatives that name what is asked for, in order; none if it has none."""
    found: list[str] = []
    for match in _ASKS.finditer(text):
        after = rjieba.tag(text[match.end() :])[:1]
        found += [word for word, tag in after if tag[0] in "nv" and word not in _LIGHT]
        for word, tag in reversed(rjieba.tag(text[: match.start()])):
            if not word[0].isalnum():
                break
            if word not in _LIGHT and tag[0] in "nv" and len(word) > 1:
                found.append(word)
                break
    return tuple(dict.fromkeys(found))


_EVENTS = tuple(row for row in _SAME if row & {"动工", "竣工", "启用", "投产", "通车"})


@lru_cache(maxsize=1000)
def event_of(text: str) -> str:
    """Return what happens on the day that a normalised question asks for (开工, 启用, 投产); "" if it is none of these."""
    return next((word for word in asked_for(text) if any(word in row for row in _EVENTS)), "")


@lru_cache(maxsize=1000)
def is_attribute(label: str) -> bool:
    """Return whether a normalised label is what may be told of many a thing (占地, 总投资, 2022全年) rather than a thing."""
    return bool(_OF_MANY.search(label)) or any(word in label for row in _SAME for word in row if len(word) > 1)


@lru_cache(maxsize=1000)
def _spellings(word: str) -> frozenset[str]:
    return frozenset({word}).union(*(row for row in _SAME if word in row))


def speaks_of(word: str, text: str) -> float:
    """Return how far a normalised text speaks of what is asked for, from 0 to 1: by a word for the same, or part of its own."""
    return 1.0 if any(other in text for other in _spellings(word)) else share(word, text) if len(word) > 2 else 0.0
