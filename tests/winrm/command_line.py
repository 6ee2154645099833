"""Processes and `cmd.exe`: command lines, batch files, and the programs that tests use."""

import re
import threading
import time

import dotnet
import powershell


class Terminated(BaseException):
    """The process was ended from outside."""


class Input:
    """Standard input as a pipe."""

    def __init__(self):
        self.data, self.ended = b"", False
        self.changed = threading.Condition()

    def feed(self, data, end):
        with self.changed:
            # Like a pipe, it takes only so much at once.
            self.changed.wait_for(lambda: len(self.data) < 1 << 20 or self.ended, 60)
            self.data += data
            self.ended |= end
            self.changed.notify_all()

    def lines(self, process):
        while True:
            with self.changed:
                while b"\n" not in self.data and not self.ended:
                    process.check()
                    self.changed.wait(0.1)
                block, found, rest = self.data.rpartition(b"\n")
                if not found:
                    block, rest = self.data, b""
                self.data = rest
                self.changed.notify_all()
                done = self.ended and not found
            for line in block.split(b"\n") if block else ():
                yield line.decode("utf-8").rstrip("\r")
            if done:
                return


class Process:
    """One process and the ones it starts: environment, output, input, end."""

    def __init__(self, machine, environment, elevated=False, sink=None):
        self.machine, self.environment, self.elevated = machine, environment, elevated
        self.folder = environment.get("USERPROFILE", "C:\\")
        self.input = self.script_path = None
        self.terminated = threading.Event()
        self.sink = sink or (lambda stream, data: None)

    def check(self):
        if self.terminated.is_set():
            raise Terminated()

    def wait(self, seconds):
        if self.terminated.wait(seconds):
            raise Terminated()

    def stdout(self, text):
        self.sink("stdout", text.encode("utf-8"))

    def stderr(self, text):
        self.sink("stderr", text.encode("utf-8"))

    # -- cmd.exe

    def run(self, line):
        """Runs a command line as `cmd.exe /c` does; returns the exit code."""
        try:
            return self.line(line)
        except Terminated:
            return 1067

    def line(self, line):
        code = 0
        for before, part in split(line):
            if before == "&&" and code != 0 or before == "||" and code == 0:
                continue
            code = self.simple(part.strip())
        return code

    def simple(self, line):
        self.check()
        line, target, both = redirection(line)
        if target:
            with_file = self.sink
            handle = self.machine.files.open(self.machine.files.full(target), "Create", "Write").handle

            def sink(stream, data):
                if stream == "stdout" or both:
                    handle.write(data)
                    handle.flush()
                else:
                    with_file(stream, data)

            self.sink = sink
            try:
                return self.program(line)
            finally:
                self.sink = with_file
                handle.close()
        return self.program(line)

    def program(self, line):
        line = self.expand(line)
        if not line:
            return 0
        word = re.match(r'\s*(?:"([^"]*)"|([^\s"]+))', line)
        name = (word.group(1) or word.group(2) or "").replace("/", "\\")
        rest = line[word.end() :].strip()
        lower = name.lower().removesuffix(".exe").rpartition("\\")[2]
        if lower in ("cmd",):
            inner = re.sub(r"^(?:/\w\s+)*", "", rest)
            if inner.startswith('"') and inner.endswith('"') and inner.count('"') >= 2:
                inner = inner[1:-1]
            return self.line(inner)
        if lower == "set":
            name, _, value = rest.strip('"').partition("=")
            self.environment[name.upper()] = value
            return 0
        if lower == "echo" or lower.startswith("echo."):
            self.stdout(rest.rstrip() + "\r\n")
            return 0
        if lower in ("exit",):
            raise BatchExit(int(re.sub(r"/b\s*", "", rest, flags=re.I) or 0))
        code = self.native(name, words(rest), rest)
        if code is None:
            self.stderr(f"'{name}' is not recognized as an internal or external command,\r\n"
                        "operable program or batch file.\r\n")
            return 1
        return code

    def expand(self, line):
        return re.sub(r"%(\w+)%", lambda found: self.environment.get(found.group(1).upper(), ""), line)

    # -- programs

    def native(self, name, arguments, rest=None):
        lower = name.lower().replace("/", "\\").removesuffix(".exe").rpartition("\\")[2]
        if lower in ("powershell", "pwsh"):
            return self.powershell(arguments)
        if lower == "cmd":
            return self.line(" ".join(arguments[1:]))
        if lower.endswith((".bat", ".cmd")):
            return self.batch(name)
        if lower == "shutdown":
            return self.shutdown([argument.lower() for argument in arguments])
        if lower == "ping":
            self.wait(int(arguments[arguments.index("-n") + 1]) - 1)
            return 0
        if lower == "more":
            for line in self.input.lines(self) if self.input else ():
                self.stdout(line + "\r\n")
            return 0
        if lower == "whoami":
            self.stdout("win-standin\\" + self.environment["USERNAME"].lower() + "\r\n")
            return 0
        if lower == "key":
            self.machine.add_key(arguments[0])
            return 0
        return None

    def shutdown(self, arguments):
        machine = self.machine
        machine.note("shutdown", arguments)
        if "/a" in arguments:
            machine.pending_shutdown = False
            return 0
        if machine.pending_shutdown:
            return 1190
        if "/r" not in arguments:
            return 1
        delay = int(arguments[arguments.index("/t") + 1]) if "/t" in arguments else 30
        machine.pending_shutdown = True
        if delay < 30:
            # The machine goes on for a moment, as real ones do.
            threading.Timer(max(delay, 0.2), machine.restart).start()
        return 0

    def batch(self, path):
        source = self.machine.files.read(path)
        if source is None:
            self.stderr(f"'{path}' is not recognized as an internal or external command.\r\n")
            return 1
        code = 0
        try:
            for line in source.decode("utf-8").splitlines():
                line = line.strip().lstrip("@")
                if line.lower() in ("", "echo off") or line.lower().startswith(("rem", "::")):
                    continue
                code = self.line(line)
        except BatchExit as exit_:
            return exit_.code
        return code

    def powershell(self, arguments):
        source, lines, script = None, None, []
        at = 0
        while at < len(arguments):
            name = arguments[at].lower()
            if name in ("-noprofile", "-noninteractive", "-nologo"):
                at += 1
            elif name in ("-executionpolicy", "-outputformat", "-inputformat"):
                self.machine.note(name, arguments[at + 1].lower())
                at += 2
            elif name in ("-encodedcommand", "-enc", "-e"):
                source = powershell.decoded(arguments[at + 1])
                at += 2
            elif name == "-file":
                path = arguments[at + 1]
                data = self.machine.files.read(path)
                if data is None:
                    self.stderr(f"The argument '{path}' to the -File parameter does not exist.\r\n")
                    return -196608
                source, script = data.decode("utf-8-sig"), arguments[at + 2 :]
                self.script_path = path
                break
            else:
                if name in ("-command", "-c"):
                    at += 1
                source = " ".join(arguments[at:])
                break
        if self.input is not None:
            lines = self.input.lines(self)
        try:
            interpreter = powershell.Interpreter(self)
            interpreter.variables["pscommandpath"] = self.script_path
            return interpreter.run(source or "", script, lines)
        except dotnet.Failure as failure:
            self.stderr(f"{failure}\r\n")
            return 1


