//! Layouts as text. The expected ones are what Go's library makes of the same input.

use host_diag::FileId;
use proptest::prelude::*;

use super::format;

fn check(text: &str, expected: &str) {
    let formatted = format(FileId(0), text);
    assert_eq!(formatted.as_deref(), Ok(expected), "{text:?}");
    assert_eq!(
        format(FileId(0), expected).as_deref(),
        Ok(expected),
        "formatting it again"
    );
}

/// The layout of `a = EXPRESSION`, without `a = `.
fn check_expression(expression: &str, expected: &str) {
    check(&format!("a={expression}\n"), &format!("a = {expected}\n"));
}

#[test]
fn lines_are_indented_by_the_brackets_open_before_them() {
    check(
        "build{\n sources=[\n\"a.b\",\n   ]\n\tx \"y\" {\n}\n}\n",
        "build {\n  sources = [\n    \"a.b\",\n  ]\n  x \"y\" {\n  }\n}\n",
    );
}

#[test]
fn a_line_opens_one_level_however_many_brackets_it_opens() {
    check(
        "a = [{\nb = f(g(\n1\n))\n}]\n",
        "a = [{\n  b = f(g(\n    1\n  ))\n}]\n",
    );
    check(
        "a = f({\nb = 1\n}, [\n2\n])\n",
        "a = f({\n  b = 1\n  }, [\n  2\n])\n",
    );
}

#[test]
fn a_level_stays_until_all_its_brackets_are_closed() {
    check("a = [[\n1\n],\n2\n]\n", "a = [[\n  1\n  ],\n  2\n]\n");
}

#[test]
fn assignments_on_adjacent_lines_are_aligned() {
    check("a=1\nbcd   =   2\n\ne=3\n", "a   = 1\nbcd = 2\n\ne = 3\n");
    check("a=1\n# c\nbcd=2\n", "a = 1\n# c\nbcd = 2\n");
    check("a=1\nbcd=[\n2]\ne=3\n", "a = 1\nbcd = [\n2]\ne = 3\n");
    check(
        "x={\na=1\n\"b c\"=2\n}\n",
        "x = {\n  a     = 1\n  \"b c\" = 2\n}\n",
    );
}

#[test]
fn comments_behind_adjacent_lines_are_aligned() {
    check("a=1 # x\nbc=22// y\n", "a  = 1  # x\nbc = 22 // y\n");
    check(
        "b {# x\na=1// y\nc=1/* z */\n}\n",
        "b {     # x\n  a = 1 // y\n  c = 1 /* z */\n}\n",
    );
}

#[test]
fn columns_are_counted_in_characters_as_people_see_them() {
    check(
        "é=1\ne\u{301}e=2\n漢字=3\n",
        "é  = 1\ne\u{301}e = 2\n漢字 = 3\n",
    );
}

#[test]
fn operators_and_brackets_have_their_blanks() {
    check_expression("1+2 *3", "1 + 2 * 3");
    check_expression("x?y:z", "x ? y : z");
    check_expression("f (  a ,b... )", "f(a, b...)");
    check_expression("[ 1,2 , ]", "[1, 2, ]");
    check_expression("{b=1}", "{ b = 1 }");
    check_expression("{  }", "{}");
    check_expression("a . b [0] . c", "a.b[0].c");
    check_expression("f(x) [ 0 ]", "f(x)[0]");
    check_expression("! a&&b", "!a && b");
    check_expression("[for x in[1]:x if x!=2]", "[for x in [1] : x if x != 2]");
    check_expression("{for k,v in m:k=>v...}", "{ for k, v in m : k => v... }");
}

#[test]
fn a_minus_keeps_to_its_operand_unless_it_stands_between_two() {
    check_expression("- 1", "-1");
    check_expression("1-  - 1", "1 - -1");
    check_expression("(- a)", "(-a)");
    check_expression("a -1", "a - 1");
    check_expression("b==- 1", "b == -1");
    check_expression("[- 1,- 2]", "[-1, -2]");
}

