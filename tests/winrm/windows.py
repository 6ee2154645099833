"""The machine: files, registry, scheduled tasks, restarts. What it is told to do is written down."""

import json
import os
import threading
import time

import dotnet


class Stream:
    """An open file."""

    def __init__(self, handle):
        self.handle = handle

    def write(self, data, start, count):
        self.handle.write(memoryview(data)[start : start + count])

    def read(self, buffer, start, count):
        data = self.handle.read(count)
        buffer[start : start + len(data)] = data
        return len(data)

    def get_position(self):
        return self.handle.tell()

    def set_position(self, place):
        self.handle.seek(place)

    def get_length(self):
        self.handle.flush()
        return os.fstat(self.handle.fileno()).st_size

    def setlength(self, length):
        self.handle.truncate(length)

    def flush(self):
        self.handle.flush()

    def dispose(self):
        self.handle.close()

    close = dispose

    def readline(self):
        """A line that is complete, as `StreamReader` gives it; nothing when there is none."""
        line = self.handle.readline()
        return line.decode("utf-8", "replace").rstrip("\r\n") if line else None


class Files:
    """Windows paths on a folder of this machine; names differ by more than case."""

    def __init__(self, root):
        self.root = root

    def full(self, path, folder="C:\\"):
        path = path.replace("/", "\\")
        if not path[1:2] == ":":
            path = folder.rstrip("\\") + "\\" + path.lstrip("\\")
        steps = []
        for step in path[2:].split("\\"):
            if step == "..":
                steps = steps[:-1]
            elif step not in ("", "."):
                steps.append(step)
        return path[0].upper() + ":\\" + "\\".join(steps)

    def local(self, path):
        full = self.full(path)
        at = os.path.join(self.root, full[0])
        for step in full[3:].split("\\"):
            if not step:
                continue
            found = os.path.join(at, step)
            if not os.path.lexists(found) and os.path.isdir(at):
                same = [name for name in os.listdir(at) if name.lower() == step.lower()]
                found = os.path.join(at, same[0]) if same else found
            at = found
        return at

    def kind(self, path):
        local = self.local(path)
        if os.path.isdir(local):
            return "folder"
        return "file" if os.path.isfile(local) else None

    def is_link(self, path):
        return os.path.islink(self.local(path))

    def children(self, path, kind):
        if self.kind(path) != "folder":
            raise dotnet.Failure(f"Could not find a part of the path '{path}'.")
        names = sorted(os.listdir(self.local(path)))
        full = [path.rstrip("\\") + "\\" + name for name in names]
        return [one for one in full if self.kind(one) == kind]

    def make_folder(self, path):
        try:
            os.makedirs(self.local(path), exist_ok=True)
        except OSError as error:
            raise dotnet.Failure(f"Cannot create '{path}': {error.strerror}.") from error

    def open(self, path, mode, access):
        local = self.local(path)
        if os.path.isdir(local):
            raise dotnet.Failure(f"Access to the path '{path}' is denied.")
        if not os.path.isdir(os.path.dirname(local)) or (mode == "Open" and not os.path.exists(local)):
            raise dotnet.Failure(f"Could not find file '{path}'.")
        if "protected" in path.lower():
            raise dotnet.Failure(f"Access to the path '{path}' is denied.")
        flags = {"Create": os.O_CREAT | os.O_TRUNC, "OpenOrCreate": os.O_CREAT, "Open": 0}[mode]
        flags |= {"Read": os.O_RDONLY, "Write": os.O_WRONLY, "ReadWrite": os.O_RDWR}[access]
        kind = "rb" if access == "Read" else "wb"
        return Stream(os.fdopen(os.open(local, flags, 0o644), kind))

    def read(self, path):
        if self.kind(path) != "file":
            return None
        with open(self.local(path), "rb") as handle:
            return handle.read()

    def write(self, path, data):
        os.makedirs(os.path.dirname(self.local(path)), exist_ok=True)
        with open(self.local(path), "wb") as handle:
            handle.write(data)

    def delete(self, path):
        if self.kind(path) != "file":
            return False
        os.unlink(self.local(path))
        return True


