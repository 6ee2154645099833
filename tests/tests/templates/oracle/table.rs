//! Differences, and the tables that explain them.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use regex::Regex;

/// An input for which the programs do not agree.
#[derive(Debug)]
pub struct Difference {
    /// What both got.
    pub input: String,
    /// What kiln makes of it; `None` when it refuses.
    pub kiln: Option<String>,
    /// What Packer makes of it; `None` when it refuses.
    pub packer: Option<String>,
}

impl Difference {
    /// Three lines; what patterns are matched with.
    fn text(&self) -> String {
        let shown = |outcome: &Option<String>| outcome.clone().unwrap_or_else(|| "REFUSED".into());
        let (kiln, packer) = (shown(&self.kiln), shown(&self.packer));
        format!("{}\n  kiln:   {kiln}\n  packer: {packer}\n", self.input)
    }
}

/// An explained kind of difference.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Regular expression (`.` matches line ends) for the text of a difference: the input, then a
    /// line with `  kiln:   ` and a value or `REFUSED`, then the same with `  packer: `.
    pub pattern: &'static str,
    /// The version that changed it, such as `go-cty 1.9.0` or `Packer 1.7`; `kiln` where kiln
    /// differs from every version of Packer on purpose.
    pub since: &'static str,
    /// What is different now, and why.
    pub reason: &'static str,
}

/// Compares what both make of an input.
pub fn compare(
    input: &str,
    kiln: Option<&String>,
    packer: Option<&String>,
    found: &mut Vec<Difference>,
) {
    if kiln != packer {
        found.push(Difference {
            input: input.to_owned(),
            kiln: kiln.cloned(),
            packer: packer.cloned(),
        });
    }
}

/// Fails when a difference has no row, or a row no difference. Says how often each row applied.
#[expect(
    clippy::print_stdout,
    reason = "what was compared is the result of the test"
)]
pub fn explained(found: &[Difference], table: &[Known]) -> Result<()> {
    let mut patterns = Vec::new();
    for known in table {
        let named = ["go-cty ", "go-cty-funcs ", "hcl ", "Packer "];
        ensure!(
            known.since == "kiln" || named.iter().any(|name| known.since.starts_with(name)),
            "no version: {}",
            known.since
        );
        let pattern = Regex::new(&format!("(?s){}", known.pattern)).context(known.pattern)?;
        patterns.push((pattern, 0_usize));
    }
    let (mut unexplained, mut count) = (String::new(), 0);
    for difference in found {
        let text = difference.text();
        let row = patterns.iter_mut().find(|(row, _)| row.is_match(&text));
        if let Some((_, applied)) = row {
            *applied += 1;
        } else {
            writeln!(unexplained, "{text}")?;
            count += 1;
        }
    }
    for (known, (_, applied)) in table.iter().zip(&patterns) {
        println!("  {applied} times, {}: {}", known.since, known.reason);
    }
    ensure!(
        count == 0,
        "{count} differences are not explained:\n{unexplained}"
    );
    for (known, (_, applied)) in table.iter().zip(&patterns) {
        ensure!(
            *applied > 0,
            "does not differ any more: {}: {}",
            known.pattern,
            known.reason
        );
    }
    Ok(())
}
