"""Certificates are always verified. Sites that leave out an intermediate get it from ``certificates/HOST.pem``.

That folder is beside this module, for all installations, and in the home folder (``BILLTRACKER_HOME``), for one.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FOLDER = Path(__file__).with_name("certificates")
_SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def trust(hosts: Iterable[str], folder: Path = FOLDER) -> Path | None:
    """Let this process complete the chains of these hosts; returns the bundle made, None when none is needed.

    An intermediate in the bundle is a link, not an anchor: the chain must still end at one of the system's roots.
    """
    folders = (folder, own_folder())
    links = [at / f"{host}.pem" for host in sorted(set(hosts)) for at in folders if (at / f"{host}.pem").is_file()]
    if not links:
        return None
    roots = next((Path(name) for name in (*_configured(), *_SYSTEM) if name and Path(name).is_file()), None)
    parts = [*([roots] if roots else []), *links]
    bundle = _kept("\n".join(part.read_text("ascii", "ignore") for part in parts))
    os.environ["SSL_CERT_FILE"] = str(bundle)
    return bundle


def _kept(text: str) -> Path:
    """The bundle as a file, named by what is in it, so that crawls share one and a killed one leaves nothing."""
    folder = own_folder().absolute() / "bundles"
    path = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.pem"
    try:
        os.utime(path)  # In use: `billtracker clean` takes those that nobody has used for long.
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{os.getpid()}.partial"
        partial.write_text(text, "ascii")
        partial.replace(path)
    return path


def own_folder() -> Path:
    """Where the admin of this installation adds certificates."""
    return Path(os.environ.get("BILLTRACKER_HOME") or "var") / "certificates"


def no_reply(failure: Any, limit: int = 500) -> str:
    """Why a request got no reply, in words; of a certificate that cannot be verified, with what to do."""
    said = str(failure.getErrorMessage() or "no reply")
    if "certificate verify failed" not in said:
        return said[:limit]
    host = urlsplit(failure.request.url).hostname
    return (
        f"the certificate of {host} cannot be verified (certificate verify failed): if the site leaves out the"
        f" intermediate one, put that into {own_folder()}/{host}.pem, as docs/operations.md says"
    )


def _configured() -> Iterable[str | None]:
    paths = ssl.get_default_verify_paths()
    return os.environ.get("SSL_CERT_FILE"), paths.cafile, paths.openssl_cafile
