"""The accounts as an administrator looks after them."""

from fastapi import APIRouter, Request, Response

from assistant.administration.shown import Administration, Kept, Page, Typed, shown, to
from assistant.errors import AccountError, MissingError
from assistant.people.access import ROLES, Role, record
from assistant.people.accounts import plain

router = APIRouter(prefix="/admin/users", include_in_schema=False, route_class=Page)


@router.get("")
def listed(request: Request, admin: Kept) -> Response:
    """Show all accounts."""
    return _page(request, admin)


@router.post("")
def add(request: Request, admin: Kept, form: Typed) -> Response:
    """Add an account and show its one-time password, this once."""
    name, role = form.get("name", ""), _role(form)
    try:
        name = plain(name)
        password = admin.people.accounts.add(name, role)
    except AccountError as error:
        return _page(request, admin, fault=str(error), name=name[:64], role=role, status=400)
    record(request, "user.added", name)
    return _page(request, admin, told=f"已建立账号“{name}”", password=password)


@router.post("/role")
def set_role(request: Request, admin: Kept, form: Typed) -> Response:
    """Give an account another role."""
    name, role = form.get("name", ""), _role(form)
    try:
        name = plain(name)
        admin.people.accounts.set_role(name, role)
    except AccountError as error:
        return _page(request, admin, fault=str(error), status=400)
    record(request, "user.role", name, role=role)
    return to("/admin/users")


@router.post("/{step}")
def take(request: Request, admin: Kept, form: Typed, step: str) -> Response:
    """Close or open an account, or give it a new one-time password."""
    name, accounts, password = form.get("name", ""), admin.people.accounts, ""
    try:
        name = plain(name)
        if step == "reset":
            password = accounts.reset(name)
        elif step in ("disable", "enable"):
            (accounts.disable if step == "disable" else accounts.enable)(name)
        else:
            raise MissingError("没有这个网页，请从上面的目录重新打开")
    except AccountError as error:
        return _page(request, admin, fault=str(error), status=400)
    record(request, f"user.{step}" if step == "reset" else f"user.{step}d", name)
    if password:
        return _page(request, admin, told=f"已重设“{name}”的密码，原来的登录和密钥都已失效", password=password)
    return to("/admin/users")


def _role(form: dict[str, str]) -> Role:
    try:
        return Role(form.get("role", ""))
    except ValueError as error:
        raise AccountError("请选择角色") from error


def _page(
    request: Request, admin: Administration, status: int = 200, name: str = "", role: Role = Role.ASKER, **told: str
) -> Response:  # fmt: skip
    accounts = admin.people.accounts.list()
    return shown(request, "accounts", "listed", accounts, ROLES, (name, role), status=status, **told)
