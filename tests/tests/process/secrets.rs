//! Secrets stay out of every output, in every form in which programs write them.
//!
//! The corpus is every secret in every form ([`cases`]), told on every channel a component has, and
//! what ordinary tools print of them. Whether one leaked is decided by [`leaks`], which knows
//! nothing of kiln's own filter: it looks for the core of each secret, also in what can be decoded.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};
use kiln_tests::trial::Trial;

const LIMIT: Duration = Duration::from_secs(300);

/// A secret; its core is in each of its lines and needs no quotes in any language.
struct Secret {
    core: String,
    value: String,
}

fn secrets() -> Vec<Secret> {
    let shapes = [
        "{}",
        "{} with two words",
        "it's {}'s",
        "a\"{}\\b\"c",
        "$(x) `{}` ${y} & | ; < > * ? ! # ~ [a] (b)",
        "{}/a+b=c?d&e%f@g:h,i",
        "пароль-{}-ключ-é",
        "-----BEGIN {} KEY-----\n{}{}{}{}\n{}{}{}{}\n{}{}{}{}\n-----END {} KEY-----\n",
        "{\n  \"private_key\": \"{}\\n{}\",\n  \"id\": \"{}\"\n}\n",
        "<b>&{}\"</b>'",
        "C:\\dir\\{}\t%PATH%^",
        "  {}  ",
    ];
    let secret = |(number, shape): (usize, &&str)| {
        let core = format!("Kx7Qw{number:02}Zp9Lm4");
        let value = shape.replace("{}", &core);
        Secret { core, value }
    };
    shapes.iter().enumerate().map(secret).collect()
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in data.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

fn wrapped(text: &str, width: usize) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(width)
        .filter_map(|line| std::str::from_utf8(line).ok())
        .collect();
    lines.join("\n")
}

fn percent(text: &str) -> String {
    let digit = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(digit).collect()
}

