"""The reply page's rules: who may do what when, what is kept, and that nobody's work is written over."""

import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from conftest import signed_in
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from replying import LETTER

from assistant.config import Settings
from assistant.drafts import DraftOut
from assistant.errors import ConflictError, MissingError
from assistant.letter import read_letter
from assistant.people.people import People
from assistant.pipeline import Assistant
from assistant.reply import Draft, Paragraph, draft
from assistant.replying.compare import compare, sent_paragraphs
from assistant.replying.reply import Entry, Reply, masked_sender
from assistant.replying.shown import judge
from assistant.replying.store import Replies
from assistant.replying.workflow import Judged, refusal
from assistant.retrieve import Filters

DAY = date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 9, 30)
FILLED = {"q3.1": "不能安排宿舍。", "contact.1": "如需进一步咨询，请来信。", "signature": "测试区经济委员会"}


@pytest.fixture(scope="module")
def drafted(small: Assistant) -> Draft:
    return draft(read_letter(LETTER), small, Filters(DAY))


@pytest.fixture
def replies(tmp_path: Path) -> Replies:
    return Replies(tmp_path)


def entry(reply: Reply, step: Any, by: str = "甲", **more: Any) -> Entry:
    paragraphs = reply.versions[-1].paragraphs if step == "saved" else ()
    return Entry(len(reply.entries) + 1, step, by, NOW.isoformat(), **{"paragraphs": paragraphs, **more})


def filled(reply: Reply) -> tuple[Paragraph, ...]:
    """The paragraphs with nothing left open."""
    return tuple(
        replace(p, text=FILLED.get(p.id, p.text.replace("【待核实：上述文件是否现行有效】。", "")))
        for p in reply.draft.paragraphs
    )


def judged(reply: Reply) -> Judged:
    return judge(reply.draft, reply.versions[-1].paragraphs)


def after(reply: Reply, *steps: tuple[str, str]) -> Reply:
    """The reply with these (step, by) done."""
    for step, by in steps:
        paragraphs = filled(reply) if step == "saved" else ()
        reply = replace(reply, entries=(*reply.entries, entry(reply, step, by, paragraphs=paragraphs)))
    return reply


@pytest.fixture(scope="module")
def fresh(drafted: Draft) -> Reply:
    """A reply that was just drafted by 甲."""
    return Reply("20261125-093000-00000000", drafted, (Entry(1, "saved", "甲", NOW.isoformat(), drafted.paragraphs),))


def test_another_person_approves(fresh: Reply) -> None:
    reply = after(fresh, ("saved", "甲"), ("submitted", "甲"))
    assert reply.state == "in_review"
    assert "另一个人" in refusal("approved", reply, "甲", judged(reply))
    assert "登录" in refusal("approved", reply, "", judged(reply))
    assert not refusal("approved", reply, "乙", judged(reply))


def test_who_wrote_the_last_version_does_not_approve_it_whoever_submits(fresh: Reply) -> None:
    reply = after(fresh, ("saved", "乙"), ("submitted", "甲"))
    assert refusal("approved", reply, "甲", judged(reply)) and refusal("approved", reply, "乙", judged(reply))
    assert not refusal("approved", reply, "丙", judged(reply))


def test_what_is_open_is_neither_approved_nor_finished(fresh: Reply) -> None:
    reply = after(fresh, ("submitted", "甲"))
    assert "待核实" in refusal("approved", reply, "乙", judged(reply))
    assert "待核实" in refusal("finished", fresh, "甲", judged(fresh))


def test_an_edit_takes_the_approval_away(fresh: Reply) -> None:
    reply = after(fresh, ("saved", "甲"), ("submitted", "甲"), ("approved", "乙"))
    assert reply.state == "approved" and not refusal("sent", reply, "甲", judged(reply))
    edited = after(reply, ("saved", "乙"))
    assert edited.state == "draft" and refusal("sent", edited, "甲", judged(edited))


def test_a_reply_at_risk_is_not_finished_by_one_alone(fresh: Reply, small: Assistant) -> None:
    reply = after(fresh, ("saved", "甲"))
    assert "复核" in refusal("finished", reply, "甲", judged(reply))  # an amount, an expired document
    thanks = draft(read_letter("感谢贵局的帮助！"), small, Filters(DAY))
    signed = tuple(replace(p, text=FILLED.get(p.id, p.text)) for p in thanks.paragraphs)
    safe = Reply(fresh.id, thanks, (Entry(1, "saved", "甲", NOW.isoformat(), signed),))
    assert not refusal("finished", safe, "甲", judge(thanks, signed))


