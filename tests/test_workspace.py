import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from conftest import TODAY
from test_feedback import NOW, asked

from assistant.errors import SettingsError
from assistant.feedback import CANDIDATES, keep_feedback
from assistant.pipeline import Assistant
from assistant.schema import Turn
from eval.candidates import DECISIONS, accept, candidates, proposed, reject, tally
from eval.relabel import Label, labelled, question_faults
from eval.run import evaluate
from eval.testset import TESTSET, TestQuestion, read_testset, write_testset
from eval.workspace import Workspace

QUESTION = TestQuestion("a", "氢能港多大？", True, ("2.15",), ("port",), "numeric")
OTHER = replace(QUESTION, id="b", question="氢能港在哪里？", key_facts=("安亭",))
SET = "工作区 t.jsonl"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "testsets").mkdir()
    write_testset([QUESTION, OTHER], tmp_path / "testsets" / "t.jsonl")
    return Workspace(tmp_path)


def test_the_test_sets_of_both_folders_are_listed_and_nothing_else(workspace: Workspace) -> None:
    for name in ("~$t.xlsx", ".draft-1.jsonl", "note.txt"):
        (workspace.folder / "testsets" / name).write_text("x")
    (workspace.folder / "testsets" / "broken.xlsx").write_text("x")
    names = list(workspace.testsets())
    assert names[:2] == ["工作区 broken.xlsx", SET] and "随程序 testset.jsonl" in names
    assert not {"随程序 statements.jsonl", "随程序 labels.jsonl"} & set(names)
    with pytest.raises(SettingsError, match="Excel"):
        workspace.read("工作区 broken.xlsx")
    with pytest.raises(SettingsError, match="重新选择"):
        workspace.read("工作区 ../../etc/passwd")


@pytest.mark.parametrize("suffix", [".jsonl", ".xlsx"])
def test_a_question_is_replaced_and_the_others_stay(workspace: Workspace, suffix: str) -> None:
    write_testset([QUESTION, OTHER], workspace.folder / "testsets" / f"u{suffix}")
    changed = replace(QUESTION, key_facts=("2.15平方公里",), note="改过")
    assert workspace.replace(f"工作区 u{suffix}", QUESTION, changed) == f"工作区 u{suffix}"
    assert workspace.read(f"工作区 u{suffix}") == [changed, OTHER]
    assert (workspace.folder / "testsets" / f"u{suffix}").stat().st_mode & 0o777 == 0o600


def test_what_another_changed_meanwhile_is_not_overwritten(workspace: Workspace) -> None:
    workspace.replace(SET, QUESTION, replace(QUESTION, note="甲"))
    with pytest.raises(SettingsError, match="重新打开"):
        workspace.replace(SET, QUESTION, replace(QUESTION, note="乙"))
    workspace.replace(SET, OTHER, replace(OTHER, note="丙"))  # another question may be
    assert [question.note for question in workspace.read(SET)] == ["甲", "丙"]


def test_an_edit_of_a_shipped_test_set_goes_to_a_copy(workspace: Workspace) -> None:
    before = TESTSET.read_bytes()
    shipped = read_testset()
    changed = replace(shipped[3], note="改过")
    assert workspace.replace("随程序 testset.jsonl", shipped[3], changed) == "工作区 testset.jsonl"
    assert TESTSET.read_bytes() == before
    assert workspace.read("工作区 testset.jsonl") == [*shipped[:3], changed, *shipped[4:]]
    for name in ("随程序 testset.jsonl", "testset.jsonl"):  # as runs of the page and of the command name it
        assert workspace.question(name, changed.id) == changed
        assert workspace.question(name, shipped[0].id) == shipped[0]
    with pytest.raises(SettingsError, match="找不到"):
        workspace.question("随程序 testset.jsonl", "no such")
    with pytest.raises(SettingsError, match="找不到"):
        workspace.question("", changed.id)


def test_a_new_question_has_an_id_of_its_own(workspace: Workspace) -> None:
    first = workspace.free_id(SET, "a")
    workspace.add(SET, replace(QUESTION, id=first))
    second = workspace.free_id(SET, first)
    assert (first, second) == ("a-2", "a-3")
    with pytest.raises(SettingsError, match="已经有编号"):
        workspace.add(SET, replace(QUESTION, id=first))


def test_many_evaluators_add_at_once_and_none_is_lost(workspace: Workspace) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: workspace.add(SET, replace(QUESTION, id=f"n{n}")), range(24)))
    assert {question.id for question in workspace.read(SET)} == {"a", "b", *(f"n{n}" for n in range(24))}
    assert [file.name for file in (workspace.folder / "testsets").glob(".draft*")] == []


def test_a_set_that_cannot_be_read_is_not_written_over(workspace: Workspace) -> None:
    broken = workspace.folder / "testsets" / "t.jsonl"
    broken.write_text('{"id": ', encoding="utf-8")
    with pytest.raises(SettingsError, match="不是 JSON"):
        workspace.add(SET, QUESTION)
    assert broken.read_text(encoding="utf-8") == '{"id": '


@pytest.mark.parametrize(
    ("text", "name"),
    [("反馈", "工作区 反馈.jsonl"), (" 工作区 反馈.jsonl ", "工作区 反馈.jsonl"), ("a b.XLSX", "工作区 a b.XLSX")],
)
def test_a_new_set_is_named_as_written(workspace: Workspace, text: str, name: str) -> None:
    assert workspace.new(text) == name


