//! What the post-processor `provenance` writes and signs.

use anyhow::{Context, Result};
use kiln_tests::{Kiln, tools};
use serde_json::Value;

use super::{
    ATTESTED, BUILT, ED25519, P256, SECRET, build, json, judged, make_key, openssl_verifies, path,
    payload, signed_with, text,
};

#[test]
fn every_kind_of_key_signs_what_kiln_and_openssl_verify() -> Result<()> {
    if !tools::installed(&["openssl"]) {
        return Ok(());
    }
    let kiln = Kiln::new();
    let p384 = ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
    let rsa = ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let kinds: [(&str, &[&str], &str, &str); 4] = [
        ("ed25519", &ED25519, "", "Ed25519"),
        ("p256", &P256, "-sha256", "ECDSA P-256"),
        ("p384", &p384, "-sha384", "ECDSA P-384"),
        ("rsa", &rsa, "-sha256", "RSA"),
    ];
    for (name, kind, digest, shown) in kinds {
        make_key(&kiln, name, kind)?;
        drop(
            build(&kiln, &signed_with(name))?
                .success()
                .says(&format!("(provenance): Wrote attestation to {ATTESTED}")),
        );
        let public = format!("{name}.pub.pem");
        openssl_verifies(&kiln, ATTESTED, &public, digest)?;
        let key = format!("-key={public}");
        drop(
            kiln.run(&[
                "verify-attestation",
                &key,
                "-type=provenance",
                ATTESTED,
                BUILT,
            ])?
            .success()
            .says("Attestation verified.")
            .says(&format!("signature: {shown} key "))
            .says("predicate: provenance (https://slsa.dev/provenance/v1)")
            .says("out/disk.img: sha256 "),
        );
    }
    Ok(())
}

#[test]
fn provenance_says_what_was_built_and_nothing_secret() -> Result<()> {
    if !tools::installed(&["openssl"]) {
        return Ok(());
    }
    let mut kiln = Kiln::new();
    make_key(&kiln, "k", &ED25519)?;
    kiln.write("setup.sh", "true\n");
    kiln.write("more.auto.pkrvars.hcl", "");
    kiln.env("KILN_KEY_PASSWORD", SECRET);
    for (name, value) in [
        ("region", "eu-2"),
        ("mirror", "https://bob:hunter2pass@h/x?token=zzz"),
        ("phrase", SECRET),
        ("undeclared", "of another template"),
    ] {
        kiln.env(&format!("PKR_VAR_{name}"), value);
    }
    let options = format!(
        "{}\nmaterials = [\"*.sh\"]\nonly_builds = [\"file.img\"]\n\
         builder_id = \"https://example.com/builders/1\"\n\
         source_uri = \"git+https://example.com/r@refs/heads/main\"\n\
         user_variables = {{ stage = \"live\", api_token = \"abc\" }}",
        signed_with("k")
    );
    drop(build(&kiln, &options)?.success());
    let payload = payload(&kiln, ATTESTED)?;
    let shown = String::from_utf8_lossy(&payload).into_owned();
    for secret in [SECRET, "hunter2pass", "zzz", "ghp_default", "of another"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let statement: Value = serde_json::from_slice(&payload)?;
    let sums = tools::output("sha512sum", &[&text(&path(&kiln, BUILT))])?;
    let sum = sums.split(' ').next();
    assert_eq!(statement["subject"][0]["digest"]["sha512"].as_str(), sum);
    let definition = &statement["predicate"]["buildDefinition"];
    let parameters = &definition["externalParameters"];
    assert_eq!(parameters["build"], "release.file.img");
    assert_eq!(parameters["onlyBuilds"][0], "file.img");
    let sums = tools::output("sha256sum", &[&text(&path(&kiln, "t.pkr.hcl"))])?;
    let sum = sums.split(' ').next();
    assert_eq!(parameters["template"]["digest"]["sha256"].as_str(), sum);
    let variables = serde_json::json!({
        "region": "eu-2", "mirror": "https://h/x",
        "stage": "live", "api_token": "[sensitive value redacted]",
    });
    assert_eq!(parameters["variables"], variables);
    let used = definition["resolvedDependencies"].as_array();
    let names: Vec<&str> = used
        .into_iter()
        .flatten()
        .filter_map(|one| one["name"].as_str().or_else(|| one["uri"].as_str()))
        .collect();
    let source = "git+https://example.com/r@refs/heads/main";
    assert_eq!(names, [source, "t.pkr.hcl", "setup.sh"]);
    judged("statement", &path(&kiln, "payload"))?;
    judged("provenance", &path(&kiln, "payload"))?;
    let words = [
        "verify-attestation",
        "-key=k.pub.pem",
        "-builder-id=https://example.com/builders/1",
        "-source-uri=git+https://example.com/r@refs/heads/main",
        "-artifact=out/disk.img",
        ATTESTED,
    ];
    drop(
        kiln.run(&words)?
            .success()
            .says("builder: https://example.com/builders/1"),
    );
    Ok(())
}

#[test]
fn an_artifact_without_files_is_attested_by_its_identity() -> Result<()> {
    let kiln = Kiln::new();
    kiln.write(
        "t.json",
        r#"{ "variables": { "a": "1", "b": "topsecret" }, "sensitive-variables": ["b"],
             "builders": [{ "type": "null", "communicator": "none" }],
             "post-processors": [{ "type": "provenance" }] }"#,
    );
    drop(kiln.run(&["build", "t.json"])?.success());
    let files = std::fs::read_dir(kiln.work())?.flatten();
    let found = files
        .map(|entry| entry.path())
        .find(|path| text(path).ends_with(".provenance.json"))
        .context("there is a statement")?;
    let statement = json(&found)?;
    assert_eq!(statement["subject"][0]["name"], "Null");
    let byproduct = &statement["predicate"]["runDetails"]["byproducts"][0];
    assert_eq!(byproduct["name"], "artifact-identity");
    let variables = &statement["predicate"]["buildDefinition"]["externalParameters"]["variables"];
    assert_eq!(*variables, Value::Null);
    judged("provenance", &found).map(drop)
}

