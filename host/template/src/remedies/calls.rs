//! What to do about Go template calls that cannot be rendered.

/// A part of what the engine says, and what to do. The first that fits counts.
const CALLS: [(&str, &str); 11] = [
    (
        "unexpected character `}`",
        "End the call with two braces: {{ .Name }}.",
    ),
    (
        "are not allowed here",
        "Read it in the default of a variable, and use the variable here.",
    ),
    (
        "only allowed in the variables section",
        "Read it in the default of a variable, and use the variable here.",
    ),
    ("give the value with -var", "Pass it with `-var`."),
    ("was removed", "Use `replace` or `replace_all`."),
    (
        "is not known here",
        "Use it in provisioners and post-processors: the machine is there only then.",
    ),
    (
        "couldnt find",
        "Use one of the values that the builder gives, such as `ID`, `Host` or `User`.",
    ),
    (
        "not defined",
        "Write braces that are meant literally as `{{ \"{{\" }}`.",
    ),
    (
        "variable ",
        "Set it in the environment, or give the variable of the template a value with `-var`.",
    ),
    (
        "template path not available",
        "Save the template as a file; it has no folder otherwise.",
    ),
    (
        "error calling ",
        "Compare with how it is called: {{ upper `text` }}, {{ split `a-b` `-` 0 }}, \
         {{ replace_all `-` `_` `text` }}.",
    ),
];

/// For all others, which are mistakes of the call's own text.
const SYNTAX: &str = "A call looks like {{ upper `text` }}; braces that are meant literally are \
                      {{ \"{{\" }}.";

/// What to do about a call that failed with `message`.
pub(super) fn remedy(message: &str) -> &'static str {
    let known = CALLS.iter().find(|(part, _)| message.contains(part));
    known.map_or(SYNTAX, |(_, remedy)| remedy)
}
