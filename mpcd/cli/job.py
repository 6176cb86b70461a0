"""`mpcd job`: plan, submit and follow jobs, through the daemon of one's own organisation."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from mpcd.cli.evidence import accuses
from mpcd.cli.exit_codes import ExitCode, exit_code_of_job
from mpcd.cli.job_text import describe, job_dict, line, outputs_dict, print_outputs, print_plan, rows_dict
from mpcd.cli.local_daemon import config_option, find_config
from mpcd.cli.output import emit_json, json_option, say, table
from mpcd.cli.progress import follow
from mpcd.client.operator import Operator
from mpcd.client.programs import canonical_program
from mpcd.errors import NotFoundError, UsageError
from mpcd.identity.documents import load
from mpcd.jobs.document import JobDocument

WAIT_S = 7 * 86_400.0


@click.group("job")
def command() -> None:
    """Plan, submit and follow jobs, through the daemon of your own organisation."""


job_argument = click.argument("job", metavar="JOB")


def connect(config: Path | None) -> Operator:
    """A connection to the daemon of this machine."""
    return Operator(find_config(config).admin)


def resolve(operator: Operator, text: str) -> bytes:
    """The job whose hash begins with these hexadecimal digits, or whose name this is (the latest).

    Raises  NotFoundError, UsageError if several hashes begin so
    """
    jobs = operator.jobs()
    matches = [job.job for job in jobs if len(text) >= 4 and job.job.hex().startswith(text.lower())]
    matches = matches or [job.job for job in jobs if job.name == text][:1]
    if not matches:
        raise NotFoundError(f"this party knows no job {text}", fix="see: mpcd job list")
    if len(matches) > 1:
        raise UsageError(f"{len(matches)} jobs begin with {text}", fix="give more digits")
    return matches[0]


def read_job(path: Path) -> tuple[bytes, bytes]:
    """The bytes of a job file, and the canonical program that it names."""
    document = load(path, JobDocument)
    try:
        return path.read_bytes(), canonical_program(document.program, path.parent)
    except NotFoundError as error:
        raise NotFoundError(error.what, where=error.where or str(path), fix=error.fix) from None


@command.command("plan")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@json_option
def plan(file: Path, config: Path | None, as_json: bool) -> int:
    """Say what a job would cost and who would learn what, without running it."""
    job_file, program = read_job(file)
    with connect(config) as operator:
        reply = operator.plan(job_file, str(file), program)
    print_plan(reply, as_json)
    return ExitCode.OK if reply.acceptable else ExitCode.REFUSED


@command.command("submit")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--watch", "watch_it", is_flag=True, help="Follow the job until it has ended.")
@click.option("--key", default="", help="Idempotency key: the same key gives the same job again.")
@config_option
@json_option
def submit(file: Path, watch_it: bool, key: str, config: Path | None, as_json: bool) -> int:
    """Sign a job and hand it to the coordinator; prints the job's hash."""
    job_file, program = read_job(file)
    with connect(config) as operator:
        if not as_json:
            print_plan(operator.plan(job_file, str(file), program), False, to_stderr=True)
        job, existed = operator.submit(job_file, str(file), program, key or secrets.token_hex(16))
        if as_json and not watch_it:
            emit_json("job-submitted", {"job": job.hex(), "existed": existed})
        elif not as_json:
            click.echo(job.hex())
        return _follow(operator, job, as_json) if watch_it else ExitCode.OK


@command.command("watch")
@job_argument
@config_option
@json_option
def watch(job: str, config: Path | None, as_json: bool) -> int:
    """Follow a job until it has ended; the exit code says how."""
    with connect(config) as operator:
        return _follow(operator, resolve(operator, job), as_json)


def _follow(operator: Operator, job: bytes, as_json: bool) -> int:
    last = follow(operator.watch(job, WAIT_S), as_json)
    accused = last.state == "aborted" and accuses(operator.evidence(job))
    return exit_code_of_job(last.state, accused)


@command.command("show")
@job_argument
@config_option
@json_option
def show(job: str, config: Path | None, as_json: bool) -> None:
    """Everything this party knows of a job, but no values."""
    with connect(config) as operator:
        found = operator.get(resolve(operator, job))
    if as_json:
        emit_json("job", job_dict(found))
    else:
        click.echo(describe(found))


@command.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@config_option
@json_option
def list_jobs(limit: int, config: Path | None, as_json: bool) -> None:
    """The latest jobs of this party."""
    with connect(config) as operator:
        jobs = operator.jobs(limit)
    if as_json:
        emit_json("jobs", {"jobs": [job_dict(job) for job in jobs]})
    else:
        table([line(job) for job in jobs], ["JOB", "NAME", "STATE", "SUBMITTER", "DETAIL"])


@command.command("cancel")
@job_argument
@click.option("--reason", default="cancelled by the submitter", show_default=True)
@config_option
def cancel(job: str, reason: str, config: Path | None) -> None:
    """Cancel a job that this party submitted and whose outputs are not being opened yet."""
    with connect(config) as operator:
        operator.cancel(resolve(operator, job), reason)
    say("cancelled")


@command.command("result")
@job_argument
@click.option("--wait", "wait_s", default=0.0, help="Seconds to wait for it.", type=click.FloatRange(0))
@config_option
@json_option
def result(job: str, wait_s: float, config: Path | None, as_json: bool) -> None:
    """Print the outputs that this party is entitled to."""
    with connect(config) as operator:
        outputs, origins = operator.result_with_rows(resolve(operator, job), wait_s)
    if as_json:
        emit_json("job-result", {"outputs": outputs_dict(outputs), "rows": rows_dict(origins)})
    else:
        print_outputs(outputs, origins)


@command.command("evidence")
@job_argument
@click.option("--output", "--out", "-o", type=click.Path(path_type=Path), help="Write it to this file.")
@config_option
def evidence(job: str, output: Path | None, config: Path | None) -> None:
    """What this party has recorded about faults in a job; check it with `mpcd evidence verify`."""
    with connect(config) as operator:
        found = operator.evidence(resolve(operator, job))
    if not found.records:
        raise NotFoundError("this party has recorded no fault in this job")
    _write(found.to_text(), output)


@command.command("receipt")
@job_argument
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write it to this file.")
@click.option("--wait", "wait_s", default=0.0, help="Seconds to wait for it.", type=click.FloatRange(0))
@config_option
def receipt(job: str, output: Path | None, wait_s: float, config: Path | None) -> None:
    """Fetch the signed receipt of a job; check it with `mpcd receipt verify`."""
    with connect(config) as operator:
        found = resolve(operator, job)
        text = operator.receipt(found, wait_s).to_text()
    _write(text, output)


def _write(text: str, output: Path | None) -> None:
    """Text that ends with a line feed, to a file or to standard output."""
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text)
        say(f"wrote {output}")
