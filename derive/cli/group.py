"""The command `derive`: what went wrong becomes one line and an exit code."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any

import click

from derive import __version__


class Group(click.Group):
    """Turns what went wrong into one line and an exit code, and knows the nearest command."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        from derive.errors import InputError, WitnessError

        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # a terminal that knows few letters shows the rest by number
                stream.reconfigure(errors="backslashreplace")
        try:
            code = super().main(*args, **{**kwargs, "standalone_mode": False})
            sys.exit(code if isinstance(code, int) else 0)
        except click.exceptions.Abort:
            fail("interrupted", 130)
        except click.ClickException as error:
            usage = isinstance(error, click.UsageError) and error.ctx is not None
            where = f" (see {error.ctx.command_path} --help)" if usage else ""  # type: ignore[attr-defined]
            fail(" ".join(error.format_message().split()) + where, error.exit_code)
        except InputError as error:
            fail(str(error), 2)
        except WitnessError as error:
            fail(f"the witnesses disagree, nothing was written: {error}", 3)
        except KeyboardInterrupt:
            fail("interrupted", 130)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            if os.environ.get("DERIVE_DEBUG"):
                raise
            fail(f"cannot be written: {(error.strerror or str(error)).lower()}", 2)
        except (Exception, RecursionError) as error:  # a bug in derive: still one line, unless asked for more
            if os.environ.get("DERIVE_DEBUG"):
                raise
            fail(
                f"internal error, please report it: {type(error).__name__}: {str(error)[:200]!r} (DERIVE_DEBUG=1 shows where)",
                3,
            )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:  # nothing was asked for: what can be asked, on lines of its own
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        from derive.errors import nearest

        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise click.UsageError(f"No such command '{args[0]}'.{nearest(args[0], self.commands)}", ctx)
        return super().resolve_command(ctx, args)


def fail(message: str, code: int) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):  # there may be no standard error
        encoding = sys.stderr.encoding or "ascii"
        click.echo(message.encode(encoding, "backslashreplace").decode(encoding), err=True)
    sys.exit(code)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="derive %(version)s")
def main() -> None:
    """The mathematics of a small neural network, worked line by line and checked.

    NET is a network file (YAML), - for standard input, or the name of a built-in example: see `derive list`.
    """
