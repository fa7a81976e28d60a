"""Background jobs: commands of this project as processes of their own, under ``home/jobs``.

``home/jobs/<id>/`` holds ``job.json`` (what it is), ``lock`` (held while its process lives, with
its pid), ``progress.json``, ``log.txt`` (all that it printed) and, once it has ended by itself,
``end.json``. The kernel drops the lock when a process dies, however it does; so a job that was
killed is known from the disk alone, by any page of any server.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rag_app.errors import JobError
from rag_app.progress_file import Step, read_step
from rag_app.sealed import disk_error, write_whole

JOBS = "jobs"
RECORD, LOCK, PROGRESS, LOG, END = "job.json", "lock", "progress.json", "log.txt", "end.json"
Program = Literal["rag_app", "finetune"]
"""What `python -m` runs; one job of each at a time: the library has one writer, the processor time
for one training run."""
KEPT = 10
"""Ended jobs that stay on disk."""
LOG_BYTES = 20_000
"""What is read of the end of a log."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job as it stands on disk."""

    folder: Path
    title: str
    argv: tuple[str, ...]
    began: dt.datetime
    running: bool
    program: Program = "rag_app"
    code: int | None = None
    """The exit code of the command; none while it runs, and when it was killed."""
    ended: dt.datetime | None = None

    @property
    def step(self) -> Step | None:
        """How far it is; none before it says so."""
        return read_step(self.folder / PROGRESS)

    def log(self) -> list[str]:
        """The last lines it printed; of a progress bar, as it stood last."""
        try:
            with (self.folder / LOG).open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
        return [line for line in lines if line.strip()]


def start(
    home: Path,
    title: str,
    argv: Sequence[str],
    environment: Mapping[str, str],
    program: Program = "rag_app",
) -> None:
    """Run `python -m PROGRAM ARGV` in the background; it goes on without the page and the server.

    Raises:
        JobError: a job of the program runs already.
        LibraryError: the disk is full or read-only.
    """
    top = home.resolve() / JOBS
    try:
        top.mkdir(parents=True, exist_ok=True)
        with _starting(top):
            if running := next((job for job in jobs(home, program) if job.running), None):
                raise JobError(
                    f"“{running.title}” is still running; wait until it has finished, or cancel it."
                )
            _forget(jobs(home, program)[KEPT - 1 :])
            now = dt.datetime.now(dt.UTC)
            folder = top / f"{now:%Y%m%dT%H%M%S.%f}"
            folder.mkdir()
            record = {"title": title, "program": program, "argv": list(argv)}
            record["began"] = now.isoformat()
            _spawn(folder, record, environment)
    except OSError as error:
        raise disk_error(top, error) from error


def _spawn(folder: Path, record: Mapping[str, object], environment: Mapping[str, str]) -> None:
    """Start the process; it inherits the lock, so that there is no moment without."""
    with (folder / LOCK).open("w") as lock, (folder / LOG).open("wb") as log:
        fcntl.flock(lock, fcntl.LOCK_EX)
        write_whole(folder / RECORD, json.dumps(record).encode())
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "rag_app.ui.job_process", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            pass_fds=[lock.fileno()],
            start_new_session=True,  # Ctrl-C ends the server, not the job
        )
        lock.write(str(process.pid))
    threading.Thread(target=process.wait, daemon=True).start()  # or it stays a zombie


@contextmanager
def _starting(top: Path) -> Iterator[None]:
    """One start at a time, over all sessions and servers."""
    with (top / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def jobs(home: Path, program: Program = "rag_app") -> list[Job]:
    """The program's jobs on disk, the newest first; a record that cannot be read is left out."""
    folders = sorted((home.resolve() / JOBS).glob(f"*/{RECORD}"), reverse=True)
    found = (_read(path.parent) for path in folders)
    return [job for job in found if job and job.program == program]


def _read(folder: Path) -> Job | None:
    # The lock first: a process that ends now has written its end before it lets go.
    running = _is_held(folder / LOCK)
    try:
        record = json.loads((folder / RECORD).read_bytes())
        end = {} if running or not (folder / END).exists() else _end(folder)
        return Job(
            folder,
            str(record["title"]),
            tuple(map(str, record["argv"])),
            dt.datetime.fromisoformat(record["began"]),
            running,
            record["program"],
            **end,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _end(folder: Path) -> dict[str, Any]:
    end = json.loads((folder / END).read_bytes())
    return {"code": int(end["code"]), "ended": dt.datetime.fromisoformat(end["ended"])}


def _is_held(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def cancel(job: Job) -> None:
    """Ask a job to stop, as Ctrl-C does; what it has finished is kept."""
    with suppress(OSError, ValueError):  # it has just ended
        pid = int((job.folder / LOCK).read_text())
        if _is_held(job.folder / LOCK):
            os.kill(pid, signal.SIGINT)


def forget_ended(home: Path) -> None:
    """Remove what is kept of the jobs that have ended."""
    _forget(jobs(home))


def _forget(found: Sequence[Job]) -> None:
    for job in found:
        if not job.running:
            shutil.rmtree(job.folder, ignore_errors=True)
