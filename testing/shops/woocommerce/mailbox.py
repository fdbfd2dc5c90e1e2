"""A mail server for tests: accepts every message over plain SMTP, with and without authentication."""

import base64
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Letter:
    """One message: the signed-in user, the sender, the recipient, and the text."""

    account: str = ""
    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    text: str = ""


class Mailbox(socketserver.ThreadingTCPServer):
    """The messages received."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), MailHandler)
        self.letters: list[Letter] = []

    @property
    def port(self) -> int:
        """The port."""
        return int(self.server_address[1])


class MailHandler(socketserver.StreamRequestHandler):
    """One connection of a client."""

    server: Mailbox

    def handle(self) -> None:
        """Implement the part of SMTP that PHPMailer uses."""
        letter = Letter()
        self._send("220 test")
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    self._send("250-test", "250 AUTH PLAIN")
                case "AUTH":
                    self._send("334 go on")
                    letter.account = base64.b64decode(self.rfile.readline()).decode().replace("\0", " ").strip()
                    self._send("235 welcome")
                case "MAIL":
                    letter.sender = rest
                    self._send("250 ok")
                case "RCPT":
                    letter.recipients.append(rest)
                    self._send("250 ok")
                case "DATA":
                    self._send("354 go on")
                    letter.text = self._text()
                    self.server.letters.append(letter)
                    self._send("250 taken")
                case "QUIT":
                    self._send("221 bye")
                    return
                case _:
                    self._send("250 ok")

    def _text(self) -> str:
        lines: list[str] = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        return "\n".join(lines)

    def _send(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """Run a mail server inside the block."""
    with Mailbox() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