/// Every form in which a secret may come out, by name.
fn forms(value: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::json!({ "password": value }).to_string();
    let line = value.trim_end_matches('\n');
    let wide: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let html = line
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    vec![
        ("plain", value.to_owned()),
        ("in a sentence", format!("the password is {line}.")),
        (
            "in a command",
            format!("curl -H 'X-Token: {line}' https://example.com"),
        ),
        (
            "in a URL",
            format!("https://user:{}@example.com/", percent(line)),
        ),
        (
            "percent, lower case",
            format!("?p={}", percent(line).replace("%2F", "%2f").to_owned()),
        ),
        (
            "form",
            format!("p={}&q=1", percent(line).replace("%20", "+")),
        ),
        ("JSON", json.clone()),
        (
            "JSON in JSON",
            serde_json::json!({ "body": json }).to_string(),
        ),
        ("debug", format!("Config {{ password: {value:?} }}")),
        (
            "single quotes",
            format!("P='{}'", line.replace('\'', r"'\''")),
        ),
        (
            "environment file",
            format!("export P='{}'", line.replace('\'', r#"'"'"'"#)),
        ),
        ("base64", base64(value.as_bytes())),
        ("base64, no line end", base64(line.as_bytes())),
        ("base64, wrapped", wrapped(&base64(value.as_bytes()), 76)),
        (
            "base64, for URLs",
            base64(line.as_bytes()).replace('+', "-").replace('/', "_"),
        ),
        (
            "basic authentication",
            format!("Basic {}", base64(format!("user:{line}").as_bytes())),
        ),
        (
            "base64 of more",
            base64(format!("{{\"a\":\"{line}\"}}").as_bytes()),
        ),
        ("base64, 16 bit", base64(&wide)),
        (
            "hexadecimal",
            line.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ),
        ("HTML", html.replace('"', "&quot;").replace('\'', "&#39;")),
    ]
}

/// Texts that show a secret, with the secret's core.
fn cases() -> Vec<(String, String)> {
    let of_one = |secret: Secret| {
        let core = secret.core;
        let all = forms(&secret.value).into_iter();
        all.map(move |(name, text)| (core.clone(), format!("{name}: {text}")))
    };
    secrets().into_iter().flat_map(of_one).collect()
}

/// Runs of characters of an alphabet, at least so long.
fn runs(text: &str, is_digit: fn(char) -> bool, least: usize) -> impl Iterator<Item = &str> {
    let pieces = text.split(move |character| !is_digit(character));
    pieces.filter(move |piece| piece.len() >= least)
}

fn decode_base64(digits: &str) -> Vec<u8> {
    let value = |digit: u8| match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    };
    let (mut bits, mut count, mut out) = (0_u32, 0, Vec::new());
    for digit in digits.bytes() {
        bits = (bits << 6 | u32::from(value(digit))) & 0xff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    out
}

/// Everything that can be read in a text: itself, and what its runs of digits stand for.
fn readings(text: &str) -> String {
    let mut all = text.to_owned();
    let mut add = |bytes: &[u8]| {
        all.push('\n');
        all.push_str(&String::from_utf8_lossy(bytes));
        all.push('\n');
        all.extend(
            bytes
                .iter()
                .filter(|byte| **byte != 0)
                .map(|byte| char::from(*byte)),
        );
    };
    for run in runs(
        text,
        |c| c.is_ascii_alphanumeric() || "+/-_".contains(c),
        12,
    ) {
        for skipped in 0..4 {
            add(&decode_base64(&run[skipped..]));
        }
    }
    for run in runs(text, |c| c.is_ascii_hexdigit(), 16) {
        for skipped in 0..2 {
            let digits: Vec<u8> = run[skipped..].bytes().collect();
            let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
            let bytes: Vec<u8> = digits.chunks_exact(2).filter_map(byte).collect();
            add(&bytes);
        }
    }
    all
}

/// The cores of the secrets that a text gives away.
fn leaks(text: &str) -> BTreeSet<String> {
    let readings = readings(text);
    let cores = secrets().into_iter().map(|secret| secret.core);
    cores.filter(|core| readings.contains(core)).collect()
}

#[test]
fn every_case_would_be_seen_if_it_were_not_filtered() {
    let cases = cases();
    assert!(cases.len() >= 200, "the corpus has {} cases", cases.len());
    for (core, text) in cases {
        assert!(leaks(&text).contains(&core), "{text:?}");
    }
    assert_eq!(
        leaks("nothing to see, aGVsbG8gd29ybGQ= 68656c6c6f"),
        BTreeSet::new()
    );
}

/// What ordinary tools make of `S0`, `S1`, …, and a line that is written in two pieces.
const TOOLS: &str = r#"
for name in $(compgen -v | grep '^S[0-9]'); do
  v=${!name}
  echo "echo $v"
  printf 'pieces '; printf '%s' "${v:0:4}"; printf '%s\n' "${v:4}"
  printf 'q %q\n' "$v"
  echo "at-q ${v@Q}"
  declare -p "$name"
  export -p | grep -A9 " $name="
  echo "$v" | base64
  printf %s "$v" | base64 -w0; echo
  printf %s "$v" | od -An -v -tx1 | tr -d ' \n'; echo
  echo "error $v" >&2
  (set -x; true "$v")
  printf 'TOKEN=%s\n' "$v" > env.file; cat env.file
done
env | grep -a '^S[0-9]'
echo tools-are-done
"#;

/// A build that tells every case on every channel and fails with some in its error.
fn telltale() -> Result<Trial> {
    let mut actions = Vec::new();
    let cases = cases();
    for (number, (_, text)) in cases.iter().enumerate() {
        for verb in ["say", "error", "log", "raw"] {
            actions.push(format!("{verb}:case-{number}-{verb} {text}"));
        }
        actions.push(format!("progress:bytes:1:9:case-{number}-progress {text}"));
        actions.push(format!("progress:end:9:9:case-{number}-progress {text}"));
    }
    for (number, (_, text)) in cases.iter().enumerate().step_by(3) {
        actions.push(format!("step:case-{number}-step {text}"));
        actions.push(format!("diagnostic:case-{number}-diagnostic {text}"));
        actions.push(format!("ask:case-{number}-ask {text}"));
    }
    let texts: Vec<&str> = cases.iter().map(|(_, text)| text.as_str()).collect();
    let failure = format!("fail:case-0-fail {}", texts.join("\n"));
    let values = secrets().into_iter().map(|secret| secret.value);
    // In a file of values, `${` would begin an expression.
    let values: Vec<String> = values.map(|value| value.replace("${", "$${")).collect();
    let environment: String = (0..values.len())
        .map(|number| format!("      S{number} = var.s[{number}]\n"))
        .collect();
    let trial = Trial::new(&format!(
        r#"
variable "s" {{
  type      = list(string)
  sensitive = true
}}
source "trial" "t" {{
  actions = ["file:actions.json"]
  hidden  = var.s[0]
}}
source "trial" "artifacts" {{
  actions = ["artifact:out/${{var.s[0]}}"]
}}
build {{
  sources = ["trial.t", "trial.artifacts"]
  provisioner "shell-local" {{
    only           = ["trial.t"]
    inline_shebang = "/bin/bash"
    inline         = ["source ./tools.sh"]
    env = {{
{environment}    }}
  }}
  provisioner "shell-local" {{
    only              = ["trial.t"]
    inline            = ["echo direct ${{var.s[1]}}; exit 3"]
    continue_on_error = true
  }}
  provisioner "trial" {{
    only    = ["trial.t"]
    actions = ["file:failure.json"]
  }}
}}
"#
    ));
    let kiln = &trial.kiln;
    kiln.write("tools.sh", TOOLS);
    kiln.write("actions.json", &serde_json::to_string(&actions)?);
    kiln.write("failure.json", &serde_json::to_string(&[failure])?);
    kiln.write(
        "v.pkrvars.json",
        &serde_json::json!({ "s": values }).to_string(),
    );
    Ok(trial)
}

/// Checks that a sink has no secret, and that it was told what it would have to hide.
fn check(sink: &str, text: &str, verbs: &[&str]) {
    for verb in verbs {
        let told = text.matches(&format!("-{verb} ")).count();
        let least = match *verb {
            "fail" => 1,
            "step" | "diagnostic" | "ask" => cases().len() / 3,
            _ => cases().len(),
        };
        assert!(told >= least, "{sink}: {told} of {least} cases of {verb}");
    }
    assert!(text.contains("<sensitive>"), "{sink}");
    let lines = text.lines().filter(|line| !leaks(line).is_empty());
    let lines: Vec<&str> = lines.collect();
    assert!(
        lines.is_empty(),
        "{sink} leaks in {} lines:\n{}",
        lines.len(),
        lines.join("\n")
    );
    assert_eq!(leaks(text), BTreeSet::new(), "{sink}");
}

const WORDS: [&str; 2] = ["-var-file=v.pkrvars.json", "t.pkr.hcl"];

fn run(trial: &Trial, flags: &[&str]) -> Result<kiln_tests::Finished> {
    let words: Vec<&str> = ["build"]
        .iter()
        .chain(flags)
        .chain(&WORDS)
        .copied()
        .collect();
    Ok(trial.start(&words)?.finish(LIMIT)?.failure())
}

/// The log in the folder of the only run.
fn run_log(trial: &Trial) -> Result<String> {
    let runs = trial.kiln.root().join("home/.local/state/kiln/runs");
    let run = std::fs::read_dir(runs)?.next().context("no run")??;
    Ok(std::fs::read_to_string(run.path().join("kiln.log"))?)
}

const SAID: [&str; 5] = ["say", "error", "diagnostic", "fail", "say"];

#[test]
fn lines_and_the_log_file_have_no_secrets() -> Result<()> {
    let mut trial = telltale()?;
    trial.kiln.env("PACKER_LOG_PATH", "log");
    let finished = run(&trial, &["-timestamp-ui"])?.says("tools-are-done");
    check("lines", &finished.stdout, &SAID);
    let log = std::fs::read_to_string(trial.kiln.work().join("log"))?;
    check(
        "log file",
        &log,
        &["say", "error", "log", "raw", "step", "fail"],
    );
    Ok(())
}

#[test]
fn machine_readable_lines_and_the_log_of_the_run_have_no_secrets() -> Result<()> {
    let trial = telltale()?;
    let finished = run(&trial, &["-machine-readable"])?.says("tools-are-done");
    check("machine-readable", &finished.stdout, &SAID);
    check(
        "log of the run",
        &run_log(&trial)?,
        &["say", "log", "raw", "fail"],
    );
    Ok(())
}

#[test]
fn event_lines_and_the_log_on_standard_error_have_no_secrets() -> Result<()> {
    let mut trial = telltale()?;
    trial.kiln.env("PACKER_LOG", "1");
    let finished = run(&trial, &["-json"])?.says("tools-are-done");
    let verbs = [
        "say",
        "error",
        "progress",
        "step",
        "diagnostic",
        "ask",
        "fail",
    ];
    check("event lines", &finished.stdout, &verbs);
    check(
        "standard error",
        &finished.stderr,
        &["say", "error", "log", "raw"],
    );
    for line in finished.stdout.lines() {
        serde_json::from_str::<serde_json::Value>(line).with_context(|| line.to_owned())?;
    }
    Ok(())
}

#[test]
fn a_terminal_shows_no_secrets() -> Result<()> {
    let trial = telltale()?;
    let words: Vec<&str> = ["build"].iter().chain(&WORDS).copied().collect();
    let mut terminal = trial.terminal(&words)?;
    let questions = cases().len().div_ceil(3);
    for _ in 0..questions {
        terminal.wait_for("-ask ")?;
        terminal.press("\r")?;
    }
    terminal.wait_for("log of this run")?;
    let (code, text) = terminal.finish()?;
    assert_eq!(code, 1);
    check(
        "terminal",
        &text,
        &["say", "error", "diagnostic", "ask", "fail"],
    );
    Ok(())
}

#[test]
fn wrong_options_do_not_show_their_secret_values() -> Result<()> {
    let template = |option: &str| {
        format!(
            "variable \"s\" {{\n  sensitive = true\n  default = \"Kx7Qw00Zp9Lm4\"\n}}\n\
             source \"null\" \"n\" {{ communicator = \"none\" }}\nbuild {{\n  sources = [\"null.n\"]\n  \
             {option}\n}}\n"
        )
    };
    for option in [
        "provisioner \"sleep\" { duration = var.s }",
        "provisioner \"shell-local\" { script = var.s }",
        "provisioner \"shell-local\" { only_on = [var.s] }",
        "provisioner \"shell-local\" {\n environment_vars = [var.s]\n inline = [\"true\"]\n}",
        "provisioner \"shell-local\" { inline = [\"{{ ${var.s}\"] }",
        "post-processor \"checksum\" { checksum_types = [var.s] }",
    ] {
        for command in [
            &["build"] as &[&str],
            &["build", "-json"],
            &["validate"],
            &["validate", "-json"],
        ] {
            let trial = Trial::new(&template(option));
            let words: Vec<&str> = command.iter().chain(&["t.pkr.hcl"]).copied().collect();
            let finished = trial.start(&words)?.finish(LIMIT)?.failure();
            assert_eq!(
                leaks(&finished.to_string()),
                BTreeSet::new(),
                "{option}: {finished}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_secret_that_a_component_learns_is_hidden_from_then_on() -> Result<()> {
    let trial = Trial::with(
        "  actions = [\"secret:Kx7Qw00Zp9Lm4\", \"say:it is Kx7Qw00Zp9Lm4\", \"log:it is Kx7Qw00Zp9Lm4\"]",
        "provisioner \"shell-local\" { inline = [\"echo Kx7Qw00Zp9; echo Kx7Qw00Zp9Lm4\"] }",
    );
    let finished = trial
        .build(&[])?
        .success()
        .says("it is <sensitive>")
        .lacks("Kx7Qw00Zp9Lm4");
    drop(finished.says(": Kx7Qw00Zp9\n"));
    assert_eq!(leaks(&run_log(&trial)?), BTreeSet::new());
    Ok(())
}
