"""Assembly: makes one event for each real contact from mentions. Pure and deterministic; see docs/assembly.md."""

from __future__ import annotations

from monitor.assemble.assembly import Assembly
from monitor.assemble.assembly_step import Outcome
from monitor.assemble.brief.headline import headline
from monitor.assemble.claims.notices import with_withdrawals

__all__ = ["Assembly", "Outcome", "headline", "with_withdrawals"]
