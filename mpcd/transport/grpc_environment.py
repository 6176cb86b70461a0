"""What has to be in the environment before gRPC is first imported.

gRPC for Python has no setting "TLS 1.3 only". The cipher suite below is for TLS 1.2 and RSA keys; all our
leaves have P-256 keys, so no TLS 1.2 handshake finds a cipher, on either side, while TLS 1.3 has suites of
its own. The library reads the variable once. A test shows that a TLS 1.2 client is refused.
"""

from __future__ import annotations

import os
import sys

from mpcd.errors import InternalError

_SETTINGS = {
    "GRPC_SSL_CIPHER_SUITES": "ECDHE-RSA-AES128-GCM-SHA256",
    # The library would write failed handshakes of strangers to our standard error, unasked and unlimited.
    "GRPC_VERBOSITY": "NONE",
    # Job processes come from a fork server that never holds gRPC.
    "GRPC_ENABLE_FORK_SUPPORT": "0",
}


def prepare() -> None:
    """Set the variables; the first thing that the start of a daemon or a command does.

    Raises    InternalError if gRPC was imported before, with other settings
    """
    if "grpc" in sys.modules and not is_prepared():
        raise InternalError("gRPC was imported before its environment was prepared")
    os.environ.update(_SETTINGS)


def is_prepared() -> bool:
    """True if this process refuses TLS 1.2."""
    return os.environ.get("GRPC_SSL_CIPHER_SUITES") == _SETTINGS["GRPC_SSL_CIPHER_SUITES"]
