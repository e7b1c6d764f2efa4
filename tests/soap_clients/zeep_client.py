"""zeep from a clean environment, with its own signatures (xmlsec): run by that environment's interpreter."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import zeep
from lxml import etree  # type: ignore[import-untyped]
from zeep.helpers import serialize_object
from zeep.transports import Transport
from zeep.wsse import utils
from zeep.wsse.username import UsernameToken

WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"


def signer_of(task: dict[str, Any]) -> Any:
    """zeep's BinarySignature with SHA-256, a Timestamp for it to sign, and answers checked with *our* certificate."""
    import xmlsec  # type: ignore[import-not-found]
    from zeep.wsse import signature

    class Signed(signature.BinarySignature):
        def apply(self, envelope: Any, headers: Any) -> Any:
            stamp = etree.SubElement(utils.get_security_header(envelope), f"{{{WSU}}}Timestamp")
            now = datetime.now(UTC)
            etree.SubElement(stamp, f"{{{WSU}}}Created").text = now.strftime("%Y-%m-%dT%H:%M:%SZ")
            ends = now + timedelta(minutes=5)
            etree.SubElement(stamp, f"{{{WSU}}}Expires").text = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
            return super().apply(envelope, headers)  # type: ignore[no-untyped-call]

        def verify(self, envelope: Any) -> Any:
            key = xmlsec.Key.from_file(task["our_cert"], xmlsec.KeyFormat.CERT_PEM)
            signature._verify_envelope_with_key(envelope, key)
            return envelope

    return Signed(  # type: ignore[no-untyped-call]
        task["signing_key"],
        task["signing_cert"],
        signature_method=xmlsec.Transform.RSA_SHA256,
        digest_method=xmlsec.Transform.SHA256,
    )


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    session = requests.Session()
    session.trust_env = False
    session.verify = task["ca"]
    if task["cert"]:
        session.cert = (task["cert"], task["key"])
    wsse = (
        signer_of(task)
        if task["signing_key"]
        else UsernameToken(task["username"], task["password"], use_digest=True)
    )
    client = zeep.Client(task["wsdl"], wsse=wsse, transport=Transport(session=session))
    answers = []
    for operation, arguments in task["calls"]:
        try:
            answers.append(serialize_object(getattr(client.service, operation)(**arguments), dict))
        except zeep.exceptions.Fault as fault:
            answers.append({"fault": etree.tostring(fault.detail, encoding="unicode")})
    print(json.dumps(answers, default=str))


if __name__ == "__main__":
    main()
