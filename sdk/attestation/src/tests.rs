use std::path::Path;

use crate::{
    Algorithm, Compared, Envelope, EnvelopeError, FileDigests, KeyError, Mismatch, PredicateKind,
    PrivateKey, PublicKey, Statement, StatementError, Subject, VerifyError,
    pre_authentication_encoding,
};

/// The keys were made with `openssl` for these tests; the password is `opensesame`.
fn pem(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    std::fs::read_to_string(folder.join(format!("{name}.pem"))).unwrap()
}

fn private(name: &str) -> PrivateKey {
    PrivateKey::from_pem(&pem(name), None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn public(name: &str) -> PublicKey {
    PublicKey::from_pem(&pem(name), None).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn digests(sha256: &str) -> FileDigests {
    FileDigests {
        sha256: sha256.repeat(64),
        sha512: sha256.repeat(128),
    }
}

fn statement() -> Statement {
    let subjects = vec![
        Subject::file("disk.img", &digests("a")),
        Subject::file("boot/kernel", &digests("b")),
    ];
    Statement::new(PredicateKind::Provenance, subjects, serde_json::json!({}))
}

#[test]
fn what_is_signed_is_encoded_as_the_specification_shows() {
    // The example of the specification.
    let encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
    let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
    assert_eq!(encoded, expected);
    // Lengths are of bytes.
    assert_eq!(
        pre_authentication_encoding("ü", "é".as_bytes()),
        "DSSEv1 2 ü 2 é".as_bytes()
    );
}

#[test]
fn every_kind_of_key_signs_what_its_public_half_verifies() {
    for (name, algorithm) in [
        ("p256", Algorithm::EcdsaP256),
        ("p384", Algorithm::EcdsaP384),
        ("ed25519", Algorithm::Ed25519),
        ("rsa", Algorithm::Rsa),
    ] {
        let key = private(name);
        assert_eq!(key.public().algorithm(), algorithm, "{name}");
        let envelope = Envelope::sign(&statement(), &key).unwrap();
        let read = Envelope::read(envelope.to_line().unwrap().as_bytes()).unwrap();
        let payload = read.verify(&public(&format!("{name}.pub"))).unwrap();
        assert_eq!(Statement::read(&payload).unwrap(), statement(), "{name}");
    }
}

#[test]
fn the_same_key_in_another_form_is_the_same_key() {
    for (name, other) in [
        ("p256", "p256-sec1"),
        ("p384", "p384-sec1"),
        ("rsa", "rsa-pkcs1"),
    ] {
        assert_eq!(private(name).public().id(), private(other).public().id());
    }
    assert_eq!(public("rsa.pub").id(), public("rsa-pkcs1.pub").id());
    assert_eq!(public("rsa.pub").id(), public("rsa").id());
}

#[test]
fn an_encrypted_key_needs_its_password() {
    for (name, plain) in [("p256-encrypted", "p256"), ("ed25519-encrypted", "ed25519")] {
        let opened = PrivateKey::from_pem(&pem(name), Some("opensesame")).unwrap();
        assert_eq!(opened.public().id(), private(plain).public().id());
        let missing = PrivateKey::from_pem(&pem(name), None).unwrap_err();
        assert!(matches!(missing, KeyError::PasswordMissing), "{missing}");
        let wrong = PrivateKey::from_pem(&pem(name), Some("open sesame")).unwrap_err();
        assert!(matches!(wrong, KeyError::PasswordWrong), "{wrong}");
    }
}

fn refused(text: &str, part: &str) {
    let error = PrivateKey::from_pem(text, Some("opensesame")).unwrap_err();
    assert!(error.to_string().contains(part), "{error}");
}

#[test]
fn a_key_that_cannot_sign_is_refused_by_name() {
    refused(&pem("p521"), "ECDSA P-521");
    refused(&pem("x25519"), "X25519");
    refused(&pem("rsa-short"), "not a usable RSA key");
    refused(&pem("openssh"), "ssh-keygen -p -m PKCS8");
    refused(&pem("p256-old-encryption"), "openssl pkcs8 -topk8");
    refused(&pem("p256.pub"), "needs the private half");
    refused("", "no PEM block");
    refused("-----BEGIN PRIVATE KEY-----\nAAAA\n", "is missing");
    refused(
        "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----",
        "damaged",
    );
    refused(
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        "damaged",
    );
    refused(
        "-----BEGIN DH PARAMETERS-----\nAAAA\n-----END DH PARAMETERS-----",
        "`DH PARAMETERS` is not a private key",
    );
    let error = PublicKey::from_pem(&pem("p521.pub"), None).unwrap_err();
    assert!(matches!(error, KeyError::Unsupported { .. }), "{error}");
}

#[test]
fn a_private_key_never_shows_itself() {
    let shown = format!("{:?}", private("ed25519"));
    assert!(
        shown.contains("Ed25519") && !shown.contains("pair"),
        "{shown}"
    );
}

fn signed() -> Envelope {
    Envelope::sign(&statement(), &private("p256")).unwrap()
}

#[test]
fn a_bad_signature_says_what_is_wrong() {
    let wrong = |envelope: &Envelope, key: &str| envelope.verify(&public(key)).unwrap_err();
    let other = PrivateKey::from_pem(&pem("p256-sec1"), None).unwrap();
    let mut changed = signed();
    let mut more = statement();
    more.subject[0].name.push('x');
    changed.payload = Envelope::sign(&more, &other).unwrap().payload;
    let found = wrong(&changed, "p256.pub");
    assert!(matches!(found, VerifyError::Tampered { .. }), "{found}");

    let found = wrong(&signed(), "rsa.pub");
    assert!(matches!(found, VerifyError::KeyType { .. }), "{found}");
    let found = wrong(&signed(), "ed25519.pub");
    assert!(matches!(found, VerifyError::KeyType { .. }), "{found}");

    let mut named = signed();
    named.signatures[0].keyid = "0".repeat(64);
    // A hint that is wrong does not matter where the signature is right.
    assert!(named.verify(&public("p256.pub")).is_ok());
    named.payload = changed.payload.clone();
    let found = wrong(&named, "p256.pub");
    assert!(matches!(found, VerifyError::OtherKey { .. }), "{found}");

    let mut anonymous = changed.clone();
    anonymous.signatures[0].keyid.clear();
    let found = wrong(&anonymous, "p256.pub");
    assert!(matches!(found, VerifyError::Tampered { .. }), "{found}");

    let mut retyped = signed();
    retyped.payload_type.push('x');
    let found = wrong(&retyped, "p256.pub");
    assert!(matches!(found, VerifyError::Tampered { .. }), "{found}");

    let mut broken = signed();
    broken.payload = "{".to_owned();
    let found = wrong(&broken, "p256.pub");
    assert!(found.to_string().contains("not base64"), "{found}");
}

#[test]
fn one_good_signature_of_several_is_enough() {
    let mut envelope = signed();
    let mut second = Envelope::sign(&statement(), &private("ed25519")).unwrap();
    envelope.signatures.append(&mut second.signatures);
    for key in ["p256.pub", "ed25519.pub"] {
        assert!(envelope.verify(&public(key)).is_ok(), "{key}");
    }
    assert!(envelope.verify(&public("p384.pub")).is_err());
}

fn unread(text: &str) -> EnvelopeError {
    Envelope::read(text.as_bytes()).unwrap_err()
}

#[test]
fn what_is_no_envelope_is_refused() {
    let bare = serde_json::to_string(&statement()).unwrap();
    assert!(matches!(unread(&bare), EnvelopeError::Unsigned));
    for text in ["", "{}", "[]", "null", "{\"payloadType\":\"x\"}"] {
        let error = unread(text);
        assert!(matches!(error, EnvelopeError::Malformed { .. }), "{error}");
    }
    let other = "{\"payloadType\":\"text/plain\",\"payload\":\"\",\"signatures\":[]}";
    assert!(unread(other).to_string().contains("`text/plain`"));
    let none = other.replace("text/plain", crate::PAYLOAD_TYPE);
    assert!(matches!(unread(&none), EnvelopeError::NoSignature));
}

#[test]
fn what_is_no_statement_is_refused() {
    let error = |value: serde_json::Value| {
        Statement::read(value.to_string().as_bytes()).expect_err("it is no statement")
    };
    let mut value = serde_json::to_value(statement()).unwrap();
    value["_type"] = "https://in-toto.io/Statement/v0.1".into();
    assert!(error(value.clone()).to_string().contains("Statement/v0.1"));
    value["_type"] = crate::STATEMENT_TYPE.into();
    value["subject"] = serde_json::json!([]);
    assert!(matches!(error(value.clone()), StatementError::NoSubject));
    value["subject"] = serde_json::json!([{ "name": "x" }]);
    assert!(error(value.clone()).to_string().contains("`x`"));
    value["subject"] = "x".into();
    assert!(matches!(error(value), StatementError::Malformed { .. }));
}

#[test]
fn files_are_compared_by_content_first() {
    let compare = |path: &str, digest| statement().compare(Path::new(path), &digests(digest));
    let same = |name: &str| Ok(Compared::Same(name.to_owned()));
    assert_eq!(compare("out/disk.img", "a"), same("disk.img"));
    assert_eq!(compare("/x/kernel", "b"), same("boot/kernel"));
    assert_eq!(
        compare("old.img", "a"),
        Ok(Compared::Renamed("disk.img".to_owned()))
    );
    let differs = compare("disk.img", "c").unwrap_err();
    assert!(matches!(&differs, Mismatch::Differs { algorithm, .. } if algorithm == "sha256"));
    let absent = compare("other", "c").unwrap_err();
    assert!(absent.to_string().contains("`disk.img`, `boot/kernel`"));

    let mut only_md5 = statement();
    only_md5.subject[0].digest = [("md5".to_owned(), "0".repeat(32))].into();
    let found = only_md5.compare(Path::new("disk.img"), &digests("a"));
    assert!(matches!(found, Err(Mismatch::Incomparable { .. })));

    // One digest that fits does not outweigh one that does not.
    let mut half = statement();
    half.subject[0]
        .digest
        .insert("sha512".to_owned(), "c".repeat(128));
    let found = half
        .compare(Path::new("disk.img"), &digests("a"))
        .unwrap_err();
    assert!(matches!(&found, Mismatch::Differs { algorithm, .. } if algorithm == "sha512"));
}

#[test]
fn digests_are_those_of_the_standards_and_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("abc");
    std::fs::write(&file, "abc").unwrap();
    let found = FileDigests::of(&file, &|| false).unwrap();
    assert_eq!(
        found.sha256,
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert!(found.sha512.starts_with("ddaf35a193617aba"));
    let stopped = FileDigests::of(&file, &|| true).unwrap_err();
    assert!(stopped.to_string().contains("was cancelled"));
    let missing = FileDigests::of(&folder.path().join("no"), &|| false).unwrap_err();
    assert!(missing.to_string().contains("no` to compute"));
}

#[test]
fn kinds_of_predicates_are_known_with_and_without_version() {
    for kind in PredicateKind::ALL {
        assert_eq!(PredicateKind::of_uri(kind.uri()), Some(kind));
        assert_eq!(PredicateKind::of_name(kind.name()), Some(kind));
    }
    let with_version = PredicateKind::of_uri("https://spdx.dev/Document/v2.3");
    assert_eq!(with_version, Some(PredicateKind::Spdx));
    assert_eq!(PredicateKind::of_uri("https://cyclonedx.org/bomb"), None);
}