STEPS = ("saved", "submitted", "returned", "approved", "finished", "sent")


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.sampled_from("甲乙")), min_size=12, max_size=30))
def test_nothing_is_sent_that_was_not_approved_as_it_stands(steps: list[tuple[str, str]]) -> None:
    """Whatever people try, in whatever order: what is sent was finished, or approved by another than its last writer."""
    reply = HELD["reply"]
    nothing = HELD["judged"]
    for step, by in steps:
        if not refusal(step, reply, by, nothing):
            reply = replace(reply, entries=(*reply.entries, entry(reply, step, by)))
    if reply.state == "sent":
        *_, last, sent = reply.entries
        assert sent.step == "sent" and last.step in ("approved", "finished")
        assert last.step == "finished" or last.by != reply.versions[-1].by


HELD: dict[str, Any] = {}


@pytest.fixture(autouse=True, scope="module")
def held(fresh: Reply) -> None:
    reply = after(fresh, ("saved", "甲"))
    found = judged(reply)
    HELD.update(reply=reply, judged=Judged([f for f in found.findings if f.kind != "open"], found.risk))


def test_a_reply_is_read_back_as_it_was_kept(replies: Replies, drafted: Draft) -> None:
    made = replies.make(drafted, "甲", NOW)
    again = Replies(replies.folder.parent).get(made.id)
    assert again == made
    assert again.draft.paragraphs == drafted.paragraphs and again.draft.references == drafted.references
    files = [replies.folder, *replies.folder.rglob("*")]
    assert {f.stat().st_mode & 0o777 for f in files} == {0o600, 0o700}
    assert all((f.stat().st_mode & 0o777) == (0o700 if f.is_dir() else 0o600) for f in files)


