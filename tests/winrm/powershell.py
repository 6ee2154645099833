"""A small PowerShell: enough of the language for the scripts that kiln sends and tests write.

Scripts are parsed and evaluated, not recognised, so that a script that is no PowerShell fails here
too. What is not known is an error. It knows no types beyond text, numbers, arrays, bytes and the
few .NET classes of `dotnet.py`.
"""

import base64
import re
import time

import dotnet


class Throw(Exception):
    """A terminating error."""

    def __init__(self, value):
        super().__init__(dotnet.text(value))
        self.value = value


class Exit(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code
        # What the statements before it left, which is still to be shown.
        self.left = []


class Return(Exception):
    pass


class SyntaxFailure(Exception):
    pass


TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r]+|\#[^\n]*|`\r?\n)
  | (?P<newline>\n|;)
  | (?P<single>'(?:[^']|'')*')
  | (?P<double>"(?:[^"`]|`.|"")*")
  | (?P<variable>\$(?:\{[^}]+\}|(?:env|global|script|variable):\w+|[\w?]+|\$))
  | (?P<type>\[[A-Za-z][\w.]*(?:\[\])?\])
  | (?P<number>-?\d+(?:\.\d+)?(?![\w.:\\/]))
  | (?P<operator>-(?:eq|ne|gt|lt|ge|le|match|notmatch|like|and|or|not|band|bor|f|join|split|replace|is|contains)\b)
  | (?P<parameter>-[A-Za-z]\w*)
  | (?P<symbol>::|\+=|-=|\$\(|@\(|@\{|&&|&|\||[{}()\[\],.=+*/%!<>-])
  | (?P<word>[^\s;|{}()'"$,&=]+)
    """,
    re.X | re.I,
)


def tokens(source):
    found, at = [], 0
    while at < len(source):
        match = TOKEN.match(source, at)
        if not match:
            raise SyntaxFailure(f"cannot read {source[at:at + 40]!r}")
        kind = match.lastgroup
        found.append((kind, match.group(), at, match.end()))
        at = match.end()
    found.append(("end", "", at, at))
    return found


COMPARISONS = {"-eq", "-ne", "-gt", "-lt", "-ge", "-le", "-match", "-notmatch", "-like", "-join", "-split",
               "-replace", "-contains", "-is"}
KEYWORDS = {"if", "while", "do", "foreach", "try", "throw", "exit", "return", "function", "param", "begin", "process",
            "end", "break", "continue"}


class Parser:
    """Recursive descent; every node is a tuple whose first item names it."""

    def __init__(self, source):
        self.source = source
        self.all = tokens(source)
        self.at = 0

    # -- tokens

    def peek(self, space=False):
        at = self.at
        while not space and self.all[at][0] == "space":
            at += 1
        return self.all[at]

    def take(self):
        while self.all[self.at][0] == "space":
            self.at += 1
        token = self.all[self.at]
        self.at += 1
        return token

    def is_symbol(self, text):
        kind, value, *_ = self.peek()
        return kind in ("symbol", "operator", "word") and value.lower() == text

    def accept(self, text):
        if self.is_symbol(text):
            self.take()
            return True
        return False

    def expect(self, text):
        token = self.take()
        if token[1].lower() != text:
            line = self.source[: token[2]].count("\n") + 1
            raise SyntaxFailure(f"line {line}: expected {text!r}, found {token[1]!r}")

    def newlines(self):
        while self.peek()[0] == "newline":
            self.take()

    # -- statements

    def script(self):
        self.newlines()
        if self.peek()[1].lower() in ("begin", "process", "end") and self.peek()[0] == "word":
            blocks = {}
            while self.peek()[0] != "end":
                name = self.take()[1].lower()
                self.newlines()
                blocks[name] = self.block()
                self.newlines()
            return ("blocks", blocks)
        body = self.statements(None)
        return body

    def statements(self, closing):
        body = []
        self.newlines()
        while self.peek()[0] != "end" and not (closing and self.is_symbol(closing)):
            body.append(self.statement())
            if self.peek()[0] == "newline":
                self.newlines()
            elif self.peek()[0] != "end" and not (closing and self.is_symbol(closing)):
                # A block ends a statement by itself.
                if self.all[self.at - 1][1] != "}":
                    raise SyntaxFailure(f"unexpected {self.peek()[1]!r}")
        return ("sequence", body)

    def block(self):
        self.newlines()
        self.expect("{")
        body = self.statements("}")
        self.expect("}")
        return body

    def statement(self):
        kind, value, *_ = self.peek()
        word = value.lower()
        if kind == "word" and word in KEYWORDS:
            return getattr(self, "keyword_" + word)()
        return self.pipeline_or_assignment()

    def keyword_if(self):
        self.take()
        branches, otherwise = [], None
        self.expect("(")
        condition = self.pipeline()
        self.expect(")")
        branches.append((condition, self.block()))
        while True:
            mark = self.at
            self.newlines()
            word = self.peek()[1].lower()
            if word == "elseif":
                self.take()
                self.expect("(")
                condition = self.pipeline()
                self.expect(")")
                branches.append((condition, self.block()))
            elif word == "else":
                self.take()
                otherwise = self.block()
                break
            else:
                self.at = mark
                break
        return ("if", branches, otherwise)

    def keyword_while(self):
        self.take()
        self.expect("(")
        condition = self.pipeline()
        self.expect(")")
        return ("while", condition, self.block())

    def keyword_do(self):
        self.take()
        body = self.block()
        self.newlines()
        self.expect("while")
        self.expect("(")
        condition = self.pipeline()
        self.expect(")")
        return ("do", body, condition)

    def keyword_foreach(self):
        self.take()
        self.expect("(")
        name = self.take()[1]
        self.expect("in")
        values = self.pipeline()
        self.expect(")")
        return ("foreach", name, values, self.block())

    def keyword_try(self):
        self.take()
        body, handler, final = self.block(), None, None
        self.newlines()
        if self.peek()[1].lower() == "catch":
            self.take()
            handler = self.block()
            mark = self.at
            self.newlines()
            if self.peek()[1].lower() != "finally":
                self.at = mark
        if self.peek()[1].lower() == "finally":
            self.take()
            final = self.block()
        return ("try", body, handler, final)

    def value_after(self, name):
        self.take()
        kind, value, *_ = self.peek()
        if kind in ("newline", "end") or value in ("}", ")"):
            return (name, None)
        return (name, self.pipeline())

    def keyword_throw(self):
        return self.value_after("throw")

    def keyword_exit(self):
        return self.value_after("exit")

    def keyword_return(self):
        return self.value_after("return")

    def keyword_break(self):
        self.take()
        return ("break",)

    def keyword_continue(self):
        self.take()
        return ("continue",)

    def keyword_function(self):
        self.take()
        name = self.take()[1]
        parameters = []
        if self.accept("("):
            while not self.accept(")"):
                parameters.append(self.take()[1])
                self.accept(",")
        return ("function", name, parameters, self.block())

    def keyword_param(self):
        raise SyntaxFailure("param is not known here")

    keyword_begin = keyword_process = keyword_end = keyword_param

    def pipeline_or_assignment(self):
        mark = self.at
        kind = self.peek()[0]
        if kind in ("variable", "type"):
            target = self.unary()
            for operator in ("=", "+=", "-="):
                if self.accept(operator):
                    self.newlines()
                    value = self.statement()
                    return ("assign", target, operator, value)
            if [token[1] for token in self.all[self.at : self.at + 2]] == ["+", "+"]:
                self.at += 2
                return ("assign", target, "+=", ("literal", 1))
            self.at = mark
        return self.pipeline()

    def pipeline(self):
        parts = [self.element()]
        while self.accept("|"):
            self.newlines()
            parts.append(self.element())
        return parts[0] if len(parts) == 1 else ("pipeline", parts)

    def element(self):
        kind, value, *_ = self.peek()
        if kind == "symbol" and value == "&":
            self.take()
            return ("call", self.argument(), self.arguments())
        if kind == "word" and value == "." and self.all[self.at + 1][0] in ("space",):
            self.take()
            return ("source", self.argument(), self.arguments())
        if kind == "symbol" and value == ".":
            self.take()
            return ("source", self.argument(), self.arguments())
        if kind == "word":
            self.take()
            return ("command", value, self.arguments())
        return self.expression()

    # -- arguments of commands

    def arguments(self):
        found = []
        while True:
            kind, value, *_ = self.peek()
            if kind in ("newline", "end") or (kind == "symbol" and value in ("|", "}", ")")):
                return found
            if kind == "parameter":
                self.take()
                found.append(("parameter", value))
            elif kind == "symbol" and value == ",":
                self.take()
                left = found.pop()
                right = self.argument()
                items = left[1] if left[0] == "array" else [left]
                found.append(("array", items + [right]))
            else:
                found.append(self.argument())

    def argument(self):
        kind, value, start, _ = self.peek()
        if kind in ("single", "double", "variable") or value in ("(", "$(", "@(", "{"):
            node = self.postfix(self.primary())
            return self.glued(node)
        # A bare word goes on until white space or a character with a meaning.
        text = ""
        while True:
            kind, value, *_ = self.all[self.at] if text else self.peek()
            if kind in ("space", "newline", "end") or value in ("|", "{", "}", "(", ")", ",", ";"):
                break
            token = self.all[self.at] if text else self.take()
            if text:
                self.at += 1
            if token[0] in ("single", "double", "variable"):
                return ("concat", [("literal", text), self.token_node(token)])
            text += token[1]
        if not text:
            raise SyntaxFailure(f"unexpected {value!r} in the arguments of a command")
        return ("literal", text)

    def glued(self, node):
        """What follows a variable or a string without white space belongs to the same argument."""
        parts = [node]
        while True:
            kind, value, *_ = self.all[self.at]
            if kind in ("word", "number", "parameter", "symbol") and value not in (
                "|", "{", "}", "(", ")", ",", "[", "]", "=",
            ):
                parts.append(("literal", value))
                self.at += 1
            elif kind in ("single", "double", "variable"):
                parts.append(self.token_node(self.all[self.at]))
                self.at += 1
            else:
                break
        return node if len(parts) == 1 else ("concat", parts)

    # -- expressions

    def expression(self):
        return self.logical()

    def logical(self):
        left = self.bitwise()
        while self.peek()[1].lower() in ("-and", "-or"):
            operator = self.take()[1].lower()
            self.newlines()
            left = ("binary", operator, left, self.bitwise())
        return left

    def bitwise(self):
        left = self.comparison()
        while self.peek()[1].lower() in ("-band", "-bor"):
            operator = self.take()[1].lower()
            left = ("binary", operator, left, self.comparison())
        return left

    def comparison(self):
        left = self.additive()
        while self.peek()[1].lower() in COMPARISONS:
            operator = self.take()[1].lower()
            left = ("binary", operator, left, self.additive())
        return left

    def additive(self):
        left = self.multiplicative()
        while True:
            kind, value, *_ = self.peek()
            if kind == "symbol" and value in ("+", "-"):
                self.take()
                self.newlines()
                left = ("binary", value, left, self.multiplicative())
            elif kind == "number" and value.startswith("-"):
                self.take()
                left = ("binary", "+", left, ("literal", int(value)))
            else:
                return left

    def multiplicative(self):
        left = self.formatted()
        while self.peek()[1] in ("*", "/", "%") and self.peek()[0] == "symbol":
            operator = self.take()[1]
            left = ("binary", operator, left, self.formatted())
        return left

    def formatted(self):
        left = self.comma()
        while self.peek()[1].lower() == "-f":
            self.take()
            left = ("binary", "-f", left, self.comma())
        return left

    def comma(self):
        first = self.unary()
        if not self.is_symbol(","):
            return first
        items = [first]
        while self.accept(","):
            self.newlines()
            items.append(self.unary())
        return ("array", items)

    def unary(self):
        kind, value, *_ = self.peek()
        if value.lower() == "-not" or (kind == "symbol" and value == "!"):
            self.take()
            return ("not", self.unary())
        if kind == "symbol" and value == "-":
            self.take()
            return ("negative", self.unary())
        if kind == "type":
            self.take()
            name = value[1:-1]
            if self.all[self.at][1] == "::":
                return self.postfix(("static", name))
            return ("cast", name, self.unary())
        return self.postfix(self.primary())

    def postfix(self, node):
        while True:
            kind, value, *_ = self.all[self.at]
            if value in (".", "::") and kind in ("symbol", "word"):
                self.at += 1
                names = self.all[self.at][1]
                self.at += 1
                node = self.members(node, names)
            elif kind == "word" and value.startswith(".") and len(value) > 1:
                self.at += 1
                node = self.members(node, value[1:])
            elif kind == "symbol" and value == "[":
                self.at += 1
                index = self.expression()
                self.expect("]")
                node = ("index", node, index)
            elif kind == "type" and re.fullmatch(r"\[\d+\]", value):
                self.at += 1
                node = ("index", node, ("literal", int(value[1:-1])))
            else:
                return node

    def members(self, node, names):
        """Several names with dots between are one word; only the last can be a method."""
        *before, last = names.split(".")
        for name in before:
            node = ("member", node, name)
        return self.member(node, last)

    def member(self, node, name):
        if self.all[self.at][1] != "(":
            return ("member", node, name)
        self.at += 1
        values = []
        self.newlines()
        while not self.accept(")"):
            # A comma here separates arguments, it makes no array.
            values.append(self.argument_expression())
            self.newlines()
            if not self.accept(","):
                self.expect(")")
                break
            self.newlines()
        return ("invoke", node, name, values)

    def argument_expression(self):
        comma, self.comma = self.comma, self.unary
        try:
            return self.expression()
        finally:
            self.comma = comma

    def primary(self):
        token = self.take()
        kind, value, *_ = token
        if kind in ("single", "double", "variable", "number"):
            return self.token_node(token)
        if value in ("(", "$(", "@("):
            comma = self.__dict__.pop("comma", None)
            if value == "(":
                self.newlines()
                inner = self.statement()
                self.newlines()
                self.expect(")")
            else:
                inner = self.statements(")")
                self.expect(")")
            if comma:
                self.comma = comma
            return ("list", inner) if value == "@(" else ("group", inner)
        if value == "{":
            self.at -= 1
            return ("scriptblock", self.block())
        line = self.source[: token[2]].count("\n") + 1
        raise SyntaxFailure(f"line {line}: unexpected {value!r}")

    def token_node(self, token):
        kind, value, *_ = token
        if kind == "single":
            return ("literal", value[1:-1].replace("''", "'"))
        if kind == "double":
            return self.interpolated(value[1:-1])
        if kind == "number":
            return ("literal", float(value) if "." in value else int(value))
        return ("variable", value.lstrip("$").strip("{}"))

    ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}

    def interpolated(self, text):
        parts, literal, at = [], "", 0
        while at < len(text):
            character = text[at]
            if character == "`" and at + 1 < len(text):
                literal += self.ESCAPES.get(text[at + 1], text[at + 1])
                at += 2
                continue
            if text.startswith('""', at):
                literal += '"'
                at += 2
                continue
            if text.startswith("$(", at):
                depth, end = 1, at + 2
                while depth:
                    depth += {"(": 1, ")": -1}.get(text[end], 0)
                    end += 1
                parts += [("literal", literal), ("group", Parser(text[at + 2 : end - 1]).statements(None))]
                literal, at = "", end
                continue
            match = re.compile(r"\$(?:\{([^}]+)\}|((?:env|global):\w+|\w+|\$))", re.I).match(text, at)
            if match:
                parts += [("literal", literal), ("variable", match.group(1) or match.group(2))]
                literal, at = "", match.end()
                continue
            literal += character
            at += 1
        parts.append(("literal", literal))
        return ("concat", parts)


class Interpreter:
    """Runs one script in one process."""

    def __init__(self, process, parent=None):
        self.process = process
        self.variables = {"true": True, "false": False, "null": None, "lastexitcode": None, "pid": 4711,
                          "erroractionpreference": "Continue", "progresspreference": "Continue"}
        self.functions = {}
        self.debug = 0

    # -- running

    def run(self, source, arguments=(), lines=None):
        """Runs a script; returns the exit code. `lines` are the lines of standard input, if piped."""
        try:
            tree = Parser(source).script()
        except SyntaxFailure as failure:
            self.process.stderr(f"ParserError: {failure}\n")
            return 1
        self.variables["args"] = list(arguments)
        try:
            if tree[0] == "blocks":
                blocks = tree[1]
                self.show(self.evaluate(blocks.get("begin", ("sequence", []))))
                for line in lines or ():
                    self.variables["_"] = line
                    self.show(self.evaluate(blocks.get("process", ("sequence", []))))
                self.variables.pop("_", None)
                self.show(self.evaluate(blocks.get("end", ("sequence", []))))
            else:
                self.variables["input"] = lines or []
                self.execute(tree)
        except Exit as exit_:
            self.show(exit_.left)
            return exit_.code
        except Throw as thrown:
            self.process.stderr(f"{dotnet.text(thrown.value)}\n")
            return 1
        return 0

    def execute(self, node):
        """Runs a sequence and shows what each statement leaves, as it comes."""
        if node[0] != "sequence":
            self.show(self.evaluate(node))
            return
        for statement in node[1]:
            try:
                self.show(self.evaluate(statement))
            except Return:
                return

    def show(self, value):
        for item in self.flat(value):
            self.process.stdout(dotnet.text(item) + "\r\n")

    @staticmethod
    def flat(value):
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    def evaluate(self, node):
        self.process.check()
        return getattr(self, "on_" + node[0])(*node[1:])

    # -- statements

    def on_sequence(self, body):
        results = []
        try:
            for statement in body:
                results += self.flat(self.evaluate(statement))
        except Exit as exit_:
            exit_.left = results + exit_.left
            raise
        return results if len(results) != 1 else results[0]

    def on_if(self, branches, otherwise):
        for condition, body in branches:
            if self.truth(self.evaluate(condition)):
                return self.evaluate(body)
        return self.evaluate(otherwise) if otherwise else None

    def on_while(self, condition, body):
        while self.truth(self.evaluate(condition)):
            self.show_inside(self.evaluate(body))

    def on_do(self, body, condition):
        while True:
            self.show_inside(self.evaluate(body))
            if not self.truth(self.evaluate(condition)):
                return

    def on_foreach(self, name, values, body):
        for value in self.flat(self.evaluate(values)):
            self.variables[name.lstrip("$").lower()] = value
            self.show_inside(self.evaluate(body))

    def show_inside(self, value):
        self.show(value)

    def on_try(self, body, handler, final):
        try:
            return self.evaluate(body)
        except (Throw, dotnet.Failure) as failure:
            if handler is None:
                raise
            before = self.variables.get("_")
            self.variables["_"] = dotnet.ErrorRecord(failure)
            try:
                return self.evaluate(handler)
            finally:
                self.variables["_"] = before
        finally:
            if final:
                self.evaluate(final)

    def on_throw(self, value):
        raise Throw(self.evaluate(value) if value else "ScriptHalted")

    def on_exit(self, value):
        code = self.evaluate(value) if value else 0
        raise Exit(int(code or 0))

    def on_return(self, value):
        if value:
            self.show(self.evaluate(value))
        raise Return()

    def on_function(self, name, parameters, body):
        self.functions[name.lower()] = (parameters, body)

    def on_assign(self, target, operator, value):
        value = self.evaluate(value)
        if target[0] == "cast":
            value, target = dotnet.cast(target[1], value), target[2]
        if operator != "=":
            value = self.binary(operator[0], self.evaluate(target), value)
        if target[0] == "variable":
            self.assign(target[1], value)
        elif target[0] == "member":
            dotnet.set_member(self.evaluate(target[1]), target[2], value)
        else:
            raise Throw("cannot assign to that")

    def assign(self, name, value):
        scope, _, rest = name.lower().partition(":")
        if scope == "null":
            return
        if scope == "env":
            if value is None:
                self.process.environment.pop(rest.upper(), None)
            else:
                self.process.environment[rest.upper()] = dotnet.text(value)
        elif rest:
            self.variables[rest] = value
        else:
            self.variables[scope] = value

    def on_pipeline(self, parts):
        value = self.evaluate(parts[0])
        for part in parts[1:]:
            if part[0] != "command":
                raise Throw("only commands can follow a pipe")
            value = self.command(part[1], part[2], self.flat(value))
        return value

    # -- expressions

    def on_literal(self, value):
        return value

    def on_concat(self, parts):
        return "".join(dotnet.text(self.evaluate(part)) for part in parts)

    def on_variable(self, name):
        scope, _, rest = name.lower().partition(":")
        if scope == "env":
            return self.process.environment.get(rest.upper())
        return self.variables.get(rest or scope)

    def on_group(self, inner):
        return self.evaluate(inner)

    def on_list(self, inner):
        return list(self.flat(self.evaluate(inner)))

    def on_array(self, items):
        return [self.evaluate(item) for item in items]

    def on_scriptblock(self, body):
        return dotnet.ScriptBlock(body)

    def on_not(self, value):
        return not self.truth(self.evaluate(value))

    def on_negative(self, value):
        return -self.evaluate(value)

    def on_cast(self, name, value):
        return dotnet.cast(name, self.evaluate(value))

    def on_static(self, name):
        return dotnet.static(name, self.process)

    def on_member(self, node, name):
        return dotnet.member(self.evaluate(node), name)

    def on_index(self, node, index):
        value, index = self.evaluate(node), self.evaluate(index)
        if isinstance(value, dict):
            return value.get(index)
        return value[index] if value is not None and -len(value) <= index < len(value) else None

    def on_invoke(self, node, name, values):
        target = self.evaluate(node)
        values = [self.evaluate(value) for value in values]
        try:
            return dotnet.invoke(target, name, values)
        except dotnet.Failure as failure:
            raise Throw(dotnet.MethodError(name, len(values), failure)) from failure

    def on_binary(self, operator, left, right):
        if operator in ("-and", "-or"):
            first = self.truth(self.evaluate(left))
            if first == (operator == "-or"):
                return first
            return self.truth(self.evaluate(right))
        return self.binary(operator, self.evaluate(left), self.evaluate(right))

    def binary(self, operator, left, right):
        text = dotnet.text
        if operator == "+":
            if isinstance(left, str):
                return left + text(right)
            if isinstance(left, list):
                return left + self.flat(right)
            return (left or 0) + (int(right) if isinstance(right, str) else (right or 0))
        if operator == "-":
            return left - right
        if operator in ("*", "/", "%"):
            return {"*": lambda: left * right, "/": lambda: left / right, "%": lambda: left % right}[operator]()
        if operator == "-f":
            values = right if isinstance(right, list) else [right]
            return re.sub(r"\{(\d+)\}", lambda found: text(values[int(found.group(1))]), text(left))
        if operator in ("-band", "-bor"):
            return left & right if operator == "-band" else left | right
        if operator in ("-match", "-notmatch"):
            found = re.search(right, text(left), re.I)
            if found:
                groups = [found.group(0), *found.groups()]
                self.variables["matches"] = dict(enumerate(groups))
            return bool(found) == (operator == "-match")
        if operator == "-like":
            pattern = re.escape(right).replace(r"\*", ".*").replace(r"\?", ".")
            return bool(re.fullmatch(pattern, text(left), re.I | re.S))
        if operator == "-join":
            return text(right).join(text(item) for item in self.flat(left))
        if operator == "-split":
            return re.split(right, text(left))
        if operator == "-replace":
            pattern, replacement = right if isinstance(right, list) else (right, "")
            return re.sub(pattern, replacement, text(left), flags=re.I)
        return self.compare(operator, left, right)

    def compare(self, operator, left, right):
        if isinstance(left, str) and right is not None:
            left, right = left.lower(), dotnet.text(right).lower()
        elif isinstance(left, bool):
            right = self.truth(right)
        elif isinstance(left, (int, float)) and isinstance(right, str):
            right = int(right)
        if operator == "-contains":
            return right in left
        results = {"-eq": lambda: left == right, "-ne": lambda: left != right}
        if operator in results:
            return results[operator]()
        left, right = left or 0, right or 0
        return {"-gt": left > right, "-lt": left < right, "-ge": left >= right, "-le": left <= right}[operator]

    @staticmethod
    def truth(value):
        if isinstance(value, list) and len(value) == 1:
            return Interpreter.truth(value[0])
        return bool(value)

    # -- commands

    def on_command(self, name, arguments):
        return self.command(name, arguments, None)

    def on_call(self, target, arguments):
        return self.invoke_script(self.evaluate(target), arguments, own_scope=True)

    def on_source(self, target, arguments):
        return self.invoke_script(self.evaluate(target), arguments, own_scope=False)

    def invoke_script(self, target, arguments, own_scope):
        if isinstance(target, dotnet.ScriptBlock):
            self.execute(target.body)
            return None
        path = dotnet.text(target)
        if not path.lower().endswith(".ps1"):
            return self.command(path, arguments, None)
        source = self.process.machine.files.read(path)
        if source is None:
            raise Throw(f"The term '{path}' is not recognized as the name of a script file")
        try:
            tree = Parser(source.decode("utf-8-sig")).script()
        except SyntaxFailure as failure:
            raise Throw(f"{path}: {failure}") from failure
        before = dict(self.variables) if own_scope else None
        self.variables["pscommandpath"] = path
        try:
            self.execute(tree)
        except Exit as exit_:
            if not own_scope:
                raise
            # A script that is called ends itself, and says so in $LASTEXITCODE.
            before["lastexitcode"] = exit_.code
        finally:
            if own_scope:
                before["lastexitcode"] = before.get("lastexitcode") or self.variables.get("lastexitcode")
                self.variables = before
        return None

    def words(self, arguments):
        """Positional values, and named ones by name in lower case; a name without value is a switch."""
        positional, named, waiting = [], {}, None
        for argument in arguments:
            if argument[0] == "parameter":
                if waiting:
                    named[waiting] = True
                waiting = argument[1].lstrip("-").lower()
                continue
            value = self.evaluate(argument)
            if waiting:
                named[waiting], waiting = value, None
            else:
                positional.append(value)
        if waiting:
            named[waiting] = True
        return positional, named

    def command(self, name, arguments, piped):
        word = name.lower()
        if word in self.functions:
            parameters, body = self.functions[word]
            positional, named = self.words(arguments)
            before = dict(self.variables)
            for index, parameter in enumerate(parameters):
                key = parameter.lstrip("$").lower()
                given = positional[index] if index < len(positional) else named.get(key)
                self.variables[key] = given
            keep = [parameter.lstrip("$").lower() for parameter in parameters]
            try:
                return self.evaluate(body)
            finally:
                for key in keep:
                    self.variables[key] = before.get(key)
        method = "command_" + {"echo": "write_output", "write": "write_output", "sleep": "start_sleep",
                               "rm": "remove_item", "del": "remove_item", "type": "get_content",
                               "cat": "get_content", "%": "foreach_object"}.get(word, word.replace("-", "_"))
        if hasattr(self, method):
            positional, named = self.words(arguments)
            return getattr(self, method)(positional, named, piped)
        return self.native(name, arguments)

    def native(self, name, arguments):
        values = []
        for argument in arguments:
            values.append(argument[1] if argument[0] == "parameter" else dotnet.text(self.evaluate(argument)))
        code = self.process.native(name, values)
        if code is None:
            raise Throw(f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or "
                        "operable program.")
        self.variables["lastexitcode"] = code
        return None

    def command_write_output(self, positional, named, piped):
        values = piped or []
        for value in positional:
            values = values + self.flat(value)
        return values

    def command_write_host(self, positional, named, piped):
        self.process.stdout(" ".join(dotnet.text(value) for value in positional) + "\r\n")

    def command_write_error(self, positional, named, piped):
        message = dotnet.text(positional[0] if positional else named.get("message"))
        if self.variables.get("erroractionpreference") == "Stop":
            raise Throw(message)
        self.process.stderr(f"{message}\r\n")

    def command_out_null(self, positional, named, piped):
        return None

    def command_out_string(self, positional, named, piped):
        return "".join(dotnet.text(value) + "\r\n" for value in piped)

    def command_foreach_object(self, positional, named, piped):
        results = []
        for value in piped or []:
            self.variables["_"] = value
            results += self.flat(self.evaluate(positional[0].body))
        return results

    def command_set_psdebug(self, positional, named, piped):
        self.debug = int(named.get("trace", 0))
        self.process.machine.note("set-psdebug", self.debug)

    def command_set_variable(self, positional, named, piped):
        name = named.get("name") or positional[0]
        value = named["value"] if "value" in named else positional[-1]
        self.assign(re.sub(r"^variable:", "", name, flags=re.I), value)

    def command_test_path(self, positional, named, piped):
        path = dotnet.text(positional[0] if positional else named.get("path", named.get("literalpath")))
        if path.lower().startswith("variable:"):
            return path.lower().split(":")[-1] in self.variables
        if re.match(r"(HKLM|HKCU):", path, re.I):
            return self.process.machine.has_key(path)
        return self.process.machine.files.kind(path) is not None

    def command_start_sleep(self, positional, named, piped):
        seconds = positional[0] if positional else named.get("seconds", 0)
        seconds = float(named["milliseconds"]) / 1000 if "milliseconds" in named else float(seconds)
        self.process.wait(seconds)

    def command_new_object(self, positional, named, piped):
        if "comobject" in named:
            return self.process.machine.com_object(named["comobject"])
        name = positional[0] if positional else named.get("typename")
        values = self.flat(named.get("argumentlist")) or positional[1:]
        flat = []
        for value in values:
            flat += value if isinstance(value, list) else [value]
        return dotnet.new(name, flat)

    def command_remove_item(self, positional, named, piped):
        path = positional[0] if positional else named.get("path", named.get("literalpath"))
        for one in self.flat(path):
            if not self.process.machine.files.delete(dotnet.text(one)):
                if str(named.get("erroraction", "")).lower() != "silentlycontinue":
                    raise Throw(f"Cannot find path '{one}' because it does not exist.")

    def command_get_content(self, positional, named, piped):
        path = dotnet.text(positional[0] if positional else named.get("path", named.get("literalpath")))
        data = self.process.machine.files.read(path)
        if data is None:
            raise Throw(f"Cannot find path '{path}' because it does not exist.")
        return data.decode("utf-8-sig").splitlines()

    def command_set_content(self, positional, named, piped):
        path = dotnet.text(positional[0] if positional else named.get("path", named.get("literalpath")))
        value = named.get("value", positional[1] if len(positional) > 1 else piped)
        lines = "".join(dotnet.text(item) + "\r\n" for item in self.flat(value))
        self.process.machine.files.write(path, lines.encode())

    def command_join_path(self, positional, named, piped):
        return dotnet.text(positional[0]).rstrip("\\/") + "\\" + dotnet.text(positional[1]).lstrip("\\/")

    def command_get_wmiobject(self, positional, named, piped):
        name = positional[0] if positional else named.get("class")
        if dotnet.text(name).lower() != "win32_operatingsystem":
            raise Throw(f"Invalid class \"{name}\"")
        return dotnet.Plain(lastbootuptime=self.process.machine.boot_time)

    def command_get_date(self, positional, named, piped):
        return time.strftime("%c")


def decoded(text):
    """What `-EncodedCommand` stands for."""
    return base64.b64decode(text).decode("utf-16-le")
