use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::{BuildValues, Context, CustomFunctions, Data, check_syntax as syntax, render};

fn data() -> Data {
    let inner: Data = [("B", "deep")].into_iter().collect();
    [
        ("Name", Data::from("debian")),
        ("Path", Data::from("/tmp/s.sh")),
        ("Zero", Data::Int(0)),
        ("Seven", Data::Int(7)),
        ("Half", Data::Float(0.5)),
        ("On", Data::Bool(true)),
        ("Empty", Data::from("")),
        (
            "List",
            Data::List(vec![Data::from("a"), Data::from("b"), Data::from("c")]),
        ),
        ("None", Data::List(Vec::new())),
        ("A", inner),
    ]
    .into_iter()
    .collect()
}

fn context() -> Context {
    Context {
        build_name: Some("qemu.debian".to_owned()),
        build_type: Some("qemu".to_owned()),
        template_dir: Some("/templates".to_owned()),
        working_dir: "/home/me".to_owned(),
        core_version: "1.2.3".to_owned(),
        // 2006-01-02 15:04:05.123456 UTC.
        started_at_unix_nanos: 1_136_214_245_123_456_000,
        user: [("v".to_owned(), "value".to_owned())].into(),
        ..Context::default()
    }
}

fn check(template: &str, expected: &str) {
    let got = render(template, &data(), &context());
    assert_eq!(
        got.as_deref().map_err(|err| err.message.as_str()),
        Ok(expected),
        "{template}"
    );
}

fn check_error(template: &str, offset: usize, part: &str) {
    let err = render(template, &data(), &context()).expect_err(template);
    assert!(err.message.contains(part), "{template}: {}", err.message);
    assert_eq!(err.offset, offset, "{template}: {}", err.message);
}

#[test]
fn plain_text_passes_through() {
    check("", "");
    check("a } b }} c { d", "a } b }} c { d");
    check("käse\n{{.Name}}\n", "käse\ndebian\n");
}

#[test]
fn fields_chain_and_missing_ones_say_so() {
    check(
        "{{.Name}}|{{ .A.B }}|{{$.A.B}}|{{(.A).B}}",
        "debian|deep|deep|deep",
    );
    check(
        "{{.Nope}}|{{.Nope.More}}|{{.A.C}}",
        "<no value>|<no value>|<no value>",
    );
    check("{{with .A}}{{.B}}{{$.Name}}{{end}}", "deepdebian");
    check(
        "{{.A}} {{.List}} {{.Zero}} {{.Half}} {{.On}}",
        "map[B:deep] [a b c] 0 0.5 true",
    );
    check_error("x{{.Name.X}}", 3, "cannot evaluate field X in type string");
}

