"""The sandbox: everything on one machine, for `gateway run` and `gateway demo`. Only the command line imports it.

`places` says where things are, `ground` lays certificates, database, clients and rulesets, `supervisor` keeps the processes,
`seed` sends an invented town's year through the door.
"""
