//! How the checksum of an ISO file is said.

use serde_json::Value;

use super::option::take_text;
use crate::document::Document;

/// `iso_md5` becomes `iso_checksum` with its type.
pub(super) fn iso_md5(document: &mut Document) {
    for builder in document.builders() {
        if let Some(sum) = take_text(builder, "iso_md5") {
            builder.insert("iso_checksum".to_owned(), sum.into());
            builder.insert("iso_checksum_type".to_owned(), "md5".into());
        }
    }
}

/// `iso_checksum_url` and `iso_checksum_type` become parts of `iso_checksum`: `file:URL`,
/// `TYPE:SUM` or `none`.
pub(super) fn type_and_url(document: &mut Document) {
    for builder in document.builders() {
        let text = |value: Option<Value>| match value {
            Some(Value::String(text)) => text,
            _ => String::new(),
        };
        let url = text(builder.remove("iso_checksum_url"));
        let kind = text(builder.remove("iso_checksum_type"));
        let sum = builder
            .get("iso_checksum")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let joined = match (url.as_str(), kind.as_str(), sum) {
            ("", "none", _) => "none".to_owned(),
            ("", "", _) | ("", _, "") => continue,
            ("", kind, sum) => format!("{kind}:{sum}"),
            (url, _, _) => format!("file:{url}"),
        };
        builder.insert("iso_checksum".to_owned(), joined.into());
    }
}