#[test]
fn templates_keep_their_text_and_tidy_their_sequences() {
    check_expression("\" a  b \"", "\" a  b \"");
    check_expression("\"${ a+b } ${~c ~}\"", "\"${a + b} ${~c~}\"");
    check_expression("\"${{b=1}}\"", "\"${ { b = 1 } }\"");
    check_expression("\"%{ if  a }b%{ endif }\"", "\"%{if a}b%{endif}\"");
}

#[test]
fn heredocs_are_left_alone() {
    let text = "a = <<-E\n\t x=1\n    ${ b }\n   E\nc  = 1\n";
    check(
        &text.replace("a =", " a="),
        "a = <<-E\n\t x=1\n    ${b}\n   E\nc = 1\n",
    );
    check(
        "a = [\n<<E\nx ${\nb\n}\nE\n]\n",
        "a = [\n  <<E\nx ${\n  b\n}\nE\n]\n",
    );
}

#[test]
fn line_ends_and_the_end_of_the_text_stay() {
    check("a=1\r\nbc=2 # x\r\n", "a  = 1\r\nbc = 2 # x\r\n");
    check("a=1", "a = 1");
    check("a=1  ", "a = 1  ");
    check("", "");
    check("\n  \n\n", "\n\n\n");
    check("\u{FEFF}a=1\n", "a = 1\n");
}

#[test]
fn errors_come_back_whole_and_nothing_is_formatted() {
    let problems = format(FileId(0), "a = \nb = [1\nc = 'x'\n").unwrap_err();
    assert!(problems.len() > 1, "{problems:?}");
}

/// A text with layout at random, and what of it carries meaning.
fn mangled() -> impl Strategy<Value = String> {
    let blanks = prop::sample::select(vec!["", " ", "  ", "\t", "     "]);
    let part = prop::sample::select(vec![
        "NAME=1",
        "NAME=-2",
        "NAME=\"x ${ y }\"",
        "NAME={",
        "NAME=[",
        "block \"l\"{",
        "# note",
        "NAME=f( [1,2] )//c",
        "NAME=<<E\n  text ${ a }\nE",
        "",
        "NAME=a?b:c /* d */",
    ]);
    prop::collection::vec((blanks.clone(), part, blanks), 1..30).prop_map(|parts| {
        let mut text = String::new();
        let mut open: Vec<&str> = Vec::new();
        for (number, (before, part, after)) in parts.into_iter().enumerate() {
            let in_list = open.last() == Some(&"]");
            let (part, close) = match part {
                _ if in_list => ("1,".to_owned(), None),
                _ if part.starts_with("block") && open.iter().any(|close| *close != "}b") => {
                    ("".to_owned(), None)
                }
                "NAME={" => (format!("n{number}={{"), Some("}")),
                "NAME=[" => (format!("n{number}=["), Some("]")),
                part if part.starts_with("block") => (part.to_owned(), Some("}b")),
                part => (part.replace("NAME", &format!("n{number}")), None),
            };
            let heredoc = part.ends_with("\nE");
            text.push_str(&format!(
                "{before}{part}{}\n",
                if heredoc { "" } else { after }
            ));
            open.extend(close);
            if number % 3 == 2 {
                text.extend(open.pop().map(|close| format!("{before}{}\n", &close[..1])));
            }
        }
        while let Some(close) = open.pop() {
            text.push_str(&format!("{}\n", &close[..1]));
        }
        text
    })
}

proptest! {
    #[test]
    fn formatting_moves_blanks_only_and_twice_is_once(text in mangled()) {
        let formatted = format(FileId(0), &text).map_err(|problems| {
            TestCaseError::fail(format!("{text}\n{problems:?}"))
        })?;
        let solid = |text: &str| text.replace([' ', '\t'], "");
        prop_assert_eq!(solid(&formatted), solid(&text));
        let tokens = |text: &str| -> Vec<String> {
            host_syntax::tokens(text).iter().map(|token| token.text(text).to_owned()).collect()
        };
        prop_assert_eq!(tokens(&formatted), tokens(&text));
        prop_assert_eq!(format(FileId(0), &formatted), Ok(formatted.clone()));
    }
}
