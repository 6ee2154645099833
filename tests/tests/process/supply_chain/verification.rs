//! What `verify-attestation` accepts, and how it says that something is wrong.

use anyhow::Result;
use kiln_tests::{Kiln, tools};

use super::{
    ATTESTED, BUILT, ED25519, P256, build, json, make_key, path, payload, signed_with, text,
};

/// What `verify-attestation` says when something is wrong.
fn refused(kiln: &Kiln, words: &[&str], part: &str) -> Result<()> {
    let words = [&["verify-attestation"], words].concat();
    drop(
        kiln.run(&words)?
            .failure()
            .says(part)
            .lacks("Attestation verified."),
    );
    Ok(())
}

fn text_file(kiln: &Kiln, content: &str) -> String {
    text(&kiln.write("content", content))
}

#[test]
fn every_failed_verification_names_what_is_wrong() -> Result<()> {
    if !tools::installed(&["openssl"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    for name in ["k", "other"] {
        make_key(&kiln, name, &P256)?;
    }
    make_key(&kiln, "edwards", &ED25519)?;
    drop(build(&kiln, &signed_with("k"))?.success());
    let key = "-key=k.pub.pem";
    refused(
        &kiln,
        &["-key=other.pub.pem", ATTESTED],
        "it was signed with another key: ",
    )?;
    refused(
        &kiln,
        &["-key=edwards.pub.pem", ATTESTED],
        "wrong key type: ",
    )?;
    refused(
        &kiln,
        &["-key=t.pkr.hcl", ATTESTED],
        "there is no PEM block",
    )?;
    refused(
        &kiln,
        &["-key=none.pem", ATTESTED],
        "cannot read the key `none.pem`",
    )?;
    refused(&kiln, &[key, "none.json"], "it cannot be read: ")?;
    refused(&kiln, &[key, "t.pkr.hcl"], "it is not a DSSE envelope: ")?;
    refused(
        &kiln,
        &[key, ATTESTED, "t.pkr.hcl"],
        "t.pkr.hcl: it is not a subject",
    )?;
    refused(
        &kiln,
        &[key, ATTESTED, "out/none"],
        "cannot read `out/none`",
    )?;
    let wrong = "wrong predicate: it is provenance (https://slsa.dev/provenance/v1), not cyclonedx";
    refused(&kiln, &[key, "-type=cyclonedx", ATTESTED], wrong)?;
    refused(&kiln, &[key, "-builder-id=x:y", ATTESTED], "not `x:y`")?;
    refused(
        &kiln,
        &[key, "-source-uri=x:y", ATTESTED],
        "it names no source, but `x:y` is wanted",
    )?;

    // The same name with another content, and the right content beside it under another name.
    kiln.write("copy/disk.img", "something else");
    refused(
        &kiln,
        &[key, ATTESTED, "copy/disk.img"],
        "the digest differs: its sha256 is ",
    )?;
    std::fs::rename(path(&kiln, BUILT), path(&kiln, "copy/renamed.img"))?;
    drop(
        kiln.run(&["verify-attestation", key, ATTESTED, "copy/renamed.img"])?
            .success()
            .says("known as `disk.img`"),
    );

    let good = json(&path(&kiln, ATTESTED))?;
    let payload = String::from_utf8(payload(&kiln, ATTESTED)?)?;
    let encode = |text: &str| -> Result<String> {
        let file = text_file(&kiln, text);
        let base64 = tools::output("openssl", &["base64", "-A", "-in", &file])?;
        Ok(base64.trim().to_owned())
    };
    let mut tampered = good.clone();
    tampered["payload"] = encode(&payload.replace("release.file", "sneaked.file"))?.into();
    kiln.write("tampered.json", &tampered.to_string());
    refused(
        &kiln,
        &[key, "tampered.json"],
        "the payload was changed after it was signed",
    )?;
    let mut cut = good.clone();
    cut["signatures"] = serde_json::json!([]);
    kiln.write("cut.json", &cut.to_string());
    refused(&kiln, &[key, "cut.json"], "it has no signature")?;
    kiln.write("bare.json", &payload);
    refused(&kiln, &[key, "bare.json"], "a statement that nobody signed")?;
    let mut other = good;
    other["payloadType"] = "text/plain".into();
    kiln.write("other.json", &other.to_string());
    refused(
        &kiln,
        &[key, "other.json"],
        "its payload is of type `text/plain`",
    )
}

/// An envelope that somebody else made: kiln never says such things.
#[test]
fn statements_of_others_are_verified_by_what_they_are() -> Result<()> {
    if !tools::installed(&["openssl"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    make_key(&kiln, "k", &P256)?;
    let sign = |payload: &str| -> Result<()> {
        let kind = "application/vnd.in-toto+json";
        let signed = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
        let signed = text(&kiln.write("signed", &signed));
        let (key, signature) = (text(&path(&kiln, "k.pem")), text(&path(&kiln, "signature")));
        let words = [
            "dgst", "-sha256", "-sign", &key, "-out", &signature, &signed,
        ];
        tools::output("openssl", &words)?;
        let encode = |file: &str| tools::output("openssl", &["base64", "-A", "-in", file]);
        let envelope = serde_json::json!({
            "payloadType": kind,
            "payload": encode(&text_file(&kiln, payload))?.trim(),
            "signatures": [{ "sig": encode(&signature)?.trim() }],
        });
        kiln.write("a.json", &envelope.to_string());
        Ok(())
    };
    let key = "-key=k.pub.pem";
    let statement = |kind: &str, digest: &str| {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","predicateType":"{kind}",
                "subject":[{{"name":"x","digest":{{{digest}}}}}],"predicate":{{}}}}"#
        )
    };
    sign(&statement("https://example.com/review/v1", "\"md5\":\"0\""))?;
    refused(
        &kiln,
        &[key, "a.json"],
        "unknown predicate `https://example.com/review/v1`",
    )?;
    let review = "-type=https://example.com/review/v1";
    drop(
        kiln.run(&["verify-attestation", key, review, "a.json"])?
            .success()
            .says("not checked, no file given: `x`"),
    );
    kiln.write("x", "");
    refused(
        &kiln,
        &[key, review, "a.json", "x"],
        "no SHA-256 or SHA-512 digest for it, only md5",
    )?;
    sign(&statement("https://slsa.dev/provenance/v1", ""))?;
    refused(
        &kiln,
        &[key, "a.json"],
        "subject `x` of the statement has no digest",
    )?;
    sign("{}")?;
    refused(
        &kiln,
        &[key, "a.json"],
        "the payload is not an in-toto statement",
    )
}

#[test]
fn wrong_usage_of_verification_is_explained() -> Result<()> {
    let kiln = Kiln::new();
    refused(&kiln, &[], "The attestation is missing.")?;
    refused(&kiln, &["a.json"], "The key is missing: -key=public.pem.")?;
    refused(
        &kiln,
        &["-key=a", "-verifier=b", "a.json"],
        "give one of them",
    )?;
    refused(
        &kiln,
        &["-key=a", "a.json", "-type=x"],
        "`-type=x` stands behind the attestation",
    )?;
    refused(
        &kiln,
        &["-key=a", "-type=slsa", "a.json"],
        "`slsa` is no kind of predicate",
    )?;
    refused(
        &kiln,
        &["-require-rekor", "-key=a", "a.json"],
        "cosign verifies them",
    )?;
    refused(
        &kiln,
        &["-signing-mode=kms", "-key=a", "a.json"],
        "cosign verifies them",
    )?;
    refused(
        &kiln,
        &["-signing-mode=pgp", "-key=a", "a.json"],
        "for flag -signing-mode",
    )
}
