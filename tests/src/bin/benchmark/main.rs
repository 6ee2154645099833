//! Benchmarks: kiln beside Debian's `packer` in the same run, and kiln alone where packer 1.6 has
//! nothing to compare with. Prints Markdown tables.
//!
//! ```text
//! tests/benchmark install [RUNS]      the mini Debian build, start to finish
//! tests/benchmark startup [RUNS]      version, validate, many null builds, many provisioners
//! tests/benchmark templates [RUNS]    1,000 sources with 100 provisioners each, planned
//! tests/benchmark hostile             templates made to break the program
//! tests/benchmark transfers [RUNS]    files and trees over SSH, beside OpenSSH's tools
//! tests/benchmark plugins [RUNS]      templates checked with 1 and with 50 installed plugins
//! tests/benchmark compress [RUNS]     archives, compressed files and digests, beside ordinary tools
//! ```

mod compress;
mod delay;
mod hostile;
mod install;
mod measure;
mod place;
mod plugins;
mod startup;
mod templates;
mod transfers;

use anyhow::{Context, Result, bail};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let runs = words
        .get(1)
        .map_or(Ok(1), |word| word.parse())
        .context("RUNS is a number")?;
    let done = match words.first().map(String::as_str) {
        Some("install") => install::install(runs),
        Some("startup") => startup::startup(runs),
        Some("templates") => templates::templates(runs),
        Some("hostile") => hostile::hostile(),
        Some("transfers") => transfers::transfers(runs),
        // How `transfers` measures one link, in a namespace of its own.
        Some("transfers-at") => transfers::transfers_at(runs, words.get(2..).unwrap_or_default()),
        Some("compress") => compress::compress(runs),
        Some("plugins") => plugins::plugins(runs),
        _ => bail!(
            "usage: tests/benchmark install|startup|templates|hostile|transfers|compress|plugins [RUNS]"
        ),
    };
    let _no_other_end = place::wait_for_end();
    done
}
