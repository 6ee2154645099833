//! Attestations and bills of materials: written by builds, verified by kiln, and judged by others:
//! openssl for signatures, libraries of the formats' own projects for documents.

mod provenance;
mod sbom;
mod verification;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kiln_tests::{Finished, Kiln, project, tools};
use serde_json::Value;

const SECRET: &str = "correct-horse-battery";
const BUILT: &str = "out/disk.img";
const ATTESTED: &str = "out/img.disk.img.provenance.json";

/// A template that builds one file and attests it with `options`.
fn template(options: &str) -> String {
    format!(
        r#"
variable "region" {{ default = "eu-1" }}
variable "mirror" {{ default = "https://example.com" }}
variable "handle" {{ default = "ghp_default" }}
variable "phrase" {{
  default   = "{SECRET}"
  sensitive = true
}}
source "file" "img" {{
  content = "an image, ${{var.phrase}}"
  target  = "{BUILT}"
}}
build {{
  name    = "release"
  sources = ["file.img"]
  post-processor "provenance" {{
{options}
  }}
}}
"#
    )
}

fn build(kiln: &Kiln, options: &str) -> Result<Finished> {
    kiln.write("t.pkr.hcl", &template(options));
    kiln.run(&["build", "-force", "-color=false", "t.pkr.hcl"])
}

fn path(kiln: &Kiln, name: &str) -> PathBuf {
    kiln.work().join(name)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// A pair of keys, `NAME.pem` and `NAME.pub.pem`.
fn make_key(kiln: &Kiln, name: &str, kind: &[&str]) -> Result<()> {
    let (private, public) = (
        text(&path(kiln, &format!("{name}.pem"))),
        text(&path(kiln, &format!("{name}.pub.pem"))),
    );
    let words = [&["genpkey", "-out", &private, "-algorithm"], kind].concat();
    tools::output("openssl", &words)?;
    let words = ["pkey", "-in", &private, "-pubout", "-out", &public];
    tools::output("openssl", &words).map(drop)
}

const ED25519: [&str; 1] = ["ED25519"];
const P256: [&str; 3] = ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

fn signed_with(name: &str) -> String {
    format!("signing_mode = \"key\"\nsigner = \"{name}.pem\"")
}

fn json(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// What base64 text stands for, by a program that is not kiln's.
fn decoded(kiln: &Kiln, base64: &str, name: &str) -> Result<Vec<u8>> {
    let file = kiln.write(&format!("{name}.b64"), base64);
    let (file, plain) = (text(&file), path(kiln, name));
    let out = text(&plain);
    let words = ["base64", "-d", "-A", "-in", &file, "-out", &out];
    tools::output("openssl", &words)?;
    Ok(std::fs::read(plain)?)
}

/// The payload of an envelope, left in the file `payload`, too.
fn payload(kiln: &Kiln, attestation: &str) -> Result<Vec<u8>> {
    let envelope = json(&path(kiln, attestation))?;
    decoded(
        kiln,
        envelope["payload"].as_str().unwrap_or_default(),
        "payload",
    )
}

/// Has openssl verify the first signature of an envelope, over what the specification says is
/// signed.
fn openssl_verifies(kiln: &Kiln, attestation: &str, public: &str, digest: &str) -> Result<()> {
    let envelope = json(&path(kiln, attestation))?;
    let kind = envelope["payloadType"].as_str().unwrap_or_default();
    let payload = payload(kiln, attestation)?;
    let signature = envelope["signatures"][0]["sig"].as_str();
    decoded(kiln, signature.unwrap_or_default(), "signature")?;
    let mut signed = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    signed.extend_from_slice(&payload);
    std::fs::write(path(kiln, "signed"), signed)?;
    let [public, signature, signed] =
        [public, "signature", "signed"].map(|name| text(&path(kiln, name)));
    let words = match digest {
        "" => vec![
            "pkeyutl", "-verify", "-pubin", "-inkey", &public, "-rawin", "-in", &signed,
            "-sigfile", &signature,
        ],
        digest => vec![
            "dgst",
            digest,
            "-verify",
            &public,
            "-signature",
            &signature,
            &signed,
        ],
    };
    tools::output("openssl", &words).map(drop)
}

/// Has a library judge a document; false when it is not installed.
fn judged(kind: &str, file: &Path) -> Result<bool> {
    let python = project().join("target/judges/bin/python");
    if !python.is_file() {
        tools::missing("target/judges; run tests/setup");
        return Ok(false);
    }
    let judge = project().join("tests/fixtures/supply-chain/judge.py");
    let verdict = tools::output(&text(&python), &[&text(&judge), kind, &text(file)])?;
    assert!(verdict.starts_with("OK: "), "{verdict}");
    Ok(true)
}
