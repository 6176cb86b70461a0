"""Runs MPyC on the same work, in three processes over TLS, and reads what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PARTIES = 3
TIMEOUT_S = 900


def run_mpyc(sizes: dict[str, int]) -> dict[str, float]:
    """Item -> seconds, for as many elements each as `sizes` says."""
    script = Path(__file__).with_name("mpyc_work.py").resolve()
    with tempfile.TemporaryDirectory() as folder:
        _write_certificates(Path(folder) / ".config")
        command = [sys.executable, str(script), f"-M{PARTIES}", "--ssl", "--no-log", json.dumps(sizes)]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(rows) != len(sizes):
        raise RuntimeError(f"MPyC ended with code {done.returncode}: {done.stderr[-2000:]}")
    return {row["item"]: row["seconds"] for row in rows}


def _write_certificates(folder: Path) -> None:
    """The files and names that MPyC expects for --ssl."""
    folder.mkdir()
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("MPyC CA", root_key, "MPyC CA", root_key)
    (folder / "mpyc_ca.crt").write_bytes(root.public_bytes(Encoding.PEM))
    for party in range(PARTIES):
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = _certificate(f"MPyC party {party}", key, "MPyC CA", root_key)
        (folder / f"party_{party}.crt").write_bytes(leaf.public_bytes(Encoding.PEM))
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"party_{party}.key").write_bytes(secret)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
