"""What has to happen before any test module is imported."""

from __future__ import annotations

from hypothesis import settings

from mpcd.transport import grpc_environment

grpc_environment.prepare()

# How long an example takes depends on what else the machine does: no deadline, but pytest's own.
settings.register_profile("mpcd", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("mpcd")
