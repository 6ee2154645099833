//! What to do about text that the languages do not have, and about values that do not go together.

/// The start of a title, and what to do. The first that fits counts.
pub(super) const LANGUAGE: &[(&str, &str)] = &[
    // Text.
    (
        "Invalid character",
        "Take it out, or put the text it belongs to between double quotes.",
    ),
    ("Unterminated comment", "Write `*/` behind the comment."),
    (
        "Unterminated template string",
        "Write the closing word alone on a line behind the text, and a line break behind it.",
    ),
    (
        "Invalid escape sequence",
        "Write a backslash that is meant literally as `\\\\`.",
    ),
    (
        "Unclosed template interpolation",
        "Write `}` behind the expression; `${` that is meant literally is `$${`.",
    ),
    (
        "Unclosed template directive",
        "Write `}` behind it; `%{` that is meant literally is `%%{`.",
    ),
    (
        "Unexpected end of template",
        "Write the missing `%{ … }` behind what belongs to it, or take the directive out.",
    ),
    (
        "Unexpected ",
        "Take it out, or write in front of it what it belongs to.",
    ),
    (
        "Invalid template control keyword",
        "There are `if`, `else`, `endif`, `for` and `endfor`; `%{` that is meant literally is `%%{`.",
    ),
    (
        "Extra characters in ",
        "Take out everything behind the keyword.",
    ),
    // Expressions.
    (
        "Invalid expression",
        "Write a value: a text in double quotes, a number, a list in brackets, a name such as \
         `var.size`.",
    ),
    (
        "Missing expression",
        "Write a value: a text in double quotes, a number, a list in brackets, a name such as \
         `var.size`.",
    ),
    (
        "Invalid attribute name",
        "Write a name behind the dot, as in `var.size`; any other key stands in brackets: `x[\"a b\"]`.",
    ),
    (
        "Invalid 'for' expression",
        "Write `[for item in LIST : VALUE]` or `{ for key, value in MAP : KEY => VALUE }`.",
    ),
    (
        "Invalid 'for' directive",
        "Write `%{ for item in LIST }…%{ endfor }`.",
    ),
    (
        "Missing false expression in conditional",
        "Write `CONDITION ? VALUE : OTHER`; `null` stands for no value.",
    ),
    (
        "Extra characters after expression",
        "Take out what follows, or write an operator or a comma before it.",
    ),
    ("Unbalanced parentheses", "Write `)` here."),
    ("Missing closing parenthesis", "Write `)` here."),
    ("Missing close bracket", "Write `]` here."),
    (
        "Missing argument separator",
        "Write `,` between the arguments.",
    ),
    ("Missing item separator", "Write `,` between the items."),
    (
        "Missing attribute separator",
        "Begin each attribute on a line of its own, or write `,` between them.",
    ),
    ("Missing attribute value", "Write `name = value`."),
    ("Missing key/value separator", "Write `name = value`."),
    (
        "Missing newline after block",
        "Begin what follows on a line of its own.",
    ),
    (
        "Missing newline after argument",
        "Take out what follows; the next argument begins on a line of its own.",
    ),
    (
        "Unclosed configuration block",
        "Write `}` behind the last line of the block.",
    ),
    ("Invalid argument name", "Take the quotes away."),
    (
        "Ambiguous attribute key",
        "Put the expression in parentheses: `(var.name) = value`.",
    ),
    (
        "Nested splat expression not allowed",
        "Write a `for` expression: `[for item in LIST : item.name]`.",
    ),
    (
        "Invalid legacy index syntax",
        "Write the index in brackets: `list[0]`.",
    ),
    // Limits.
    (
        "Nesting too deep",
        "Move inner parts to locals, and name these.",
    ),
    (
        "Expression nested too deeply",
        "Move inner parts to locals, and name these.",
    ),
    (
        "Expression too large",
        "Move parts of it to locals, or to a file that is read.",
    ),
    (
        "Result too large",
        "Look for a repetition that grows faster than it was meant to.",
    ),
    (
        "File too large",
        "Check that it is a template at all; move data to files that the template reads.",
    ),
    (
        "Too many errors",
        "Mend what is told above, then check again.",
    ),
    (
        "Too many ",
        "Look for a number or a list that is larger than it was meant to be.",
    ),
    (
        "Too much behind aliases",
        "Look for aliases that stand for parts with many aliases of their own.",
    ),
    // Values.
    (
        "Invalid number",
        "Write a smaller one, or put it between double quotes when it is not to be computed with.",
    ),
    (
        "Division by zero",
        "Test the divisor first: `x == 0 ? 0 : 1 / x`.",
    ),
    (
        "Incorrect condition type",
        "Write a comparison, or another expression that is true or false.",
    ),
    (
        "Invalid 'for' condition",
        "Write a comparison, or another expression that is true or false.",
    ),
    (
        "Condition is null",
        "Compare with null first: `x != null && x`.",
    ),
    (
        "Inconsistent conditional result types",
        "Give both sides the same type, with `tostring(…)` or `tolist(…)`, say.",
    ),
    (
        "Invalid template interpolation value",
        "Make a text of it: `join(\", \", LIST)`, or `jsonencode(VALUE)`.",
    ),
    (
        "Invalid expanding argument value",
        "Put a list in front of `...`, or take the `...` away.",
    ),
    (
        "Incorrect key type",
        "Make a text of it, with `tostring(…)` or `join(\"-\", LIST)`, say.",
    ),
    (
        "Invalid object key",
        "Make a text of it, with `tostring(…)` or `join(\"-\", LIST)`, say.",
    ),
    (
        "Null value as key",
        "Give it a text, or leave the item out: `{ for … : KEY => VALUE if KEY != null }`.",
    ),
    (
        "Iteration over null value",
        "Give it a list, or write `coalesce(LIST, [])`.",
    ),
    (
        "Splat of null value",
        "Give it a list, or write `coalesce(LIST, [])`.",
    ),
    (
        "Call to unknown function",
        "`help functions` in `kiln console` names all functions.",
    ),
    // JSON and YAML.
    ("Trailing comma", "Take the comma out."),
    (
        "Missing comma",
        "Write `,` here, or the bracket that closes what is before.",
    ),
    ("Key without quotes", "Put it between double quotes."),
    ("Missing colon", "Write `:` between the key and its value."),
    (
        "Unclosed JSON bracket",
        "Write the closing bracket behind the last part.",
    ),
    ("Single quotes in JSON", "Write `\"` instead of `'`."),
    (
        "Comment in JSON",
        "Take it out, or make it the value of a key: `\"_comment\": \"text\"`.",
    ),
    (
        "Missing JSON key",
        "Write a name in double quotes and a colon: `\"name\": value`.",
    ),
    (
        "Missing JSON value",
        "Write a value: a text in double quotes, a number, `true`, `false` or `null`.",
    ),
    (
        "Invalid JSON keyword",
        "Put text between double quotes; without them there are `true`, `false` and `null`.",
    ),
    (
        "Invalid JSON number",
        "Write a number such as `10`, `-1` or `0.5`, or put it between double quotes.",
    ),
    (
        "Invalid JSON value",
        "Write a value: a text in double quotes, a number, `true`, `false` or `null`.",
    ),
    (
        "Incorrect JSON value type",
        "Blocks are objects: `\"build\": { … }`, or lists of objects.",
    ),
    (
        "Root value must be object",
        "Write `{ \"build\": … }`: an object with the kinds of blocks as keys.",
    ),
    (
        "Missing block label",
        "Write the label as a key around the block: `\"source\": { \"null\": { \"example\": { … } } }`.",
    ),
    (
        "Invalid YAML",
        "Begin entries of one mapping or list in the same column, each as `name: value` or `- item`.",
    ),
    (
        "Missing YAML value",
        "Write a value behind the colon; `\"\"` is an empty text.",
    ),
    (
        "Empty YAML document",
        "Write `builders:` with a builder in it.",
    ),
    (
        "Several YAML documents",
        "Put each template in a file of its own, and take `---` out.",
    ),
    ("Key is no text", "Put the key between quotes."),
    (
        "Alias inside of what it stands for",
        "Write out what is meant in the place of the alias.",
    ),
    (
        "Wrong value of a merge key",
        "Write an alias of a mapping behind `<<:`, or a list of such aliases.",
    ),
];
