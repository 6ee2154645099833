"""A machine that is a folder: commands run in it, files and trees go in and out."""

import os
import queue
import secrets
import signal
import stat
import subprocess
import threading

import grpc
from kiln.plugin.v1 import communicator_pb2 as wire
from kiln.plugin.v1 import communicator_pb2_grpc
from kiln.plugin.v1 import plugin_pb2

from sockets import MESSAGE_BYTES, PrivateServer

CHUNK_BYTES = 512 << 10


def fail(context, code, operation, detail):
    """A failure in the form that provisioners understand."""
    context.set_trailing_metadata((("kiln-operation-bin", operation.encode()), ("kiln-detail-bin", detail.encode())))
    context.abort(code, detail)


class Folder(communicator_pb2_grpc.CommunicatorServicer):
    """Paths of the machine are below the folder."""

    def __init__(self, root):
        self.root = os.path.realpath(root)

    def place(self, path, context, operation):
        found = os.path.realpath(os.path.join(self.root, path.lstrip("/")))
        if found != self.root and not found.startswith(self.root + os.sep):
            fail(context, grpc.StatusCode.FAILED_PRECONDITION, operation, f"`{path}` is outside the machine")
        return found

    def refuse(self, context, operation, error):
        fail(context, grpc.StatusCode.FAILED_PRECONDITION, operation, f"{error.strerror}: {error.filename}")

    def Exec(self, requests, context):
        first = next(requests).start
        process = subprocess.Popen(
            ["/bin/sh", "-c", first.command],
            cwd=self.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

        def stop():
            # The caller dropped the call; nothing runs on behind its back.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

        context.add_callback(stop)

        def feed():
            try:
                for request in requests:
                    if request.WhichOneof("request") == "stdin_end":
                        break
                    process.stdin.write(request.stdin)
                    process.stdin.flush()
                process.stdin.close()
            except (OSError, ValueError, grpc.RpcError):
                pass  # It does not read its input, or the call is over.

        threading.Thread(target=feed, daemon=True).start()
        # Short, so that a caller who does not read makes the command wait.
        output = queue.Queue(4)

        def collect(name, pipe):
            while chunk := pipe.read1(CHUNK_BYTES):
                output.put({name: chunk})
            output.put(None)

        for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
            threading.Thread(target=collect, args=(name, pipe), daemon=True).start()
        open_pipes = 2
        while open_pipes:
            chunk = output.get()
            if chunk is None:
                open_pipes -= 1
            else:
                yield wire.ExecEvent(**chunk)
        status = process.wait()
        if status < 0:
            yield wire.ExecEvent(exit=wire.ExecExit(signal=signal.Signals(-status).name.removeprefix("SIG")))
        else:
            yield wire.ExecEvent(exit=wire.ExecExit(code=status))

    def Upload(self, requests, context):
        first = next(requests)
        path = self.place(first.header.path, context, "upload")
        total = 0
        try:
            with open(path, "wb") as file:
                chunk = first
                while chunk is not None:
                    total += file.write(chunk.data)
                    chunk = next(requests, None)
            os.chmod(path, first.header.mode or 0o644)
        except OSError as error:
            self.refuse(context, "upload", error)
        return wire.UploadResponse(bytes=total)

    def Download(self, request, context):
        try:
            with open(self.place(request.path, context, "download"), "rb") as file:
                yield wire.DownloadChunk(size=os.fstat(file.fileno()).st_size)
                while data := file.read(CHUNK_BYTES):
                    yield wire.DownloadChunk(data=data)
        except OSError as error:
            self.refuse(context, "download", error)

    def UploadTree(self, requests, context):
        root, total, file = None, 0, None
        try:
            for chunk in requests:
                part = chunk.WhichOneof("part")
                if part == "header":
                    root = self.place(chunk.header.path, context, "upload")
                    os.makedirs(root, exist_ok=True)
                elif part == "entry":
                    if file:
                        file.close()
                    file = self.entry(root, chunk.entry, context)
                elif part == "data":
                    total += file.write(chunk.data)
        except OSError as error:
            self.refuse(context, "upload", error)
        finally:
            if file:
                file.close()
        return wire.UploadResponse(bytes=total)

    def entry(self, root, entry, context):
        """Makes an entry; returns the file that its content goes to, when it is one."""
        if ".." in entry.path.split("/") or entry.path.startswith("/"):
            fail(context, grpc.StatusCode.FAILED_PRECONDITION, "upload", f"`{entry.path}` leaves the tree")
        path = self.place(os.path.relpath(os.path.join(root, entry.path), self.root), context, "upload")
        if entry.kind == wire.TreeEntry.KIND_DIRECTORY:
            os.makedirs(path, exist_ok=True)
            return None
        if entry.kind == wire.TreeEntry.KIND_SYMLINK:
            if os.path.lexists(path):
                os.unlink(path)
            os.symlink(entry.target, path)
            return None
        file = open(path, "wb")
        os.chmod(path, entry.mode or 0o644)
        return file

    def DownloadTree(self, request, context):
        root = self.place(request.path, context, "download")
        if not os.path.isdir(root):
            fail(context, grpc.StatusCode.FAILED_PRECONDITION, "download", f"`{request.path}` is not a folder")
        for folder, names, files in os.walk(root):
            names.sort()
            for name in sorted(names + files):
                path = os.path.join(folder, name)
                relative = os.path.relpath(path, root)
                if relative in request.exclude or name in request.exclude:
                    if name in names:
                        names.remove(name)
                    continue
                yield from tree_entry(path, relative)

    def Reconnect(self, request, context):
        return wire.ReconnectResponse()

    def Forward(self, requests, context):
        fail(context, grpc.StatusCode.UNIMPLEMENTED, "forward", "python")


def tree_entry(path, relative):
    facts = os.lstat(path)
    entry = wire.TreeEntry(path=relative, mode=stat.S_IMODE(facts.st_mode))
    if stat.S_ISDIR(facts.st_mode):
        entry.kind = wire.TreeEntry.KIND_DIRECTORY
    elif stat.S_ISLNK(facts.st_mode):
        entry.kind, entry.target = wire.TreeEntry.KIND_SYMLINK, os.readlink(path)
    else:
        entry.kind, entry.size = wire.TreeEntry.KIND_FILE, facts.st_size
    yield wire.TreeChunk(entry=entry)
    if entry.kind == wire.TreeEntry.KIND_FILE:
        with open(path, "rb") as file:
            while data := file.read(CHUNK_BYTES):
                yield wire.TreeChunk(data=data)


class Served:
    """A machine on a socket of its own, with a token of its own."""

    def __init__(self, root, folder):
        self.token = secrets.token_hex(32)
        service = Folder(root)
        register = lambda server: communicator_pb2_grpc.add_CommunicatorServicer_to_server(service, server)
        self.server = PrivateServer(folder, self.token, register)

    def endpoint(self):
        return plugin_pb2.CommunicatorEndpoint(socket=self.server.path, token=self.token)

    def stop(self):
        self.server.stop()


class Remote:
    """The machine of a builder in another process."""

    def __init__(self, endpoint):
        # Without an authority of its own, gRPC would name the socket's path there, which servers refuse.
        options = [("grpc.default_authority", "machine.invalid"), ("grpc.max_receive_message_length", MESSAGE_BYTES)]
        self.channel = grpc.insecure_channel(f"unix:{endpoint.socket}", options=options)
        self.stub = communicator_pb2_grpc.CommunicatorStub(self.channel)
        self.metadata = [("authorization", f"Bearer {endpoint.token}")]
        self.calls = []

    def stop(self):
        """Drops the calls that are under way, which the other side then gives up."""
        for call in self.calls:
            call.cancel()

    def execute(self, command, data=b""):
        """Runs a command; its output and how it ended."""
        requests = [wire.ExecRequest(start=wire.ExecStart(command=command))]
        if data:
            requests.append(wire.ExecRequest(stdin=data))
        requests.append(wire.ExecRequest(stdin_end=wire.StdinEnd()))
        call = self.stub.Exec(iter(requests), metadata=self.metadata)
        self.calls.append(call)
        output, status = b"", None
        for event in call:
            if event.WhichOneof("event") == "exit":
                status = event.exit
            else:
                output += event.stdout + event.stderr
        return output.decode(errors="replace"), status

    def upload(self, path, data, mode=0o644):
        header = wire.UploadHeader(path=path, mode=mode, size=len(data))
        chunks = [wire.UploadChunk(header=header)]
        for start in range(0, len(data), CHUNK_BYTES):
            chunks.append(wire.UploadChunk(data=data[start : start + CHUNK_BYTES]))
        return self.stub.Upload(iter(chunks), metadata=self.metadata).bytes

    def download(self, path):
        return b"".join(
            chunk.data for chunk in self.stub.Download(wire.DownloadRequest(path=path), metadata=self.metadata)
        )
