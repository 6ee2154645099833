//! Expressions for the comparison with Packer 1.6.6: written ones, and generated ones that are the
//! same in every run.

/// HCL2 expressions over the functions and operators that existed then.
pub const HCL: &[&str] = &[
    "abs(-12.5)",
    "ceil(1.2)",
    "floor(-1.2)",
    "log(50, 10)",
    "max(1, 5, 3)",
    "min(1, -5, 3)",
    "pow(3, 4)",
    "signum(-3)",
    "parseint(\"ff\", 16)",
    "10 / 3",
    "10 % 3",
    "-7 % 3",
    "2 * 3 + 4",
    "0.1 + 0.2",
    "1e3",
    "123456789 * 987654321",
    "1 == 1.0",
    "\"1\" == 1",
    "true && !false || false",
    "5 > 3 ? \"yes\" : \"no\"",
    "chomp(\"hello\\n\\n\")",
    "format(\"%s-%d-%5.2f|%-5s|%05d|%x|%q|%v|%%\", \"a\", 3, 2.5, \"b\", 42, 255, \"q\", [1])",
    "format(\"%t %b %o %e %g\", true, 5, 8, 1234.5, 0.000001)",
    "formatlist(\"%s=%d\", [\"a\", \"b\"], [1, 2])",
    "indent(2, \"a\\nb\\nc\")",
    "join(\"-\", [\"a\", \"b\"], [\"c\"])",
    "lower(\"ÄÖ Über\")",
    "upper(\"straße\")",
    "title(\"hello wide world\")",
    "regex(\"[a-z]+\", \"53453453.345345aaabbbccc23454\")",
    "regex(\"(\\\\d+)-(\\\\d+)\", \"10-20\")",
    "regex(\"(?P<year>\\\\d{4})-(?P<month>\\\\d\\\\d)\", \"2019-02-01\")",
    "regexall(\"[a-z]+\", \"1234abcd5678efgh9\")",
    "regex_replace(\"hello world\", \"o(.)\", \"0$1\")",
    "replace(\"1 + 2 + 3\", \"+\", \"-\")",
    "split(\",\", \"foo,bar,baz\")",
    "strrev(\"hello\")",
    "substr(\"hello world\", 1, 4)",
    "substr(\"noël\", -2, -1)",
    "trim(\"?!hello?!\", \"!?\")",
    "trimprefix(\"helloworld\", \"hello\")",
    "trimsuffix(\"helloworld\", \"world\")",
    "trimspace(\"  hello\\n\\n\")",
    "chunklist([\"a\", \"b\", \"c\", \"d\", \"e\"], 2)",
    "coalesce(\"\", \"b\")",
    "coalescelist([], [\"c\", \"d\"])",
    "compact([\"a\", \"\", \"b\", \"c\"])",
    "concat([\"a\", \"\"], [\"b\", \"c\"])",
    "contains([\"a\", \"b\", \"c\"], \"a\")",
    "distinct([\"a\", \"b\", \"a\", \"c\", \"d\", \"b\"])",
    "element([\"a\", \"b\", \"c\"], 4)",
    "flatten([[\"a\", \"b\"], [], [\"c\", [\"d\"]]])",
    "index([\"a\", \"b\", \"c\"], \"b\")",
    "keys({a = 1, c = 2, d = 3})",
    "values({a = 3, c = 2, d = 1})",
    "length([])",
    "length({a = 1})",
    "length(\"hello\")",
    "lookup({a = \"ay\", b = \"bee\"}, \"c\", \"what?\")",
    "merge({a = \"b\", c = \"d\"}, {e = \"f\", c = \"z\"})",
    "range(3)",
    "range(1, 8, 2)",
    "range(4, 1)",
    "reverse([\"a\", \"b\", \"c\"])",
    "setintersection([\"a\", \"b\"], [\"b\", \"c\"])",
    "setproduct([\"a\", \"b\"], [1, 2])",
    "setunion([\"a\", \"b\"], [\"b\", \"c\"])",
    "slice([\"a\", \"b\", \"c\", \"d\"], 1, 3)",
    "sort([\"e\", \"d\", \"a\", \"x\"])",
    "zipmap([\"a\", \"b\"], [1, 2])",
    "base64decode(\"SGVsbG8gV29ybGQ=\")",
    "base64encode(\"Hello World\")",
    "csvdecode(\"a,b,c\\n1,2,3\\n4,5,6\")",
    "jsondecode(\"{\\\"hello\\\": [1, true, null, \\\"x\\\"]}\")",
    "jsonencode({hello = [1, true, null, \"<x>\"]})",
    "urlencode(\"Hello World/?&=ä\")",
    "yamldecode(\"hello: world\\nlist: [1, 2.5, yes, ~]\")",
    "yamlencode({a = 1, b = [\"x\", true], c = {d = null}})",
    "abspath(\"/a/../b\")",
    "basename(\"foo/bar/baz.txt\")",
    "dirname(\"foo/bar/baz.txt\")",
    "formatdate(\"DD MMM YYYY hh:mm ZZZ\", \"2018-01-02T23:12:01Z\")",
    "formatdate(\"EEEE, DD-MMM-YY hh:mm:ss 'at' AA\", \"2018-01-02T23:12:01+05:30\")",
    "timeadd(\"2017-11-22T00:00:00Z\", \"10m\")",
    "bcrypt(\"x\") == \"\"",
    "md5(\"hello world\")",
    "sha1(\"hello world\")",
    "sha256(\"hello world\")",
    "sha512(\"hello world\")",
    "uuidv5(\"dns\", \"hashicorp.com\")",
    "cidrhost(\"10.12.127.0/20\", 16)",
    "cidrnetmask(\"172.16.0.0/12\")",
    "cidrsubnet(\"172.16.0.0/12\", 4, 2)",
    "can(1 + \"x\")",
    "try(jsondecode(\"{\"), \"fallback\")",
    "convert(\"5\", number)",
    "convert([\"a\", \"a\"], set(string))",
    "convert({a = \"1\"}, map(number))",
    "[for s in [\"a\", \"b\"] : upper(s)]",
    "[for i, s in [\"a\", \"b\"] : \"${i}${s}\" if s != \"a\"]",
    "{for k, v in {a = 1, b = 2} : v => k}",
    "{for s in [\"a\", \"b\", \"ab\"] : substr(s, 0, 1) => s...}",
    "[{a = 1}, {a = 2}][*].a",
    "[{a = [1, 2]}, {a = [3]}].*.a",
    "{a = {b = [10, 20]}}.a.b[1]",
    "\"%{ for x in [1, 2] }<${x}>%{ endfor }\"",
    "\"%{ if true ~}  a  %{~ else }b%{ endif }\"",
    "\"${1 + 1}-${true}-${\"x\"}\"",
    "\"$${literal} %%{literal}\"",
    "\"tab\\tquote\\\"unicode\\u00e9\\U0001F600\"",
    "<<EOT\nline ${1 + 1}\n  two\nEOT\n",
    "<<-EOT\n    indented\n      more\n    EOT\n",
    "null == null",
    "[1, \"a\", true, null]",
    "{\"quoted key\" = 1, (\"comp${1}\") = 2}",
];

