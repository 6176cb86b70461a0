"""`mpcd warmup`: compile the kernels into the cache that job processes read."""

from __future__ import annotations

import time
from pathlib import Path

import click

from mpcd.cli.output import emit_json, json_option, say


@click.command("warmup")
@click.option("--cache", type=click.Path(path_type=Path), help="The directory [default: that of the user].")
@json_option
def command(cache: Path | None, as_json: bool) -> None:
    """Compile the arithmetic kernels once, ahead of the first job.

    Installers run it as the user that runs the daemon; a daemon that finds no cache compiles by itself.
    """
    from mpcd.runtime.kernel_cache import one_at_a_time, prepare_cache

    directory = prepare_cache(cache)
    began = time.monotonic()
    with one_at_a_time(directory):
        from mpcd.ring.kernels import warm_up

        warm_up()
    seconds = time.monotonic() - began
    if as_json:
        emit_json("warmup", {"seconds": round(seconds, 3), "cache": str(directory)})
    else:
        say(f"kernels ready in {seconds:.1f} s, cached in {directory}")
