//! Calls whose results were compared with those of Go's own library (hcl/v2 and go-cty), kept where
//! the two differed at first.

use crate::test_kit::{check, check_error};

#[test]
fn csv_is_read_as_strictly_as_go_reads_it() {
    check(
        r#"csvdecode("a,b\r\n\"1\r\n2\",x\r\n")"#,
        r#"list[{a: "1\n2", b: "x"}]"#,
    );
    check(r#"csvdecode("a\n\n\nb")"#, r#"list[{a: "b"}]"#);
    check(
        r#"csvdecode("a, b\n 1 , 2")"#,
        r#"list[{ b: " 2", a: " 1 "}]"#,
    );
    check(
        r#"csvdecode("a,b\n1,\"\"\"\"\n")"#,
        r#"list[{a: "1", b: "\""}]"#,
    );
    check(r#"csvdecode("a\n1\r")"#, r#"list[{a: "1"}]"#);
    for text in [
        r#"a,b\n1,x\"y"#,
        r#" \"a\",b\n1,2"#,
        r#"a,b\n1,\"x"#,
        r#"a,b\n\"x\"y,2"#,
        r#"a\n\"x\" \n"#,
    ] {
        check_error(&format!("csvdecode(\"{text}\")"), "CSV parse error on line");
    }
}

#[test]
fn patterns_are_those_of_re2() {
    check(r#"regexall("[\\w]", "aß1")"#, r#"list["a", "1"]"#);
    check(r#"regexall("\\<", "a<b")"#, r#"list["<"]"#);
    check(r#"regexall("a{2", "a{2")"#, r#"list["a{2"]"#);
    check(r#"regex("\\Qa.b\\E", "xa.b")"#, r#""a.b""#);
    check_error(
        r#"regexall("(?P<x>a)(b)", "")"#,
        "cannot mix both named and unnamed capture groups",
    );
    check_error(
        r#"regex_replace("x", "a**", "")"#,
        "invalid nested repetition",
    );
    check_error(r#"regexall("x{1001}", "")"#, "invalid repeat count");
}

#[test]
fn an_empty_collection_keeps_its_element_type() {
    check(
        r#"concat(distinct(convert([], list(string))), ["a"])"#,
        r#"["a"]"#,
    );
    check(
        r#"setunion(convert([], set(string)), convert([1], set(number)))"#,
        r#"set["1"]"#,
    );
}

#[test]
fn sets_have_no_order_to_go_by() {
    check(
        r#"setproduct(convert(["b", "a"], set(string)), ["x"])"#,
        r#"set[["a", "x"], ["b", "x"]]"#,
    );
    check_error(
        r#"coalescelist(convert(["a"], set(string)))"#,
        "a list or tuple is required",
    );
    check_error(
        r#"zipmap(["a"], convert(["x"], set(string)))"#,
        "must be a list or tuple",
    );
}

#[test]
fn the_default_of_lookup_has_the_type_of_the_elements() {
    check(r#"lookup(convert({a = 1}, map(string)), "b", 2)"#, r#""2""#);
    check_error(
        r#"lookup(convert({a = 1}, map(string)), "a", [])"#,
        "the default value must have the same type as the map elements",
    );
}

#[test]
fn formats_ignore_what_has_no_meaning_for_a_verb() {
    check(
        r#"format("%+v|%5v|%.1v", 5, 1.25, 2.75)"#,
        r#""5| 1.25|2.75""#,
    );
    check(r#"format("%5t", true)"#, r#""true""#);
}

#[test]
fn letters_change_case_one_by_one() {
    check(r#"lower("İSTANBUL")"#, r#""istanbul""#);
    check(r#"upper("straße")"#, r#""STRAßE""#);
}

#[test]
fn base64_may_have_spare_bits() {
    check(r#"base64decode("YR==")"#, r#""a""#);
    check_error(r#"base64decode("aGk")"#, "failed to decode base64 data");
}
