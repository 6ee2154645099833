"""The few .NET classes that scripts use, on Python's own."""

import base64
import hashlib
import re
import time


class Failure(Exception):
    """An exception of .NET."""


class MethodError(str):
    """How PowerShell words an exception of a method."""

    def __new__(cls, name, count, failure):
        return super().__new__(cls, f'Exception calling "{name}" with "{count}" argument(s): "{failure}"')


class ScriptBlock:
    def __init__(self, body):
        self.body = body


class Plain:
    """An object with some properties."""

    def __init__(self, **properties):
        self.__dict__.update(properties)


class ErrorRecord:
    def __init__(self, failure):
        value = getattr(failure, "value", None)
        self.exception = Plain(message=text(value) if value is not None else str(failure))

    def __str__(self):
        return self.exception.message


def text(value):
    if value is None:
        return ""
    if value is True or value is False:
        return str(value)
    if isinstance(value, list):
        return " ".join(text(item) for item in value)
    return str(value)


def cast(name, value):
    name = name.lower()
    if name == "void":
        return None
    if name in ("int", "long", "int32", "int64"):
        try:
            return int(value)
        except (TypeError, ValueError):
            raise Failure(f'Cannot convert value "{text(value)}" to type "System.{name}".') from None
    if name == "string":
        return text(value)
    if name == "bool":
        return bool(value)
    if name == "byte[]":
        return bytearray(value)
    raise Failure(f"Unable to find type [{name}].")


def new(name, values):
    name = name.lower().removeprefix("system.")
    if name == "byte[]":
        return bytearray(int(values[0]))
    if name == "io.streamreader":
        return values[0]
    raise Failure(f"Cannot find type [{name}]")


class Encoding:
    def __init__(self, name):
        self.name = name

    def getstring(self, data):
        return bytes(data).decode(self.name)

    def getbytes(self, value):
        return bytearray(value.encode(self.name))


class Convert:
    def frombase64string(self, value):
        try:
            return bytearray(base64.b64decode(value, validate=True))
        except ValueError:
            raise Failure("The input is not a valid Base-64 string") from None

    def tobase64string(self, data, start=0, count=None):
        end = len(data) if count is None else start + count
        return base64.b64encode(bytes(data[start:end])).decode()


class Hash:
    def __init__(self):
        self.inner = hashlib.sha256()
        self.hash = None

    def transformblock(self, data, start, count, target, offset):
        self.inner.update(memoryview(data)[start : start + count])
        return count

    def transformfinalblock(self, data, start, count):
        self.inner.update(memoryview(data)[start : start + count])
        self.hash = bytearray(self.inner.digest())
        return data


class Writer:
    def __init__(self, sink):
        self.sink = sink

    def writeline(self, value=""):
        self.sink(text(value) + "\r\n")

    def write(self, value):
        self.sink(text(value))


class Environment:
    def __init__(self, process):
        self.process = process
        self.machinename = process.environment.get("COMPUTERNAME")

    def getenvironmentvariable(self, name):
        return self.process.environment.get(name.upper())

    def expandenvironmentvariables(self, value):
        known = self.process.environment
        return re.sub(r"%(\w+)%", lambda found: known.get(found.group(1).upper(), found.group(0)), value)


class Path:
    def __init__(self, process):
        self.process = process

    def getfullpath(self, value):
        return self.process.machine.files.full(value, self.process.folder)

    def getdirectoryname(self, value):
        head, _, _ = value.replace("/", "\\").rpartition("\\")
        return head + "\\" if head.endswith(":") else head

    def getfilename(self, value):
        return value.replace("/", "\\").rpartition("\\")[2]


