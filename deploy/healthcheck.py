"""Whether one role in its container does its work; exit status 0 or 1 and one line.

Knows how to ask each role. Must not change anything, nor ask a role about the others.
"""

from __future__ import annotations

import socket
import sys
import time
import urllib.request

from hub.settings import Settings
from hub.tasks.app import make_celery

BEAT_WRITES_WITHIN_SECONDS = 600
"""The scheduler writes its file every three minutes."""


def web(settings: Settings) -> str:
    """Empty where the web server answers that it is ready, else why not."""
    # Asked under its own outside name: requests for other hosts are refused.
    request = urllib.request.Request(
        f"http://127.0.0.1:{settings.port}/health/ready", headers={"Host": settings.trusted_hosts[0]}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above.
            return "" if answer.status == 200 else f"answers {answer.status}"
    except OSError as fault:
        return f"does not answer: {fault}"


def worker(settings: Settings) -> str:
    """Empty where the worker of this machine answers through the broker, else why not."""
    celery = make_celery(settings.redis_url or "")
    try:
        answers = celery.control.ping(destination=[f"celery@{socket.gethostname()}"], timeout=5)
    except OSError as fault:
        return f"the broker does not answer: {fault}"
    return "" if answers else "no worker answers through the broker"


def beat(settings: Settings) -> str:
    """Empty where the scheduler has written its file lately, else why not."""
    written = [file.stat().st_mtime for file in settings.state_dir.glob("beat-schedule*")]
    if not written:
        return "has not begun"
    age = time.time() - max(written)  # noqa: TID251 - compared with a file's own time, which is the machine's.
    return "" if age < BEAT_WRITES_WITHIN_SECONDS else f"wrote its schedule {age:.0f} s ago"


ROLES = {"web": web, "worker": worker, "beat": beat}


def main() -> int:
    """Ask the role that the one argument names."""
    role = sys.argv[1]
    wrong = ROLES[role](Settings.from_env())
    print(f"{role}: {wrong or 'well'}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
