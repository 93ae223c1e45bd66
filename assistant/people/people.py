"""Everything about people in one: accounts, sessions, keys, the logs and the limits, over one database."""

from assistant.config import Settings
from assistant.people.accounts import Accounts
from assistant.people.addresses import networks
from assistant.people.attempts import Attempts
from assistant.people.audit import Audit
from assistant.people.database import Database
from assistant.people.journeys import Journeys
from assistant.people.later import Later
from assistant.people.questions import Questions
from assistant.people.rates import Rates
from assistant.people.sessions import Keys, Sessions


class People:
    """What the application knows of people. Raises SettingsError, and DatabaseError where the database cannot be opened."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.proxies = settings, networks(settings.proxies)
        self._database, self._later = Database(settings.database, settings.workspace), Later()
        self.audit = Audit(self._database, self._later)
        self.questions = Questions(self._database, self._later, settings.question_days)
        self.accounts = Accounts(self._database, Attempts(self._database))
        self.sessions, self.keys = Sessions(self._database), Keys(self._database)
        self.journeys = Journeys(self._database)
        self.rates = Rates(self._database, settings.rate_per_minute, settings.user_rate_per_minute)

    def close(self) -> None:
        """Write what is in line, and give the database back."""
        self._later.close()
        self._database.close()
