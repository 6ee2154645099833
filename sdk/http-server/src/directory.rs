//! Serves a folder, with listings.

use std::io;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use tower_http::services::ServeFile;

use crate::content::{plain, typed};
use crate::request_path::encode;

/// Answers a request for `path` below `root`, which is canonical.
pub(crate) async fn answer(root: &Path, path: &str, request: Request<Body>) -> Response<Body> {
    let method = request.method().clone();
    match found(root, path).await {
        Ok(Found::File(file)) if !path.ends_with('/') => file_answer(&file, request).await,
        Ok(Found::File(_)) => redirect(&method, path.trim_end_matches('/')),
        Ok(Found::Folder(_)) if !path.ends_with('/') => redirect(&method, &format!("{path}/")),
        Ok(Found::Folder(folder)) => folder_answer(root, &folder, path, request).await,
        Ok(Found::Outside) => {
            tracing::warn!(
                path,
                "refused a symbolic link that leads out of http_directory"
            );
            let text = "403 this link leads out of http_directory\n";
            plain(&method, StatusCode::FORBIDDEN, text)
        }
        Err(err) => failure(&method, &err),
    }
}

enum Found {
    File(PathBuf),
    Folder(PathBuf),
    Outside,
}

/// What `path` leads to, with every symbolic link followed.
async fn found(root: &Path, path: &str) -> io::Result<Found> {
    let real = tokio::fs::canonicalize(root.join(path.trim_matches('/'))).await?;
    if !real.starts_with(root) {
        return Ok(Found::Outside);
    }
    let facts = tokio::fs::metadata(&real).await?;
    if facts.is_dir() {
        Ok(Found::Folder(real))
    } else if facts.is_file() {
        Ok(Found::File(real))
    } else {
        // A pipe or a device would block or never end.
        Err(io::ErrorKind::NotFound.into())
    }
}

fn failure(method: &Method, err: &io::Error) -> Response<Body> {
    match err.kind() {
        io::ErrorKind::PermissionDenied => {
            plain(method, StatusCode::FORBIDDEN, "403 permission denied\n")
        }
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidFilename => {
            plain(method, StatusCode::NOT_FOUND, "404 page not found\n")
        }
        _ => {
            tracing::warn!(error = %err, "cannot serve a file");
            plain(
                method,
                StatusCode::INTERNAL_SERVER_ERROR,
                "500 cannot read the file\n",
            )
        }
    }
}

/// Streams a file; ranges and conditions are honoured.
async fn file_answer(file: &Path, request: Request<Body>) -> Response<Body> {
    let method = request.method().clone();
    match ServeFile::new(file).try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(err) => failure(&method, &err),
    }
}

async fn folder_answer(
    root: &Path,
    folder: &Path,
    path: &str,
    request: Request<Body>,
) -> Response<Body> {
    if let Ok(Found::File(index)) = found(root, &format!("{path}index.html")).await {
        return file_answer(&index, request).await;
    }
    match listing(folder).await {
        Ok(page) => typed(
            request.method(),
            StatusCode::OK,
            "text/html; charset=utf-8",
            &page,
        ),
        Err(err) => failure(request.method(), &err),
    }
}

fn redirect(method: &Method, path: &str) -> Response<Body> {
    let mut response = plain(method, StatusCode::MOVED_PERMANENTLY, "");
    // Encoding leaves only characters that a header may hold.
    if let Ok(location) = HeaderValue::from_str(&encode(path)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

async fn listing(folder: &Path) -> io::Result<String> {
    let mut names = Vec::new();
    let mut entries = tokio::fs::read_dir(folder).await?;
    while let Some(entry) = entries.next_entry().await? {
        let Ok(mut name) = entry.file_name().into_string() else {
            continue;
        };
        if entry.file_type().await?.is_dir() {
            name.push('/');
        }
        names.push(name);
    }
    names.sort_unstable();
    let mut page =
        "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n"
            .to_owned();
    for name in names {
        page.push_str(&format!(
            "<a href=\"{}\">{}</a>\n",
            encode(&name),
            escape(&name)
        ));
    }
    page.push_str("</pre>\n");
    Ok(page)
}

fn escape(name: &str) -> String {
    name.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}
