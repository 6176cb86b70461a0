"""Secure multi-party computation as a service that an organisation can run."""

__version__ = "0.1.0"
