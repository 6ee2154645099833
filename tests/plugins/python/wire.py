"""The life of the process: handshake, log, calls, end."""

import json
import os
import signal
import sys
import threading
from datetime import datetime, timezone

import grpc
from kiln.plugin.v1 import plugin_pb2 as wire
from kiln.plugin.v1 import plugin_pb2_grpc

import reclaiming
import runs
from sockets import PrivateServer

COOKIE = "3c1f7a52-6d0e-4b7b-9a43-5be2c04f8d19"
# Only for this process: programs that it starts must not see them.
HOST_VARIABLES = ["KILN_PLUGIN_COOKIE", "KILN_PLUGIN_TOKEN", "KILN_PLUGIN_DIR", "KILN_PLUGIN_LOG"]
FEATURES = ["reclaim"]
CLEANUP_SECONDS = 120


def log(level, message, **fields):
    """One line of JSON on standard error, as hosts read it."""
    line = {
        "timestamp": datetime.now(timezone.utc).isoformat(),
        "level": level,
        "target": "python",
        "fields": {"message": message, **fields},
    }
    print(json.dumps(line), file=sys.stderr, flush=True)


class Service(plugin_pb2_grpc.PluginServicer):
    """The calls that a host makes."""

    def __init__(self, name, version, components, folder):
        self.name, self.version, self.folder = name, version, folder
        self.components = {(component.KIND, component.NAME): component for component in components}
        self.lock = threading.Lock()
        self.running = {}
        self.ending = False

    def find(self, component, context):
        found = self.components.get((component.kind, component.name))
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"there is no component `{component.name}` of that kind")
        return found

    def Describe(self, request, context):
        described = wire.DescribeResponse(
            name=self.name, version=self.version, protocol_majors=[1], features=FEATURES
        )
        for component in self.components.values():
            described.components.add(
                id=wire.ComponentId(kind=component.KIND, name=component.NAME), schema=component.OPTIONS.schema()
            )
        return described

    def Schema(self, request, context):
        return wire.SchemaResponse(schema=self.find(request.component, context).OPTIONS.schema())

    def Prepare(self, request, context):
        component = self.find(request.component, context)
        options, problems = component.OPTIONS.read(request.config)
        if not problems:
            problems = component.check(options)
        return wire.PrepareResponse(diagnostics=problems, generated=getattr(component, "GENERATED", []))

    def Run(self, requests, context):
        run = runs.Run(requests, context, self.components, self.folder)
        with self.lock:
            if self.ending:
                context.abort(grpc.StatusCode.UNAVAILABLE, "the plugin is about to end")
            self.running[id(run)] = run
        # The component has a thread of its own: it has to clean up also when the host goes away.
        run.start(lambda: self.over(run))
        return run.events()

    def over(self, run):
        with self.lock:
            self.running.pop(id(run), None)

    def Reclaim(self, request, context):
        results = [
            wire.ReclaimResult(number=one.number, error=reclaiming.reclaim(one)) for one in request.resources
        ]
        return wire.ReclaimResponse(results=results)

    def finish(self):
        """Cancels what runs, and waits for its cleanup."""
        with self.lock:
            self.ending = True
            left = list(self.running.values())
        for run in left:
            run.cancel("the host is gone")
        for run in left:
            run.thread.join(CLEANUP_SECONDS / max(len(left), 1))


def serve(name, version, components):
    """Serves the components until the host is done; returns the exit status."""
    given = {variable: os.environ.pop(variable, "") for variable in HOST_VARIABLES}
    if given["KILN_PLUGIN_COOKIE"] != COOKIE:
        print(f"This is the kiln plugin `{name}` {version}; kiln starts it when a template needs it.", file=sys.stderr)
        return 1
    folder, token = given["KILN_PLUGIN_DIR"], given["KILN_PLUGIN_TOKEN"]
    if not folder or not token:
        log("ERROR", "the host gave no folder or no token")
        return 1

    over = threading.Event()
    # Ctrl-C is the host's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: over.set())

    service = Service(name, version, components, folder)
    server = PrivateServer(folder, token, lambda it: plugin_pb2_grpc.add_PluginServicer_to_server(service, it))
    hello = {"kiln_plugin": 1, "protocol_majors": [1], "features": FEATURES, "socket": server.path}
    print(json.dumps(hello), flush=True)

    def watch_input():
        while sys.stdin.buffer.read1(512):
            pass
        over.set()

    threading.Thread(target=watch_input, daemon=True).start()
    over.wait()
    service.finish()
    server.stop()
    return 0
