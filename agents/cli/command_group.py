"""The group of commands that `summitry` and its groups are. It imports only click, so that help is fast."""

from __future__ import annotations

import click


class CommandGroup(click.Group):
    """A group that suggests the nearest command when there is none of the given name."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names. Ends with a usage error when there is none."""
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            from difflib import get_close_matches  # noqa: PLC0415  # only for mistakes

            if near := get_close_matches(args[0], self.list_commands(ctx), 1):
                ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)
