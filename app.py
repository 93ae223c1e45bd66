"""Start the web page: the same as `jiading-assistant serve`, for those who run `python app.py`."""

import sys

from assistant.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "serve")
    main()
