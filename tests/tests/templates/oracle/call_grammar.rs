//! Makes texts with template calls, as JSON templates have them, right and wrong ones.

use super::random::Random;

/// The user variables that the texts refer to.
pub const VARIABLES: [(&str, &str); 5] = [
    ("name", "Some Name"),
    ("empty", ""),
    ("list", "a,b,c"),
    ("number", "42"),
    ("odd", "ünï <&> \"q\" 'x' 🙂"),
];

const TEXTS: [&str; 12] = [
    "`raw \\n`",
    "\"quoted \\\"x\\\" \\u00e9\\t\\x41\\101\"",
    "``",
    "`a`",
    "`Hello World`",
    "`x,y,z`",
    "`<a href='x'>&</a>`",
    "`ünï ÄÖß`",
    "(user `name`)",
    "(user \"odd\")",
    "(user `empty`)",
    "(user `number`)",
];

const NUMBERS: [&str; 21] = [
    "0",
    "1",
    "2",
    "-1",
    "3",
    "42",
    "0x1F",
    "0b101",
    "0o17",
    "017",
    "1_000",
    "1.5",
    "-0.25",
    "1e3",
    "'a'",
    "'\\n'",
    "'é'",
    "9223372036854775807",
    "1e100",
    "0x1p4",
    "1.0",
];

const FORMATS: [&str; 34] = [
    "%s",
    "%d",
    "%5.2f|",
    "%-8s|",
    "%05d",
    "%x",
    "%X",
    "%q",
    "%v",
    "%+v",
    "%#v",
    "%t",
    "%%",
    "%b",
    "%o",
    "%e",
    "%g",
    "%[1]s%[1]v",
    "%+d",
    "% d",
    "%.3s",
    "%8.3q|",
    "%z",
    "%",
    "plain",
    "%s %s",
    "%[3]v",
    "%*d",
    "%08.3f",
    "%T",
    "%c",
    "%U",
    "%#x",
    "% x",
];

/// Texts that stand alone; most are wrong.
pub const SINGLE: [&str; 33] = [
    "{{printf `%T` (index `abc` 0)}}",
    "{{index `abc` 0}}",
    "{{",
    "{{end}}",
    "{{else}}",
    "{{if true}}x",
    "{{nosuch}}",
    "{{upper}}",
    "{{upper `a` `b`}}",
    "{{upper 1}}",
    "{{user `nobody`}}",
    "{{nil}}",
    "{{.}} {{html $}}",
    "{{2i}}",
    "{{packer_version}}",
    "{{break}}",
    "{{1 2}}",
    "{{`open}}",
    "{{\"open}}",
    "{{'ab'}}",
    "{{$x}}",
    "{{.a.b}}",
    "{{env `HOME`}}",
    "{{build_name}}",
    "{{build `ID`}}",
    "{{sed `s/a/b/` `a`}}",
    "{{/* open",
    "{{ (1 }}",
    "{{template `nosuch`}}",
    "{{isotime `a` `b`}}",
    "{{split `a` `b` 3}}",
    "{{index `abc` 7}}",
    "{{if}}x{{end}}",
];

/// One text of one line.
pub fn text(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(2) {
        text.push_str(&statement(random, 2));
        text.push_str(random.pick(&["", " ", "x", "  y  "]));
    }
    text
}

fn open(random: &mut Random) -> &'static str {
    random.pick(&["{{", "{{", "{{ ", "{{- "])
}

fn close(random: &mut Random) -> &'static str {
    random.pick(&["}}", "}}", " }}", " -}}"])
}

fn statement(random: &mut Random, depth: u32) -> String {
    let (left, right) = (open(random), close(random));
    if depth == 0 || random.chance(45) {
        let pipeline = pipeline(random, depth);
        return format!("{left}{pipeline}{right}");
    }
    let depth = depth - 1;
    let inner = statement(random, depth);
    let other = statement(random, depth);
    let test = pipeline(random, depth);
    match random.below(11) {
        0 => format!("{left}if {test}{right} {inner} {{{{end}}}}"),
        1 => format!("{left}if {test}{right}{inner}{{{{ else }}}}{other}{{{{end -}}}} "),
        2 => format!(
            "{{{{if {test}}}}}{inner}{{{{else if {}}}}}{other}{{{{else}}}}z{{{{end}}}}",
            pipeline(random, depth)
        ),
        3 => format!("{left}with {test}{right}<{{{{.}}}}>{{{{else}}}}{other}{{{{end}}}}"),
        4 => format!("{left}with $w := {test}{right}{{{{$w}}}}{inner}{{{{end}}}}"),
        5 => format!(
            "{left}$v := {test}{right}{{{{$v}}}}{{{{$v = {}}}}}{{{{$v}}}}",
            argument(random, depth)
        ),
        6 => format!(
            "{left}/* {} */{right}",
            random.pick(&["a comment", "", "}}", "{{"])
        ),
        7 => format!(
            "{{{{with {test}}}}}{{{{printf `%v` .}}}}{{{{template `t` .}}}}{{{{end}}}}{{{{define `t`}}}}[{{{{.}}}}]{{{{end}}}}"
        ),
        8 => format!(
            "{{{{block `b` {}}}}}<{{{{.}}}}>{inner}{{{{end}}}}",
            argument(random, depth)
        ),
        9 => format!(
            "{left}range $i, $e := {test}{right}{{{{$i}}}}{{{{$e}}}}{{{{else}}}}none{{{{end}}}}"
        ),
        _ => format!(
            "{left}if not ({test}){right}{inner}{{{{end}}}}{{{{.nothing}}}}{{{{$.nothing}}}}"
        ),
    }
}