#[test]
fn a_key_that_cannot_sign_ends_the_build_and_nothing_is_written() -> Result<()> {
    if !tools::installed(&["openssl"]) {
        return Ok(());
    }
    let mut kiln = Kiln::new();
    make_key(&kiln, "k", &P256)?;
    let (plain, locked) = (
        text(&path(&kiln, "k.pem")),
        text(&path(&kiln, "locked.pem")),
    );
    let password = format!("pass:{SECRET}");
    let words = [
        "pkcs8",
        "-topk8",
        "-in",
        &plain,
        "-v2",
        "aes-256-cbc",
        "-passout",
        &password,
        "-out",
        &locked,
    ];
    tools::output("openssl", &words)?;
    let fails = |kiln: &Kiln, options: &str, part: &str| -> Result<()> {
        drop(build(kiln, options)?.failure().says(part).lacks(SECRET));
        assert!(!path(kiln, ATTESTED).exists(), "{part}");
        Ok(())
    };
    fails(&kiln, &signed_with("k.pub"), "is not a private key")?;
    fails(
        &kiln,
        &signed_with("none"),
        "cannot read the key `none.pem`",
    )?;
    fails(
        &kiln,
        "signing_mode = \"key\"\nkey = \"t.pkr.hcl\"",
        "there is no PEM block",
    )?;
    fails(&kiln, &signed_with("locked"), "KILN_KEY_PASSWORD")?;
    fails(
        &kiln,
        "signing_mode = \"keyless\"",
        "needs services on the network",
    )?;
    fails(&kiln, "sbom_exclude = [\"x\"]", "Paths cannot be excluded")?;
    kiln.env("KILN_KEY_PASSWORD", SECRET);
    drop(
        build(&kiln, &signed_with("locked"))?
            .success()
            .lacks(SECRET),
    );
    let words = ["verify-attestation", "-key=k.pub.pem", ATTESTED, BUILT];
    drop(kiln.run(&words)?.success());
    Ok(())
}
