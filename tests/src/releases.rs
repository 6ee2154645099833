//! A web server on loopback that publishes plugins as GitHub and HashiCorp do, and misbehaves when
//! told to.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::kiln::Kiln;

/// The platform that tests run on, in Go's words.
pub const PLATFORM: &str = if cfg!(target_arch = "aarch64") {
    "linux_arm64"
} else {
    "linux_amd64"
};

/// What is answered for a path.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These bytes, or the part of them that is asked for.
    Bytes(Vec<u8>),
    /// The first `.1` bytes, and then the connection breaks; each time that is left of `.2`, after
    /// which it is as [`Answer::Bytes`].
    Cut(Vec<u8>, usize, usize),
    /// The first `.1` bytes, and then nothing until the client is gone.
    Stall(Vec<u8>, usize),
    /// Another address.
    Redirect(String),
    /// A status with header lines and a text.
    Status(u16, String, String),
}

/// The server. It ends with the test's process.
#[derive(Clone, Debug)]
pub struct Releases {
    address: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    answers: BTreeMap<String, Answer>,
    /// Requests with their headers, as they came.
    requests: Vec<String>,
    versions: BTreeMap<String, Vec<String>>,
    /// Is told of each client that is kept waiting.
    stalled: Option<mpsc::Sender<()>>,
}

