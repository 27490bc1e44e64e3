"""The command itself: what the user gave wrong is one sentence, and a mistyped verb gets a guess."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from unheard import __version__
from unheard.errors import InputError


class Command(click.Group):
    """Puts what the user gave wrong into one sentence (exit 2), and guesses mistyped verbs."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one is near."""
        from unheard.errors import did_you_mean

        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise click.UsageError(f'there is no verb "{args[0]}"; {did_you_mean(args[0], self.commands)}', ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except InputError as problem:
            fail(str(problem))
        except KeyboardInterrupt:
            fail("interrupted; what was done is kept, and the same command goes on with it", code=130)


def fail(sentence: str, code: int = 2) -> NoReturn:
    """Say what is wrong and leave."""
    click.echo(f"unheard: {sentence}", err=True)
    sys.exit(code)


@click.group(cls=Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="unheard")
def main() -> None:
    """Speech emotion recognition for voices it has never heard."""
