"""SOAP clients nobody here wrote, driven by the served WSDL. Each reads a task (JSON) and prints what the service answered.

A task: wsdl, soap ('1.1'|'1.2'), ca, cert and key of the connection (or null), username and password, or signing_cert,
signing_key and our_cert; calls: [[operation, arguments], …].
"""
