<?php
// PHP's SoapClient. It has no WS-Security of its own, so the header is written by hand, as its users do: a UsernameToken,
// or a signature over Body and Timestamp made with DOM's canonicalization and OpenSSL.
const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
const WSU = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
const DS = 'http://www.w3.org/2000/09/xmldsig#';
const EXC = 'http://www.w3.org/2001/10/xml-exc-c14n#';

class HeaderedClient extends SoapClient
{
    public array $task;

    public function __doRequest($request, $location, $action, $version, $oneWay = false): ?string
    {
        $document = new DOMDocument();
        $document->loadXML($request);
        $envelope = $document->documentElement;
        $space = $envelope->namespaceURI;
        $body = $envelope->getElementsByTagNameNS($space, 'Body')->item(0);
        $header = $document->createElementNS($space, $envelope->prefix . ':Header');
        $envelope->insertBefore($header, $body);
        $security = $header->appendChild($document->createElementNS(WSSE, 'wsse:Security'));
        if ($this->task['signing_key']) {
            $this->sign($document, $security, $body);
        } else {
            $this->name($document, $security);
        }
        return parent::__doRequest($document->saveXML(), $location, $action, $version, $oneWay);
    }

    private function name(DOMDocument $document, DOMElement $security): void
    {
        $token = $security->appendChild($document->createElementNS(WSSE, 'wsse:UsernameToken'));
        $nonce = random_bytes(16);
        $created = gmdate('Y-m-d\TH:i:s\Z');
        $digest = base64_encode(sha1($nonce . $created . $this->task['password'], true));
        $token->appendChild($document->createElementNS(WSSE, 'wsse:Username', $this->task['username']));
        $password = $token->appendChild($document->createElementNS(WSSE, 'wsse:Password', $digest));
        $profile = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0';
        $password->setAttribute('Type', $profile . '#PasswordDigest');
        $token->appendChild($document->createElementNS(WSSE, 'wsse:Nonce', base64_encode($nonce)));
        $token->appendChild($document->createElementNS(WSU, 'wsu:Created', $created));
    }

    private function sign(DOMDocument $document, DOMElement $security, DOMElement $body): void
    {
        $profile = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0';
        $mark = bin2hex(random_bytes(8)); // ids of its own make every message another one, also within a second
        preg_match('/-----BEGIN CERTIFICATE-----([^-]+)-----/', file_get_contents($this->task['signing_cert']), $found);
        $certificate = preg_replace('/\s/', '', $found[1]);
        $token = $security->appendChild($document->createElementNS(WSSE, 'wsse:BinarySecurityToken', $certificate));
        $token->setAttribute('ValueType', $profile . '#X509v3');
        $token->setAttributeNS(WSU, 'wsu:Id', 'cert');
        $stamp = $security->appendChild($document->createElementNS(WSU, 'wsu:Timestamp'));
        $stamp->setAttributeNS(WSU, 'wsu:Id', "stamp-$mark");
        $stamp->appendChild($document->createElementNS(WSU, 'wsu:Created', gmdate('Y-m-d\TH:i:s\Z')));
        $stamp->appendChild($document->createElementNS(WSU, 'wsu:Expires', gmdate('Y-m-d\TH:i:s\Z', time() + 300)));
        $body->setAttributeNS(WSU, 'wsu:Id', "body-$mark");
        $references = '';
        foreach (["stamp-$mark" => $stamp, "body-$mark" => $body] as $id => $element) {
            $digest = base64_encode(hash('sha256', $element->C14N(true, false), true));
            $references .= "<ds:Reference URI=\"#$id\"><ds:Transforms><ds:Transform Algorithm=\"" . EXC . '"/></ds:Transforms>'
                . '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
                . "<ds:DigestValue>$digest</ds:DigestValue></ds:Reference>";
        }
        $info = '<ds:SignedInfo xmlns:ds="' . DS . '"><ds:CanonicalizationMethod Algorithm="' . EXC . '"/>'
            . '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>' . $references . '</ds:SignedInfo>';
        $alone = new DOMDocument();
        $alone->loadXML($info);
        openssl_sign($alone->documentElement->C14N(true, false), $value, file_get_contents($this->task['signing_key']), OPENSSL_ALGO_SHA256);
        $fragment = $document->createDocumentFragment();
        $fragment->appendXML('<ds:Signature xmlns:ds="' . DS . '">' . $info . '<ds:SignatureValue>' . base64_encode($value)
            . '</ds:SignatureValue><ds:KeyInfo><wsse:SecurityTokenReference xmlns:wsse="' . WSSE . '"><wsse:Reference URI="#cert"'
            . " ValueType=\"$profile#X509v3\"/></wsse:SecurityTokenReference></ds:KeyInfo></ds:Signature>");
        $security->appendChild($fragment);
    }
}

$task = json_decode(file_get_contents($argv[1]), true);
$tls = ['cafile' => $task['ca'], 'verify_peer_name' => true];
if ($task['cert']) {
    $tls += ['local_cert' => $task['cert'], 'local_pk' => $task['key']];
}
$client = new HeaderedClient($task['wsdl'], [
    'soap_version' => $task['soap'] === '1.2' ? SOAP_1_2 : SOAP_1_1,
    'stream_context' => stream_context_create(['ssl' => $tls]),
    'cache_wsdl' => WSDL_CACHE_NONE,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
]);
$client->task = $task;
$answers = [];
foreach ($task['calls'] as [$operation, $arguments]) {
    try {
        $answers[] = $client->__soapCall($operation, [$arguments]);
    } catch (SoapFault $fault) {
        $answers[] = ['fault' => $fault->faultstring . ' ' . json_encode($fault->detail ?? null)];
    }
}
echo json_encode($answers);
