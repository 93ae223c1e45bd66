"""Write a reply to a file, or as plain text for a terminal."""

from collections.abc import Callable, Sequence
from pathlib import Path

from assistant.errors import SettingsError
from assistant.reply.check import Finding
from assistant.reply.markdown import to_markdown
from assistant.reply.risk import Risk
from assistant.reply.schema import Draft, Paragraph
from assistant.reply.word import to_docx

Write = Callable[[Draft, Sequence[Paragraph]], None]


def exporter(file: Path) -> Write:
    """Return what writes a reply to a file in the format of its name. Raises SettingsError if it has none, or its folder is not there.

    What is returned raises SettingsError where the file cannot be written.
    """
    suffix = file.suffix.lower()
    if suffix not in (".docx", ".md"):
        raise SettingsError(f"“{file.name}”：只能写成 .docx 或 .md 文件")
    if not file.parent.is_dir():
        raise SettingsError(f"没有文件夹“{file.parent}”，请先建立，或换一个位置")

    def write(draft: Draft, paragraphs: Sequence[Paragraph]) -> None:
        content = to_docx(draft, paragraphs) if suffix == ".docx" else to_markdown(draft, paragraphs).encode()
        try:
            file.write_bytes(content)
        except OSError as error:
            raise SettingsError(f"写不了“{file}”（{error.strerror}），请检查权限，或先关闭打开它的程序") from error

    return write


def to_text(draft: Draft, findings: Sequence[Finding], risk: Risk) -> str:
    """Return a draft as plain text: its paragraphs, the footnotes, what the officer should know, what to mend, the risk."""
    lines = [paragraph.text for paragraph in draft.paragraphs]
    if draft.references:
        lines += ["", "脚注：", *(f"[^{one.number}] {one.footnote} {one.link}".rstrip() for one in draft.references)]
    notes = [(point.ask.alone, note) for point in draft.points for note in point.notes]
    if notes or draft.notes:
        lines += ["", "给承办人的说明（不是回复的内容）："]
        lines += [*(f"※ {note}" for note in draft.notes), *(f"※ {asked}：{note}" for asked, note in notes)]
    if findings:
        lines += ["", "要改的地方：", *(f"· {one.message}：{one.text}（{one.paragraph}）" for one in findings)]
    reasons = "；".join(reason.text for reason in risk.reasons)
    return "\n".join([*lines, "", f"{risk.verdict}{f'：{reasons}' if reasons else ''}。"])
