"""The command `urumi`: data on standard output, messages on standard error, exit codes are part of the interface.

`main` parses with `arguments`, which has every command by name only, and then imports the one module in `commands` that
was requested; so `urumi --help` needs neither pydantic nor an HTTP client. Commands of other packages (`serve`,
`cluster`) come from the entry point group `urumi.commands` and are also imported on request.
"""
