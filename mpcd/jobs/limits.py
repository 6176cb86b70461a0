"""How large a job's own documents may be, and how long a job may live. What it may cost: `program.limits`."""

from __future__ import annotations

MAX_PROGRAM_BYTES = 256 * 1024
MAX_SPECIFICATION_BYTES = 640 * 1024  # the program, escaped in JSON, and everything around it
MAX_STATEMENT_BYTES = 64 * 1024  # consents, receipts
MAX_EVIDENCE_BYTES = 256 * 1024
MAX_RECEIPT_BYTES = 512 * 1024  # a line for every input, every input that was left out, and every delivery

MAX_PARTIES = 64
MAX_INPUTS = 128  # a letter of slot INPUTS, with two lists of a cheater in it, fits into one message
MAX_RESULTS = 256  # outputs, and deliveries of outputs to recipients
MAX_PARAMETERS = 64
MAX_PARAMETER_VALUES = 4096
MAX_ROWS = 1 << 28
MAX_REASON_CHARACTERS = 500

MIN_DEADLINE_S = 1.0
MAX_DEADLINE_S = 7 * 86_400.0
GRACE_S = 30.0  # a job is in a terminal state by its deadline plus this, whoever is silent
