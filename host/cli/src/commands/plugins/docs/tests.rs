use host_template::{AttributeSchema, BlockSchema, ComponentKind, Primitive, Schema, Type};

use super::{Subject, markdown, terminal};

fn option(name: &str, ty: Type, doc: &str) -> AttributeSchema {
    AttributeSchema {
        name: name.to_owned(),
        ty,
        required: false,
        sensitive: false,
        late: false,
        doc: doc.to_owned(),
        default_text: String::new(),
        deprecated: String::new(),
        choices: Vec::new(),
    }
}

fn text() -> Type {
    Type::Primitive(Primitive::String)
}

fn schema() -> Schema {
    let mut name = option("name", text(), "Its name.");
    name.required = true;
    let mut size = option("size", text(), "Kind of machine.");
    size.default_text = "small".to_owned();
    size.choices = vec!["small".to_owned(), "large".to_owned()];
    let mut password = option("password", text(), "Password | or\nnot.");
    (password.sensitive, password.deprecated) = (true, "use a key".to_owned());
    let place = ("at".to_owned(), text(), true);
    let disk = Schema {
        attributes: vec![option("where", Type::Object(vec![place]), "The place.")],
        ..Schema::default()
    };
    Schema {
        doc: "Makes a machine, and this text is so long that it has to be wrapped somewhere here."
            .to_owned(),
        attributes: vec![name, size, password],
        blocks: vec![BlockSchema {
            name: "disk".to_owned(),
            schema: disk,
            repeated: true,
            required: false,
            doc: "A disk.".to_owned(),
        }],
        outputs: vec![option("id", Type::List(Box::new(text())), "Who it is.")],
        open: true,
    }
}

fn check(page: fn(&Subject<'_>) -> String, expected: &str) {
    let schema = schema();
    let found = page(&Subject {
        name: "oxide",
        kind: ComponentKind::Builder,
        word: "builder",
        plugin: ("oxide", "1.2.3"),
        schema: &schema,
    });
    assert_eq!(found, expected);
}

#[test]
fn a_page_has_everything() {
    check(
        markdown::page,
        "# `oxide` (builder)

Makes a machine, and this text is so long that it has to be wrapped somewhere here.

Plugin `oxide`, version 1.2.3.

```hcl
source \"oxide\" \"example\" {
  name = \"…\"
}
```

## Options

| option | type | default | what it is |
|---|---|---|---|
| `name` | string | required | Its name. |
| `size` | string | `small` | Kind of machine. One of `small`, `large`. |
| `password` | string |  | Password \\| or not. Sensitive: never shown. Deprecated: use a key. |

Options that are not named here are handed over as they are.

## Block `disk` (any number)

A disk.

| option | type | default | what it is |
|---|---|---|---|
| `where` | object({at = optional(string)}) |  | The place. |

## Outputs

| output | type | default | what it is |
|---|---|---|---|
| `id` | list(string) |  | Who it is. |
",
    );
}

#[test]
fn text_has_everything_in_80_columns() {
    check(
        terminal::page,
        "builder \"oxide\" (plugin oxide 1.2.3)

  Makes a machine, and this text is so long that it has to be wrapped somewhere
  here.

  source \"oxide\" \"example\" {
    name = \"…\"
  }

Options:

  name (string, required)
      Its name.
  size (string, default small)
      Kind of machine. One of `small`, `large`.
  password (string)
      Password | or not. Sensitive: never shown. Deprecated: use a key.
  Options that are not named here are handed over as they are.
  disk { … } (any number)
      A disk.
      where (object({at = optional(string)}))
          The place.

Outputs:

  id (list(string))
      Who it is.
",
    );
}