@pytest.mark.parametrize("text", ["", "../x", "a/b.jsonl", ".hidden", "~$x.xlsx", "x" * 200, "a\nb"])
def test_what_is_no_file_name_is_refused(workspace: Workspace, text: str) -> None:
    with pytest.raises(SettingsError, match="不能作测试集的名称"):
        workspace.new(text)


def test_runs_are_kept_as_the_command_writes_them_the_newest_first(workspace: Workspace, small: Assistant) -> None:
    run = evaluate(small.ablated(["dense"]), [QUESTION], TODAY.as_of, file=SET)
    name = workspace.keep(run, NOW)
    later = workspace.keep({**run, "setup": {**run["setup"], "without": []}}, NOW.replace(hour=10))
    (workspace.folder / "runs" / "后.json").write_text(json.dumps(run), encoding="utf-8")
    assert name == "2026-11-26 09:30:00 · 工作区 t 停用向量查找"
    assert list(workspace.runs()) == [later, name, "后"]
    assert workspace.run(name) == workspace.run("后") == json.loads(json.dumps(run))
    assert workspace.runs()[name].stat().st_mode & 0o777 == 0o600
    assert (
        workspace.keep(run, NOW) == f"{name} 2" and len(workspace.runs()) == 4
    )  # another replica's, of the same second
    with pytest.raises(SettingsError, match="没有这次评测"):
        workspace.run("../t")


def label(**changes: Any) -> Label:
    return replace(Label("氢能港多大？", "numeric", True, "2.15", ("port",), ""), **changes)


def test_a_label_changes_what_it_holds_and_nothing_else(small: Assistant) -> None:
    question = replace(
        QUESTION, history=(Turn("user", "你好"), Turn("assistant", "您好")), as_of=date(2025, 1, 1), group="g"
    )
    form = label(key_facts="2.15\n\n 安亭|安亭镇 ", docs=["测试区氢能港规划（port）"], note=" 注 ", category="list")
    assert labelled(question, form, small.index) == replace(
        question, key_facts=("2.15", "安亭|安亭镇"), docs=("port",), note="注", category="list"
    )
    assert labelled(question, label(docs=["《测试区氢能港规划》"]), small.index).docs == ("port",)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"question": " "}, "“问题”不能为空"),
        ({"category": ""}, "“类别”不能为空"),
        ({"key_facts": "9.99"}, "要点“9.99”不在所列资料里"),
        ({"docs": ["nowhere"]}, "资料“nowhere”不在资料库里"),
        ({"docs": ()}, "可回答的题要有要点和资料"),
        ({"answerable": False}, "不可回答的题不应有要点"),
    ],
)
def test_a_label_that_is_wrong_is_refused_with_the_reason(
    small: Assistant, changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(SettingsError, match=f"没有保存：.*{fault}"):
        labelled(QUESTION, label(**changes), small.index)


def test_candidates_are_decided_upon_and_nothing_is_lost(workspace: Workspace, small: Assistant) -> None:
    folder = workspace.folder
    for minute, reason in enumerate(("off_point", "should_abstain", "other")):
        history = (Turn("user", "我叫张三"), Turn("assistant", "您好"))
        keep_feedback(
            folder,
            asked(small, "氢能港规划面积多大？", *history),
            NOW.replace(minute=minute),
            reason,
            "电话13812345678",
        )
    keep_feedback(folder, asked(small), NOW)
    with (folder / CANDIDATES).open("a") as file:
        file.write('{"id": 5}\nno json\n')
    written = (folder / CANDIDATES).read_bytes()
    newest, middle, oldest = candidates(folder)
    assert [one.why for one in (newest, middle, oldest)] == ["其他", "该说没有却答了", "没答到点上"]
    assert not proposed(middle).answerable and proposed(oldest).note == "没答到点上：电话［手机号码］"
    question = labelled(proposed(oldest), label(question=oldest.question), small.index)
    assert accept(workspace, oldest, question, workspace.new("反馈"), NOW) == "工作区 反馈.jsonl"
    (taken,) = workspace.read("工作区 反馈.jsonl")
    assert (taken.id, taken.as_of, taken.provenance) == (oldest.id, TODAY.as_of, "读者反馈 2026-11-26")
    assert [turn.content for turn in taken.history] == ["我叫［姓名］", "您好"]
    assert question_faults(taken, small.index) == []
    with pytest.raises(SettingsError, match="理由"):
        reject(workspace, middle, " ", NOW)
    reject(workspace, middle, "问的不是嘉定", NOW)
    for again in (oldest, middle):
        with pytest.raises(SettingsError, match="处理过"):
            reject(workspace, again, "x", NOW)
    assert candidates(folder) == [newest] and (folder / CANDIDATES).read_bytes() == written
    decided = [json.loads(line) for line in (folder / DECISIONS).read_text(encoding="utf-8").splitlines()]
    assert [(one["candidate"], one.get("reason", "")) for one in decided] == [
        (oldest.id, ""),
        (middle.id, "问的不是嘉定"),
    ]
    assert tally(folder) == {"helped": 1, "not": 3, "accepted": 1, "rejected": 1}


def test_an_empty_workspace_has_nothing_and_is_not_made(tmp_path: Path) -> None:
    empty = Workspace(tmp_path / "none")
    assert (empty.runs(), candidates(empty.folder)) == ({}, [])
    assert tally(empty.folder)["not"] == 0 and not empty.folder.exists()
