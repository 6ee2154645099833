use std::sync::Arc;

use super::{FunctionSet, function_names};
use crate::test_kit::{check, check_error, expression, scope, show};
use crate::{Scope, Settings, evaluate};

#[test]
fn numbers() {
    check("abs(-3.5)", "3.5");
    check(
        "[ceil(1.2), ceil(-1.2), floor(1.8), floor(-1.2)]",
        "[2, -1, 1, -2]",
    );
    check("[signum(-9), signum(0), signum(2.5)]", "[-1, 0, 1]");
    check("log(16, 2)", "4");
    check("[max(1, 3, 2), min(4, 2)]", "[3, 2]");
    check("parseint(\"ff\", 16)", "255");
    check("parseint(\"-zZ\", 62)", "-2231");
    check(
        "[pow(2, 100), pow(4, 0.5), pow(2, -2)]",
        "[1267650600228229401496703205376, 2, 0.25]",
    );
    check("sum([1, 2.5, \"3\"])", "6.5");
    check_error("sum([])", "cannot sum an empty list");
    check_error(
        "parseint(\"12\", 2)",
        "cannot parse \"12\" as a base 2 integer",
    );
    check_error(
        "parseint(\"12\", 63)",
        "base must be a whole number between 2 and 62 inclusive",
    );
    check_error("max()", "must pass at least one number");
    check_error("log(0, 2)", "must be positive");
    check_error("pow(10, 100000)", "larger than 1e10000");
}

