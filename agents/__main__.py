"""`python -m agents COMMAND` is the same as `summitry COMMAND`, run with this Python interpreter."""

from __future__ import annotations

from agents.cli import main

main()