def test_of_two_writers_the_second_is_told_and_nothing_is_written_over(replies: Replies, drafted: Draft) -> None:
    made = replies.make(drafted, "甲", NOW)
    told: list[Any] = []
    ready = threading.Barrier(8)

    def write(name: str) -> None:
        ready.wait()
        try:
            told.append(replies.add(made, entry(made, "saved", name)))
        except ConflictError as error:
            told.append(error)

    threads = [threading.Thread(target=write, args=(f"人{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = replies.get(made.id)
    (winner,) = [one for one in told if isinstance(one, Reply)]
    assert len(kept.entries) == 2 and kept == winner
    assert all(f"{kept.entries[1].by}在" in str(e) and "没有丢失" in str(e) for e in told if not isinstance(e, Reply))
    assert not [file for file in replies.folder.rglob(".*") if file.is_file()]


def test_what_is_deleted_is_gone(replies: Replies, drafted: Draft) -> None:
    made = replies.make(drafted, "甲", NOW)
    replies.delete(made)
    assert not list(replies.folder.iterdir()) and not list(replies.all())
    with pytest.raises(MissingError):
        replies.get(made.id)
    with pytest.raises(MissingError):
        replies.add(made, entry(made, "saved"))


@pytest.mark.parametrize("key", ["..", "../../etc", "20261125-093000-0000000g", ""])
def test_only_an_id_names_a_reply(replies: Replies, key: str) -> None:
    with pytest.raises(MissingError):
        replies.get(key)


def texts(*pairs: tuple[str, str]) -> list[Paragraph]:
    return [Paragraph(key, "body", text) for key, text in pairs]


PAIRS = st.lists(st.tuples(st.sampled_from("abcdef"), st.text("奖励30万元。，", max_size=8)), unique_by=lambda pair: pair[0])  # fmt: skip


@given(PAIRS, PAIRS)
def test_a_comparison_holds_both_texts_whole(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> None:
    """Without what was put in it is the earlier text, without what was taken out the later one, in its order."""
    lines = compare(texts(*before), texts(*after))
    later = [
        "".join(text for kind, text in line.parts if kind != "removed") for line in lines if line.change != "removed"
    ]
    earlier = [
        "".join(text for kind, text in line.parts if kind != "added") for line in lines if line.change != "added"
    ]
    assert later == [text for _, text in after]
    assert sorted(earlier) == sorted(text for _, text in before)


def test_one_paragraph_moved_is_one_that_moved() -> None:
    lines = compare(
        texts(("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")), texts(("b", "2"), ("c", "3"), ("d", "4"), ("a", "1"))
    )
    assert [line.moved for line in lines] == [False, False, False, True]


def test_what_was_sent_is_set_beside_the_version() -> None:
    version = texts(("a", "技术改造最高200万元。"), ("b", "规划面积2.15平方公里。"))
    found = sent_paragraphs("技术改造最高支持200万元。\n\n另请注意截止日期。", version)
    assert found[0].id == "a" and found[1].id not in ("a", "b")


def test_a_list_names_organisations_and_no_person() -> None:
    assert masked_sender(read_letter(LETTER)) == "测试区精工有限公司"
    assert "小明" not in masked_sender(read_letter("请问氢能港面积多大？\n王小明"))
    assert masked_sender(read_letter("请问氢能港面积多大？")) == "未署名"


# --- over HTTP


def records(workspace: Path, about: str) -> list[tuple[str, str]]:
    """Who did what with a thing, the oldest first; what is in line to be written is given time."""
    people = People(Settings(workspace=workspace))
    try:
        for _ in range(50):
            found = [(e.who, e.action) for one in people.audit.page(size=100) if (e := one.event).about == about]
            if found:
                break
            time.sleep(0.1)
        return found[::-1]
    finally:
        people.close()


Person = Callable[..., httpx.Client]


@pytest.fixture
def person(address: str, workspace: Path) -> Iterator[Person]:
    """A client that is signed in under a name."""
    clients = []

    def client(name: str, role: str = "drafter") -> httpx.Client:
        cookie = signed_in(address, workspace, role, name)
        clients.append(
            httpx.Client(base_url=f"{address}/reply/", cookies={cookie["name"]: cookie["value"]}, timeout=60)
        )
        return clients[-1]

    yield client
    for client in clients:
        client.close()


def made(client: httpx.Client) -> dict[str, Any]:
    answer = client.post("replies", json={"letter": LETTER, "as_of": DAY.isoformat()})
    found: dict[str, Any] = client.get(f"replies/{answer.json()['id']}").json()
    return found


def saved(client: httpx.Client, found: dict[str, Any], seen: int = 0, **texts: str) -> httpx.Response:
    paragraphs = [{"id": p["id"], "text": texts.get(p["id"], FILLED.get(p["id"], p["text"].replace("【待核实：上述文件是否现行有效】。", "")))} for p in found["paragraphs"]]  # fmt: skip
    return client.post(
        f"replies/{found['id']}/versions", json={"paragraphs": paragraphs, "seen": seen or found["seen"]}
    )


def step(client: httpx.Client, key: str, name: str, seen: int, **more: str) -> httpx.Response:
    return client.post(f"replies/{key}/steps", json={"step": name, "seen": seen, **more})


def test_a_reply_goes_from_draft_to_sent_and_all_is_recorded(person: Person, workspace: Path) -> None:
    one, two = person("jia"), person("yi")
    found = made(one)
    key = found["id"]
    assert saved(one, found).status_code == 200
    assert step(one, key, "submitted", 2).json()["state"] == "in_review"
    refused = step(one, key, "approved", 3)
    assert refused.status_code == 403 and "另一个人" in refused.json()["error"]["message"]
    assert step(two, key, "approved", 3).json()["state"] == "approved"
    word = one.get(f"replies/{key}/reply.docx")
    assert "测试区经济委员会" in [p.text for p in Document(io.BytesIO(word.content)).paragraphs]
    assert f"答复 {key} 第2版.docx" in unquote(word.headers["content-disposition"])
    sent = step(one, key, "sent", 4, text="贵单位来信收悉。技术改造最高支持200万元。").json()
    assert sent["state"] == "sent" and not sent["steps"]
    assert saved(one, sent).status_code == 403
    beside = one.get(f"replies/{key}/compare", params={"before": "2", "after": "sent"}).json()["html"]
    assert "<del>" in beside and "[^" not in beside
    by_one = ["draft.made", "draft.saved", "draft.submitted", "draft.exported", "draft.sent"]
    done = records(workspace, key)
    assert [action for name, action in done if name == "jia"] == by_one and ("yi", "draft.approved") in done


def test_a_second_writer_gets_409_and_may_save_after_the_other(person: Person) -> None:
    one, two = person("jia"), person("yi")
    found = made(one)
    assert saved(one, found).status_code == 200
    late = saved(two, found, opening="收悉。")
    assert late.status_code == 409 and "jia在" in late.json()["error"]["message"]
    assert saved(two, found, seen=2, opening="收悉。").json()["version"] == 3
    assert step(one, found["id"], "submitted", 2).status_code == 409


def test_a_figure_without_a_source_is_found_and_nothing_is_kept(person: Person, workspace: Path) -> None:
    one = person("jia")
    found = made(one)
    paragraphs = [{"id": p["id"], "text": p["text"].replace("200万元", "300万元")} for p in found["paragraphs"]]
    told = one.post(f"replies/{found['id']}/check", json={"paragraphs": paragraphs}).json()
    assert ("figure", "300万元") in {(one["kind"], one["text"]) for one in told["findings"]}
    assert len(list((workspace / "replies" / found["id"]).iterdir())) == 2


def test_another_source_carries_what_it_says_and_is_kept(person: Person) -> None:
    one = person("jia")
    found = made(one)
    key, number = found["id"], found["given"] + 1
    (hit, *_) = one.post(f"replies/{key}/search", json={"query": "氢能港 年产值目标 500亿元"}).json()["hits"]
    assert "500亿元" in hit["text"]
    chosen = {name: hit[name] for name in ("document_id", "start", "end", "check")}
    paragraphs = [*({"id": p["id"], "text": p["text"]} for p in found["paragraphs"]),
                  {"id": "own.1", "text": f"目标为全产业链年产值500亿元[^{number}]。"}]  # fmt: skip
    body = {"paragraphs": paragraphs, "added": [chosen], "seen": 1}
    kept = one.post(f"replies/{key}/versions", json=body).json()
    assert not [f for f in kept["findings"] if f["paragraph"] == "own.1"]
    assert f"[^{number}]: " in one.get(f"replies/{key}/reply.md").text
    forged = {**body, "added": [{**chosen, "end": chosen["end"] - 1}], "seen": 2}
    assert one.post(f"replies/{key}/versions", json=forged).status_code == 409


def test_only_the_author_or_an_administrator_deletes(person: Person, workspace: Path) -> None:
    for deleting, role, status in (("yi", "drafter", 403), ("jia", "drafter", 200), ("root", "administrator", 200)):
        found = made(person("jia"))
        assert person(deleting, role).delete(f"replies/{found['id']}").status_code == status
        assert (workspace / "replies" / found["id"]).exists() == (status == 403)
    assert ("root", "draft.deleted") in records(workspace, found["id"])
    assert person("jia").get(f"replies/{found['id']}").status_code == 404


def test_an_uploaded_letter_is_read_and_not_kept(person: Person, workspace: Path) -> None:
    one = person("jia")
    document, file = Document(), io.BytesIO()
    for line in LETTER.split("\n"):
        document.add_paragraph(line)
    document.save(file)
    assert "氢能港规划面积多大" in one.post("letters?kind=docx", content=file.getvalue()).json()["text"]
    assert not list((workspace / "replies").glob(".*"))
    for kind, content in (("docx", b"no zip"), ("exe", b"MZ"), ("../x", b"x"), ("txt", b"  ")):
        broken = one.post("letters", params={"kind": kind}, content=content)
        assert broken.status_code == 422 and broken.json()["error"]["message"]
    assert one.post("letters?kind=txt", content=b"x" * 10_000_001).status_code == 413


def test_the_list_masks_and_pages_are_kept_from_caches_and_scripts(person: Person) -> None:
    one = person("jia")
    answer = one.post("replies", json={"letter": "请问氢能港规划面积多大？\n李小龙\n13800001234"})
    listed = one.get("replies")
    assert answer.json()["id"] in listed.text and "小龙" not in listed.text and "13800001234" not in listed.text
    assert listed.headers["cache-control"] == "no-store"
    page = one.get("../reply")
    assert "unsafe" not in page.headers["content-security-policy"] and "<script>" not in page.text


def test_what_is_wrong_is_said_in_chinese(person: Person) -> None:
    one = person("jia")
    for body in ({"letter": ""}, {"letter": "x" * 20_001}, {"letter": "好", "as_of": "昨天"}, {}):
        refused = one.post("replies", json=body)
        assert refused.status_code == 422 and not refused.json()["error"]["message"].isascii()
    assert one.get("replies/20261125-093000-00000000").status_code == 404


def test_the_api_drafts_and_keeps_nothing(person: Person, workspace: Path) -> None:
    before = set((workspace / "replies").iterdir())
    one = person("jia")
    answer = one.post("../api/draft", json={"letter": LETTER, "as_of": DAY.isoformat()})
    found = DraftOut.model_validate(answer.json())
    assert found.risk.review and any(p.answered for p in found.points) and "[^1]: " in found.markdown
    assert set((workspace / "replies").iterdir()) == before
    assert ("jia", "draft.made") in records(workspace, "")
    only = one.post("../api/draft", json={"letter": LETTER, "as_of": DAY.isoformat(), "levels": ["市级"]}).json()
    assert not any(point["answered"] for point in only["points"])
    assert one.post("../api/draft", json={"letter": "  "}).status_code == 422
    described = json.loads(one.get("../api/openapi.json").text)
    assert described["paths"]["/api/draft"]["post"]["summary"] == "起草一封来信的回复"
