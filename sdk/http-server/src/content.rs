//! Serves inline texts.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Response, StatusCode, header};

/// How much a path may differ from another to be suggested, as a part of its length.
const NEAR: f64 = 0.6;

/// Answers with the text of `path` or with the names that come near it.
pub(crate) fn answer(
    content: &BTreeMap<String, String>,
    method: &Method,
    path: &str,
) -> Response<Body> {
    let trimmed = if path.len() > 1 {
        path.trim_end_matches('/')
    } else {
        path
    };
    let Some(text) = content.get(path).or_else(|| content.get(trimmed)) else {
        return plain(method, StatusCode::NOT_FOUND, &not_found(content, path));
    };
    plain(method, StatusCode::OK, text)
}

/// A text answer; without its text when only the head was asked for.
pub(crate) fn plain(method: &Method, status: StatusCode, text: &str) -> Response<Body> {
    typed(method, status, "text/plain; charset=utf-8", text)
}

/// An answer with a type.
pub(crate) fn typed(
    method: &Method,
    status: StatusCode,
    content_type: &'static str,
    text: &str,
) -> Response<Body> {
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from(text.to_owned())
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    headers.insert(
        header::CONTENT_LENGTH,
        header::HeaderValue::from(text.len()),
    );
    response
}

fn not_found(content: &BTreeMap<String, String>, path: &str) -> String {
    let mut near: Vec<(f64, &String)> = content
        .keys()
        .map(|key| (strsim::normalized_levenshtein(path, key), key))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .collect();
    near.sort_by(|first, second| second.0.total_cmp(&first.0));
    let mut text = format!("{path} not found.");
    for (index, (_, key)) in near.into_iter().take(3).enumerate() {
        let lead = if index == 0 { " Did you mean" } else { " or" };
        text.push_str(&format!("{lead} {key:?}"));
    }
    if text.ends_with('"') {
        text.push('?');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::not_found;

    #[test]
    fn names_what_comes_near() {
        let content: BTreeMap<String, String> = ["/preseed.cfg", "/ks.cfg", "/x"]
            .map(|key| (key.to_owned(), String::new()))
            .into();
        let check = |path: &str, expected: &str| assert_eq!(not_found(&content, path), expected);
        check(
            "/presed.cfg",
            "/presed.cfg not found. Did you mean \"/preseed.cfg\"?",
        );
        check("/entirely/else", "/entirely/else not found.");
    }
}
