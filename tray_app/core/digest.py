"""SHA-256 as Python's own `random` finds its digest: without `hashlib`, which loads OpenSSL and takes longer than all
that is digested here; whoever waits for a token would wait for it too.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        from _sha2 import sha256
    except ImportError:
        try:
            from _sha256 import sha256  # Python 3.11
        except ImportError:
            from hashlib import sha256  # a Python that was built without its own


def sha256_hex(data: bytes) -> str:
    """The 64 hex digits of the SHA-256 of `data`."""
    return sha256(data).hexdigest()