#[test]
fn literals_are_read_as_in_go() {
    check(r#"{{"a\tb\"\\\x41é\U0001F600\101"}}"#, "a\tb\"\\Aé😀A");
    check("{{`raw \\n \"q\"`}}", "raw \\n \"q\"");
    check("{{'a'}} {{'\\n'}} {{'ä'}}", "97 10 228");
    check(
        "{{1}} {{-5}} {{+5}} {{0x1F}} {{0b11}} {{0o17}} {{017}} {{1_000}}",
        "1 -5 5 31 3 15 15 1000",
    );
    check(
        "{{1.5}} {{.5}} {{1e3}} {{1e6}} {{-2.50}} {{1e-7}}",
        "1.5 0.5 1000 1e+06 -2.5 1e-07",
    );
    check("{{true}}{{false}}", "truefalse");
    check(r#"{{ "{{" }}x{{ "}}" }}"#, "{{x}}");
    check_error("{{99999999999999999999}}", 2, "integer overflow");
    check_error("{{1x}}", 2, "bad number syntax");
    check_error(r#"a{{"x\q"}}"#, 5, "invalid escape");
    check_error("{{\"x}}", 2, "unterminated quoted string");
    check_error("{{`x}}", 2, "unterminated back-quoted string");
    check_error("{{'ab'}}", 2, "malformed character constant");
}

#[test]
fn trim_markers_and_comments_remove_what_they_should() {
    check("a \n {{- .Name -}} \n b", "adebianb");
    check("a {{- /* note */ -}} b", "ab");
    check("a{{/* with }} inside */}}b", "ab");
    check("a {{/* plain */}} b", "a  b");
    check("{{-5}} {{- 5}}", "-55");
    check("{{3 -}} x", "3x");
    check_error("{{/* open", 0, "unclosed comment");
    check_error("{{/* a */ b}}", 9, "comment ends before");
}

#[test]
fn conditions_choose_their_branch() {
    check("{{if .On}}y{{else}}n{{end}}", "y");
    check("{{if .Empty}}y{{else}}n{{end}}", "n");
    check(
        "{{if .Zero}}a{{else if .None}}b{{else if .Seven}}c{{else}}d{{end}}!",
        "c!",
    );
    check("{{if not .Nope}}y{{end}}", "y");
    check(
        "{{with .Empty}}x{{else with .Name}}{{.}}{{else}}z{{end}}",
        "debian",
    );
    check("{{with $x := .Name}}{{$x}}{{end}}", "debian");
    check("{{if and .On (eq .Name `debian`)}}y{{end}}", "y");
}

#[test]
fn range_goes_through_lists_maps_and_counts() {
    check("{{range .List}}<{{.}}>{{end}}", "<a><b><c>");
    check(
        "{{range $i, $e := .List}}{{$i}}={{$e}} {{end}}",
        "0=a 1=b 2=c ",
    );
    check("{{range $e := .List}}{{$e}}{{end}}", "abc");
    check("{{range $k, $v := .A}}{{$k}}:{{$v}}{{end}}", "B:deep");
    check("{{range 3}}{{.}}{{end}}", "012");
    check("{{range .None}}x{{else}}none{{end}}", "none");
    check("{{range .Nope}}x{{else}}none{{end}}", "none");
    check(
        "{{range .List}}{{if eq . `b`}}{{continue}}{{end}}{{.}}{{end}}",
        "ac",
    );
    check(
        "{{range .List}}{{if eq . `b`}}{{break}}{{end}}{{.}}{{end}}",
        "a",
    );
    check("{{$x := 1}}{{range .List}}{{$x = .}}{{end}}{{$x}}", "c");
    check_error("{{range .Name}}{{end}}", 8, "range cannot iterate");
    check_error("{{break}}", 0, "outside of {{range}}");
}

#[test]
fn variables_keep_their_scope() {
    check(
        "{{$x := `a`}}{{$x}}{{if .On}}{{$x := `b`}}{{$x}}{{end}}{{$x}}",
        "aba",
    );
    check("{{$x := `a`}}{{if .On}}{{$x = `b`}}{{end}}{{$x}}", "b");
    check("{{$m := .A}}{{$m.B}}", "deep");
    check_error("{{$x}}", 2, "undefined variable `$x`");
    check_error("{{$x = 1}}", 2, "undefined variable `$x`");
    check_error(
        "{{if .On}}{{$y := 1}}{{end}}{{$y}}",
        30,
        "undefined variable `$y`",
    );
}

#[test]
fn templates_are_defined_and_called() {
    check(
        "{{define `T`}}<{{.}}>{{end}}{{template `T` .Name}}{{template `T`}}",
        "<debian><<no value>>",
    );
    check("{{block `B` .A}}[{{.B}}]{{end}}", "[deep]");
    check("{{template `later` 1}}{{define `later`}}{{$}}{{end}}", "1");
    check_error(
        "ab{{template `nope`}}",
        2,
        "template \"nope\" is not defined",
    );
    check_error(
        "{{define `a`}}{{define `b`}}{{end}}{{end}}",
        14,
        "{{define}} inside",
    );
    check_error(
        "{{define `a`}}{{$.X}}{{template `a`}}{{end}}{{template `a`}}",
        21,
        "levels of nesting",
    );
}

#[test]
fn pipelines_pass_the_last_argument() {
    check("{{.Name | upper}}", "DEBIAN");
    check(
        "{{.Name | replace_all `de` `u` | printf `%s-%s` `x`}}",
        "x-ubian",
    );
    check("{{printf `%d` (len .List)}}", "3");
    check("{{ print (print (print `x`)) }}", "x");
    check("{{ eq build_name `qemu.debian` }}", "true");
    check_error(
        "{{.Name | 5}}",
        10,
        "non-executable command in pipeline stage 2",
    );
    check_error(
        "{{.Name .Path}}",
        2,
        "cannot give an argument to a non-function",
    );
    check_error("{{| .Name}}", 2, "empty command");
    check_error("{{}}", 2, "missing value for an action");
    check_error("{{nil}}", 2, "nil is not a command");
}

#[test]
fn printf_follows_go() {
    check(
        r#"{{printf "%s|%v|%d|%q|%x|%t|%f" "a" .A 7 "q\"" "hi" true 1.5}}"#,
        r#"a|map[B:deep]|7|"q\""|6869|true|1.500000"#,
    );
    check(
        r#"{{printf "%5.2f|%03d|%-5s|%5s|%%|%+d|%x|%X|%#x|%o|%b|%c|%U" 3.14159 7 "ab" "cd" 5 255 255 255 8 5 'A' 'A'}}"#,
        " 3.14|007|ab   |   cd|%|+5|ff|FF|0xff|10|101|A|U+0041",
    );
    check(
        r#"{{printf "%e %E %g %g %.3g %8.3e" 1234.5 1234.5 1234.5 123456789.0 1234.5 1234.5}}"#,
        "1.234500e+03 1.234500E+03 1234.5 1.23456789e+08 1.23e+03 1.234e+03",
    );
    check(r#"{{printf "%d %s" "x" 5}}"#, "%!d(string=x) %!s(int=5)");
    check(
        r#"{{printf "%s %s" "x"}}|{{printf "x" 1 "b"}}|{{printf "%"}}"#,
        "x %!s(MISSING)|x%!(EXTRA int=1, string=b)|%!(NOVERB)",
    );
    check(
        r#"{{printf "%T %T %T" 1 "a" .A}}"#,
        "int string map[string]interface {}",
    );
    check(
        r#"{{printf "%#v %#v" "a" .List}}"#,
        r#""a" []interface {}{"a", "b", "c"}"#,
    );
    check(r#"{{printf "%[2]s %[1]s" "a" "b"}}"#, "b a");
    check(
        r#"{{printf "%*d|%-*d|%.*f" 4 7 4 7 1 2.55}}"#,
        "   7|7   |2.5",
    );
    check(
        r#"{{printf "%06.1f|%-06d|%06d|% d|%.2s|%05d" 2.5 42 -42 42 "abc" -3}}"#,
        "0002.5|42    |-00042| 42|ab|-0003",
    );
    check(r#"{{printf "%v %s" .Nope .Nope}}"#, "<nil> %!s(<nil>)");
    check(r#"{{printf "% x" "abc"}}"#, "61 62 63");
    check_error("{{printf 5}}", 2, "expected string");
}

#[test]
fn print_and_println_space_their_arguments() {
    check(
        "{{print 1 2 `a` `b` 3 4}}",
        "1 2a b3 4".replace("2a b3", "2ab3").as_str(),
    );
    check("{{println 1 `a`}}", "1 a\n");
}

#[test]
fn sequences_are_measured_and_cut() {
    check("{{len .Name}}{{len .List}}{{len .A}}{{len `ä`}}", "6312");
    check(
        "{{index .List 1}}{{index .A `B`}}{{index .A `X`}}{{index `abc` 0}}",
        "bdeep<no value>97",
    );
    check(
        "{{slice .Name 1 3}}|{{slice .List 1}}|{{slice .Name}}",
        "eb|[b c]|debian",
    );
    check_error("{{index .List 3}}", 2, "index out of range: 3");
    check_error("{{index .List -1}}", 2, "index out of range: -1");
    check_error("{{slice .Name 4 2}}", 2, "invalid slice index");
    check_error("{{len 5}}", 2, "len of type int");
}

#[test]
fn comparisons_follow_go() {
    check(
        "{{eq 1 1}}{{eq 1 2 1}}{{ne `a` `b`}}{{lt 1 2}}{{le 2 2}}{{gt `b` `a`}}{{ge 1.5 2.5}}",
        "truetruetruetruetruetruefalse",
    );
    check(
        "{{eq .Nope nil}}{{and 1 0 2}}{{or 0 `` `x`}}{{not 0}}",
        "true0xtrue",
    );
    check("{{or .On (index .List 99)}}", "true");
    check_error("{{eq 1 `1`}}", 2, "incompatible types for comparison");
    check_error("{{eq 1}}", 2, "missing argument");
    check_error("{{lt .A 1}}", 2, "invalid type for comparison");
    check_error("{{eq .List .List}}", 2, "non-comparable");
}

#[test]
fn escapers_escape() {
    check(
        "{{html `<a b=\"c\">&'`}}",
        "&lt;a b=&#34;c&#34;&gt;&amp;&#39;",
    );
    check("{{js `it's <b>=`}}", "it\\'s \\u003Cb\\u003E\\u003D");
    check("{{urlquery `a b&c/ä`}}", "a+b%26c%2F%C3%A4");
}

#[test]
fn engine_functions_tell_the_build() {
    check(
        "{{user `v`}}{{user `missing`}}|{{build_name}}|{{build_type}}|{{pwd}}|{{template_dir}}|{{packer_version}}",
        "value|qemu.debian|qemu|/home/me|/templates|1.2.3",
    );
    check(
        "{{upper `a`}}{{lower `B`}}|{{split `a-b-c` `-` 1}}|{{replace `a` `x` 1 `aa`}}{{replace `a` `x` -1 `aa`}}|{{`a.b` | replace_all `.` `-`}}",
        "Ab|b|xaxx|a-b",
    );
    check(
        "{{isotime}} {{timestamp}} {{isotime `2006-01-02`}} {{strftime `%Y/%m/%d %H:%M:%S.%L %Z%z %p %%%Q`}}",
        "2006-01-02T15:04:05Z 1136214245 2006-01-02 2006/01/02 15:04:05.123 UTC+0000 PM %%Q",
    );
    check_error("{{split `a` `-` 4}}", 2, "no part 4");
    check_error("{{sed `s/a/b/` `a`}}", 2, "removed");
    check_error("{{vault `a` `b`}}", 2, "variables section");
    check_error("{{consul_key `a`}}", 2, "variables section");
    let variables = Context {
        env: Some(BTreeMap::new()),
        ..context()
    };
    let err = render("{{consul_key `a`}}", &Data::Null, &variables).expect_err("no service");
    assert!(err.message.contains("give the value with -var"), "{err}");
    check_error("{{env `HOME`}}", 2, "env vars are not allowed here");
    check_error("{{isotime `a` `b`}}", 2, "too many values");
    check_error("{{clean_resource_name `a`}}", 2, "does not offer");
    check_error("{{nope `a`}}", 2, "function \"nope\" not defined");
    check("{{upper `straße ﬁ`}} {{lower `İÄ`}}", "STRAßE ﬁ iä");
    check_error("{{upper 5}}", 2, "expected string; got int");
    check_error("{{upper .Nope}}", 2, "invalid value; expected string");
    check_error(
        "{{upper}}",
        2,
        "wrong number of args for upper: want 1 got 0",
    );
    check_error("{{build `ID`}}", 2, "ID of the machine is not known here");
}

#[test]
fn engine_functions_without_facts_are_errors() {
    for (call, part) in [
        ("{{build_name}}", "build_name not available"),
        ("{{build_type}}", "build_type not available"),
        ("{{template_dir}}", "template path not available"),
    ] {
        let err = render(call, &Data::Null, &Context::default()).expect_err(call);
        assert!(err.message.contains(part), "{}", err.message);
    }
    let hcl = Context {
        hcl: true,
        ..Context::default()
    };
    let err = render("{{user `x`}}", &Data::Null, &hcl).expect_err("user in HCL");
    assert!(err.message.contains("${var.x}"), "{}", err.message);
    let variables = Context {
        env: Some([("K".to_owned(), "v".to_owned())].into()),
        ..hcl
    };
    assert_eq!(
        render("{{env `K`}}{{env `Q`}}", &Data::Null, &variables).as_deref(),
        Ok("v")
    );
}

#[test]
fn build_values_render_or_stay_placeholders() {
    let mut context = context();
    context.build = BuildValues::Placeholders(BTreeSet::from(["ID".to_owned()]));
    assert_eq!(
        render("x{{build `ID`}}", &Data::Null, &context).as_deref(),
        Ok("x{{.ID}}")
    );
    let err = render("{{build `IP`}}", &Data::Null, &context).expect_err("unknown key");
    assert_eq!(
        err.message,
        "error calling build: loaded data, but couldnt find IP in it."
    );
    context.build = BuildValues::Values(BTreeMap::from([("ID".to_owned(), Data::Int(5))]));
    assert_eq!(
        render("x{{build `ID`}}", &Data::Null, &context).as_deref(),
        Ok("x5")
    );
}

#[test]
fn uuids_are_ordered_by_time() {
    let text = render("{{uuid}} {{uuid}}", &Data::Null, &context()).expect("renders");
    let (first, second) = text.split_once(' ').expect("two");
    assert!(first < second && first.len() == 36, "{text}");
}

#[derive(Debug)]
struct Custom;

impl CustomFunctions for Custom {
    fn call(&self, name: &str, args: &[Data]) -> Option<Result<Data, String>> {
        match (name, args) {
            ("clean_resource_name", [Data::String(text)]) => {
                Some(Ok(text.replace(':', "-").into()))
            }
            ("vault", _) => Some(Err("vault is sealed".to_owned())),
            _ => None,
        }
    }
}

#[test]
fn custom_functions_come_first() {
    let context = Context {
        custom: Some(Arc::new(Custom)),
        ..context()
    };
    let got = render(
        "{{clean_resource_name `a:b`}}{{upper `x`}}",
        &Data::Null,
        &context,
    );
    assert_eq!(got.as_deref(), Ok("a-bX"));
    let err = render("{{vault `a` `b`}}", &Data::Null, &context).expect_err("sealed");
    assert_eq!(err.message, "error calling vault: vault is sealed");
}

#[test]
fn broken_syntax_is_found_without_rendering() {
    for (text, offset, part) in [
        ("ab{{.X", 2, "unclosed action"),
        ("{{if .X}}a", 0, "no {{end}} for this {{if}}"),
        ("{{end}}", 0, "unexpected {{end}}"),
        ("{{if .X}}{{else}}{{else}}{{end}}", 17, "expected {{end}}"),
        ("{{(.X}}", 5, "unclosed left parenthesis"),
        ("{{.X)}}", 4, "unexpected right parenthesis"),
        ("{{ $x, $y := .L }}", 3, "too many variables"),
        ("{{.A-b}}", 4, "unexpected character `-`"),
        ("{{a#}}", 3, "unexpected character `#`"),
        ("{{\"a\".B}}", 5, "after a constant"),
        ("{{template x}}", 11, "expected the quoted name"),
        ("{{if}}{{end}}", 4, "missing value for if"),
    ] {
        let err = syntax(text).expect_err(text);
        assert!(err.message.contains(part), "{text}: {}", err.message);
        assert_eq!(err.offset, offset, "{text}: {}", err.message);
    }
    assert_eq!(syntax("{{not_ours .X | nor_this}}"), Ok(()));
}

#[test]
fn limits_stop_runaway_templates() {
    check_error("{{range 2000000}}{{end}}", 8, "steps");
    let deep = "{{if 1}}".repeat(300) + &"{{end}}".repeat(300);
    assert!(
        syntax(&deep)
            .expect_err("deep")
            .message
            .contains("levels of nesting")
    );
    let parens = format!("{{{{{}1{}}}}}", "(".repeat(300), ")".repeat(300));
    assert!(
        syntax(&parens)
            .expect_err("deep")
            .message
            .contains("levels of nesting")
    );
    let doubling = "{{$x := `0123456789`}}{{range 60}}{{$x = print $x $x}}{{end}}";
    let err = render(doubling, &Data::Null, &context()).expect_err("large");
    assert!(
        err.message.contains("larger than 16 MiB"),
        "{}",
        err.message
    );
    let wide = "{{printf `%999999d%999999d` 1 1 | len}}";
    check(wide, "1999998");
}

#[test]
fn go_layouts_cover_the_reference_time() {
    let check = |layout: &str, expected: &str| {
        assert_eq!(
            crate::format_go_layout(1_136_214_245_123_456_000, layout),
            expected,
            "{layout}"
        );
    };
    check("Mon Jan _2 15:04:05 2006", "Mon Jan  2 15:04:05 2006");
    check(
        "Monday, 02-Jan-06 15:04:05 MST",
        "Monday, 02-Jan-06 15:04:05 UTC",
    );
    check(
        "2006-01-02T15:04:05.999999999Z07:00",
        "2006-01-02T15:04:05.123456Z",
    );
    check("3:04PM 3:4:5 pm 03", "3:04PM 3:4:5 pm 03");
    check("05.000 05,00 .000000000", "05.123 05,12 .123456000");
    check("-0700 -07:00 -07 Z0700", "+0000 +00:00 +00 Z");
    check(
        "002 __2 1 January Janus Month",
        "002   2 1 January Janus Month",
    );
    check("20060102150405", "20060102150405");
    assert_eq!(
        crate::format_go_layout(0, "2006-01-02 15:04:05.999 3PM"),
        "1970-01-01 00:00:05".replace(":05", ":00") + " 12AM"
    );
    assert_eq!(
        crate::format_go_layout(-1, "2006.000000000"),
        "1969.999999999"
    );
    assert_eq!(
        crate::strftime(0, "%A %a %B %b %d %I %y %"),
        "Thursday Thu January Jan 01 12 70 %"
    );
}

/// What Go's own `text/template` renders; `html` and the like included.
#[test]
fn go_renders_the_same() {
    for (template, expected) in [
        ("{{printf \"%[5]*.[2]*[1]f\" 12.0 2 3 4 6}}", " 12.00"),
        ("{{printf \"%[1\" 1}}", "%!(NOVERB)"),
        ("{{printf \"%[1]d %d\" 1 2}}", "1 2"),
        ("{{printf \"%-*d|\" 5 1}}", "1    |"),
        ("{{printf \"%\"}}", "%!(NOVERB)"),
        ("{{printf \"%d %s\" 1}}", "1 %!s(MISSING)"),
        ("{{printf \"%d\" 1 2}}", "1%!(EXTRA int=2)"),
        ("{{printf \"%[3]d\" 1}}", "%!d(BADINDEX)"),
        ("{{printf \"%[x]d\" 1}}", "%!d(BADINDEX)"),
        ("{{printf \"%100000000d\" 1}}", "%!(NOVERB)%!(EXTRA int=1)"),
        (
            "{{printf \"%x % x %#x % #x\" \"hello\" \"hello\" \"hello\" \"hello\"}}",
            "68656c6c6f 68 65 6c 6c 6f 0x68656c6c6f 0x68 0x65 0x6c 0x6c 0x6f",
        ),
        (
            "{{printf \"%q %+q %#q\" \"é☺\\n\" \"é☺\\n\" \"é☺\"}}",
            "\"é☺\\n\" \"\\u00e9\\u263a\\n\" `é☺`",
        ),
        (
            "{{printf \"%q %+q %#q\" 'x' 0x263a 0x263a}}",
            "'x' '\\u263a' '☺'",
        ),
        (
            "{{printf \"%U %#U\" -1 0x1F600}}",
            "U+FFFFFFFFFFFFFFFF U+1F600 '😀'",
        ),
        (
            "{{printf \"%g %.3g %10.3g %#g %#.3g\" 100000.0 123456.0 0.00001234 1.0 2.0}}",
            "100000 1.23e+05   1.23e-05 1.00000 2.00",
        ),
        ("{{printf \"%b\" 1.5}}", "6755399441055744p-52"),
        (
            "{{printf \"%x\" 1.5}} {{printf \"%X\" 255.75}} {{printf \"%.2x\" 1.999}}",
            "0x1.8p+00 0X1.FF8P+07 0x1.00p+01",
        ),
        (
            "{{printf \"%.5d|%8.5d|%-8.5d|%08.5d|%.0d\" 42 42 42 42 0}}",
            "00042|   00042|00042   |   00042|",
        ),
        (
            "{{printf \"%#08x|%#8x|%-#8x|\" 255 255 255}}",
            "0x000000ff|    0xff|0xff    |",
        ),
        (
            "{{printf \"%+.3e|%10.2e|%-12.1E|\" 12345.678 12345.678 12345.678}}",
            "+1.235e+04|  1.23e+04|1.2E+04     |",
        ),
        (
            "{{printf \"%05d|%-05d|%+05d|% 05d\" -7 -7 7 7}}",
            "-0007|-7   |+0007| 0007",
        ),
        (
            "{{printf \"%6s|%-6s|%06s\" \"é\" \"é\" \"ab\"}}",
            "     é|é     |0000ab",
        ),
        (
            "{{printf \"%.3s|%.10s|%5.1s|\" \"hello\" \"hi\" \"xyz\"}}",
            "hel|hi|    x|",
        ),
        ("{{printf \"%5t|%-7t|\" true false}}", " true|false  |"),
        ("{{printf \"%c%c\" 0x1F600 -1}}", "😀�"),
        ("{{printf \"%t\" 1}}", "%!t(int=1)"),
        ("{{printf \"%s\" true}}", "%!s(bool=true)"),
        ("{{printf \"%w\" 1}}", "%!w(int=1)"),
        ("{{printf \"%s\" nil}}", "%!s(<nil>)"),
        (
            "{{printf \"%v\" 1e6}} {{printf \"%v\" 1e20}} {{printf \"%v\" 1e21}} {{printf \"%v\" 123456789.0}}",
            "1e+06 1e+20 1e+21 1.23456789e+08",
        ),
        ("{{printf \"%%|%5%|%-5%\"}}", "%|%|%"),
        ("{{html nil}}", "&lt;no value&gt;"),
        ("{{html 1 nil 2}}", "1&lt;no value&gt;2"),
        ("{{urlquery nil}}", "%3Cno+value%3E"),
        (
            "{{js \"it's \\\"<&>=\\n\\u2028é\\x00\\x7f\"}}",
            "it\\'s \\\"\\u003C\\u0026\\u003E\\u003D\\u000A\\u2028é\\u0000\x7f",
        ),
        ("{{0x1p-2}}", "0.25"),
        ("{{1 |}}", "1"),
        ("{{print \"a\" 1 2 \"b\" \"c\"}}", "a1 2bc"),
        ("{{print 1 2 \"a\" 3 4}}", "1 2a3 4"),
        ("{{and 1 0 2}}", "0"),
        ("{{or 0 \"\" 3}}", "3"),
        ("{{1 | and 2}}", "1"),
        ("{{eq 1 2 1}}", "true"),
        ("{{block \"B\" 1 | print}}{{.}}{{end}}", "1"),
        (
            "{{define \"T\"}}  {{end}}{{define \"T\"}}x{{end}}{{template \"T\"}}",
            "x",
        ),
        (
            "{{define \"T\"}}x{{end}}{{define \"T\"}}  {{end}}{{template \"T\"}}",
            "x",
        ),
    ] {
        check(template, expected);
    }
}

#[test]
fn go_refuses_the_same() {
    for template in [
        "{{range $i, $x := 3}}{{$i}}{{end}}",
        "{{08}}",
        "{{1e400}}",
        "{{..X}}",
        "{{index nil}}",
        "{{define \"T\"}}a{{end}}{{define \"T\"}}b{{end}}{{template \"T\"}}",
        "{{if .Zero}}{{foo}}{{end}}",
        "{{eq 1 1.0}}",
        "{{not 1 2}}",
        "{{1 | 2}}",
        "{{nil}}",
        "{{break}}",
        "{{\"a\".X}}",
        "{{slice \"abc\" 0 1 2}}",
        "{{index .List 9}}",
        "{{eq .List .List}}",
        "{{print(1)}}",
    ] {
        let rendered = render(template, &data(), &context());
        assert!(rendered.is_err(), "{template}: {rendered:?}");
    }
}

#[test]
fn unknown_functions_are_refused_wherever_they_stand_with_the_name_that_was_meant() {
    check_error(
        "a{{if .Empty}}{{uper .Name}}{{end}}",
        16,
        "function \"uper\" not defined; did you mean \"upper\"?",
    );
    check_error(
        "{{.Name | nothing}}",
        10,
        "function \"nothing\" not defined",
    );
}

#[test]
fn a_check_knows_the_functions_and_renders_nothing() {
    assert!(crate::check("{{ .Missing | upper }} {{ build `ID` }}").is_ok());
    let error = crate::check("a {{ uper .Name }}").expect_err("no such function");
    assert_eq!(
        (error.offset, error.message.contains("did you mean")),
        (5, true)
    );
    assert!(crate::check_syntax("a {{ uper .Name }}").is_ok());
}

#[test]
fn calls_are_found_with_the_text_they_are_given() {
    let text = "{{user `a`}} {{if false}}{{(user \"b\") | replace `x` (env `y`) 1}}{{end}}";
    let calls: Vec<_> = crate::calls(text)
        .unwrap()
        .into_iter()
        .map(|call| {
            (
                call.name,
                call.arguments,
                &text[call.offset..call.offset + 3],
            )
        })
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        calls,
        [
            ("user".to_owned(), vec![some("a")], "use"),
            ("user".to_owned(), vec![some("b")], "use"),
            ("replace".to_owned(), vec![some("x"), None, None], "rep"),
            ("env".to_owned(), vec![some("y")], "env"),
        ]
    );
    assert!(crate::calls("{{").is_err());
}

#[test]
fn the_action_around_a_place_is_found() {
    let text = "é {{a}} {{b c}} {{d";
    for (offset, expected) in [
        (3, "{{a}}"),
        (5, "{{a}}"),
        (12, "{{b c}}"),
        (18, "{{d"),
        (99, "{{d"),
    ] {
        assert_eq!(&text[crate::action_at(text, offset)], expected, "{offset}");
    }
    assert_eq!(crate::action_at("plain", 2), 2..5);
}
