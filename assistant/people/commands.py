"""The commands of the administrator at the machine: accounts and the audit log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from assistant.config import Settings
from assistant.people.access import ROLES, Role

if TYPE_CHECKING:
    from assistant.people.people import People

Format = Literal["csv", "jsonl"]
WHO = "命令行"
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="账号名。", show_default=False)]
RoleArgument = Annotated[Role, typer.Argument(metavar="ROLE", help="asker 提问、drafter 起草、evaluator 评测、administrator 管理。", show_default=False)]  # fmt: skip
app = typer.Typer()
users = typer.Typer(help="账号：列出、增加、重设密码、停用、启用、改变角色。", no_args_is_help=True)
audit = typer.Typer(help="审计日志：导出、核对。", no_args_is_help=True)
app.add_typer(users, name="users")
app.add_typer(audit, name="audit")


@contextmanager
def _people() -> Iterator["People"]:
    from assistant.people.people import People  # the database takes its time to load

    people = People(Settings.read())
    try:
        yield people
    finally:
        people.close()


def _note(people: "People", action: str, name: str) -> None:
    from assistant.people.audit import Event

    people.audit.add(Event(action, WHO, about=name))


@users.command("list")
def list_users() -> None:
    """列出账号：名称、角色、状态。"""
    with _people() as people:
        for one in people.accounts.list():
            state = "停用" if one.disabled else "待改一次性密码" if one.one_time else "正常"
            typer.echo(f"{one.name}\t{ROLES[one.role]}\t{state}")


@users.command()
def add(name: NameArgument, role: RoleArgument) -> None:
    """增加账号，显示一次性密码。"""
    with _people() as people:
        password = people.accounts.add(name, role)
        _note(people, "user.added", name)
    typer.echo(f"一次性密码：{password}（只显示这一次，第一次登录时要修改）")


@users.command()
def reset(name: NameArgument) -> None:
    """重设密码，显示一次性密码；登录和密钥都失效。"""
    with _people() as people:
        password = people.accounts.reset(name)
        _note(people, "user.reset", name)
    typer.echo(f"一次性密码：{password}（只显示这一次，第一次登录时要修改）")


@users.command()
def disable(name: NameArgument) -> None:
    """停用账号。"""
    with _people() as people:
        people.accounts.disable(name)
        _note(people, "user.disabled", name)
    typer.echo(f"已停用 {name}")


@users.command()
def enable(name: NameArgument) -> None:
    """启用停用的账号。"""
    with _people() as people:
        people.accounts.enable(name)
        _note(people, "user.enabled", name)
    typer.echo(f"已启用 {name}")


@users.command()
def role(name: NameArgument, role: RoleArgument) -> None:
    """改变账号的角色。"""
    with _people() as people:
        people.accounts.set_role(name, role)
        _note(people, "user.role", name)
    typer.echo(f"{name} 的角色改为{ROLES[role]}")


@audit.command()
def export(
    form: Annotated[Format, typer.Option("--format", help="csv 或 jsonl。")] = "csv",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="写到文件；默认标准输出。")] = None,
) -> None:
    """导出全部审计日志。"""
    with _people() as people:
        content = b"".join(people.audit.export(form))
    if out:
        out.write_bytes(content)
    else:
        sys.stdout.buffer.write(content)


@audit.command()
def verify() -> None:
    """核对审计日志有没有被改动。"""
    with _people() as people:
        found = people.audit.verify()
    typer.echo("没有发现改动。" if found is None else f"第{found}条起与写入时不同。")
    if found is not None:
        raise typer.Exit(1)
