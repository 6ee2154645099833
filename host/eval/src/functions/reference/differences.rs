//! Where kiln's functions differ from those of Packer 1.16.0, and why.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

/// A call with two results.
pub(super) struct Case<'a> {
    pub call: &'a str,
    /// What the table says.
    pub expected: &'a str,
    /// What kiln says.
    pub actual: &'a str,
}

/// What makes a row apply.
enum Rule {
    /// A regular expression for the call, a tab, the expected result, a tab and kiln's.
    Like(&'static str),
    /// A look at both results.
    When(fn(&Case<'_>) -> bool),
}

/// A difference with its reason.
pub(super) struct Row {
    rule: Rule,
    pub reason: &'static str,
}

impl Row {
    pub fn applies(&self, case: &Case<'_>) -> bool {
        match self.rule {
            Rule::When(rule) => rule(case),
            Rule::Like(pattern) => {
                let text = format!("{}\t{}\t{}", case.call, case.expected, case.actual);
                Regex::new(pattern).expect(pattern).is_match(&text)
            }
        }
    }
}

/// The first that applies counts.
pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule::Like(r"^yamldecode\(.*\tany \?\tany null"),
        reason: "null is null; go-cty-yaml 1.0.1 takes it for a value that is not known yet",
    },
    Row {
        rule: Rule::When(same_marked),
        reason: "marks are where the secret is: at the element, where go-cty 1.13 marks the whole; \
                 and a result that is not known yet keeps them, where go-cty 1.13 forgets them",
    },
    Row {
        rule: Rule::Like(r"\t(any|set\(any\)) \?\t\S.* .*$"),
        reason: "what follows from the function alone is known before the type of an argument is",
    },
    Row {
        rule: Rule::When(known_sooner),
        reason: "what an unknown part has nothing to do with is known: an element that is there, \
                 that values of different types are not equal",
    },
    Row {
        rule: Rule::Like(r"^element\(.*-\d.*\terror\t"),
        reason: "negative numbers count from the end, as in go-cty since 1.15.0",
    },
    Row {
        rule: Rule::Like(r"^contains\(.*null.*\terror\tbool "),
        reason: "a list can be asked for null, as in go-cty since 1.18.1",
    },
    Row {
        rule: Rule::Like(r"\tset\(.*\?.*\tset\(.*\) (sensitive\()?\?\)?$"),
        reason: "a set is not known as a whole while one of its elements is not: it may be equal to \
                 another; go-cty counts it as one of its own",
    },
    Row {
        rule: Rule::Like(r"partly_set|^sort\(var\.unknown_tuple\)"),
        reason: "what is not known has no length: a set with an unknown element, a tuple that became a list",
    },
    Row {
        rule: Rule::When(same_characters),
        reason: "a set of collections is ordered by its parts, as one of texts or numbers; in go-cty \
                 by checksums",
    },
    Row {
        rule: Rule::When(|case| case.expected.ends_with('?') && case.actual == "error"),
        reason: "an argument that cannot be right is an error before the others are known",
    },
    Row {
        rule: Rule::When(|case| unzipped(case).is_some_and(|(a, b)| a == b)),
        reason: "base64gzip compresses with another library, to other bytes for the same text",
    },
    Row {
        rule: Rule::When(|case| {
            let steps = case.call.starts_with("range(") && case.call.ends_with(", 1e-3)");
            steps || rounded(case.expected) == rounded(case.actual)
        }),
        reason: "numbers are exact decimals of 154 digits; go-cty has binary fractions, and \
                 calculates powers and logarithms with 64 bits",
    },
    Row {
        rule: Rule::Like(r"1 / 0|\tnumber infinity\t|^log\(.*, 0\)\tnumber 0\terror"),
        reason: "there is no infinity, and no logarithm to the base 0",
    },
    Row {
        rule: Rule::Like(r"^signum\(.*\terror\tnumber -?1$"),
        reason: "signum takes every number; go-cty only what fits 64-bit integers",
    },
    Row {
        rule: Rule::Like(r"^cidrsubnet\(.*, -\d.*\tstring .*\terror"),
        reason: "a subnet has not fewer bits than its network; go-cidr 1.0.1 calculates wrong ones",
    },
    Row {
        rule: Rule::Like(r"^cidr(host|subnets?)\(.*\terror\t"),
        reason: "IPv6 networks can have subnets of more than 32 bits and hosts beyond 64, and 0.0.0.0/0 \
                 has subnets; go-cidr 1.0.1 refuses",
    },
    Row {
        rule: Rule::Like("^cidr.*::ffff:"),
        reason: "IPv4 addresses in IPv6 stay in IPv6; go-cidr 1.0.1 mixes them up",
    },
    Row {
        rule: Rule::Like(r#"^convert\(.*, "string"\)\terror"#),
        reason: "a type may stand in quotes, as in older templates",
    },
    Row {
        rule: Rule::Like(r"^convert\(.*optional\(.*\terror\t"),
        reason: "optional attributes may be missing, and have defaults, in convert as in variables",
    },
    Row {
        rule: Rule::Like(r"^convert\(var\.(null|unknown)_map, object\(\{a = any\}\)\)"),
        reason: "the type of an attribute that does not exist yet is not known",
    },
    Row {
        rule: Rule::Like(r"^convert\(var\.empty_\w+, .*\terror\t"),
        reason: "what has no elements becomes a collection of any other elements",
    },
    Row {
        rule: Rule::Like(r"^coalesce\(.*var\.set_\w+.*\terror$"),
        reason: "texts that may be no numbers do not become numbers without need",
    },
    Row {
        rule: Rule::Like(r"^set(union|intersection)\(.*\[(null|var\.unknown)\].*\terror\t"),
        reason: "a set of null, or of something unknown, fits every other",
    },
    Row {
        rule: Rule::Like(r"^flatten\((var\.partly_map|var\.partly_object|\{)"),
        reason: "flatten takes lists; go-cty 1.13 takes objects with something unknown for them",
    },
    Row {
        rule: Rule::Like(r"^merge\(null, .*\terror$"),
        reason: "merge takes maps and objects; go-cty 1.13 looks no further than the first null",
    },
    Row {
        rule: Rule::Like(r"^can\(\[1\]\.\.\.\)"),
        reason: "can looks at an expression, and a list of them is none",
    },
    Row {
        rule: Rule::Like(r"\(\?P<x>a\)\(\?P<x>b\)"),
        reason: "two groups of one name are an error; Go's library takes the last",
    },
    Row {
        rule: Rule::Like(r#"^format\("%1000000000d""#),
        reason: "a width above 10,000 is an error; Go prints that it is none",
    },
    Row {
        rule: Rule::Like(r#"^fileset\("plain\.txt""#),
        reason: "a file in place of the folder is said",
    },
    Row {
        rule: Rule::Like(r#"^fileset\("nosuch", "\["\)"#),
        reason: "a wrong pattern is said, also where there is no folder",
    },
    Row {
        rule: Rule::Like(
            r#"^text(en|de)codebase64\(.*, "(cp437|cp850|IBM037|IBM1047|HZ-GB-2312)"\)"#,
        ),
        reason: "code pages of IBM and HZ are not there",
    },
    Row {
        rule: Rule::Like(r#"^textencodebase64\("é", "(Big5|EUC-JP)"\)"#),
        reason: "Big5 has the letters of Hong Kong, EUC-JP is without the second set of signs, as \
                 browsers have them",
    },
    Row {
        rule: Rule::Like(r#"^(timeadd\("9999|unix_timestamp_parse\()"#),
        reason: "a year has four digits",
    },
    Row {
        rule: Rule::Like(r#"^rfc3339_parse\(.*(T2:12|\+24:00)"#),
        reason: "an hour has two digits and is not 24; Go's reader is not that strict",
    },
    Row {
        rule: Rule::Like(r"^yamldecode\(.*\terror\t"),
        reason: "the YAML reader takes tabs behind nothing, lists of mappings behind `<<` and a tag \
                 for text before a list",
    },
    Row {
        rule: Rule::Like(r#"^yamldecode\("(a: \|2|!!int )"#),
        reason: "the YAML reader ends a block text with a line break, and `!!int` makes a number of \
                 text",
    },
];

/// Whether kiln's result has the type that is expected, and a value where none is.
fn known_sooner(case: &Case<'_>) -> bool {
    let expected = without_marks(case.expected);
    let ty = expected.strip_suffix('?');
    ty.is_some_and(|ty| without_marks(case.actual).starts_with(ty))
}

/// Whether the results are the same but for their order.
fn same_characters(case: &Case<'_>) -> bool {
    let sorted = |text: &str| {
        let mut characters: Vec<char> = text.chars().collect();
        characters.sort_unstable();
        characters
    };
    case.expected.starts_with("set(") && sorted(case.expected) == sorted(case.actual)
}

/// Both without the marks in them.
fn same_marked(case: &Case<'_>) -> bool {
    without_marks(case.expected) == without_marks(case.actual)
}

/// The result without `sensitive(…)` around its parts.
fn without_marks(shown: &str) -> String {
    let mut text = String::new();
    let (mut in_quotes, mut escaped, mut marks) = (false, false, Vec::new());
    let mut rest = shown;
    while let Some(character) = rest.chars().next() {
        if !in_quotes && rest.starts_with("sensitive(") {
            marks.push(true);
            rest = &rest["sensitive(".len()..];
            continue;
        }
        rest = &rest[character.len_utf8()..];
        match character {
            '"' if !escaped => in_quotes = !in_quotes,
            '(' if !in_quotes => marks.push(false),
            ')' if !in_quotes && marks.pop() == Some(true) => continue,
            _ => {}
        }
        escaped = in_quotes && character == '\\' && !escaped;
        text.push(character);
    }
    text
}

/// What both results unpack to.
fn unzipped(case: &Case<'_>) -> Option<(String, String)> {
    if !case.call.starts_with("base64gzip(") {
        return None;
    }
    let unzip = |shown: &str| {
        let packed = shown.split('"').nth(1)?;
        let bytes = STANDARD.decode(packed).ok()?;
        std::io::read_to_string(flate2::read::GzDecoder::new(bytes.as_slice())).ok()
    };
    unzip(case.expected).zip(unzip(case.actual))
}

/// The result with its numbers cut to twelve digits.
fn rounded(shown: &str) -> String {
    let number = Regex::new(r"-?\d[\d.]*(e-?\d+)?").expect("it is a pattern");
    number
        .replace_all(shown, |found: &regex::Captures<'_>| {
            let value: f64 = found[0].parse().unwrap_or(f64::NAN);
            format!("{value:.11e}")
        })
        .into_owned()
}
