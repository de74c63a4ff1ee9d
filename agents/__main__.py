"""`python -m agents COMMAND`: the `summitry` command of this very interpreter."""

from __future__ import annotations

from agents.cli import main

main()
