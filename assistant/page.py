"""The ask page: a conversation with citations, and each cited document beside it."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from anyio import to_thread

from assistant import conversation
from assistant.components import PLAIN, PRIVATE, asker, blocks, gr
from assistant.config import Settings
from assistant.conversation import Conversation
from assistant.desk import Caller, Desk
from assistant.feedback import MAX_COMMENT, REASONS
from assistant.people.access import ROLES, Identity, identity
from assistant.people.gate import ADDRESS
from assistant.people.people import People
from assistant.scope import Scope, among, held
from assistant.viewer import template
from assistant.words import Language, say

TITLE = "嘉定产业园区与政策问答"
EXAMPLES: dict[Language, tuple[str, ...]] = {"zh": (
    "嘉定有几家特色产业园区，市级、区级各几家？",
    "三港两园是哪几个？",
    "“七个一”指什么？",
    "首店落户补贴多少？全国首店和上海首店分别？",
    "传感器产业园面积到底是3平方公里还是2.67？",
    "2024年还能申请2023年的产值奖励吗？",
    "申报嘉定集成电路政策需要满足什么条件？",
    "19家特色产业园区各自的税收是多少？",
), "en": (
    "What are the Three Ports and Two Parks?",
    "What is the subsidy for a first store?",
    "How large is the sensor industrial park?",
    "What was Jiading's industrial output in 2024?",
    "What is the target output value of the Hydrogen Port by 2025?",
    "Can I still apply in 2024 for the 2023 output value reward?",
    "What conditions must a company meet to apply for the Jiading integrated circuit policy?",
    "What tax revenue does each of the 19 parks have?",
)}  # fmt: skip
LINKS = (("draft", "起草", "reply/"), ("evaluate", "评测", "evaluate/"), ("administer", "管理", "admin/"))


def build_page(desk: Desk, settings: Settings, people: People, language: Language = "zh") -> Any:
    """Return the page's parts and what happens when."""
    _, start = partial(say, language=language), Conversation(language=language)
    html = start.parts
    with desk.current.use() as assistant:
        documents, (levels, types) = assistant.index.manifest.documents, held(assistant.index, language)
    with blocks(_(TITLE)) as page:
        links = gr.HTML("", elem_id="links", **PLAIN)
        so_far, suggested = gr.State(start), gr.State(0)
        gr.HTML(html.introduction(_(TITLE), documents), **PLAIN)
        talk = gr.HTML("", elem_id="talk", js_on_load=str(html.on_talk()), **PLAIN)
        next_ones = gr.HTML("", elem_id="next", js_on_load=str(html.on_ask()), **PLAIN)
        with gr.Column(elem_id="examples") as examples:
            gr.HTML(f"<h2>{_('可以这样问')}</h2>", **PLAIN)
            buttons = [gr.Button(text, size="sm", elem_classes="example") for text in EXAMPLES[language]]
        with gr.Column(elem_id="composer"):
            gr.HTML('<p id="state" role="alert" hidden></p>', **PLAIN)
            message = gr.HTML("", elem_id="message", js_on_load="element.setAttribute('role', 'alert')", **PLAIN)
            with gr.Row(elem_id="entry"):
                gr.HTML(html.unfold(), js_on_load=str(html.on_unfold()), elem_id="unfold", **PLAIN)
                box = gr.Textbox(label=_("您的问题"), placeholder=_("请输入问题"), max_lines=6, elem_id="question")
                send = gr.Button(_("发送"), variant="primary", elem_id="send", min_width=60)
            with gr.Column(elem_id="more"):
                with gr.Row(elem_id="controls"):
                    as_of = gr.Textbox(
                        label=_("截至日期"), placeholder=_("今天，或 2026-01-31"), max_lines=1, elem_id="as-of"
                    )
                    gr.HTML(html.calendar(), js_on_load=str(html.on_calendar()), elem_id="calendar", **PLAIN)
                with gr.Row(elem_id="keeping"):
                    gr.HTML(html.keeping(), **PLAIN)
                    new = gr.Button(_("新对话"), elem_id="new", min_width=70)
                with gr.Accordion(_("限定资料"), open=False, elem_id="scope"):
                    level = gr.CheckboxGroup(levels, label=_("级别"))
                    kind = gr.CheckboxGroup(types, label=_("类型"))
            limits = gr.HTML("", elem_id="limits", js_on_load=str(html.on_limits()), **PLAIN)
        talks = gr.HTML(html.talks(), js_on_load=str(html.on_talks()), **PLAIN)
        form = gr.HTML(html.feedback_form(REASONS, MAX_COMMENT), js_on_load=str(html.on_feedback()), **PLAIN)
        gr.HTML(html.reader(), elem_id="reader-frame", **PLAIN)

        parts = {
            "conversation": so_far,
            "talk": talk,
            "examples": examples,
            "message": message,
            "box": box,
            "next": next_ones,
            "suggested": suggested,
        }

        def placed(changes: dict[str, Any]) -> dict[Any, Any]:
            return {parts[k]: gr.update(visible=False) if value is False else value for k, value in changes.items()}

        async def ask(
            question: str, day: str, only: list[str], kinds: list[str], talk_so_far: Conversation, request: gr.Request
        ) -> AsyncIterator[dict[Any, Any]]:
            by = asker(request)
            if wait := await to_thread.run_sync(people.rates.wait, identity(by), by.scope.get(ADDRESS, "")):
                yield placed({"message": _("提问太频繁，请 {wait} 秒后再试。", wait=wait)})
                return
            async for changes in conversation.ask(
                desk, question, Scope(day, only, kinds), talk_so_far, Caller("page", by)
            ):
                yield placed({"next": "", **changes})

        async def suggest(
            only: list[str], kinds: list[str], talk_so_far: Conversation, last: int, request: gr.Request
        ) -> tuple[str, int]:
            if talk_so_far.count == last:  # nothing was answered
                return "", last
            scope = Scope(levels=only, doc_types=kinds)
            found = await conversation.suggest(desk, talk_so_far, scope, Caller("page", asker(request)))
            return found, talk_so_far.count

        def rate(event: gr.EventData, talk_so_far: Conversation) -> dict[Any, Any]:
            return placed(conversation.rate(settings.workspace, event._data, talk_so_far))

        asked: Any = {
            "fn": ask,
            "inputs": [box, as_of, level, kind, so_far],
            "outputs": list(parts.values()),
            **PRIVATE,
        }
        running = [gr.on([box.submit, send.click], **asked, concurrency_id="ask")]
        for button, text in zip(buttons, EXAMPLES[language], strict=True):
            filled = button.click(partial(str, text), None, box, **PRIVATE)
            running.append(filled.then(**asked, concurrency_id="ask"))
        picked = next_ones.ask(_picked, None, box, **PRIVATE)
        running.append(picked.then(**asked, concurrency_id="ask"))
        lifted = talk.unlimited(_unlimited, None, [box, level, kind, limits], **PRIVATE)
        running.append(lifted.then(**asked, concurrency_id="ask"))
        for done in list(running):
            running.append(
                done.then(
                    suggest,
                    [level, kind, so_far, suggested],
                    [next_ones, suggested],
                    trigger_mode="always_last",
                    **PRIVATE,
                )
            )

        def shown(found: Conversation) -> dict[Any, Any]:
            example = gr.update(visible=not found.shown)
            return placed({"conversation": found, "talk": found.html, "examples": example, "message": "", "next": "", "suggested": 0})  # fmt: skip

        def read_back(event: gr.EventData) -> tuple[Conversation, list[str], list[str]]:
            with desk.current.use() as lent:
                found = conversation.restore(event._data, lent.index, language)
                return found, *among(event._data.get("limits", ()), lent.index)

        def reopen(event: gr.EventData) -> dict[Any, Any]:
            return shown(read_back(event)[0])

        def restore(event: gr.EventData, talk_so_far: Conversation) -> dict[Any, Any]:
            found, only, kinds = read_back(event)
            limited = {level: only, kind: kinds, limits: _limits(language, only, kinds)}
            return limited | (shown(found) if found.shown and not talk_so_far.shown else {})

        def begin() -> dict[Any, Any]:
            return shown(start) | placed({"box": ""})

        new.click(begin, None, list(parts.values()), js="() => window.closeReader?.()", cancels=running, **PRIVATE)
        talks.open(reopen, None, list(parts.values()), cancels=running, **PRIVATE)
        talks.restore(restore, so_far, [*parts.values(), level, kind, limits], **PRIVATE)
        for rated in (talk.helpful, form.feedback):
            rated(rate, so_far, [so_far, talk, message], **PRIVATE)

        def opened(request: gr.Request) -> list[Any]:
            with desk.current.use() as lent:  # perhaps another generation than when the page was built
                choices = [gr.update(choices=found) for found in held(lent.index, language)]
            return [str(html.links(*_links(identity(asker(request)), language))), *choices]

        page.load(opened, None, [links, level, kind], **PRIVATE)
        chosen: Any = {"fn": partial(_limits, language), "inputs": [level, kind], "outputs": limits}
        gr.on([level.input, kind.input], **chosen, trigger_mode="always_last", **PRIVATE)  # two in quick succession

        def lift(event: gr.EventData, only: list[str], kinds: list[str]) -> tuple[list[str], list[str], str]:
            only, kinds = ([one for one in chosen if one != event._data.get("limit")] for chosen in (only, kinds))
            return only, kinds, _limits(language, only, kinds)

        limits.lift(lift, [level, kind], [level, kind, limits], **PRIVATE)
    return page


def _picked(event: gr.EventData) -> str:
    return str(event._data.get("question", ""))


def _unlimited(event: gr.EventData) -> tuple[str, list[str], list[str], str]:
    return _picked(event), [], [], ""


def _limits(language: Language, only: list[str], kinds: list[str]) -> str:
    return str(template("ui.html", language).limits(Scope("", only, kinds).chosen(language)))


def _links(who: Identity, language: Language) -> tuple[list[tuple[str, str]], str, str]:
    """Return the pages that somebody may open besides, as title and address, what to call them, and their name."""
    named = f"{who.name}（{say(ROLES[who.role], language)}）" if who.role else ""
    return [(title, address) for permission, title, address in LINKS if permission in who.permitted], named, who.name
