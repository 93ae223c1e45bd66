import contextlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assistant.errors import CorpusError
from assistant.web import MAX_BYTES, download, fetch, read_addresses

PAGE = "<html><body><p>氢能港规划面积2.15平方公里。</p></body></html>"


class Site(BaseHTTPRequestHandler):
    """A web site with what an office may meet."""

    page = PAGE

    def do_GET(self) -> None:
        answers: dict[str, Callable[[], None]] = {
            "/page": lambda: self._send("text/html; charset=utf-8", self.page.encode()),
            "/moved": lambda: self._redirect("/page"),
            "/loop": lambda: self._redirect("/loop"),
            "/inside": lambda: self._redirect("http://localhost:1/admin"),
            "/metadata": lambda: self._redirect("http://169.254.169.254/latest"),
            "/file": lambda: self._redirect("file:///etc/passwd"),
            "/program": lambda: self._send("application/x-msdownload", b"MZ"),
            "/large": lambda: self._send("text/plain", b"x" * (MAX_BYTES + 1)),
        }
        answers.get(self.path, lambda: self.send_error(404))()

    def _send(self, kind: str, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        with contextlib.suppress(OSError):  # the reader has seen enough
            self.wfile.write(data)

    def _redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_page_is_kept_with_its_address(site: str, tmp_path: Path) -> None:
    url = f"http://{site}/moved"
    (first,) = fetch([(url, "氢能港")], tmp_path, [site])
    (again,) = fetch([(url, "氢能港")], tmp_path, [site])
    assert (first.file, first.state, again.state) == ("氢能港.html", "new", "same")
    assert url in (tmp_path / "氢能港.html").read_text(encoding="utf-8")


def test_a_changed_page_replaces_its_file(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"http://{site}/page"
    (first,) = fetch([(url, "")], tmp_path, [site])
    monkeypatch.setattr(Site, "page", PAGE.replace("2.15", "3.5"))
    (second,) = fetch([(url, "")], tmp_path, [site])
    assert (first.state, second.state) == ("new", "changed") and first.file == second.file
    assert "3.5" in (tmp_path / first.file).read_text(encoding="utf-8")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/inside", "JIADING_WEB_HOSTS"),  # a redirect to a host that was not allowed
        ("/metadata", "JIADING_WEB_HOSTS"),
        ("/file", "http 或 https"),
        ("/loop", "转跳"),
        ("/program", "不是网页"),
        ("/large", "MB"),
        ("/missing", "404"),
    ],
)
def test_what_a_rule_forbids_is_refused_and_nothing_written(site: str, tmp_path: Path, path: str, reason: str) -> None:
    (found,) = fetch([(f"http://{site}{path}", "")], tmp_path, [site])
    assert reason in found.fault and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://localhost/", ["localhost"]),  # a name that leads inside, though the name is allowed
        ("http://www.example.com/", []),  # nothing is allowed unless an administrator says so
        ("http://www.example.com/", ["example.com"]),
        ("http://example.com.evil.test/", ["*.example.com"]),
        ("http://user:secret@127.0.0.1/", ["127.0.0.1"]),
        ("http://127.0.0.1:8080/", ["127.0.0.1"]),  # another port is another host
        ("http://[::ffff:127.0.0.1]/", ["[::ffff:127.0.0.1]"]),
        ("http://2130706433/", ["2130706433"]),  # 127.0.0.1 as one number
        ("ftp://127.0.0.1/", ["127.0.0.1"]),
        ("http://127.0.0.1:99999/", ["127.0.0.1"]),
        ("javascript:alert(1)", ["127.0.0.1"]),
    ],
)
def test_an_address_that_leads_inside_is_never_reached(url: str, hosts: list[str]) -> None:
    with pytest.raises(CorpusError):
        download(url, hosts)


def test_one_address_that_fails_stops_no_other(site: str, tmp_path: Path) -> None:
    table = tmp_path / "addresses.csv"
    table.write_text(f"url,file\nhttp://{site}/missing,一\n,\nhttp://{site}/page,../../二\n", encoding="utf-8-sig")
    (tmp_path / "documents").mkdir()
    lost, kept = fetch(read_addresses(table), tmp_path / "documents", [site])
    assert lost.fault and kept.file == "二.html" and (tmp_path / "documents" / "二.html").is_file()
