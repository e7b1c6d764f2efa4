"""Certificates and keys: the development authority, issuing, rollover, and watching what expires.

In production the files are the bank's own; this package then only lists and warns. Private keys are
written with mode 600
below the state directory, which is outside git.
"""

from certs.authority import Development, ensure_development, issue_certificate, rotate_token_key
from certs.registration import end_of, read_registration, read_soap_registration
from certs.watch import WatchedCertificate, list_certificates

__all__ = [
    "Development",
    "WatchedCertificate",
    "end_of",
    "ensure_development",
    "issue_certificate",
    "list_certificates",
    "read_registration",
    "read_soap_registration",
    "rotate_token_key",
]