fn pipeline(random: &mut Random, depth: u32) -> String {
    let mut text = call(random, depth);
    while random.chance(25) {
        let next = random.pick(&[
            "upper",
            "lower",
            "len",
            "printf `<%v>`",
            "print",
            "html",
            "js",
            "urlquery",
            "not",
            "eq `a`",
            "replace_all `a` `b`",
            "replace `a` `b` 1",
            "printf \"%q\"",
            "println",
            "and 1",
            "or 0",
            "index `abc`",
        ]);
        text = format!("{text} | {next}");
    }
    text
}

fn argument(random: &mut Random, depth: u32) -> String {
    if depth > 0 && random.chance(35) {
        return format!("({})", pipeline(random, depth - 1));
    }
    match random.below(10) {
        0..5 => random.pick(&TEXTS).to_owned(),
        5..8 => random.pick(&NUMBERS).to_owned(),
        8 => random.pick(&["true", "false"]).to_owned(),
        _ => random.pick(&[".nothing", "$.nothing", "nil"]).to_owned(),
    }
}

fn word(random: &mut Random, depth: u32) -> String {
    if random.chance(90) {
        random.pick(&TEXTS).to_owned()
    } else {
        argument(random, depth)
    }
}

fn call(random: &mut Random, depth: u32) -> String {
    let any = |random: &mut Random| argument(random, depth);
    let small = |random: &mut Random| random.pick(&["0", "1", "2", "-1", "4"]);
    match random.below(24) {
        0 => format!("upper {}", word(random, depth)),
        1 => format!("lower {}", word(random, depth)),
        2 => format!(
            "split {} `,` {}",
            word(random, depth),
            random.pick(&["0", "0", "0", "1", "-1"])
        ),
        3 => format!(
            "replace {} {} {} {}",
            word(random, depth),
            word(random, depth),
            small(random),
            word(random, depth)
        ),
        4 => format!(
            "replace_all {} {} {}",
            word(random, depth),
            word(random, depth),
            word(random, depth)
        ),
        5 => format!("printf `{}` {}", random.pick(&FORMATS), any(random)),
        6 => format!(
            "printf `{}` {} {}",
            random.pick(&FORMATS),
            any(random),
            any(random)
        ),
        7 => format!("print {} {} {}", any(random), any(random), any(random)),
        8 => format!("println {} {}", any(random), any(random)),
        9 => format!("len {}", word(random, depth)),
        10 => format!("index {} {}", word(random, depth), small(random)),
        11 => format!(
            "slice {} {} {}",
            word(random, depth),
            random.pick(&["0", "1"]),
            small(random)
        ),
        12 => format!("html {} {}", any(random), any(random)),
        13 => format!("js {} {}", any(random), any(random)),
        14 => format!("urlquery {} {}", any(random), any(random)),
        15 => format!(
            "{} {} {}",
            random.pick(&["eq", "ne"]),
            any(random),
            any(random)
        ),
        16 => format!("eq {} {} {}", any(random), any(random), any(random)),
        17 => format!(
            "{} {} {}",
            random.pick(&["lt", "le", "gt", "ge"]),
            random.pick(&NUMBERS),
            random.pick(&NUMBERS)
        ),
        18 => format!(
            "{} {} {}",
            random.pick(&["lt", "ge"]),
            word(random, depth),
            word(random, depth)
        ),
        19 => format!(
            "{} {} {}",
            random.pick(&["and", "or"]),
            any(random),
            any(random)
        ),
        20 => format!("not {}", any(random)),
        21 => random
            .pick(&[
                "isotime `2006`",
                "isotime `Jan _2 MST Z07:00 is no time` | len",
                "strftime `%Y %% %q %`",
                "strftime `%Y`",
                "template_dir",
                "pwd",
                "uuid | len",
                "timestamp | len",
                "user (lower `NAME`)",
            ])
            .to_owned(),
        22 => any(random),
        _ => format!(
            "printf {} {} {}",
            word(random, depth),
            any(random),
            any(random)
        ),
    }
}
