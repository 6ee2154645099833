//! `kiln verify-attestation`.

use std::io::Read;
use std::path::{Path, PathBuf};

use host_ui::Ui;
use sdk_attestation::{Compared, Envelope, FileDigests, PredicateKind, PublicKey, Statement};
use serde_json::Value;

use crate::arguments::VerifyAttestationArguments;
use crate::commands::build::usage;
use crate::exit;
use crate::world::World;

/// The largest attestation that is read, in bytes: far above a list of every package there is.
const LARGEST_BYTES: u64 = 256 << 20;
/// Variables that can hold the password of an encrypted private key; the first that is set counts.
const PASSWORD_VARIABLES: [&str; 2] = ["KILN_KEY_PASSWORD", "COSIGN_PASSWORD"];

/// Verifies an attestation and the files it is about; prints what was verified, or everything that
/// does not hold.
pub fn run(world: &World, ui: &Ui, arguments: &VerifyAttestationArguments) -> u8 {
    let wanted = match Wanted::read(world, arguments) {
        Ok(wanted) => wanted,
        Err(message) => return usage(ui, &message, "verify-attestation"),
    };
    match wanted.verify() {
        Ok(report) => {
            ui.say(report.trim_end());
            exit::DONE
        }
        Err(failures) => {
            let shown = wanted.attestation.display();
            ui.error(&format!("Attestation `{shown}` is not verified:"));
            for failure in failures {
                ui.error(&format!("  {failure}"));
            }
            exit::FAILED
        }
    }
}

/// What has to hold.
struct Wanted {
    attestation: PathBuf,
    files: Vec<PathBuf>,
    key: PathBuf,
    password: Option<String>,
    /// URI of the predicate; `None` for any that is known.
    predicate: Option<String>,
    builder_id: Option<String>,
    source_uri: Option<String>,
}

impl Wanted {
    fn read(world: &World, arguments: &VerifyAttestationArguments) -> Result<Self, String> {
        let keyless = [
            arguments.trusted_root_path.is_some(),
            arguments.keyless_identity.is_some(),
            arguments.keyless_oidc_issuer.is_some(),
            arguments.bundle.is_some(),
            arguments.require_rekor,
            arguments.require_timestamp,
        ];
        let mode = arguments.signing_mode.as_deref();
        if keyless.contains(&true) || mode == Some("keyless") || mode == Some("kms") {
            return Err(
                "Only signatures of a key in a file can be verified (-signing-mode=key): keyless \
                 ones and those of a key management service need services on the network. cosign \
                 verifies them."
                    .to_owned(),
            );
        }
        let (attestation, mut files) = paths(&arguments.paths)?;
        files.extend(arguments.artifact.clone());
        let key = match (&arguments.key, &arguments.verifier) {
            (Some(_), Some(_)) => {
                return Err("-key and -verifier mean the same; give one of them.".to_owned());
            }
            (Some(key), None) | (None, Some(key)) => key.clone(),
            (None, None) => return Err("The key is missing: -key=public.pem.".to_owned()),
        };
        let named = PASSWORD_VARIABLES.iter();
        let password = named.into_iter().find_map(|name| world.variable(name));
        Ok(Self {
            attestation,
            files,
            key,
            password: password.map(str::to_owned),
            predicate: predicate(arguments)?,
            builder_id: arguments.builder_id.clone(),
            source_uri: arguments.source_uri.clone(),
        })
    }

