"""``python -m infocpl``: the command line where no script ``infocpl`` is on the path."""

from __future__ import annotations

import sys

from infocpl.apps.cli import main

if __name__ == "__main__":
    sys.exit(main())
