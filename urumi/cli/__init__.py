"""The command `urumi`: standard output is data, standard error is narration, exit codes are an API.

`main` parses with `arguments`, which knows every command by name only, and then imports the one module that was asked
for; so `urumi --help` needs neither pydantic nor an HTTP client. Commands of other packages (`serve`, `cluster`) come
from the entry point group `urumi.commands` and are loaded in the same late way.
"""