impl Releases {
    /// A server with nothing on it.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = Self {
            address: listener.local_addr()?.to_string(),
            state: Arc::default(),
        };
        let served = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                // A client that goes away early is part of the tests.
                std::thread::spawn(move || drop(served.serve(stream)));
            }
        });
        Ok(server)
    }

    /// Has kiln look for plugins here, and nowhere else.
    pub fn use_in(&self, kiln: &mut Kiln) {
        kiln.env("KILN_GITHUB_API_URL", &self.url("api"));
        kiln.env("KILN_GITHUB_URL", &self.url("site"));
        kiln.env("KILN_HASHICORP_RELEASES_URL", &self.url("hashicorp"));
    }

    /// The address of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Sets what is answered for a path, which does not begin with a slash.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.locked(|state| state.answers.insert(path.to_owned(), answer));
    }

    /// What is answered for a path.
    ///
    /// # Panics
    ///
    /// When that is not bytes.
    #[must_use]
    pub fn bytes(&self, path: &str) -> Vec<u8> {
        match self.locked(|state| state.answers.get(path).cloned()) {
            Some(Answer::Bytes(bytes)) => bytes,
            other => panic!("{path}: {other:?}"),
        }
    }

    /// The requests so far, each with its headers; they are forgotten.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        self.locked(|state| std::mem::take(&mut state.requests))
    }

    /// Is told of each client that an [`Answer::Stall`] keeps waiting from now on.
    #[must_use]
    pub fn stalls(&self) -> mpsc::Receiver<()> {
        let (sender, receiver) = mpsc::channel();
        self.locked(|state| state.stalled = Some(sender));
        receiver
    }

    /// Publishes a version on GitHub with an archive for this platform, and one for another.
    pub fn publish(&self, owner: &str, name: &str, version: &str, plugin: &[u8]) {
        let binary = binary(name, version);
        let archive = archive(&[("LICENSE", b"free"), (&binary, plugin)]);
        self.publish_archive(owner, name, version, &archive);
    }

    /// Publishes a version on GitHub with this archive for this platform.
    pub fn publish_archive(&self, owner: &str, name: &str, version: &str, archive: &[u8]) {
        let file = format!("{}.zip", binary(name, version));
        let other = format!("packer-plugin-{name}_v{version}_x5.0_plan9_arm.zip");
        let sums = format!(
            "{}  {file}\n{}  {other}\n",
            sha256(archive),
            sha256(b"other")
        );
        let folder = folder(owner, name, version);
        self.answer(&format!("{folder}/{file}"), Answer::Bytes(archive.to_vec()));
        self.publish_sums(owner, name, version, &sums);
    }

    /// Publishes a version on GitHub with this list of checksums.
    pub fn publish_sums(&self, owner: &str, name: &str, version: &str, sums: &str) {
        let folder = folder(owner, name, version);
        let list = format!("{folder}/packer-plugin-{name}_v{version}_SHA256SUMS");
        self.answer(&list, Answer::Bytes(sums.as_bytes().to_vec()));
        let tags = format!("api/repos/{owner}/packer-plugin-{name}/git/matching-refs/tags");
        let versions = self.add_version(&tags, version);
        let refs: Vec<String> = versions
            .iter()
            .map(|version| format!("{{\"ref\":\"refs/tags/v{version}\"}}"))
            .collect();
        let text = format!("[{}]", refs.join(","));
        self.answer(&tags, Answer::Bytes(text.into_bytes()));
    }

    /// Publishes a version as HashiCorp does.
    pub fn publish_hashicorp(&self, name: &str, version: &str, plugin: &[u8]) {
        let archive = archive(&[(&binary(name, version), plugin)]);
        let product = format!("hashicorp/packer-plugin-{name}");
        let stem = format!("{product}/{version}/packer-plugin-{name}_{version}_");
        let file = format!("packer-plugin-{name}_{version}_{PLATFORM}.zip");
        let manifest = "{\"version\":\"1\",\"metadata\":{\"protocol_version\":\"5.0\"}}";
        let sums = format!(
            "{}  {file}\n{}  packer-plugin-{name}_{version}_manifest.json\n",
            sha256(&archive),
            sha256(manifest.as_bytes())
        );
        self.answer(
            &format!("{product}/{version}/{file}"),
            Answer::Bytes(archive),
        );
        self.answer(
            &format!("{stem}SHA256SUMS"),
            Answer::Bytes(sums.into_bytes()),
        );
        self.answer(
            &format!("{stem}manifest.json"),
            Answer::Bytes(manifest.as_bytes().to_vec()),
        );
        let index = format!("{product}/index.json");
        let versions = self.add_version(&index, version);
        let entries: Vec<String> = versions
            .iter()
            .map(|version| format!("\"{version}\":{{\"version\":\"{version}\"}}"))
            .collect();
        let text = format!("{{\"versions\":{{{}}}}}", entries.join(","));
        self.answer(&index, Answer::Bytes(text.into_bytes()));
    }

    fn add_version(&self, list: &str, version: &str) -> Vec<String> {
        self.locked(|state| {
            let versions = state.versions.entry(list.to_owned()).or_default();
            if !versions.iter().any(|known| known == version) {
                versions.push(version.to_owned());
            }
            versions.clone()
        })
    }

    fn serve(&self, stream: TcpStream) -> Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        loop {
            let mut request = String::new();
            while reader.read_line(&mut request)? > 2 {}
            let Some(target) = request.split(' ').nth(1) else {
                return Ok(());
            };
            let path = target.trim_start_matches('/').to_owned();
            let range = request.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let value = value.trim().strip_prefix("bytes=")?.strip_suffix('-')?;
                name.eq_ignore_ascii_case("range")
                    .then(|| value.parse().ok())?
            });
            let answer = self.locked(|state| {
                state.requests.push(request.clone());
                let answer = state.answers.get(&path).cloned();
                if let Some(Answer::Cut(_, _, times @ 1..)) = state.answers.get_mut(&path) {
                    *times -= 1;
                }
                answer
            });
            if let Some(Answer::Stall(bytes, after)) = answer {
                return self.stall(&stream, &bytes, after);
            }
            respond(&stream, answer, range)?;
        }
    }

    fn stall(&self, mut stream: &TcpStream, bytes: &[u8], after: usize) -> Result<()> {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
        stream.write_all(head.as_bytes())?;
        stream.write_all(&bytes[..after])?;
        if let Some(told) = self.locked(|state| state.stalled.clone()) {
            told.send(())?;
        }
        // The end of the client ends this, too.
        std::io::copy(&mut stream, &mut std::io::sink())?;
        Ok(())
    }

    fn locked<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn respond(mut stream: &TcpStream, answer: Option<Answer>, start: Option<usize>) -> Result<()> {
    let missing = || Answer::Status(404, String::new(), "not here".to_owned());
    match answer.unwrap_or_else(missing) {
        Answer::Bytes(bytes) | Answer::Cut(bytes, _, 0) => match start {
            Some(start) if start >= bytes.len() => {
                let head = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(head.as_bytes())?;
            }
            Some(start) => {
                let (length, last) = (bytes.len() - start, bytes.len() - 1);
                let total = bytes.len();
                let head = format!(
                    "HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\n\
                     Content-Range: bytes {start}-{last}/{total}\r\n\r\n"
                );
                stream.write_all(head.as_bytes())?;
                stream.write_all(&bytes[start..])?;
            }
            None => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
                stream.write_all(head.as_bytes())?;
                stream.write_all(&bytes)?;
            }
        },
        Answer::Cut(bytes, after, _) => {
            let start = start.unwrap_or(0).min(bytes.len());
            let length = bytes.len() - start;
            let head = match start {
                0 => format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"),
                _ => format!("HTTP/1.1 206 Partial Content\r\nContent-Length: {length}\r\n\r\n"),
            };
            stream.write_all(head.as_bytes())?;
            let end = bytes.len().min(start + after);
            stream.write_all(&bytes[start..end])?;
            stream.shutdown(std::net::Shutdown::Both)?;
            anyhow::bail!("the connection is broken on purpose");
        }
        Answer::Stall(..) => anyhow::bail!("it is answered elsewhere"),
        Answer::Redirect(to) => {
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(head.as_bytes())?;
        }
        Answer::Status(status, headers, text) => {
            let head = format!(
                "HTTP/1.1 {status} Because\r\n{headers}Content-Length: {}\r\n\r\n{text}",
                text.len()
            );
            stream.write_all(head.as_bytes())?;
        }
    }
    Ok(())
}

