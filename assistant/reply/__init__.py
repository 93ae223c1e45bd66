"""Draft a reply to a letter, hold its edits to the sources, say who must look at it, and export it."""

from assistant.reply.check import Finding, check
from assistant.reply.draft import draft
from assistant.reply.export import exporter, to_text
from assistant.reply.markdown import to_markdown
from assistant.reply.risk import Reason, Risk, risk
from assistant.reply.schema import Draft, Paragraph, Point, Reference
from assistant.reply.word import to_docx

__all__ = [
    "Draft",
    "Finding",
    "Paragraph",
    "Point",
    "Reason",
    "Reference",
    "Risk",
    "check",
    "draft",
    "exporter",
    "risk",
    "to_docx",
    "to_markdown",
    "to_text",
]
