//! Calls as XML, and the XML of answers.

use roxmltree::{Document, Node};

use super::error::SoapError;

/// A managed object: its type and its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference {
    pub(crate) kind: String,
    pub(crate) id: String,
}

impl Reference {
    pub(crate) fn new(kind: &str, id: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            id: id.to_owned(),
        }
    }

    /// Reads `<x type="VirtualMachine">vm-1</x>`.
    pub(crate) fn of(node: Node<'_, '_>) -> Option<Self> {
        // A value of a property has another attribute of that name, in a namespace.
        let mut attributes = node.attributes();
        let kind = attributes.find(|it| it.namespace().is_none() && it.name() == "type")?;
        Some(Self::new(kind.value(), node.text()?.trim()))
    }
}

/// An argument of a call.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    Text(String),
    Bool(bool),
    Object(Reference),
    /// XML as it is.
    Xml(String),
}

/// A call of `method` on `this`.
pub(crate) fn call(this: &Reference, method: &str, arguments: &[(&str, Argument)]) -> String {
    let mut body = format!(
        "<_this type=\"{}\">{}</_this>",
        escaped(&this.kind),
        escaped(&this.id)
    );
    for (name, argument) in arguments {
        body.push_str(&match argument {
            Argument::Text(text) => format!("<{name}>{}</{name}>", escaped(text)),
            Argument::Bool(value) => format!("<{name}>{value}</{name}>"),
            Argument::Object(object) => format!(
                "<{name} type=\"{}\">{}</{name}>",
                escaped(&object.kind),
                escaped(&object.id)
            ),
            Argument::Xml(xml) => format!("<{name}>{xml}</{name}>"),
        });
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>\
         <{method} xmlns=\"urn:vim25\">{body}</{method}></soapenv:Body></soapenv:Envelope>"
    )
}

/// Text that cannot end the element or attribute it stands in.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Hands the answer of `method` to `read`; a fault is an error.
pub(crate) fn read<T>(
    method: &str,
    text: &str,
    read: impl FnOnce(Node<'_, '_>) -> T,
) -> Result<T, SoapError> {
    let unclear = |problem: String| SoapError::Answer {
        method: method.to_owned(),
        problem,
    };
    let document = Document::parse(text).map_err(|error| unclear(error.to_string()))?;
    let body = child(document.root_element(), "Body");
    let answer = body.and_then(|body| body.first_element_child());
    let answer = answer.ok_or_else(|| unclear("it has no body".to_owned()))?;
    if answer.tag_name().name() == "Fault" {
        let message = child_text(answer, "faultstring");
        let detail = child(answer, "detail").and_then(|detail| detail.first_element_child());
        return Err(SoapError::Fault {
            method: method.to_owned(),
            kind: detail.map_or_else(String::new, |detail| {
                detail
                    .tag_name()
                    .name()
                    .trim_end_matches("Fault")
                    .to_owned()
            }),
            message,
        });
    }
    Ok(read(answer))
}

/// The first child of that name.
pub(crate) fn child<'a, 'b>(node: Node<'a, 'b>, name: &str) -> Option<Node<'a, 'b>> {
    node.children()
        .find(|child| child.tag_name().name() == name)
}

/// The text of the first child of that name; empty when there is none.
pub(crate) fn child_text(node: Node<'_, '_>, name: &str) -> String {
    let child = child(node, name);
    child
        .and_then(|child| child.text())
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_leave_their_element() {
        let this = Reference::new("Folder", "group-1");
        let xml = call(
            &this,
            "CreateFolder",
            &[("name", Argument::Text("a</name>&\"".into()))],
        );
        assert!(
            xml.contains("<name>a&lt;/name&gt;&amp;&quot;</name>"),
            "{xml}"
        );
        assert!(Document::parse(&xml).is_ok());
    }

    #[test]
    fn a_property_that_is_an_object_keeps_its_own_type() {
        let text = "<e:Envelope xmlns:e=\"x\" xmlns:i=\"y\"><e:Body><r><val i:type=\"\
                    ManagedObjectReference\" type=\"HostSystem\">host-1</val></r></e:Body>\
                    </e:Envelope>";
        let host = read("RetrieveProperties", text, |answer| {
            child(answer, "val").and_then(Reference::of)
        });
        assert_eq!(host.unwrap(), Some(Reference::new("HostSystem", "host-1")));
    }

    #[test]
    fn a_fault_is_an_error_with_its_kind() {
        let text = "<e:Envelope xmlns:e=\"x\"><e:Body><e:Fault><faultstring>no such user\
                    </faultstring><detail><InvalidLoginFault/></detail></e:Fault></e:Body>\
                    </e:Envelope>";
        match read("Login", text, |_| ()) {
            Err(SoapError::Fault { kind, message, .. }) => {
                assert_eq!(
                    (kind.as_str(), message.as_str()),
                    ("InvalidLogin", "no such user")
                );
            }
            other => panic!("{other:?}"),
        }
        assert!(read("Login", "<html", |_| ()).is_err());
    }
}