class Machine:
    def __init__(self, root, options):
        self.options = options
        self.files = Files(root)
        self.lock = threading.Lock()
        self.boot_time = "20260101000000.000000+000"
        self.boots = 1
        self.down_until = 0.0
        self.pending_shutdown = False
        self.keys = set()
        self.tasks = {}
        for folder in ("C:\\Windows\\Temp", "C:\\Users\\packer"):
            self.files.make_folder(folder)

    def note(self, kind, value):
        """One line in the journal, for tests to look at."""
        with self.lock, open(self.options.journal, "a", encoding="utf-8") as handle:
            handle.write(json.dumps({"kind": kind, "value": value}) + "\n")

    def environment(self, user):
        return {
            "COMPUTERNAME": "WIN-STANDIN", "USERNAME": user, "USERPROFILE": "C:\\Users\\packer",
            "SYSTEMROOT": "C:\\Windows", "WINDIR": "C:\\Windows", "TEMP": "C:\\Windows\\Temp",
            "PATH": "C:\\Windows\\system32",
        }

    def has_key(self, path):
        return path.replace(":", ":\\", 1).replace("\\\\", "\\").lower() in self.keys

    def add_key(self, path):
        self.keys.add(path.replace(":", ":\\", 1).replace("\\\\", "\\").lower())

    def restart(self):
        self.note("restart", self.boots)
        self.boots += 1
        self.boot_time = f"202601010000{self.boots:02}.000000+000"
        self.down_until = time.monotonic() + self.options.restart_seconds
        self.pending_shutdown = False
        self.on_restart()

    on_restart = staticmethod(lambda: None)

    def com_object(self, name):
        if name.lower() != "schedule.service":
            raise dotnet.Failure(f"Cannot create the COM object {name}.")
        return Scheduler(self)


class Scheduler:
    """`Schedule.Service`: the task scheduler."""

    def __init__(self, machine):
        self.machine = machine

    def connect(self):
        self.connected = True

    def newtask(self, flags):
        task = dotnet.Plain(settings=dotnet.Plain(), principal=dotnet.Plain(runlevel=0), action=None)

        def create(kind):
            task.action = dotnet.Plain(path="", arguments="")
            return task.action

        task.actions = dotnet.Plain(create=create)
        return task

    def getfolder(self, path):
        if path != "\\":
            raise dotnet.Failure("The system cannot find the path specified.")
        return Folder(self.machine)


class Folder:
    def __init__(self, machine):
        self.machine = machine

    def registertaskdefinition(self, name, definition, flags, user, password, logon, sddl=None):
        options = self.machine.options
        service = user.upper() in ("SYSTEM", "NT AUTHORITY\\SYSTEM")
        if service != (logon == 5) or (not service and (user, password) != (options.user, options.password)):
            raise dotnet.Failure("The user name or password is incorrect.")
        self.machine.note("task", {"user": user, "level": definition.principal.runlevel, "logon": logon})
        task = Task(self.machine, user, definition.action.path, definition.action.arguments)
        self.machine.tasks[name.lstrip("\\")] = task
        return task

    def gettask(self, name):
        return self.machine.tasks[name.lstrip("\\")]

    def deletetask(self, name, flags):
        del self.machine.tasks[name.lstrip("\\")]
        self.machine.note("task-deleted", name)


class Task:
    def __init__(self, machine, user, command, arguments):
        self.machine, self.user = machine, user
        self.line = f"{command} {arguments}"
        self.state = 3
        self.lasttaskresult = 267011

    def run(self, parameter):
        # The module that runs commands needs this one.
        from command_line import Process

        process = Process(self.machine, self.machine.environment(self.user), elevated=True)

        def work():
            # The scheduler takes its time; until then the task is ready, and has not run.
            time.sleep(0.5)
            self.state, self.lasttaskresult = 4, 267009
            self.lasttaskresult = process.run(self.line)
            self.state = 3

        threading.Thread(target=work, daemon=True).start()
        return dotnet.Plain(state=4)
