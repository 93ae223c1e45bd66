"""What can go wrong, by who can mend it; each message is Chinese, names the place and says what to do."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

UNFORESEEN = "程序出现意外故障，请稍后再试；如果一直这样，请联系维护人员。"


class AssistantError(Exception):
    """A failure that a user can act on; shown as one line, without a traceback."""

    exit_code = 1


class SettingsError(AssistantError):
    """A setting or an argument is wrong: mend the setting."""

    exit_code = 2


class CorpusError(AssistantError):
    """A file or a catalogue row is wrong: mend the file."""

    exit_code = 3


class NoIndexError(AssistantError):
    """There is no index yet: run ingest."""

    exit_code = 4


class StaleIndexError(AssistantError):
    """The index was made by another format or embedding model, or is damaged: run ingest again."""

    exit_code = 4


class StoreError(AssistantError):
    """The engine that holds the vectors cannot be reached, fails, or cannot do what it must: start it, or mend its address."""

    exit_code = 8


class IndexLockedError(AssistantError):
    """Another process is writing the index: wait for it."""

    exit_code = 5


class BusyError(AssistantError):
    """More questions are being answered than there is room for: ask again in a moment."""

    exit_code = 5


class DatabaseError(AssistantError):
    """The database of accounts and logs cannot be opened, read or written: mend its address or start it."""

    exit_code = 7


class AccountError(AssistantError):
    """An account, a name or a password is not as it must be: mend what was given."""

    exit_code = 2


class ProviderError(AssistantError):
    """The identity provider cannot be reached or does not answer as it must: start it, or mend its settings."""

    exit_code = 6


class ConflictError(AssistantError):
    """Somebody else changed the same thing meanwhile: look at theirs, then decide."""

    exit_code = 5


class MissingError(AssistantError):
    """What is named is not there, or no longer: go back to the list."""

    exit_code = 2


class ForbiddenError(AssistantError):
    """Who asks may not do that: ask somebody who may."""

    exit_code = 2


class WorkspaceError(AssistantError):
    """The workspace cannot be read or written: mend its folder."""

    exit_code = 2


class ModelError(AssistantError):
    """An embedding or chat model cannot be loaded or does not answer."""

    exit_code = 6


def told(error: Exception) -> str:
    """Return a failure as one line for the reader of a page; an unforeseen one goes to the log with its traceback."""
    if isinstance(error, AssistantError):
        return str(error)
    logging.getLogger("assistant").error("unforeseen failure", exc_info=error)
    return UNFORESEEN


@contextmanager
def reaching(address: str, *expected: type[Exception]) -> Iterator[None]:
    """Raise what an engine's client raises as StoreError, but for what is `expected`; where it is goes to the log alone."""
    try:
        yield
    except Exception as error:  # the clients raise many kinds
        if isinstance(error, (AssistantError, *expected)):
            raise
        where = address or "in the index"
        logging.getLogger("assistant").warning("store %s: %s", where, type(error).__name__)  # what it says may quote
        raise StoreError(
            "向量库连不上或出错，请稍后再试；一直这样时，请管理员确认它在运行，并核对 JIADING_STORE"
        ) from error