#[test]
fn strings() {
    check(r#"chomp("a\r\n\n")"#, r#""a""#);
    check(r#"[lower("ÄB"), upper("äß")]"#, r#"["äb", "Äß"]"#);
    check(
        r#"title("hello wOrld it's a-b c_d")"#,
        r#""Hello WOrld It'S A-B C_d""#,
    );
    check(
        r#"[trim("?!x!?", "!?"), trimprefix("aab", "a"), trimsuffix("abb", "b"), trimspace(" x\n")]"#,
        r#"["x", "ab", "ab", "x"]"#,
    );
    check(
        r#"[startswith("ab", "a"), endswith("ab", "a"), strcontains("abc", "b")]"#,
        "[true, false, true]",
    );
    check(r#"indent(2, "a\nb\nc")"#, r#""a\n  b\n  c""#);
    check(r#"join("-", ["a"], ["b", "c"])"#, r#""a-b-c""#);
    check(r#"replace("a.b.c", ".", "$0")"#, r#""a$0b$0c""#);
    check(r#"replace("/a/", "/a/", "x")"#, r#""x""#);
    check(r#"split(",", "a,b,")"#, r#"list["a", "b", ""]"#);
    check(r#"split(",", "")"#, r#"list[""]"#);
    check(r#"split("", "ab")"#, r#"list["a", "b"]"#);
    check(r#"strrev("héllo")"#, r#""olléh""#);
    check(
        r#"[substr("hello", 1, 3), substr("hello", -3, 2), substr("hello", 2, -1), substr("abc", 9, 1), substr("ab", -5, 1)]"#,
        r#"["ell", "ll", "llo", "", "a"]"#,
    );
    check(r#"length("👨‍👩‍👧é")"#, "2");
    check_error(r#"join(",", [null])"#, "element 0 is null");
    check_error(r#"join(",")"#, "at least one list is required");
}

#[test]
fn lists() {
    check("chunklist([1, 2, 3], 2)", "list[list[1, 2], list[3]]");
    check("chunklist([1, 2], 0)", "list[list[1, 2]]");
    check("chunklist([], 2)", "list[]");
    check("coalescelist([], var.nothing, [1])", "[1]");
    check_error("coalescelist([], null, [1])", "a list or tuple is required");
    check("compact([\"a\", \"\", null])", r#"list["a"]"#);
    check("concat([1], [\"a\"])", r#"[1, "a"]"#);
    check(
        "concat(var.list, var.list)",
        r#"list["x", "y", "z", "x", "y", "z"]"#,
    );
    check("contains([1, 2], 2)", "true");
    check("contains(var.set, \"q\")", "false");
    check("contains([var.unk, 2], 3)", "unknown(bool)");
    check("contains([var.unk, 2], 2)", "true");
    check("distinct([\"b\", \"a\", \"b\"])", r#"list["b", "a"]"#);
    check("[element([1, 2, 3], 4), element([1, 2, 3], -1)]", "[2, 3]");
    check("flatten([[1], [[2], []], 3])", "[1, 2, 3]");
    check("flatten([[1], var.unkl])", "unknown(any)");
    check("index([\"a\", \"b\"], \"b\")", "1");
    check(
        "[length([]), length({a = 1}), length(\"\"), length(var.set), length(var.map)]",
        "[0, 1, 0, 2, 2]",
    );
    check("length(var.unkl)", "unknown(number)");
    check("length([var.unk, 1])", "2");
    check("range(3)", "list[0, 1, 2]");
    check("range(3, 1)", "list[3, 2]");
    check("range(1, 8, 3)", "list[1, 4, 7]");
    check("range(0)", "list[]");
    check("reverse([1, \"a\"])", r#"["a", 1]"#);
    check("reverse(var.list)", r#"list["z", "y", "x"]"#);
    check("slice([1, 2, 3], 1, 3)", "[2, 3]");
    check("sort([\"b\", \"a\", \"C\"])", r#"list["C", "a", "b"]"#);
    check_error(
        "element([], 0)",
        "cannot use element function with an empty list",
    );
    check_error("index([1], 2)", "item not found");
    check_error("range(2000)", "more than 1024 values");
    check_error("range(1, 2, -1)", "step must be greater than zero");
    check_error(
        "slice([1], 0, 2)",
        "end index must not be greater than the length of the list",
    );
    check_error("coalescelist([])", "no non-null arguments");
    check_error(
        "concat([1], var.set)",
        "all arguments must be lists or tuples; got set of string",
    );
    check_error("length(5)", "not number");
}

#[test]
fn maps() {
    check("keys({b = 1, a = 2})", r#"["a", "b"]"#);
    check("keys(var.map)", r#"list["a", "b"]"#);
    check("values(var.map)", "list[1, 2]");
    check(
        "[lookup({a = 1}, \"a\", 0), lookup(var.map, \"q\", \"7\")]",
        "[1, 7]",
    );
    check(
        "merge({a = 1, b = 1}, null, {b = \"x\"})",
        r#"{a: 1, b: "x"}"#,
    );
    check("merge(var.map, var.map)", "map{a: 1, b: 2}");
    check(
        "merge({a = var.secret}, {b = 1})",
        r#"{a: sensitive("hush"), b: 1}"#,
    );
    check("zipmap([\"a\", \"b\"], [1, true])", "{a: 1, b: true}");
    check("zipmap([\"a\"], [var.unk])", "{a: unknown(any)}");
    check_error("lookup({a = 1}, \"a\")", "Not enough function arguments");
    check_error(
        "zipmap([\"a\"], [])",
        "number of keys (1) does not match number of values (0)",
    );
    check_error(
        "merge([1])",
        "arguments must be maps or objects, got \"tuple\"",
    );
    check_error("keys([1])", "a map or object is required");
}

#[test]
fn sets_and_truth() {
    check("setintersection([1, 2, 3], [2, 3], [3, 4])", "set[3]");
    check("setunion([\"b\"], [1])", r#"set["1", "b"]"#);
    check(
        "setproduct([\"a\", \"b\"], [1, 2])",
        r#"list[["a", 1], ["a", 2], ["b", 1], ["b", 2]]"#,
    );
    check(
        "setproduct(var.set, [\"x\"])",
        r#"set[["a", "x"], ["b", "x"]]"#,
    );
    check("setunion([10, 9, 100], [])", "set[9, 10, 100]");
    check(
        "[alltrue([]), anytrue([]), alltrue([true, \"true\"]), anytrue([false, null])]",
        "[true, false, true, false]",
    );
    check("alltrue([true, null])", "false");
    check("coalesce(null, \"\", 5)", r#""5""#);
    check("coalesce(var.unks, \"x\")", "unknown(string)");
    check_error(
        "coalesce(null, \"\")",
        "no non-null, non-empty-string arguments",
    );
    check_error("setproduct([1])", "at least two arguments are required");
    check_error(
        "setproduct(range(1024), range(1024), range(1024))",
        "Result too large",
    );
}

#[test]
fn encodings() {
    check(r#"base64encode("héllo")"#, r#""aMOpbGxv""#);
    check(r#"base64decode("aMOpbGxv")"#, r#""héllo""#);
    check(
        r#"textdecodebase64(textencodebase64("hé€", "UTF-16LE"), "UTF-16LE")"#,
        r#""hé€""#,
    );
    check(r#"textencodebase64("A", "UTF-16LE")"#, r#""QQA=""#);
    check(r#"textencodebase64("é", "ISO-8859-1")"#, r#""6Q==""#);
    check(r#"urlencode("a b&c=ü~")"#, r#""a+b%26c%3D%C3%BC~""#);
    check_error(r#"base64decode("/w==")"#, "not valid UTF-8");
    check_error(r#"base64decode("!")"#, "failed to decode base64 data");
    check_error(
        r#"textencodebase64("a", "klingon")"#,
        "not a supported IANA encoding",
    );
    check_error(
        r#"textencodebase64("€", "ISO-8859-1")"#,
        "cannot be represented in ISO-8859-1",
    );
}

#[test]
fn base64gzip_can_be_unpacked() {
    use base64::Engine;
    use std::io::Read;
    let (value, _) = evaluate(&expression(r#"base64gzip("hello hello")"#), &scope());
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(value.as_str().expect("the fixture works"))
        .expect("the fixture works");
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .expect("the fixture works");
    assert_eq!(text, "hello hello");
}

#[test]
fn json() {
    check(
        r#"jsonencode({b = [1, 2.50, true, null], a = "<&>\n\"\\"})"#,
        r#""{\"a\":\"\\u003c\\u0026\\u003e\\n\\\"\\\\\",\"b\":[1,2.5,true,null]}""#,
    );
    check(
        r#"jsonencode(12345678901234567890123)"#,
        r#""12345678901234567890123""#,
    );
    check("jsonencode(null)", r#""null""#);
    check("jsonencode({a = var.unk})", "unknown(string)");
    check("jsonencode([var.secret])", r#"sensitive("[\"hush\"]")"#);
    check(
        r#"jsondecode("{\"a\": [1, 1.5, \"x\", null, true], \"b\": {}}")"#,
        r#"{a: [1, 1.5, "x", null, true], b: {}}"#,
    );
    check(
        r#"jsondecode("12345678901234567890123")"#,
        "12345678901234567890123",
    );
    check_error(r#"jsondecode("{")"#, "invalid JSON");
    check_error(r#"jsondecode("[1,]")"#, "invalid JSON");
}

#[test]
fn yaml() {
    check(
        r#"yamlencode({b = [1, [], {c = "x", d = null}], a = "q\"", e = {}, f = {g = true}})"#,
        r#""\"a\": \"q\\\"\"\n\"b\":\n- 1\n- []\n- \"c\": \"x\"\n  \"d\": null\n\"e\": {}\n\"f\":\n  \"g\": true\n""#,
    );
    check(r#"yamlencode("a\nb")"#, r#""|-\n  a\n  b\n""#);
    check(
        r#"yamlencode([["a"], ["b"]])"#,
        r#""- - \"a\"\n- - \"b\"\n""#,
    );
    check(
        r#"yamldecode("a: 1\nb: [x, 2.5, true, null, ~]\nc: '1'\n")"#,
        r#"{a: 1, b: ["x", 2.5, true, null, null], c: "1"}"#,
    );
    check(
        r#"yamldecode("base: &b {x: 1, z: 2}\nd:\n  <<: *b\n  z: 3\n")"#,
        "{base: {x: 1, z: 2}, d: {x: 1, z: 3}}",
    );
    check(r#"yamldecode("1: a\n")"#, r#"{1: "a"}"#);
    check(
        r#"yamldecode("12345678901234567890123")"#,
        "12345678901234567890123",
    );
    check(r#"yamldecode("2026-1-2")"#, r#""2026-01-02T00:00:00Z""#);
    check(
        r#"yamldecode("2026-01-02t03:04:05.5+01:00")"#,
        r#""2026-01-02T03:04:05+01:00""#,
    );
    check(
        r#"yamldecode("[yes, Off, 'yes', 0x10, 010, 1_000, 0b11, -0b11, !!str 1, !!int 0x10, .5, '']")"#,
        r#"[true, false, "yes", "0x10", 10, 1000, 3, -3, "1", 16, 0.5, ""]"#,
    );
    check(r#"yamldecode("a: 1\na: 2\n")"#, "{a: 2}");
    check_error(r#"yamldecode("")"#, "there is no document");
    check(r#"yamldecode("a: &x [1]\nb: *x\n")"#, "{a: [1], b: [1]}");
    check(r#"yamldecode("a: |\n  x\n  y\n")"#, r#"{a: "x\ny\n"}"#);
    check(r#"yamlencode(1.5)"#, r#""1.5\n...\n""#);
    check_error(r#"yamldecode("!foo x")"#, "unsupported tag");
    check_error(
        r#"yamldecode("--- a\n--- b\n")"#,
        "only one document is allowed",
    );
    check_error(
        r#"yamldecode("a: &x [*x]")"#,
        "an alias inside of what it stands for",
    );
    check_error(r#"yamldecode(".inf")"#, "infinity is not supported");
    let laughs = (1..12).map(|n| {
        format!(
            "a{n}: &a{n} [{}]\\n",
            vec![format!("*a{}", n - 1); 10].join(", ")
        )
    });
    check_error(
        &format!(r#"yamldecode("a0: &a0 x\n{}")"#, laughs.collect::<String>()),
        "Result too large",
    );
    check_error(r#"yamldecode("a: [")"#, "invalid YAML");
    check(
        r#"yamldecode(yamlencode({a = "x: y\n  z \n", b = ["1", 1]}))"#,
        r#"{a: "x: y\n  z \n", b: ["1", 1]}"#,
    );
}

#[test]
fn csv() {
    check(
        r#"csvdecode("a,b\n1,\"x\"\"y\"\n2,\n")"#,
        r#"list[{a: "1", b: "x\"y"}, {a: "2", b: ""}]"#,
    );
    check_error(r#"csvdecode("a,a\n1,2\n")"#, "duplicate column name \"a\"");
    check_error(
        r#"csvdecode("a,b\n1\n")"#,
        "CSV parse error on line 2: wrong number of fields: 1 instead of 2",
    );
    check_error(r#"csvdecode("")"#, "missing header line");
}

#[test]
fn regular_expressions() {
    check(r#"regex("[a-z]+", "12ab3")"#, r#""ab""#);
    check(r#"regex("(\\d)(x)?", "a1")"#, r#"["1", null]"#);
    check(
        r#"regex("(?P<y>\\d{4})-(?P<m>\\d\\d)", "on 2026-11")"#,
        r#"{m: "11", y: "2026"}"#,
    );
    check(r#"regexall("\\d+", "1 22 x")"#, r#"list["1", "22"]"#);
    check(r#"regexall("q", "x")"#, "list[]");
    check(
        r#"regex_replace("-ab-axxb-", "a(x*)b", "$${1}W")"#,
        r#""-W-xxW-""#,
    );
    check(r#"regex_replace("-ab-axxb-", "a(x*)b", "$1W")"#, r#""---""#);
    check(r#"regex_replace("a.b", "\\.", "$$")"#, r#""a$b""#);
    check_error(
        r#"regex("q", "x")"#,
        "pattern did not match any part of the given string",
    );
    check_error(r#"regex("(", "x")"#, "invalid regexp pattern");
}

#[test]
fn digests_and_identifiers() {
    check(r#"md5("hello")"#, r#""5d41402abc4b2a76b9719d911017c592""#);
    check(
        r#"sha1("hello")"#,
        r#""aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d""#,
    );
    check(
        r#"sha256("")"#,
        r#""e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855""#,
    );
    check(r#"substr(sha512("hello"), 0, 16)"#, r#""9b71d224bd62f378""#);
    check(
        r#"uuidv5("dns", "www.terraform.io")"#,
        r#""a5008fae-b28c-5ba5-96cd-82b4c53552d6""#,
    );
    check(r#"length(uuidv4())"#, "36");
    check(r#"substr(bcrypt("x", 4), 0, 7)"#, r#""$2a$04$""#);
    check_error(r#"bcrypt("x", 40)"#, "outside allowed range");
    check_error(r#"bcrypt("x", 31)"#, "16 is the most");
    check_error(r#"file("/dev/zero")"#, "too large to be a string");
    check_error(
        r#"uuidv5("nope", "x")"#,
        "use dns, url, oid, x500 or a UUID",
    );
}

#[test]
fn networks() {
    check(
        r#"[cidrhost("10.12.127.0/20", 16), cidrhost("10.12.127.0/20", 268), cidrhost("10.0.0.0/8", -1), cidrhost("fd00:fd12:3456:7890:00a2::/72", 34)]"#,
        r#"["10.12.112.16", "10.12.113.12", "10.255.255.255", "fd00:fd12:3456:7890::22"]"#,
    );
    check(r#"cidrnetmask("172.16.0.0/12")"#, r#""255.240.0.0""#);
    check(
        r#"[cidrsubnet("172.16.0.0/12", 4, 2), cidrsubnet("10.1.2.0/24", 4, 15), cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)]"#,
        r#"["172.18.0.0/16", "10.1.2.240/28", "fd00:fd12:3456:7800:a200::/72"]"#,
    );
    check(
        r#"cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)"#,
        r#"list["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24", "10.1.48.0/20"]"#,
    );
    check(
        r#"cidrsubnets("fd00:fd12:3456:7890::/56", 16, 16, 16, 32)"#,
        r#"list["fd00:fd12:3456:7800::/72", "fd00:fd12:3456:7800:100::/72", "fd00:fd12:3456:7800:200::/72", "fd00:fd12:3456:7800:300::/88"]"#,
    );
    check(r#"cidrhost("0.0.0.0/0", 5)"#, r#""0.0.0.5""#);
    check_error(
        r#"cidrhost("10.0.0.0/30", 4)"#,
        "prefix of 30 does not accommodate a host numbered 4",
    );
    check_error(
        r#"cidrsubnet("10.0.0.0/30", 4, 1)"#,
        "insufficient address space",
    );
    check_error(
        r#"cidrsubnet("10.0.0.0/24", 1, 2)"#,
        "does not accommodate a subnet numbered 2",
    );
    check_error(
        r#"cidrsubnets("10.0.0.0/24", 1, 1, 1)"#,
        "not enough remaining address space",
    );
    check(r#"cidrnetmask("fd00::/8")"#, r#""ff00::""#);
    check(r#"cidrnetmask("::/0")"#, r#""::""#);
    check_error(r#"cidrnetmask("010.0.0.0/8")"#, "invalid CIDR address");
    check_error(r#"cidrhost("10.0.0/8", 1)"#, "invalid CIDR");
}

#[test]
fn time() {
    check(
        r#"formatdate("DD MMM YYYY hh:mm ZZZ", "2018-01-02T23:12:01Z")"#,
        r#""02 Jan 2018 23:12 UTC""#,
    );
    check(
        r#"formatdate("EEEE, DD-MMM-YY hh:mm:ss ZZZ", "2018-01-02T23:12:01-08:00")"#,
        r#""Tuesday, 02-Jan-18 23:12:01 -0800""#,
    );
    check(
        r#"formatdate("h'h'mm'''' HH:m:s aa AA E'x", "2018-01-02T00:02:03Z")"#
            .replace(" E'x", "")
            .as_str(),
        r#""0h02'' 12:2:3 am AM""#,
    );
    check(
        r#"formatdate("''YY'' 'it''s'", "2018-01-02T23:12:01Z")"#,
        r#""'18' it's""#,
    );
    check(
        r#"[timeadd("2017-11-22T00:00:00Z", "10m"), timeadd("2017-11-22T00:00:00+02:00", "-1h30.5m"), timeadd("2020-02-28T23:59:59Z", "24h1s")]"#,
        r#"["2017-11-22T00:10:00Z", "2017-11-21T22:29:30+02:00", "2020-03-01T00:00:00Z"]"#,
    );
    check("length(timestamp())", "20");
    check("legacy_isotime()", r#""2026-11-20T15:04:05Z""#);
    check(
        r#"legacy_isotime("Mon Jan _2 06 03:04:05.000 PM -0700 MST Z07:00 2006-01-02 January 002")"#,
        r#""Fri Nov 20 26 03:04:05.678 PM +0000 UTC Z 2026-11-20 November 324""#,
    );
    check(
        r#"legacy_strftime("%Y-%m-%d %H:%M:%S %A %a %B %b %I %p %y %Z %z %L %% %q")"#,
        r#""2026-11-20 15:04:05 Friday Fri November Nov 03 PM 26 UTC +0000 .678 % %q""#,
    );
    check(
        r#"rfc3339_parse("2021-01-03 23:59:58.5+02:00")"#,
        r#"{day: 3, hour: 23, iso_week: 53, iso_year: 2020, minute: 59, month: 1, month_name: "January", second: 58, unix: 1609711198, weekday: 0, weekday_name: "Sunday", year: 2021, year_day: 3}"#,
    );
    check(
        r#"unix_timestamp_parse(1690328596).rfc3339"#,
        r#""2023-07-25T23:43:16Z""#,
    );
    check("unix_timestamp_parse(-1).year", "1969");
    check_error(
        r#"formatdate("YYY", "2018-01-02T23:12:01Z")"#,
        "year must either be \"YY\" or \"YYYY\"",
    );
    check_error(
        r#"formatdate("Q", "2018-01-02T23:12:01Z")"#,
        "invalid date format verb \"Q\"",
    );
    check_error(
        r#"timeadd("2018-01-02", "1h")"#,
        "not a valid RFC3339 timestamp",
    );
    check_error(r#"timeadd("2018-02-30T00:00:00Z", "1h")"#, "no such day");
    check_error(
        r#"timeadd("2018-01-02T23:12:01Z", "1d")"#,
        "invalid duration \"1d\"",
    );
    check_error(
        r#"legacy_isotime("a", "b")"#,
        "takes no more than one format",
    );
    check_error("unix_timestamp_parse(1.5)", "a whole number is required");
}

#[test]
fn formats() {
    check(
        r#"format("Hello, %s! %d %%", "Ander", 3.0)"#,
        r#""Hello, Ander! 3 %""#,
    );
    check(
        r#"format("%5.1f|%-6s|%06d|%+d|%x|%X|%o|%b", 4.25, "ab", -42, 7, 255, 255, 8, 5)"#,
        r#""  4.2|ab    |-00042|+7|ff|FF|10|101""#,
    );
    check(
        r#"format("%v %v %v %v %v", 1.5, "x", [1, "a"], true, null)"#,
        r#""1.5 x [1,\"a\"] true null""#,
    );
    check(
        r#"format("%#v %q %t", "x", "a\"b", "true")"#,
        r#""\"x\" \"a\\\"b\" true""#,
    );
    check(r#"format("%[2]s %[1]s", "a", "b")"#, r#""b a""#);
    check(
        r#"format("%e %g %g %g", 123456.789, 1e21, 0.00001, 100)"#,
        r#""1.234568e+05 1e+21 1e-05 100""#,
    );
    check(r#"format("%.2s|%4s|", "héllo", "ü")"#, r#""hé|   ü|""#);
    check(r#"format("%v", 1000000)"#, r#""1e+06""#);
    check(
        r#"formatlist("%s-%d", ["a", "b"], 1)"#,
        r#"list["a-1", "b-1"]"#,
    );
    check(r#"formatlist("%s", [])"#, "list[]");
    check(r#"format("x")"#, r#""x""#);
    check_error(
        r#"format("%s")"#,
        "not enough arguments for \"%s\" at 0: need index 1 but have 0 total",
    );
    check_error(
        r#"format("%s", 1, 2)"#,
        "too many arguments; only 1 used by format string",
    );
    check_error(r#"format("%d", 1.5)"#, "an integer is required");
    check_error(r#"format("%d", "x")"#, "number required");
    check_error(r#"format("%s", null)"#, "null value cannot be formatted");
    check_error(r#"format("%z", 1)"#, "unsupported format verb 'z'");
    check_error(r#"format("%99999999999d", 1)"#, "too large a width");
    check_error(r#"formatlist("%s%s", ["a"], ["a", "b"])"#, "inconsistent");
}

#[test]
fn paths() {
    check(
        r#"[basename("a/b.txt"), basename("a/b/"), basename(""), basename("/")]"#,
        r#"["b.txt", "b", ".", "/"]"#,
    );
    check(
        r#"[dirname("a/b.txt"), dirname("x"), dirname("/a"), dirname("a/b/"), dirname("a//../b/c")]"#,
        r#"["a", ".", "/", "a/b", "b"]"#,
    );
    check(r#"pathexpand("a/~/b")"#, r#""a/~/b""#);
    check(r#"abspath("/a/./b/../c")"#, r#""/a/c""#);
    check_error(
        r#"pathexpand("~bob/x")"#,
        "cannot expand user-specific home dir",
    );
}

fn check_in(folder: &std::path::Path, text: &str, expected: &str) {
    let settings = Settings {
        base_dir: folder.to_path_buf(),
        ..Settings::default()
    };
    let scope = Scope {
        settings: Arc::new(settings),
        ..scope()
    };
    let (value, problems) = evaluate(&expression(text), &scope);
    match problems.as_slice() {
        [] => assert_eq!(show(&value), expected, "{text}"),
        [problem] => assert!(
            problem.detail.contains(expected),
            "{text}: {}",
            problem.detail
        ),
        more => panic!("{text}: {more:?}"),
    }
}

#[test]
fn files() {
    let folder = tempfile::tempdir().expect("the fixture works");
    let write = |name: &str, text: &[u8]| {
        std::fs::write(folder.path().join(name), text).expect("the fixture works")
    };
    std::fs::create_dir_all(folder.path().join("sub/deep")).expect("the fixture works");
    write("a.txt", b"hi ${name}");
    write("sub/b.txt", b"b");
    write("sub/deep/c.sh", b"c");
    write(".hidden.txt", b"");
    write("raw", &[0xff, 0xfe]);
    write("t.tpl", b"%{ for x in xs ~}\n${x},\n%{ endfor ~}\n");
    write("bad.tpl", b"x\n${nope}");
    write("self.tpl", b"${templatefile(\"t.tpl\", {xs = []})}");
    write("one.tpl", b"${xs}");
    let check = |text: &str, expected: &str| check_in(folder.path(), text, expected);
    check(r#"file("a.txt")"#, r#""hi ${name}""#);
    check(r#"file("sub/../a.txt")"#, r#""hi ${name}""#);
    check(r#"file("nope")"#, "no file exists at");
    check(r#"file("sub")"#, "is a folder, not a file");
    check(r#"file("raw")"#, "not valid UTF-8");
    check(r#"[fileexists("a.txt"), fileexists("q")]"#, "[true, false]");
    check(r#"fileexists("sub")"#, "is not a regular file");
    check(r#"fileset(".", "*.txt")"#, r#"set[".hidden.txt", "a.txt"]"#);
    check(
        r#"fileset(".", "**/*.{txt,sh}")"#,
        r#"set[".hidden.txt", "a.txt", "sub/b.txt", "sub/deep/c.sh"]"#,
    );
    check(r#"fileset("sub", "**")"#, r#"set["b.txt", "deep/c.sh"]"#);
    check(r#"fileset(".", "sub/*")"#, r#"set["sub/b.txt"]"#);
    check(r#"fileset(".", "a.txt")"#, r#"set["a.txt"]"#);
    check(r#"fileset("nope", "*")"#, "set[]");
    check(r#"fileset(".", "[")"#, "failed to glob pattern");
    check(r#"templatefile("a.txt", {name = "Ann"})"#, r#""hi Ann""#);
    check(
        r#"templatefile("a.txt", {name = var.secret})"#,
        r#"sensitive("hi hush")"#,
    );
    check(
        r#"templatefile("a.txt", {name = var.unk})"#,
        "unknown(string)",
    );
    check(r#"templatefile("t.tpl", {xs = [1, 2]})"#, r#""1,\n2,\n""#);
    check(r#"templatefile("one.tpl", {xs = [1, 2]})"#, "[1, 2]");
    check(r#"templatefile("bad.tpl", {})"#, "bad.tpl:2,3: ");
    check(
        r#"templatefile("self.tpl", {})"#,
        "cannot recursively call templatefile",
    );
    check(
        r#"templatefile("a.txt", {"1x" = 1})"#,
        "invalid template variable name \"1x\"",
    );
    check(r#"templatefile("a.txt", [])"#, "must be a map or an object");
}

#[test]
fn env_reads_only_where_it_may() {
    let scope = Scope::new(FunctionSet::EnvOnly, Arc::default());
    let (value, problems) = evaluate(&expression("env(\"PATH\")"), &scope);
    assert!(problems.is_empty());
    assert_eq!(
        value.as_str().map(str::to_owned),
        std::env::var("PATH").ok()
    );
    let (value, _) = evaluate(&expression("env(\"SURELY_NOT_SET_ANYWHERE\")"), &scope);
    assert_eq!(value.as_str(), Some(""));
    let (_, problems) = evaluate(&expression("upper(\"x\")"), &scope);
    assert_eq!(problems[0].summary, "Call to unknown function");
    assert!(problems[0].hints[0].contains("can only call env()"));
}

#[test]
fn decrypts_with_an_rsa_key() {
    use base64::Engine;
    use rsa::pkcs1::EncodeRsaPrivateKey;
    use rsa::pkcs8::{EncodePrivateKey, LineEnding};
    let mut random = rsa::rand_core::OsRng;
    let key = rsa::RsaPrivateKey::new(&mut random, 1024).expect("the fixture works");
    let cipher = key
        .to_public_key()
        .encrypt(&mut random, rsa::Pkcs1v15Encrypt, b"hi")
        .expect("the fixture works");
    let cipher = base64::engine::general_purpose::STANDARD.encode(cipher);
    let pems = [
        key.to_pkcs1_pem(LineEnding::LF)
            .expect("the fixture works")
            .to_string(),
        key.to_pkcs8_pem(LineEnding::LF)
            .expect("the fixture works")
            .to_string(),
    ];
    for pem in pems {
        let scope = scope()
            .with_variable("pem", crate::Value::string(pem))
            .with_variable("cipher", crate::Value::string(cipher.as_str()));
        let (value, problems) = evaluate(&expression("rsadecrypt(cipher, pem)"), &scope);
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(value.as_str(), Some("hi"));
    }
}

#[test]
fn has_every_function_of_the_language_but_network_lookups() {
    let names = function_names();
    let wanted = "abs abspath alltrue anytrue base64decode base64encode base64gzip basename bcrypt can \
        ceil chomp chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce coalescelist compact \
        concat contains convert csvdecode dirname distinct element endswith env file filebase64 \
        fileexists fileset flatten floor format formatdate formatlist indent index join jsondecode \
        jsonencode keys legacy_isotime legacy_strftime length log lookup lower max md5 merge min \
        parseint pathexpand pow range regex regex_replace regexall replace reverse rfc3339_parse \
        rsadecrypt setintersection setproduct setunion sha1 sha256 sha512 signum slice sort split \
        startswith strcontains strrev substr sum templatefile textdecodebase64 textencodebase64 \
        timeadd timestamp title trim trimprefix trimspace trimsuffix try unix_timestamp_parse upper \
        urlencode uuidv4 uuidv5 values yamldecode yamlencode zipmap";
    let wanted: Vec<&str> = wanted.split_whitespace().collect();
    assert_eq!(names, wanted);
}