/// Texts with template calls, for the engine of JSON templates.
pub const TEMPLATES: &[&str] = &[
    "{{user `name`}} {{ user \"name\" | upper }} {{upper (user `name`)}}",
    "[{{user `empty`}}] [{{user `nothing`}}]",
    "{{build_name}} {{build_type}}",
    "{{ lower `ABC` }}{{- ` trim ` -}} x",
    "{{split (user `list`) \",\" 1}}",
    "{{replace `a` `b` 1 `aaa`}} {{replace_all `a` `b` `aaa`}}",
    "{{if user `empty`}}yes{{else}}no{{end}} {{if eq (user `number`) `42`}}equal{{end}}",
    "{{range $i, $e := `abc`}}{{$i}}{{end}}",
    "{{with user `name`}}<{{.}}>{{end}} {{with user `empty`}}x{{else}}none{{end}}",
    "{{printf `%s|%5s|%-5s|%05d|%q|%v|%t|%x|%.2f` `a` `b` `c` 42 `d` 1 true 255 2.5}}",
    "{{len `hello`}} {{index `abc` 1}} {{print 1 `a` 2 3}} {{println `x`}}",
    "{{and 1 0}} {{or 0 `x`}} {{not true}} {{eq 1 1}} {{ne 1 2}} {{lt 1 2}} {{ge `b` `a`}}",
    "{{html `<a&b>`}} {{js `'x'`}} {{urlquery `a b&c`}}",
    "{{define `t`}}[{{.}}]{{end}}{{template `t` `in`}}",
    "{{$x := user `number`}}{{$x}}{{$x = `new`}}{{$x}}",
    "{{/* a comment */}}after",
    "{{`{{ raw }}`}} {{\"quoted \\\"text\\\"\"}} {{'a'}} {{0x1F}} {{1_000}} {{1.5e3}}",
    "{{strftime `%Y`}}{{/* the year */}}",
    "{{packer_version | printf `%.2s`}}",
    "{{clean_resource_name `a b/c`}}",
    "{{user `name` | lower | printf `%q`}}",
    "{{isotime `2006`}}",
    "{{(user `name`) | len}}",
    "{{- ` a ` -}}|{{` b ` -}}  |",
    "{{eq `a` `b` `a`}} {{le 2 2}} {{gt 3 2}}",
    "{{slice `hello` 1 3}}",
    "{{printf `%d%%` 50}} {{printf `%6.2f|%+d|%c|%U` 3.14159 5 65 65}}",
    "{{block `b` `inner`}}<{{.}}>{{end}}",
    "{{if and (user `name`) (not (user `empty`))}}both{{end}}",
];

