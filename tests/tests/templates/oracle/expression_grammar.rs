//! Makes HCL2 expressions that can be parsed, right and wrong ones.

use super::functions::{FUNCTIONS, Kind, samples};
use super::random::Random;

/// Declarations that the expressions refer to.
pub const VARIABLES: &str = r#"
variable "text" {
  type    = string
  default = "some Text"
}
variable "number_text" {
  type    = string
  default = 42
}
variable "number" {
  type    = number
  default = "12.50"
}
variable "truth" {
  type    = bool
  default = "true"
}
variable "texts" {
  type    = list(string)
  default = ["q", 1, true]
}
variable "numbers" {
  type    = list(number)
  default = [3, "1", 2]
}
variable "set" {
  type    = set(string)
  default = ["b", "a", "b"]
}
variable "map" {
  type    = map(string)
  default = { one = 1, two = "2" }
}
variable "object" {
  type    = object({ name = string, size = number, tags = list(string) })
  default = { name = "n", size = "5", tags = ["x"], more = true }
}
variable "objects" {
  type    = list(object({ a = string }))
  default = [{ a = "1" }, { a = 2 }]
}
variable "nothing" {
  type    = string
  default = null
}
"#;

const KINDS: [Kind; 7] = [
    Kind::Any,
    Kind::Text,
    Kind::Number,
    Kind::Truth,
    Kind::List,
    Kind::Texts,
    Kind::Map,
];

/// One expression of a name's depth at most; the same numbers give the same expression.
pub fn expression(random: &mut Random) -> String {
    let kind = KINDS[random.below(KINDS.len())];
    make(random, kind, 3)
}

/// A call of the function at `number` of the table, with plain arguments.
pub fn call(random: &mut Random, number: usize) -> String {
    function(random, number % FUNCTIONS.len(), 1)
}

fn make(random: &mut Random, kind: Kind, depth: u32) -> String {
    if depth == 0 || random.chance(15) {
        return sample(random, kind);
    }
    // Some arguments are of the wrong kind, or null: conversions and refusals have to agree too.
    if random.chance(6) {
        let other = KINDS[random.below(KINDS.len())];
        return make(random, other, depth - 1);
    }
    if random.chance(55) {
        let fitting = |number: &usize| FUNCTIONS[*number].1 == kind;
        let all: Vec<usize> = (0..FUNCTIONS.len()).filter(fitting).collect();
        if !all.is_empty() {
            let number = all[random.below(all.len())];
            return function(random, number, depth - 1);
        }
    }
    let depth = depth - 1;
    match kind {
        Kind::Any => {
            let other = KINDS[random.below(KINDS.len())];
            any(random, other, depth)
        }
        Kind::Text => text(random, depth),
        Kind::Number => number(random, depth),
        Kind::Truth => truth(random, depth),
        Kind::List | Kind::Texts => list(random, kind, depth),
        Kind::Map => map(random, depth),
        Kind::Index | Kind::Sample(_) => sample(random, kind),
    }
}

fn sample(random: &mut Random, kind: Kind) -> String {
    random.pick(samples(kind)).to_owned()
}

fn function(random: &mut Random, number: usize, depth: u32) -> String {
    let (name, _, arguments, more) = FUNCTIONS[number];
    let mut kinds = arguments.to_vec();
    while let Some(more) = more
        && kinds.len() < 4
        && random.chance(30)
    {
        kinds.push(more);
    }
    // Now and then one argument too few.
    if random.chance(2) {
        kinds.pop();
    }
    let mut words: Vec<String> = Vec::new();
    for kind in kinds {
        words.push(make(random, kind, depth));
    }
    if more.is_some() && name != "try" && random.chance(4) {
        let list = make(random, Kind::List, 0);
        return format!("{name}({list}...)");
    }
    format!("{name}({})", words.join(", "))
}

fn any(random: &mut Random, other: Kind, depth: u32) -> String {
    let list = |random: &mut Random| make(random, Kind::List, depth);
    let map = |random: &mut Random| make(random, Kind::Map, depth);
    match random.below(8) {
        0 => format!("({})[{}]", list(random), sample(random, Kind::Index)),
        1 => format!("({})[\"a\"]", map(random)),
        2 => format!("({}).a", map(random)),
        3 => format!("({})[*].a", make(random, Kind::Any, depth)),
        4 => format!("({}).*.a", list(random)),
        5 => format!("({}).{}", list(random), random.below(3)),
        6 => {
            let test = make(random, Kind::Truth, depth);
            let (yes, no) = (make(random, other, depth), make(random, Kind::Any, depth));
            format!("({test} ? {yes} : {no})")
        }
        _ => make(random, other, depth),
    }
}