class BatchExit(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


def split(line):
    """A line at `&`, `&&` and `||` outside quotes: pairs of what stands before a part and the part."""
    parts, before, part, quoted, at = [], "", "", False, 0
    while at < len(line):
        two = line[at : at + 2]
        if line[at] == '"':
            quoted = not quoted
        if not quoted and two in ("&&", "||"):
            parts.append((before, part))
            before, part, at = two, "", at + 2
            continue
        if not quoted and line[at] == "&" and not part.endswith(">"):
            parts.append((before, part))
            before, part, at = "&", "", at + 1
            continue
        part += line[at]
        at += 1
    parts.append((before, part))
    return [(before, part) for before, part in parts if part.strip()]


def redirection(line):
    """A line without its redirections, the file output goes to, and whether errors go there too."""
    both = bool(re.search(r"\s2>&1\s*$", line))
    line = re.sub(r"\s2>&1\s*$", "", line)
    found = re.search(r"""\s>\s*("([^"]+)"|[^\s"'{}]+)\s*$""", line)
    if not found:
        return line, None, both
    return line[: found.start()], found.group(2) or found.group(1), both


def words(line):
    """The arguments of a command line as a Windows program gets them."""
    found, word, quoted, begun, at = [], "", False, False, 0
    while at < len(line):
        character = line[at]
        if character == "\\":
            end = at
            while end < len(line) and line[end] == "\\":
                end += 1
            count = end - at
            if line[end : end + 1] == '"':
                word += "\\" * (count // 2)
                if count % 2:
                    word += '"'
                    end += 1
            else:
                word += "\\" * count
            begun, at = True, end
            continue
        if character == '"':
            quoted, begun = not quoted, True
        elif character in " \t" and not quoted:
            if begun:
                found.append(word)
            word, begun = "", False
        else:
            word, begun = word + character, True
        at += 1
    if begun:
        found.append(word)
    return found