/// The folder of a release on GitHub.
#[must_use]
pub fn folder(owner: &str, name: &str, version: &str) -> String {
    format!("site/{owner}/packer-plugin-{name}/releases/download/v{version}")
}

/// The name of an executable for this platform.
#[must_use]
pub fn binary(name: &str, version: &str) -> String {
    format!("packer-plugin-{name}_v{version}_x5.0_{PLATFORM}")
}

/// A zip file with these members.
///
/// # Panics
///
/// When it cannot be written, which memory always can.
#[must_use]
pub fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("memory can be written");
        zip.write_all(bytes).expect("memory can be written");
    }
    zip.finish().expect("memory can be written").into_inner()
}

/// A program that answers `describe` as a plugin made for Packer, with the builder `thing`.
#[must_use]
pub fn plugin(version: &str) -> Vec<u8> {
    described(version, "x5.0")
}

/// The same, which says this version of the protocol.
#[must_use]
pub fn described(version: &str, api: &str) -> Vec<u8> {
    format!(
        "#!/bin/sh\n[ \"$1\" = describe ] || exit 9\necho '{{\"version\":\"{version}\",\
         \"sdk_version\":\"0.6.10\",\"api_version\":\"{api}\",\"builders\":[\"thing\"],\
         \"post_processors\":[],\"provisioners\":[],\"datasources\":[]}}'\n"
    )
    .into_bytes()
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Puts an executable with its checksum into a folder of plugins.
///
/// # Errors
///
/// When it cannot be written.
pub fn put(tree: &Path, source: &str, name: &str, bytes: &[u8]) -> Result<std::path::PathBuf> {
    let folder = tree.join(source);
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    // Written under another name first: a file that is open for writing cannot be started.
    let draft = folder.join(".draft");
    std::fs::write(&draft, bytes).context("cannot write a plugin")?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&draft, mode)?;
    std::fs::rename(&draft, &path)?;
    std::fs::write(folder.join(format!("{name}_SHA256SUM")), sha256(bytes))?;
    Ok(path)
}
