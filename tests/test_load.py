import gzip
import json
from pathlib import Path

import pytest
from conftest import DOCUMENTS, ROWS, write_corpus

from assistant.errors import CorpusError
from assistant.load import load

TEXT = "# 标准\n\n首次认定，给予资金奖励。\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_chinese_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.md").write_bytes((TEXT * 20).encode(encoding))
    (document,) = load(tmp_path / "a.md").documents
    assert document.text.startswith(TEXT.strip())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.md", b"", "空的"),
        ("blank.md", b"\n \n", "空的"),
        ("binary.md", bytes(range(256)) * 20, "不是文本文件"),
        ("table.xlsx", b"PK\x03\x04", "损坏"),
        ("old.doc", b"\xd0\xcf\x11\xe0", "另存为 .docx"),
        ("notes.xyz", b"abc", "不支持“.xyz”"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_the_rest_loads(corpus: Path, name: str, content: bytes, said: str) -> None:
    (corpus / "documents" / name).write_bytes(content)
    loaded = load(corpus)
    assert len(loaded.documents) == len(DOCUMENTS)
    (line,) = [str(problem) for problem in loaded.problems if problem.refused]
    assert line.startswith(name) and said in line and "\n" not in line


def test_a_link_out_of_the_folder_is_not_followed(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("机密内容。\n", encoding="utf-8")
    (corpus / "documents" / "note.md").symlink_to(tmp_path / "secret.md")
    loaded = load(corpus)
    assert len(loaded.documents) == len(DOCUMENTS)
    assert any("note.md" in str(problem) and "链接" in problem.reason for problem in loaded.problems)


def test_a_file_may_have_any_name_and_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a\nb\x1b[31m.xyz").write_bytes(b"x")
    (problem,) = load(tmp_path).problems
    assert str(problem).isprintable()


def test_a_line_without_end_is_refused_not_read_whole(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb.jsonl.gz", "wb") as file:
        for _ in range(60):
            file.write(b" " * 1_000_000)
    with pytest.raises(CorpusError, match="第1行超过"):
        load(tmp_path / "bomb.jsonl.gz")


def test_reading_a_folder_tells_how_far_it_is(corpus: Path) -> None:
    told: list[tuple[int, int]] = []
    load(corpus, progress=lambda done, total: told.append((done, total)))
    assert told == [(number, len(DOCUMENTS)) for number in range(1, len(DOCUMENTS) + 1)]


POLICY = (
    "关于印发《测试区扶持办法》的通知\n\n测府规〔2024〕9号\n\n各企业：\n\n本办法自2024年1月1日起施行，有效期至2026年12月31日。"
    "原《测试区老办法》同时废止。\n\n测试区人民政府\n\n2023年12月20日\n"
)


@pytest.mark.parametrize(
    ("filled", "told"),
    [
        ({}, ["文号", "生效日", "失效日", "替代"]),  # the text says what the row leaves blank
        ({"document_number": "测府规〔2024〕9号", "valid_from": "2024", "valid_to": "2026-12-31", "supersedes": "x"}, []),
        ({"document_number": "测府规〔2024〕9号", "valid_from": "2024-01-01", "valid_to": "2027-12-31", "supersedes": "x"}, ["失效日"]),
    ],
)  # fmt: skip
def test_a_row_that_leaves_out_or_contradicts_its_text_is_told(
    tmp_path: Path, filled: dict[str, str], told: list[str]
) -> None:
    row = {"title": "测试区扶持办法", "doc_type": "policy", **filled}
    loaded = load(write_corpus(tmp_path / "corpus", {"a.txt": POLICY}, {"a.txt": row}))
    assert len(loaded.documents) == 1 and not any(problem.refused for problem in loaded.problems)
    assert len(loaded.problems) == len(told)
    assert all(column in problem.reason for column, problem in zip(told, loaded.problems, strict=True))
    assert loaded.documents[0].metadata.valid_to == filled.get("valid_to", "")  # the officer decides


def test_a_folder_without_documents_beside_its_tables_reads_them_as_tables(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("甲园在安亭镇。", encoding="utf-8")
    (tmp_path / "catalog.csv").write_text("file,title\na.md,甲园\n", encoding="utf-8")
    (tmp_path / "glossary.csv").write_text("term,aliases\n甲园,甲\n", encoding="utf-8")
    assert [document.title for document in load(tmp_path).documents] == ["甲园"]


def test_a_missing_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="找不到"):
        load(tmp_path / "nowhere")


def test_a_catalogue_saved_by_excel_in_gbk_is_read(corpus: Path) -> None:
    catalogue = corpus / "catalog.csv"
    catalogue.write_bytes(catalogue.read_text(encoding="utf-8-sig").encode("gbk"))
    loaded = load(corpus)
    assert not loaded.problems and {d.title for d in loaded.documents} == {row["title"] for row in ROWS.values()}


def test_a_bad_row_refuses_only_its_document(tmp_path: Path) -> None:
    rows = {**ROWS, "port.md": {**ROWS["port.md"], "published": "去年"}}
    loaded = load(write_corpus(tmp_path, DOCUMENTS, rows))
    assert {d.id for d in loaded.documents} == {"grant", "draft"} and loaded.refused == {"port"}
    assert "去年" in str(loaded.problems[0])


def test_rows_and_files_without_each_other_are_named(tmp_path: Path) -> None:
    rows = {**{k: v for k, v in ROWS.items() if k != "port.md"}, "gone.md": {"title": "没有的"}}
    loaded = load(write_corpus(tmp_path, DOCUMENTS, rows))
    said = [str(problem) for problem in loaded.problems]
    assert any("port.md" in line and "未核对" in line for line in said) and any("gone.md" in line for line in said)
    assert next(d for d in loaded.documents if d.id == "port").metadata.status == "unverified"


def test_what_the_catalogue_says_of_a_policy_can_be_cited(corpus: Path) -> None:
    documents = {d.id: d for d in load(corpus).documents}
    assert "文号：测府规〔2023〕3号" in documents["grant"].text
    assert "有效期或受理期：自2023年6月1日起至2025年5月31日止" in documents["grant"].text
    assert "文件信息" not in documents["port"].text  # nothing to say


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_json_lines_keep_their_ids(tmp_path: Path, name: str) -> None:
    lines = [
        json.dumps({"id": "甲/1", "title": "标题", "text": "正文。", "published": "2024-05"}, ensure_ascii=False),
        "{bad",
        json.dumps({"id": "甲/1", "text": "重复"}),
        json.dumps({"id": "乙", "text": " "}),
        json.dumps({"id": "丙", "text": "正文", "published": "某天"}),
    ]
    data = "\n".join(lines).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    loaded = load(tmp_path / name)
    assert [(d.id, d.title, d.metadata.published) for d in loaded.documents] == [("甲/1", "标题", "2024-05")]
    assert [str(problem).split("行")[0] for problem in loaded.problems] == [f"{name} 第{n}" for n in (2, 3, 4, 5)]


def test_a_damaged_archive_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"id": "a", "text": "b"}' * 99)[:-20])
    with pytest.raises(CorpusError, match="损坏"):
        load(tmp_path / "a.jsonl.gz")
