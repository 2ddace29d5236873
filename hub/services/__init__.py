"""PostgreSQL and Redis for whoever has none: started from wheels, stopped with the last hub that uses them.

Knows how to run both as any user, without a TCP port, and without losing what they acknowledged.
Must not know what is stored in them. Where a URL is given in the settings nothing is started.
"""

from __future__ import annotations

from hub.services.launcher import Services, ServiceStatus, remove_data, service_status, start_services
from hub.services.process import ServiceError

__all__ = ["ServiceError", "ServiceStatus", "Services", "remove_data", "service_status", "start_services"]
