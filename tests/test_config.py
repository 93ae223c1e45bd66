"""Settings: where they come from, what is refused, and that the README lists them all."""

from dataclasses import fields
from pathlib import Path

import pytest
from conftest import ROOT

from assistant.config import Settings, shown
from assistant.errors import SettingsError


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without settings, and a folder without a settings file."""
    monkeypatch.chdir(tmp_path)
    for name in ("CONFIG", *(one.name.upper() for one in fields(Settings))):
        monkeypatch.delenv(f"JIADING_{name}", raising=False)


def test_the_readme_lists_every_setting_with_its_default_and_meaning() -> None:
    rows = [
        f"| `JIADING_{one.name.upper()}` | {f'`{one.default}`' if str(one.default) else ''} | {one.metadata['about']} |"
        for one in fields(Settings)
    ]
    written = [line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("| `JIADING_")]
    assert written == rows


def test_nothing_set_is_the_defaults() -> None:
    assert Settings.read() == Settings()
    assert {source for _, _, source, _ in shown()} == {"默认"}


def test_the_environment_goes_before_the_settings_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("jiading.toml").write_text('port = 8080\nhost = "0.0.0.0"\nchat_timeout_s = 5\n', "utf-8")
    monkeypatch.setenv("JIADING_PORT", "9090")
    settings = Settings.read()
    assert (settings.port, settings.host, settings.chat_timeout_s) == (9090, "0.0.0.0", 5.0)
    sources = {name: source for name, _, source, _ in shown()}
    assert (sources["JIADING_PORT"], sources["JIADING_HOST"]) == ("环境变量", "设置文件")


def test_a_settings_file_can_lie_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text('corpus = "/data/corpus"\n', "utf-8-sig")
    monkeypatch.setenv("JIADING_CONFIG", str(tmp_path / "other.toml"))
    settings = Settings.read()
    assert (settings.index, settings.workspace) == (Path("/data/index"), Path("/data/workspace"))


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIADING_CHAT_API_KEY", "sk-123")
    assert "sk-123" not in str(shown()) and "已设置" in str(shown())


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("prot = 8080", "prot"),  # a name that is none
        ('port = "many"', "port"),
        ("port = -1", "port"),
        ("port = 80.5", "port"),
        ("stop_s = nan", "stop_s"),
        ("host = 1", "host"),
        ("[host]", "host"),
        ('log_format = "xml"', "JIADING_LOG_FORMAT"),
        ('chat_url = "http://127.0.0.1/v1"', "JIADING_CHAT_MODEL"),  # one without the other
        ("port 8080", "jiading.toml"),  # no TOML
    ],
)
def test_what_cannot_be_a_setting_is_said_by_name(written: str, said: str) -> None:
    Path("jiading.toml").write_text(written, "utf-8")
    with pytest.raises(SettingsError, match=said):
        Settings.read()


def test_a_named_settings_file_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIADING_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        Settings.read()
