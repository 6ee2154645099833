"""Has pywinrm, a client that is not ours, talk to the stand-in: what it accepts is not ours alone.

    judge.py URL USER PASSWORD TRANSPORT
"""

import sys

from winrm.exceptions import InvalidCredentialsError
from winrm.protocol import Protocol

url, user, password, transport = sys.argv[1:]


def client(secret):
    return Protocol(url, transport=transport, username=user, password=secret, server_cert_validation="ignore")


def run(protocol, line, stdin=None):
    shell = protocol.open_shell(codepage=65001)
    command = protocol.run_command(shell, line, console_mode_stdin=stdin is None)
    if stdin is not None:
        protocol.send_command_input(shell, command, stdin, end=True)
    result = protocol.get_command_output(shell, command)
    protocol.cleanup_command(shell, command)
    protocol.close_shell(shell, close_session=False)
    return result


protocol = client(password)
assert run(protocol, "echo hello") == (b"hello\r\n", b"", 0)
assert run(protocol, "powershell -Command \"Write-Error 'bad'; exit 7\"") == (b"", b"bad\r\n", 7)
assert run(protocol, "more", b"one\r\ntwo\r\n") == (b"one\r\ntwo\r\n", b"", 0)
try:
    run(client("wrong"), "echo hello")
    sys.exit("a wrong password is accepted")
except InvalidCredentialsError:
    pass
print("pywinrm agrees")
