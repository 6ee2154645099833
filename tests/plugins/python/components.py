"""The components: a builder whose machine is a folder, and one of each other kind."""

import hashlib
import os
import shutil

import grpc
from kiln.plugin.v1 import plugin_pb2 as wire

import machine
from options import STRING, STRINGS, Option, Options, problem, to_wire
from runs import Cancelled, Failed


class Builder:
    KIND, NAME = wire.COMPONENT_KIND_BUILDER, "python"
    GENERATED = ["ID", "Folder"]
    OPTIONS = Options(
        "Makes a folder and has it provisioned as if it were a machine.",
        [
            Option("folder", STRING, "The folder to make; its files are the artifact.", required=True),
            Option("hostname", STRING, "What is written to `etc/hostname` in it.", default="folder"),
        ],
    )

    @staticmethod
    def check(options):
        name = options["hostname"]
        if any(not (letter.isalnum() or letter == "-") for letter in name):
            return [problem("hostname", "Invalid host name", f"`{name}` has other characters than a-z, 0-9 and `-`.")]
        return []

    @staticmethod
    def run(run, start, options):
        folder = os.path.abspath(options["folder"])
        if os.path.lexists(folder):
            if not start.build.force:
                detail = f"`{options['folder']}` exists already."
                raise Failed(detail, [problem("folder", "The folder exists", detail, "remove it, or build with -force")])
            shutil.rmtree(folder)
        number = run.announce("directory", folder)
        served = None
        try:
            run.begin("make folder")
            os.makedirs(os.path.join(folder, "etc"))
            with open(os.path.join(folder, "etc/hostname"), "w") as file:
                file.write(options["hostname"] + "\n")
            run.end("make folder")
            served = machine.Served(folder, run.folder)
            run.begin("provision")
            generated = {"ID": options["hostname"], "Folder": folder, "Host": "localhost", "ConnType": "python"}
            run.provision(served.endpoint(), to_wire(generated))
            run.end("provision")
            files = [os.path.join(place, name) for place, _, names in os.walk(folder) for name in sorted(names)]
            artifact = wire.Artifact(
                builder_id="kiln.python",
                id=options["hostname"],
                files=sorted(files),
                description=f"A folder with {len(files)} files: {folder}",
                state=to_wire({"generated_data": generated}),
                destroy=[folder],
            )
            run.release(number)
            return wire.Success(artifact=artifact)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            run.release(number)
            raise
        finally:
            if served:
                served.stop()


class Provisioner:
    KIND, NAME = wire.COMPONENT_KIND_PROVISIONER, "python"
    OPTIONS = Options(
        "Writes a file in the machine and runs commands there.",
        [
            Option("content", STRING, "What is written.", default="hello"),
            Option("path", STRING, "The file in the machine.", default="greeting.txt"),
            Option("inline", STRINGS, "Commands to run after that.", default=[]),
        ],
    )

    @staticmethod
    def check(options):
        return [] if options["path"] else [problem("path", "Missing path", "`path` is empty.")]

    @staticmethod
    def run(run, start, options):
        if not start.HasField("provisioner"):
            raise Failed("the host started the component as one of another kind")
        if not start.provisioner.HasField("communicator"):
            raise Failed("the builder offers no way to talk to its machine")
        remote = machine.Remote(start.provisioner.communicator)
        run.on_cancel.append(remote.stop)
        try:
            content = options["content"].encode()
            remote.upload(options["path"], content, 0o640)
            if remote.download(options["path"]) != content:
                raise Failed(f"`{options['path']}` in the machine is not what was written")
            run.say(f"Wrote {len(content)} bytes to {options['path']}")
            for command in options["inline"]:
                output, status = remote.execute(command)
                for line in output.splitlines():
                    run.say(line)
                if status is None or status.WhichOneof("how") != "code" or status.code != 0:
                    raise Failed(f"`{command}` did not succeed: {str(status).strip() or 'no status'}")
        except grpc.RpcError as error:
            if run.is_cancelled:
                raise Cancelled() from error
            raise Failed(f"the machine: {error.details()}") from error
        finally:
            remote.channel.close()


class PostProcessor:
    KIND, NAME = wire.COMPONENT_KIND_POST_PROCESSOR, "python"
    OPTIONS = Options(
        "Writes the SHA-256 of every file of the artifact to a file.",
        [Option("output", STRING, "The file to write.", required=True)],
    )

    @staticmethod
    def check(options):
        return []

    @staticmethod
    def run(run, start, options):
        if not start.HasField("post_processor"):
            raise Failed("the host started the component as one of another kind")
        files = start.post_processor.artifact.files
        lines = []
        for number, path in enumerate(files, 1):
            if run.is_cancelled:
                raise Cancelled()
            with open(path, "rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {os.path.basename(path)}\n")
            progress = wire.Progress(
                number=1, label="hashing", done=number, total=len(files), unit=wire.Progress.UNIT_ITEMS
            )
            run.send(progress=progress)
        with open(options["output"], "w") as file:
            file.writelines(lines)
        run.say(f"Wrote {len(lines)} checksums to {options['output']}")
        artifact = wire.Artifact(
            builder_id="kiln.post-processor.python",
            files=[options["output"]],
            description=f"Checksums: {options['output']}",
            destroy=[options["output"]],
        )
        return wire.Success(artifact=artifact, keep_input=True)


class DataSource:
    KIND, NAME = wire.COMPONENT_KIND_DATA_SOURCE, "python"
    OPTIONS = Options(
        "Gives back a text in capitals.",
        [Option("text", STRING, "The text.", required=True)],
        outputs=[Option("capitals", STRING, "The text in capitals.")],
    )

    @staticmethod
    def check(options):
        return []

    @staticmethod
    def run(run, start, options):
        return wire.Success(output=to_wire({"capitals": options["text"].upper()}))


ALL = [Builder, Provisioner, PostProcessor, DataSource]
