"""The conversation of one run."""

import queue
import threading

from kiln.plugin.v1 import plugin_pb2 as wire


class Failed(Exception):
    """The run did not do what it was asked to."""

    def __init__(self, message, diagnostics=()):
        super().__init__(message)
        self.diagnostics = list(diagnostics)


class Cancelled(Failed):
    """The run was told to stop."""

    def __init__(self):
        super().__init__("context canceled")


class Run:
    """One component that runs, and its way to the host."""

    def __init__(self, requests, context, components, folder):
        self.requests, self.context = requests, context
        self.components, self.folder = components, folder
        self.outgoing = queue.Queue()
        self.changed = threading.Condition()
        self.is_cancelled = False
        self.recorded, self.verdicts = set(), []
        self.numbers = 0
        self.on_cancel = []
        self.start_message = None

    def start(self, over):
        self.over = over
        self.thread = threading.Thread(target=self.carry_out)
        self.thread.start()

    def events(self):
        """What the stream to the host consists of."""
        while True:
            event = self.outgoing.get()
            if event is None:
                return
            yield event

    # What the component tells

    def send(self, **event):
        self.outgoing.put(wire.RunEvent(**event))

    def say(self, text):
        self.send(ui=wire.Ui(level=wire.Ui.LEVEL_SAY, text=text))

    def begin(self, step):
        if self.is_cancelled:
            raise Cancelled()
        self.send(step_begun=wire.StepBegun(name=step))

    def end(self, step, error=""):
        self.send(step_ended=wire.StepEnded(name=step, error=error))

    def announce(self, kind, identity):
        """Puts something on record; create it only after this returns."""
        self.numbers += 1
        number = self.numbers
        self.send(resource_created=wire.Resource(number=number, kind=kind, id=identity))
        self.wait(lambda: number in self.recorded)
        return number

    def release(self, number):
        self.send(resource_released=wire.ResourceReleased(number=number))

    def provision(self, communicator, generated):
        """Has the machine provisioned."""
        self.send(ready=wire.Ready(communicator=communicator, generated=generated))
        with self.changed:
            # A host that cancels answers, too: its provisioners have to end first.
            self.changed.wait_for(lambda: self.verdicts or self.gone)
            if not self.verdicts:
                raise Cancelled()
            verdict = self.verdicts.pop(0)
        if verdict.cancelled:
            raise Cancelled()
        if verdict.error:
            raise Failed(verdict.error)

    def wait(self, condition):
        with self.changed:
            self.changed.wait_for(lambda: condition() or self.is_cancelled)
            if not condition():
                raise Cancelled()

    # What the host tells

    gone = False

    def cancel(self, reason, gone=True):
        with self.changed:
            self.is_cancelled = True
            self.gone = self.gone or gone
            self.changed.notify_all()
            waiting = list(self.on_cancel)
        for stop in waiting:
            stop()

    def listen(self):
        try:
            for request in self.requests:
                kind = request.WhichOneof("request")
                if kind == "cancel":
                    self.cancel(request.cancel.reason, gone=False)
                with self.changed:
                    if kind == "recorded":
                        self.recorded.add(request.recorded.number)
                    elif kind == "provisioned":
                        self.verdicts.append(request.provisioned)
                    self.changed.notify_all()
        except Exception:  # The stream broke: the host is gone, or the run is over.
            pass
        # The host keeps its direction open until the end.
        self.cancel("the host left")

    def carry_out(self):
        finished = wire.Finished()
        try:
            first = next(self.requests)
            if first.WhichOneof("request") != "start":
                raise Failed("the first message of a run has to be `start`")
            threading.Thread(target=self.listen, daemon=True).start()
            start = first.start
            component = self.components.get((start.component.kind, start.component.name))
            if component is None:
                raise Failed(f"there is no component `{start.component.name}` of that kind")
            options, problems = component.OPTIONS.read(start.config)
            problems = problems or component.check(options)
            if problems:
                raise Failed(f"{problems[0].summary}: {problems[0].detail}", problems)
            finished.success.CopyFrom(component.run(self, start, options) or wire.Success())
        except Failed as failure:
            cancelled = isinstance(failure, Cancelled)
            finished.failure.CopyFrom(
                wire.Failure(message=str(failure), cancelled=cancelled, diagnostics=failure.diagnostics)
            )
        except Exception as error:
            finished.failure.CopyFrom(wire.Failure(message=f"the plugin has a bug: {error!r}"))
        finally:
            self.outgoing.put(wire.RunEvent(finished=finished))
            self.outgoing.put(None)
            self.over()