fn text(random: &mut Random, depth: u32) -> String {
    let inner = |random: &mut Random| make(random, Kind::Text, depth);
    match random.below(9) {
        0 => format!("\"<${{{}}}>\"", inner(random)),
        1 => format!(
            "\"${{{}}}:${{{}}}\"",
            inner(random),
            make(random, Kind::Number, depth)
        ),
        2 => format!("\"${{{}}}\"", make(random, Kind::Any, depth)),
        3 => format!("\"a  ${{~ {} ~}}  b\"", inner(random)),
        4 => {
            let test = make(random, Kind::Truth, depth);
            format!("\"%{{ if {test} }} yes %{{~ else ~}} no %{{ endif }}.\"")
        }
        5 => {
            let list = make(random, Kind::List, depth);
            format!(
                "\"%{{ for k, v in {list} ~}} ${{k}}=%{{ if k == 0 }}first%{{ endif }} %{{~ endfor }}\""
            )
        }
        6 => {
            let test = make(random, Kind::Truth, depth);
            format!("({test} ? {} : {})", inner(random), inner(random))
        }
        _ => heredoc(random, depth),
    }
}

/// A text of lines. The line after its end mark closes the expression.
fn heredoc(random: &mut Random, depth: u32) -> String {
    let (arrow, space) = if random.chance(50) {
        ("<<-", "    ")
    } else {
        ("<<", "")
    };
    let mut text = format!("{arrow}EOT\n");
    for _ in 0..=random.below(4) {
        let line = match random.below(8) {
            0 => format!("{space}${{{}}}", make(random, Kind::Number, depth)),
            1 => format!("{space}  two \\n \"quoted\" $${{x}}"),
            2 => {
                format!("{space}%{{ if {} ~}}", make(random, Kind::Truth, depth))
                    + &format!("\n{space}  inside\n{space}%{{ endif ~}}")
            }
            3 => {
                format!(
                    "{space}%{{ for x in {} }}\n",
                    make(random, Kind::List, depth)
                ) + &format!("{space}- x\n{space}%{{~ endfor }}")
            }
            4 => String::new(),
            5 => "\ttabbed".to_owned(),
            6 => format!(
                "   {space}more ${{~ {} }}",
                make(random, Kind::Truth, depth)
            ),
            _ => format!("{space}plain  "),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(space);
    text.push_str("EOT\n");
    // A heredoc ends with its line, so that it can only stand where a line may end.
    format!("({text})")
}

fn number(random: &mut Random, depth: u32) -> String {
    if random.chance(10) {
        return format!("-({})", make(random, Kind::Number, depth));
    }
    let left = make(random, Kind::Number, depth);
    let (operator, right) = if random.chance(70) {
        let operator = random.pick(&["+", "-", "*"]);
        (operator, make(random, Kind::Number, depth))
    } else {
        // By a zero, and by what nearly is one, is not the same; see the table.
        let operator = random.pick(&["/", "%"]);
        let right = random.pick(&["4", "-3", "0.5", "7", "var.number"]);
        (operator, right.to_owned())
    };
    if random.chance(50) {
        return format!("({left} {operator} {right})");
    }
    let other = random.pick(&["+", "-", "*"]);
    let more = sample(random, Kind::Number);
    format!("({left} {operator} {right} {other} {more})")
}

fn truth(random: &mut Random, depth: u32) -> String {
    match random.below(4) {
        0 => {
            let operator = random.pick(&["==", "!="]);
            let (left, right) = (
                make(random, Kind::Any, depth),
                make(random, Kind::Any, depth),
            );
            format!("({left} {operator} {right})")
        }
        1 => {
            let operator = random.pick(&["<", ">", "<=", ">="]);
            let (left, right) = (
                make(random, Kind::Number, depth),
                make(random, Kind::Number, depth),
            );
            format!("({left} {operator} {right})")
        }
        2 => {
            let operator = random.pick(&["&&", "||"]);
            let (left, right) = (
                make(random, Kind::Truth, depth),
                make(random, Kind::Truth, depth),
            );
            format!("({left} {operator} {right})")
        }
        _ => format!("!({})", make(random, Kind::Truth, depth)),
    }
}

fn list(random: &mut Random, kind: Kind, depth: u32) -> String {
    let item = if kind == Kind::Texts {
        Kind::Text
    } else {
        Kind::Any
    };
    match random.below(4) {
        0 => format!(
            "[{}, {}]",
            make(random, item, depth),
            make(random, item, depth)
        ),
        1 => format!("[for x in {} : \"<${{x}}>\"]", make(random, kind, depth)),
        2 => format!(
            "[for k, v in {} : {} if {}]",
            make(random, Kind::Map, depth),
            random.pick(&["k", "v", "[k, v]", "\"${k}\""]),
            random.pick(&["true", "k != \"a\"", "v != null", "can(v + 1)"])
        ),
        _ => format!(
            "[for i, x in {} : {}]",
            make(random, Kind::List, depth),
            random.pick(&["i", "x", "{(x) = i}"])
        ),
    }
}

fn map(random: &mut Random, depth: u32) -> String {
    match random.below(4) {
        0 => format!(
            "{{x = {}, \"y\" : {}}}",
            make(random, Kind::Any, depth),
            make(random, Kind::Any, depth)
        ),
        1 => format!(
            "{{for k, v in {} : k => \"${{k}}\"}}",
            make(random, Kind::Map, depth)
        ),
        2 => format!(
            "{{for x in {} : x => {}...}}",
            make(random, Kind::Texts, depth),
            random.pick(&["x", "1", "length(x)"])
        ),
        _ => format!(
            "{{({}) = {}}}",
            make(random, Kind::Text, depth),
            make(random, Kind::Any, depth)
        ),
    }
}
