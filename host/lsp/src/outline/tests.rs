use super::*;

/// The outline as one line: `name=` for attributes, `kind[label]{…}` for blocks.
pub(in crate::outline) fn shape(items: &[Item]) -> String {
    let shapes: Vec<String> = items
        .iter()
        .map(|item| match item {
            Item::Attribute(attribute) => format!("{}=", attribute.name),
            Item::Block(block) => {
                let labels: Vec<&str> = block.labels.iter().map(|l| l.text.as_str()).collect();
                let body = block.body.as_ref();
                let body = body.map_or_else(String::new, |b| format!("{{{}}}", shape(&b.items)));
                format!("{}[{}]{body}", block.kind, labels.join(","))
            }
        })
        .collect();
    shapes.join(" ")
}

fn check(text: &str, expected: &str) {
    assert_eq!(
        shape(&Outline::of(text, Kind::Template).items),
        expected,
        "{text:?}"
    );
}

#[test]
fn sound_files_are_read() {
    check(
        "source \"a\" \"b\" {\n x = 1\n y { z = [\n1, ] }\n}\nlocals { a = { b = 1 } }\n",
        "source[a,b]{x= y[]{z=}} locals[]{a=}",
    );
    check("a = <<E\n${x}\nE\nb = \"${c}\"\n", "a= b=");
    check("", "");
}

#[test]
fn broken_files_are_read_as_far_as_they_go() {
    check("sour", "sour[]");
    check("source \"qe\nbuild {\n}\n", "source[qe] build[]{}");
    check("source \"qe {\n a = 1\n}\n", "source[qe] a=");
    check(
        "build {\n sources = [\"source.\n}\nlocals {}\n",
        "build[]{sources=} locals[]{}",
    );
    check(
        "build {\n sources = [a,\n name = 1\n}\n",
        "build[]{sources= name=}",
    );
    check(
        "build {\n a = f(\n provisioner \"x\" {\n }\n}\n",
        "build[]{a= provisioner[x]{}}",
    );
    check(
        "source \"a\" \"b\" {\n x =\nbuild {\n y = 1\n}\n",
        "source[a,b]{x=} build[]{y=}",
    );
    check("a = { b = {\nbuild {\n}\n", "a= build[]{}");
    check("}}} ]\nx = 1\n", "x=");
}

/// `|` is the cursor.
fn typed(text: &str) -> String {
    let at = text.find('|').expect("a cursor");
    let text = text.replacen('|', "", 1);
    let outline = Outline::of(&text, Kind::Template);
    described(outline.cursor(&text, at), &text)
}

/// A cursor in a line.
pub(in crate::outline) fn described(cursor: Cursor<'_>, text: &str) -> String {
    match cursor {
        Cursor::Item { path, word, .. } => format!("item {} {:?}", path.len(), &text[word]),
        Cursor::Label {
            block,
            index,
            range,
            quoted,
            ..
        } => {
            format!("label {} {index} {:?} {quoted}", block.kind, &text[range])
        }
        Cursor::Value {
            attribute, typed, ..
        } => match typed {
            Typed::Text(range) => format!("text {} {:?}", attribute.name, &text[range]),
            Typed::Code { before, last } => {
                format!("code {} {before:?} {:?}", attribute.name, &text[last])
            }
            Typed::Bare { last } => format!("bare {} {:?}", attribute.name, &text[last]),
            Typed::Call { last } => format!("call {:?}", &text[last]),
            Typed::Argument { function, last } => format!("argument {function} {:?}", &text[last]),
        },
        Cursor::Nowhere => "nowhere".to_owned(),
    }
}

#[test]
fn names_of_attributes_and_blocks_are_items() {
    assert_eq!(typed("sou|"), "item 0 \"sou\"");
    assert_eq!(typed("|"), "item 0 \"\"");
    assert_eq!(
        typed("source \"a\" \"b\" {\n  iso_|\n}\n"),
        "item 1 \"iso_\""
    );
    assert_eq!(typed("source \"a\" \"b\" {\n  |\n"), "item 1 \"\"");
    assert_eq!(typed("build {\n  post-pro|\n"), "item 1 \"post-pro\"");
    assert_eq!(typed("build {\n  p { na| }\n"), "item 2 \"na\"");
    assert_eq!(typed("# sou|"), "nowhere");
}

#[test]
fn labels_are_found_in_half_headers() {
    assert_eq!(typed("source \"qe|"), "label source 0 \"qe\" true");
    assert_eq!(
        typed("source \"|\" \"b\" {\n}\n"),
        "label source 0 \"\" true"
    );
    assert_eq!(typed("source |\n"), "label source 0 \"\" false");
    assert_eq!(
        typed("build {\n provisioner \"|\n}\n"),
        "label provisioner 0 \"\" true"
    );
    assert_eq!(typed("source \"a\" \"|"), "label source 1 \"\" true");
}

#[test]
fn expressions_are_found_whole_or_half() {
    assert_eq!(typed("a = va|"), "code a [] \"va\"");
    assert_eq!(typed("a = |\n"), "code a [] \"\"");
    assert_eq!(typed("a = var.|\n"), "code a [\"var\"] \"\"");
    assert_eq!(
        typed("a = [1, data.x.y[0].z|"),
        "code a [\"data\", \"x\", \"y\"] \"z\""
    );
    assert_eq!(
        typed("a = upper(local.na|me)"),
        "code a [\"local\"] \"name\""
    );
    assert_eq!(typed("a = \"x ${var.|}\""), "code a [\"var\"] \"\"");
    assert_eq!(typed("a = \"x ${var.|\nb = 1\n"), "code a [\"var\"] \"\"");
    assert_eq!(typed("a = \"x ${var.b} |"), "text a \" \"");
    assert_eq!(typed("a = <<E\nx ${var.n|}\nE\n"), "code a [\"var\"] \"n\"");
    assert_eq!(typed("a = <<E\nx var.n|\nE\n"), "text a \"x var.n\\n\"");
}

#[test]
fn texts_are_found_whole_or_half() {
    assert_eq!(typed("a = \"|\""), "text a \"\"");
    assert_eq!(typed("a = \"so|me\""), "text a \"some\"");
    assert_eq!(typed("a = [\"source.|\n"), "text a \"source.\"");
    assert_eq!(typed("a = [\"x\", \"source.|]\n"), "text a \"source.\"");
}

#[test]
fn every_cursor_in_any_prefix_of_a_file_is_found_without_panic() {
    let text = "source \"a\" \"b😀\" {\n x = \"${f([\"é\"], {a = 1})} %{ if y }z%{ endif }\"\n}\n";
    let ends = (0..=text.len()).filter(|at| text.is_char_boundary(*at));
    for end in ends {
        let part = &text[..end];
        let outline = Outline::of(part, Kind::Template);
        for at in (0..=end).filter(|at| part.is_char_boundary(*at)) {
            drop(format!("{:?}", outline.cursor(part, at)));
        }
    }
}