    /// What was verified, in lines, or what does not hold.
    fn verify(&self) -> Result<String, Vec<String>> {
        let one = |failure: String| vec![failure];
        let key = self.public_key().map_err(one)?;
        let statement = self.statement(&key).map_err(one)?;
        let mut failures = Vec::new();
        let predicate = self.check_predicate(&statement, &mut failures);
        self.check_provenance(&statement, &mut failures);
        let mut lines = vec![
            "Attestation verified.".to_owned(),
            format!("  signature: {} key {}", key.algorithm(), key.id()),
            format!("  predicate: {predicate}"),
        ];
        if let Some(builder) = builder_id(&statement.predicate) {
            lines.push(format!("  builder: {builder}"));
        }
        let mut checked = Vec::new();
        for file in &self.files {
            match check_file(&statement, file) {
                Ok((line, subject)) => {
                    lines.push(format!("  {line}"));
                    checked.push(subject);
                }
                Err(failure) => failures.push(failure),
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        let names = statement.subject.iter().map(|subject| &subject.name);
        let left: Vec<String> = names
            .filter(|name| !checked.contains(name))
            .map(|name| format!("`{name}`"))
            .collect();
        if !left.is_empty() {
            lines.push(format!("  not checked, no file given: {}", left.join(", ")));
        }
        Ok(lines.join("\n"))
    }

    fn public_key(&self) -> Result<PublicKey, String> {
        let shown = self.key.display();
        let text = std::fs::read_to_string(&self.key)
            .map_err(|error| format!("cannot read the key `{shown}`: {error}"))?;
        PublicKey::from_pem(&text, self.password.as_deref())
            .map_err(|error| format!("the key `{shown}` cannot be used: {error}"))
    }

    /// The statement, whose signature is good.
    fn statement(&self, key: &PublicKey) -> Result<Statement, String> {
        let text = read_limited(&self.attestation)
            .map_err(|error| format!("it cannot be read: {error}"))?;
        let envelope = Envelope::read(&text).map_err(|error| error.to_string())?;
        let payload = envelope.verify(key).map_err(|error| error.to_string())?;
        Statement::read(&payload).map_err(|error| error.to_string())
    }

    /// How the predicate is shown.
    fn check_predicate(&self, statement: &Statement, failures: &mut Vec<String>) -> String {
        let found = &statement.predicate_type;
        let kind = PredicateKind::of_uri(found);
        let named = |uri: &str| match PredicateKind::of_uri(uri) {
            Some(kind) => format!("{} ({uri})", kind.name()),
            None => uri.to_owned(),
        };
        match &self.predicate {
            Some(wanted) => {
                let kind_is_meant = PredicateKind::ALL.iter().any(|kind| kind.uri() == wanted);
                let fits =
                    found == wanted || (kind_is_meant && kind.is_some_and(|it| it.uri() == wanted));
                if !fits {
                    failures.push(format!(
                        "wrong predicate: it is {}, not {}",
                        named(found),
                        named(wanted)
                    ));
                }
            }
            None if kind.is_none() => failures.push(format!(
                "unknown predicate `{found}`; name it with -type to accept it"
            )),
            None => {}
        }
        named(found)
    }

    fn check_provenance(&self, statement: &Statement, failures: &mut Vec<String>) {
        if let Some(wanted) = &self.builder_id {
            match builder_id(&statement.predicate) {
                Some(found) if found == wanted => {}
                Some(found) => failures.push(format!("the builder is `{found}`, not `{wanted}`")),
                None => failures.push(format!("it names no builder, but `{wanted}` is wanted")),
            }
        }
        if let Some(wanted) = &self.source_uri {
            let found = sources(&statement.predicate);
            if !found.contains(&wanted.as_str()) {
                let found = match found.is_empty() {
                    true => "it names no source".to_owned(),
                    false => format!("its sources are `{}`", found.join("`, `")),
                };
                failures.push(format!("{found}, but `{wanted}` is wanted"));
            }
        }
    }
}

/// The attestation and the files behind it.
fn paths(words: &[String]) -> Result<(PathBuf, Vec<PathBuf>), String> {
    let [attestation, files @ ..] = words else {
        return Err("The attestation is missing.".to_owned());
    };
    if let Some(flag) = files.iter().find(|word| word.starts_with('-')) {
        return Err(format!(
            "`{flag}` stands behind the attestation; flags must come before it (write ./{flag} for \
             a file of that name)."
        ));
    }
    let files = files.iter().map(PathBuf::from).collect();
    Ok((PathBuf::from(attestation), files))
}

/// The URI of the predicate that the flags ask for.
fn predicate(arguments: &VerifyAttestationArguments) -> Result<Option<String>, String> {
    let named = match &arguments.kind {
        None => None,
        Some(name) => Some(match PredicateKind::of_name(name) {
            Some(kind) => kind.uri().to_owned(),
            None if name.contains(':') => name.clone(),
            None => {
                return Err(format!(
                    "`{name}` is no kind of predicate; -type takes provenance, cyclonedx, spdx or \
                     a URI."
                ));
            }
        }),
    };
    match (named, &arguments.predicate_type) {
        (Some(named), Some(uri)) if named != *uri => Err(format!(
            "-type and -predicate-type contradict each other: `{named}` and `{uri}`."
        )),
        (named, uri) => Ok(named.or_else(|| uri.clone())),
    }
}

/// A line about the file, and the name of the subject it is.
fn check_file(statement: &Statement, file: &Path) -> Result<(String, String), String> {
    let shown = file.display();
    let digests = FileDigests::of(file, &|| false).map_err(|error| {
        let source = std::error::Error::source(&error);
        source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
    })?;
    match statement.compare(file, &digests) {
        Ok(Compared::Same(subject)) => Ok((format!("{shown}: sha256 {}", digests.sha256), subject)),
        Ok(Compared::Renamed(subject)) => {
            let line = format!("{shown}: sha256 {}, known as `{subject}`", digests.sha256);
            Ok((line, subject))
        }
        Err(mismatch) => Err(format!("{shown}: {mismatch}")),
    }
}

fn builder_id(predicate: &Value) -> Option<&str> {
    predicate.pointer("/runDetails/builder/id")?.as_str()
}

fn sources(predicate: &Value) -> Vec<&str> {
    let found = predicate.pointer("/buildDefinition/resolvedDependencies");
    let found = found.and_then(Value::as_array).into_iter().flatten();
    found
        .filter_map(|dependency| dependency.get("uri")?.as_str())
        .collect()
}

fn read_limited(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    std::fs::File::open(path)?
        .take(LARGEST_BYTES + 1)
        .read_to_end(&mut text)?;
    if text.len() as u64 > LARGEST_BYTES {
        let message = format!("it is larger than {} MiB", LARGEST_BYTES >> 20);
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            message,
        ));
    }
    Ok(text)
}
