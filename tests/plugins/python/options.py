"""Options: their schema, and reading what a template sets."""

from kiln.plugin.v1 import plugin_pb2 as wire
from kiln.plugin.v1 import value_pb2 as values

BOOL = values.Type(primitive=values.Type.PRIMITIVE_BOOL)
STRING = values.Type(primitive=values.Type.PRIMITIVE_STRING)
STRINGS = values.Type(list=STRING)


def problem(name, summary, detail, hint=""):
    """An error in the configuration, at an option."""
    path = [wire.PathStep(attribute=name)] if name else []
    severity = wire.Diagnostic.SEVERITY_ERROR
    return wire.Diagnostic(severity=severity, summary=summary, detail=detail, path=path, hint=hint)


class Option:
    """One option of a component."""

    def __init__(self, name, kind, doc, default=None, required=False):
        self.name, self.kind, self.doc, self.default, self.required = name, kind, doc, default, required

    def schema(self):
        default = "" if self.default is None else str(self.default).lower() if self.kind == BOOL else str(self.default)
        return wire.AttributeSchema(
            name=self.name, type=self.kind, doc=self.doc, required=self.required, default_text=default
        )

    def read(self, value):
        """What the template says; raises ValueError with what was expected."""
        found = from_wire(value)
        if self.kind == STRINGS:
            if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
                raise ValueError("a list of texts")
        elif self.kind == BOOL:
            if found in ("true", "false"):
                found = found == "true"
            if not isinstance(found, bool):
                raise ValueError("true or false")
        elif not isinstance(found, str):
            raise ValueError("a text")
        return found


class Options:
    """All options of a component, and what it gives back when it is a data source."""

    def __init__(self, doc, options, outputs=()):
        self.doc, self.options, self.outputs = doc, options, outputs

    def schema(self):
        return wire.Schema(
            doc=self.doc,
            attributes=[option.schema() for option in self.options],
            outputs=[option.schema() for option in self.outputs],
        )

    def read(self, config):
        """The options by name, and every problem."""
        given = {entry.key: entry.value for entry in config.map.entries}
        found, problems = {}, []
        for option in self.options:
            value = given.pop(option.name, None)
            if value is None or value.WhichOneof("kind") in (None, "null"):
                found[option.name] = option.default
                if option.required:
                    detail = f"`{option.name}` is required."
                    problems.append(problem(option.name, "Missing option", detail))
            elif value.WhichOneof("kind") == "unknown":
                # A value that only a build can know.
                found[option.name] = option.default
            else:
                try:
                    found[option.name] = option.read(value)
                except ValueError as expected:
                    detail = f"`{option.name}` has to be {expected}."
                    problems.append(problem(option.name, "Wrong type", detail))
        for name in given:
            known = ", ".join(f"`{option.name}`" for option in self.options)
            detail = f"There is no option `{name}`."
            problems.append(problem(name, "Unknown configuration key", detail, f"the options are {known}"))
        return found, problems


def from_wire(value):
    """A message as Python has such values; numbers stay the exact text that they are."""
    kind = value.WhichOneof("kind")
    if kind == "list":
        return [from_wire(item) for item in value.list.items]
    if kind == "map":
        return {entry.key: from_wire(entry.value) for entry in value.map.entries}
    if kind in ("boolean", "number", "string"):
        return getattr(value, kind)
    return None


def to_wire(value):
    """The message for texts, bools, lists and dictionaries."""
    if value is None:
        return values.Value(null=values.Null())
    if isinstance(value, bool):
        return values.Value(boolean=value)
    if isinstance(value, (int, float)):
        return values.Value(number=str(value))
    if isinstance(value, str):
        return values.Value(string=value)
    if isinstance(value, dict):
        entries = [values.Entry(key=key, value=to_wire(value[key])) for key in sorted(value)]
        return values.Value(map=values.Map(entries=entries))
    return values.Value(list=values.List(items=[to_wire(item) for item in value]))
