"""The Celery application of this process, over the broker in the settings: what `hub worker` and `hub beat` run.

Knows the settings. Must not be imported by anything that only needs the tasks' names.
"""

from __future__ import annotations

from hub import logs
from hub.settings import Settings, SettingsError
from hub.tasks.app import make_celery

_settings = Settings.from_env()
if _settings.redis_url is None:
    raise SettingsError(("HUB_REDIS_URL is not given: a worker needs the queue that the hub uses, see `hub serve`",))
logs.configure(_settings.log_level)
celery = make_celery(_settings.redis_url)
celery.set_default()
