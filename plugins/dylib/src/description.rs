//! What a library says that it offers.

use kiln_sdk::config::{AttributeSchema, Primitive, Schema, Type};
use kiln_sdk::plugin_server::Kind;
use serde::Deserialize;

/// What a library offers.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) components: Vec<Described>,
}

/// A component of a library.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) kind: Kind,
    /// The kind's name, which the library is told again.
    pub(crate) word: String,
    pub(crate) name: String,
    pub(crate) schema: Schema,
    /// Names of the values that a builder's machine has besides the usual ones.
    pub(crate) generated: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    name: String,
    version: String,
    components: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    kind: String,
    name: String,
    doc: String,
    #[serde(default)]
    options: Vec<OptionText>,
    #[serde(default)]
    outputs: Vec<OptionText>,
    #[serde(default)]
    generated: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OptionText {
    name: String,
    #[serde(rename = "type")]
    ty: TypeText,
    doc: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    default: String,
    #[serde(default)]
    deprecated: String,
    #[serde(default)]
    choices: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum TypeText {
    Any,
    Bool,
    Number,
    String,
    Duration,
    List(Box<TypeText>),
    Map(Box<TypeText>),
}

impl Description {
    /// Reads what a library says.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let whole: Whole = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let components = whole.components.into_iter().map(described);
        Ok(Self {
            name: whole.name,
            version: whole.version,
            components: components.collect::<Result<_, _>>()?,
        })
    }
}

fn described(component: Component) -> Result<Described, String> {
    let kind = match component.kind.as_str() {
        "builder" => Kind::Builder,
        "provisioner" => Kind::Provisioner,
        "post-processor" => Kind::PostProcessor,
        "data-source" => Kind::DataSource,
        other => {
            return Err(format!(
                "`{other}` is no kind of component; it is builder, provisioner, post-processor or \
                 data-source"
            ));
        }
    };
    let attributes = |options: Vec<OptionText>| options.into_iter().map(attribute).collect();
    Ok(Described {
        kind,
        word: component.kind,
        name: component.name,
        schema: Schema {
            doc: component.doc,
            attributes: attributes(component.options),
            outputs: attributes(component.outputs),
            ..Schema::default()
        },
        generated: component.generated,
    })
}

fn attribute(option: OptionText) -> AttributeSchema {
    AttributeSchema {
        name: option.name,
        ty: option.ty.into(),
        required: option.required,
        sensitive: option.sensitive,
        late: false,
        doc: option.doc,
        default_text: option.default,
        deprecated: option.deprecated,
        choices: option.choices,
    }
}

impl From<TypeText> for Type {
    fn from(text: TypeText) -> Self {
        match text {
            TypeText::Any => Self::Primitive(Primitive::Any),
            TypeText::Bool => Self::Primitive(Primitive::Bool),
            TypeText::Number => Self::Primitive(Primitive::Number),
            TypeText::String => Self::Primitive(Primitive::String),
            TypeText::Duration => Self::Primitive(Primitive::Duration),
            TypeText::List(item) => Self::List(Box::new((*item).into())),
            TypeText::Map(item) => Self::Map(Box::new((*item).into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_read_and_mistakes_are_told() {
        let text = |kind: &str, ty: &str| {
            format!(
                r#"{{"name":"a","version":"1.0.0","components":[{{"kind":"{kind}","name":"a",
                "doc":"A.","options":[{{"name":"x","type":{ty},"doc":"X."}}]}}]}}"#
            )
        };
        let read = Description::parse(&text("builder", r#"{"list":{"map":"bool"}}"#)).unwrap();
        let option = &read.components[0].schema.attributes[0];
        assert_eq!(option.ty.to_string(), "list(map(bool))");
        for (text, part) in [
            (text("bilder", "\"any\""), "`bilder` is no kind"),
            (text("builder", "\"texts\""), "unknown variant `texts`"),
            ("nothing".to_owned(), "expected"),
            ("{}".to_owned(), "missing field"),
        ] {
            let problem = Description::parse(&text).unwrap_err();
            assert!(problem.contains(part), "{text}: {problem}");
        }
    }
}
