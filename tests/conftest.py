"""What has to happen before any test module is imported."""

from __future__ import annotations

from mpcd.transport import grpc_environment

grpc_environment.prepare()
