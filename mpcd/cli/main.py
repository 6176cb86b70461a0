"""The `mpcd` command: finds the sub-command, loads only its code, and turns errors into words and exit codes.

Conventions  data on standard output, talk on standard error; colour only on a terminal; `--json`
             wherever a program may read along; exit codes in `mpcd.cli.exit_codes`.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from mpcd import __version__
from mpcd.cli.exit_codes import ExitCode, exit_code_of
from mpcd.errors import MpcdError

# name: (module that defines `command`, one line for the list of commands)
COMMANDS = {
    "demo": ("mpcd.cli.demo", "Run a whole auction between real daemons on this machine."),
    "cluster": ("mpcd.cli.cluster", "Keep a local cluster of daemons up."),
    "party": ("mpcd.cli.party", "Set up, run and look at an organisation's daemon."),
    "coordinator": ("mpcd.cli.coordinator", "Set up and run a coordinator."),
    "job": ("mpcd.cli.job", "Plan, submit and follow jobs."),
    "roster": ("mpcd.cli.roster", "Put the entries of all organisations together."),
    "receipt": ("mpcd.cli.receipt", "Verify the receipt of a job offline."),
    "evidence": ("mpcd.cli.evidence", "Check what a party has recorded about faults, offline."),
    "program": ("mpcd.cli.program", "Read, check and try programs."),
    "warmup": ("mpcd.cli.warmup", "Compile the arithmetic kernels once, ahead of the first job."),
    "version": ("mpcd.cli.version", "Print the version."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, so that `mpcd --help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, from the table above: nothing is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mpcd")
def cli() -> None:
    """Compute something on everybody's private data, and show nothing but the result."""


def main() -> None:
    """Run the command line and exit with one of the documented codes; no traceback reaches a user."""
    # pydantic would look through all installed packages for plugins, which may change what it checks.
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    try:
        code = cli.main(prog_name="mpcd", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        sys.exit(ExitCode.OK)  # the reader of our output, `head` say, has seen enough
    except MpcdError as error:
        show_error(error)
        sys.exit(exit_code_of(error))
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


def show_error(error: MpcdError) -> None:
    """Print what went wrong, where, and what to do, to standard error."""
    where = f"{error.where}: " if error.where else ""
    click.echo(f"mpcd: {where}{error.what}", err=True)
    if error.fix:
        click.echo(f"      to mend it: {error.fix}", err=True)


if __name__ == "__main__":
    main()