/// Expressions made by a generator of its own, the same in every run.
pub fn generated(count: usize) -> Vec<String> {
    let mut maker = Maker { state: 0x5EED_1666 };
    (0..count).map(|_| maker.any(3)).collect()
}

/// A small linear congruential generator and what it makes.
struct Maker {
    state: u64,
}

impl Maker {
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let at = self.below(from.len() as u64);
        from[usize::try_from(at).expect("an index of a slice")]
    }

    fn any(&mut self, depth: u32) -> String {
        match self.below(5) {
            0 => self.text(depth),
            1 => self.number(depth),
            2 => self.truth(depth),
            3 => self.list(depth),
            _ => self.map(depth),
        }
    }

    fn text(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&[
                    "\"\"",
                    "\"a\"",
                    "\"Hello World\"",
                    "\"x,y,z\"",
                    "\"ünï\"",
                    "\"12\"",
                    "\" sp \"",
                ])
                .to_owned();
        }
        let depth = depth - 1;
        match self.below(14) {
            0 => format!("upper({})", self.text(depth)),
            1 => format!("lower({})", self.text(depth)),
            2 => format!("join(\"-\", {})", self.texts(depth)),
            3 => format!(
                "replace({}, {}, {})",
                self.text(depth),
                self.text(0),
                self.text(0)
            ),
            4 => format!("trimspace({})", self.text(depth)),
            5 => format!("strrev({})", self.text(depth)),
            6 => format!("\"${{{}}}:${{{}}}\"", self.text(depth), self.number(depth)),
            7 => format!(
                "format(\"%s/%v\", {}, {})",
                self.text(depth),
                self.any(depth)
            ),
            8 => format!(
                "{} ? {} : {}",
                self.truth(depth),
                self.text(depth),
                self.text(depth)
            ),
            9 => format!("jsonencode({})", self.any(depth)),
            10 => format!("title({})", self.text(depth)),
            11 => format!("base64encode({})", self.text(depth)),
            12 => format!(
                "substr({}, {}, {})",
                self.text(depth),
                self.below(3),
                self.below(4)
            ),
            _ => format!("md5({})", self.text(depth)),
        }
    }

    fn number(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&["0", "1", "2.5", "-3", "100", "0.1", "12345678901"])
                .to_owned();
        }
        let depth = depth - 1;
        match self.below(11) {
            0 => format!("({} + {})", self.number(depth), self.number(depth)),
            1 => format!("({} * {})", self.number(depth), self.number(depth)),
            2 => format!("({} - {})", self.number(depth), self.number(depth)),
            3 => format!("length({})", self.list(depth)),
            4 => format!("max({}, {})", self.number(depth), self.number(depth)),
            5 => format!("min({}, {})", self.number(depth), self.number(depth)),
            6 => format!("abs({})", self.number(depth)),
            7 => format!("floor({})", self.number(depth)),
            8 => format!("ceil({})", self.number(depth)),
            9 => format!("({} / 4)", self.number(depth)),
            _ => format!("length({})", self.text(depth)),
        }
    }

    fn truth(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self.pick(&["true", "false"]).to_owned();
        }
        let depth = depth - 1;
        match self.below(7) {
            0 => format!("({} == {})", self.any(depth), self.any(depth)),
            1 => format!("({} != {})", self.text(depth), self.text(depth)),
            2 => format!("({} < {})", self.number(depth), self.number(depth)),
            3 => format!("({} && {})", self.truth(depth), self.truth(depth)),
            4 => format!("!{}", self.truth(depth)),
            5 => format!("contains({}, {})", self.texts(depth), self.text(depth)),
            _ => format!("can({})", self.any(depth)),
        }
    }

    fn texts(&mut self, depth: u32) -> String {
        format!("[{}, {}, {}]", self.text(depth), self.text(0), self.text(0))
    }

    fn list(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&["[]", "[1]", "[\"a\", \"b\"]", "[true, 2, \"c\"]"])
                .to_owned();
        }
        let depth = depth - 1;
        match self.below(11) {
            0 => format!("concat({}, {})", self.list(depth), self.list(depth)),
            1 => format!("reverse({})", self.list(depth)),
            2 => format!("[for x in {} : \"<${{x}}>\"]", self.texts(depth)),
            3 => format!("sort({})", self.texts(depth)),
            4 => format!("distinct({})", self.texts(depth)),
            5 => format!("compact({})", self.texts(depth)),
            6 => format!("flatten([{}, [{}]])", self.list(depth), self.list(depth)),
            7 => format!("keys({})", self.map(depth)),
            8 => format!("split(\",\", {})", self.text(depth)),
            9 => format!("[{}, {}]", self.any(depth), self.any(depth)),
            _ => format!("range({})", self.below(5)),
        }
    }

    fn map(&mut self, depth: u32) -> String {
        if depth == 0 {
            return self
                .pick(&[
                    "{}",
                    "{a = 1}",
                    "{b = \"x\", a = \"y\"}",
                    "{\"k k\" = true}",
                ])
                .to_owned();
        }
        let depth = depth - 1;
        match self.below(5) {
            0 => format!("merge({}, {})", self.map(depth), self.map(depth)),
            1 => format!("{{x = {}, y = {}}}", self.any(depth), self.any(depth)),
            2 => format!("{{for k, v in {} : k => \"${{k}}\"}}", self.map(depth)),
            3 => format!(
                "zipmap([\"a\", \"b\"], [{}, {}])",
                self.text(depth),
                self.text(depth)
            ),
            _ => format!("jsondecode(jsonencode({}))", self.map(depth)),
        }
    }
}