class FileClass:
    def __init__(self, process):
        self.files = process.machine.files

    def open(self, path, mode, access="ReadWrite", share="None"):
        return self.files.open(path, mode, access)

    def exists(self, path):
        return self.files.kind(path) == "file"

    def delete(self, path):
        self.files.delete(path)

    def getattributes(self, path):
        return 0x400 if self.files.is_link(path) else 0x20

    def readalltext(self, path):
        data = self.files.read(path)
        if data is None:
            raise Failure(f"Could not find file '{path}'.")
        return data.decode("utf-8-sig")

    def writealltext(self, path, value):
        self.files.write(path, value.encode())


class DirectoryClass:
    def __init__(self, process):
        self.files = process.machine.files

    def exists(self, path):
        return self.files.kind(path) == "folder"

    def createdirectory(self, path):
        self.files.make_folder(path)
        return path

    def getfiles(self, path):
        return self.files.children(path, "file")

    def getdirectories(self, path):
        return self.files.children(path, "folder")


def static(name, process):
    name = name.lower().removeprefix("system.")
    known = {
        "convert": Convert,
        "text.encoding": lambda: Plain(utf8=Encoding("utf-8"), unicode=Encoding("utf-16-le")),
        "security.cryptography.sha256": lambda: Plain(create=Hash),
        "bitconverter": lambda: Plain(tostring=lambda data: "-".join(f"{byte:02X}" for byte in data)),
        "console": lambda: Plain(out=Writer(process.stdout), error=Writer(process.stderr)),
        "environment": lambda: Environment(process),
        "math": lambda: Plain(min=min, max=max),
        "net.dns": lambda: Plain(gethostname=lambda: process.environment.get("COMPUTERNAME")),
        "threading.thread": lambda: Plain(sleep=lambda ms: process.wait(ms / 1000)),
        "io.path": lambda: Path(process),
        "io.file": lambda: FileClass(process),
        "io.directory": lambda: DirectoryClass(process),
        "io.fileattributes": lambda: Plain(reparsepoint=0x400),
        "string": lambda: Plain(isnullorempty=lambda value: not value),
        "datetime": lambda: Plain(now=time.time()),
    }
    if name not in known:
        raise Failure(f"Unable to find type [{name}].")
    return known[name]()


STRINGS = {
    "substring": lambda value, start, count=None: value[start:] if count is None else value[start : start + count],
    "replace": lambda value, old, new_: value.replace(old, text(new_)),
    "trim": lambda value: value.strip(),
    "trimstart": lambda value, characters=None: value.lstrip(characters),
    "trimend": lambda value, characters=None: value.rstrip(characters),
    "tolower": lambda value: value.lower(),
    "toupper": lambda value: value.upper(),
    "indexof": lambda value, part: value.find(part),
    "startswith": lambda value, part: value.startswith(part),
    "endswith": lambda value, part: value.endswith(part),
    "split": lambda value, by: value.split(by),
    "contains": lambda value, part: part in value,
}


def member(value, name):
    name = name.lower()
    if value is None:
        return None
    if name in ("length", "count") and isinstance(value, (str, list, bytearray)):
        return len(value)
    if isinstance(value, dict):
        return value.get(name)
    getter = getattr(value, "get_" + name, None)
    if getter:
        return getter()
    if hasattr(value, name):
        return getattr(value, name)
    return None


def set_member(value, name, new_value):
    setter = getattr(value, "set_" + name.lower(), None)
    if setter:
        setter(new_value)
    elif value is None:
        raise Failure(f"The property '{name}' cannot be found on this object.")
    else:
        setattr(value, name.lower(), new_value)


def invoke(value, name, values):
    if value is None:
        raise Failure("You cannot call a method on a null-valued expression.")
    if isinstance(value, str):
        method = STRINGS.get(name.lower())
        if name.lower() == "tostring":
            return value
        if method is None:
            raise Failure(f"[System.String] does not contain a method named '{name}'.")
        return method(value, *values)
    if name.lower() == "tostring" and not hasattr(value, "tostring"):
        return text(value)
    method = getattr(value, name.lower(), None)
    if method is None:
        raise Failure(f"[{type(value).__name__}] does not contain a method named '{name}'.")
    return method(*values)
