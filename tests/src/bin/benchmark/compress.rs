//! Archives, compressed files and digests: kiln's post-processors beside the ordinary tools, with
//! the same level, the same input and the same cores.
//!
//! kiln's time is that of its post-processor, from the line that announces it to the end of the
//! build, so that its process is started in it as a tool's is; its whole build is shown, too. What
//! kiln wrote is read back by an ordinary tool and compared with the input.

use std::io::{BufWriter, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use kiln_tests::tools;

use crate::measure::{kiln_program, measure, median, print, seconds};
use crate::place::Place;

/// Size of the input, in MiB, and of that for formats that take long.
const LARGE_MIB: usize = 512;
const SMALL_MIB: usize = 128;
/// kiln must be at least this fast, as a share of the best tool's speed.
const SHARE: f64 = 0.95;
/// Bytes of input that are of one kind.
const STRETCH: usize = 64 << 10;

/// One format, and what else writes it.
struct Case {
    title: &'static str,
    /// MiB of input.
    mib: usize,
    /// Name of kiln's archive, or `sha256` and its kin.
    output: &'static str,
    /// The level the tools are told; 0 for none.
    level: u32,
    /// Name, and command line with `{in}`, `{out}` and `{cores}`.
    tools: &'static [(&'static str, &'static str)],
    /// Writes what is in kiln's archive `{out}` to standard output; empty for digests.
    read: &'static str,
}

const CASES: [Case; 12] = [
    Case {
        title: "gz, level 6",
        mib: LARGE_MIB,
        output: "k.gz",
        level: 6,
        tools: &[("pigz", "pigz -6 -p {cores} -c {in} > {out}")],
        read: "gzip -dc {out}",
    },
    Case {
        title: "zst, level 3",
        mib: LARGE_MIB,
        output: "k.zst",
        level: 0,
        tools: &[("zstd -T", "zstd -q -3 -T{cores} -c {in} > {out}")],
        read: "zstd -dc {out}",
    },
    Case {
        title: "lz4, level 1",
        mib: LARGE_MIB,
        output: "k.lz4",
        level: 1,
        tools: &[("lz4", "lz4 -q -1 -c {in} > {out}")],
        read: "lz4 -dc {out}",
    },
    Case {
        title: "xz, level 6",
        mib: SMALL_MIB,
        output: "k.xz",
        level: 6,
        tools: &[("xz -T", "xz -6 -T{cores} -c {in} > {out}")],
        read: "xz -dc {out}",
    },
    Case {
        title: "bz2, level 9",
        mib: SMALL_MIB,
        output: "k.bz2",
        level: 9,
        tools: &[
            ("lbzip2", "lbzip2 -9 -n {cores} -c {in} > {out}"),
            ("pbzip2", "pbzip2 -9 -p{cores} -c {in} > {out}"),
        ],
        read: "bzip2 -dc {out}",
    },
    Case {
        title: "zip, level 6",
        mib: LARGE_MIB,
        output: "k.zip",
        level: 6,
        tools: &[("zip", "zip -q -6 -j {out} {in}")],
        read: "unzip -p {out}",
    },
    Case {
        title: "tar",
        mib: LARGE_MIB,
        output: "k.tar",
        level: 0,
        tools: &[("tar", "tar -cf {out} {in}")],
        read: "tar -xOf {out}",
    },
    Case {
        title: "tar.gz, level 6",
        mib: LARGE_MIB,
        output: "k.tar.gz",
        level: 6,
        tools: &[("tar, pigz", "tar -cf {out} -I 'pigz -6 -p {cores}' {in}")],
        read: "tar -xOzf {out}",
    },
    Case {
        title: "tar.zst, level 3",
        mib: LARGE_MIB,
        output: "k.tar.zst",
        level: 0,
        tools: &[(
            "tar, zstd -T",
            "tar -cf {out} -I 'zstd -q -3 -T{cores}' {in}",
        )],
        read: "tar --zstd -xOf {out}",
    },
    Case {
        title: "checksum, sha256",
        mib: LARGE_MIB,
        output: "sha256",
        level: 0,
        tools: &[
            ("sha256sum", "sha256sum {in} > {out}"),
            ("openssl", "openssl dgst -sha256 -r {in} > {out}"),
        ],
        read: "",
    },
    Case {
        title: "checksum, md5",
        mib: LARGE_MIB,
        output: "md5",
        level: 0,
        tools: &[
            ("md5sum", "md5sum {in} > {out}"),
            ("openssl", "openssl dgst -md5 -r {in} > {out}"),
        ],
        read: "",
    },
    Case {
        title: "checksum, sha512",
        mib: LARGE_MIB,
        output: "sha512",
        level: 0,
        tools: &[
            ("sha512sum", "sha512sum {in} > {out}"),
            ("openssl", "openssl dgst -sha512 -r {in} > {out}"),
        ],
        read: "",
    },
];

/// Measures every format, `runs` times each. The variable `KILN_BENCHMARK_ONLY` chooses those whose
/// title contains it.
///
/// # Errors
///
/// When a tool is missing or fails, or what kiln wrote is not what it was given.
pub fn compress(runs: usize) -> Result<()> {
    let only = std::env::var("KILN_BENCHMARK_ONLY").unwrap_or_default();
    let place = Place::new("compress")?;
    let ground = Ground {
        folder: place.path().to_owned(),
        cores: std::thread::available_parallelism().map_or(1, NonZero::get),
    };
    for mib in [LARGE_MIB, SMALL_MIB] {
        write_image(&ground.input(mib), mib << 20)?;
    }
    print(&format!(
        "{} cores, {} run(s), median; the tools read and write in memory.\n",
        ground.cores,
        runs.max(1)
    ));
    print("| format | program | s | whole s | CPU s | MiB in | MiB out | speed / best tool |");
    print("|---|---|---|---|---|---|---|---|");
    for case in CASES.iter().filter(|case| case.title.contains(&only)) {
        ground.measure(case, runs.max(1))?;
    }
    Ok(())
}

/// What all formats are measured with.
struct Ground {
    folder: PathBuf,
    cores: usize,
}

/// What one program took.
#[derive(Default)]
struct Taken {
    work: Vec<Duration>,
    whole: Vec<Duration>,
    processor: Vec<Duration>,
    bytes: u64,
}

impl Ground {
    fn input(&self, mib: usize) -> PathBuf {
        self.folder.join(format!("image-{mib}"))
    }

    /// Every program `runs` times, one after the other, so that what else the machine does hits all.
    fn measure(&self, case: &Case, runs: usize) -> Result<()> {
        let mut tools: Vec<Taken> = case.tools.iter().map(|_| Taken::default()).collect();
        let mut own = Taken::default();
        for _ in 0..runs {
            for ((_, line), taken) in case.tools.iter().zip(&mut tools) {
                self.tool(case, line, taken)?;
            }
            self.kiln(case, &mut own)?;
        }
        let best = tools.iter().map(|taken| median(taken.work.clone())).min();
        let best = best.context("a format has a tool")?;
        let names = case.tools.iter().map(|(name, _)| *name);
        for (name, taken) in names.zip(&tools).chain([("kiln", &own)]) {
            let work = median(taken.work.clone());
            let ratio = best.as_secs_f64() / work.as_secs_f64().max(0.001);
            let mark = match name == "kiln" && ratio < SHARE {
                true => " (too slow)",
                false => "",
            };
            print(&format!(
                "| {} | {name} | {} | {} | {} | {} | {} | {ratio:.2}{mark} |",
                case.title,
                seconds(work),
                seconds(median(taken.whole.clone())),
                seconds(median(taken.processor.clone())),
                case.mib,
                taken.bytes >> 20,
            ));
        }
        Ok(())
    }

    fn tool(&self, case: &Case, line: &str, taken: &mut Taken) -> Result<()> {
        let output = self.folder.join(format!("t-{}", case.output));
        let line = self.filled(line, case, &output);
        let measured = measure(Path::new("/bin/sh"), &["-c", &line], &self.folder)?;
        taken.work.push(measured.wall);
        taken.whole.push(measured.wall);
        taken.processor.push(measured.processor);
        taken.bytes = output.metadata()?.len();
        Ok(std::fs::remove_file(output)?)
    }

    fn kiln(&self, case: &Case, taken: &mut Taken) -> Result<()> {
        let output = self.folder.join(case.output);
        let (kind, options) = match case.read {
            "" => (
                "checksum",
                format!("checksum_types = [\"{}\"]", case.output),
            ),
            _ => ("compress", format!("compression_level = {}", case.level)),
        };
        let template = format!(
            "source \"null\" \"n\" {{\n communicator = \"none\"\n}}\nbuild {{\n sources = \
             [\"null.n\"]\n post-processors {{\n  post-processor \"artifice\" {{\n   files = \
             [\"{}\"]\n  }}\n  post-processor \"{kind}\" {{\n   output = \"{}\"\n   {options}\n   \
             keep_input_artifact = true\n  }}\n }}\n}}\n",
            self.input(case.mib).display(),
            output.display(),
        );
        std::fs::write(self.folder.join("t.pkr.hcl"), template)?;
        let words = ["build", "-color=false", "t.pkr.hcl"];
        let measured = measure(&kiln_program()?, &words, &self.folder)?;
        let begin = format!("(type {kind})");
        taken.work.push(measured.between(&begin, "finished after"));
        taken.whole.push(measured.wall);
        taken.processor.push(measured.processor);
        taken.bytes = output.metadata()?.len();
        self.check(case, &output)?;
        Ok(std::fs::remove_file(output)?)
    }

    /// Fails unless an ordinary tool finds in kiln's file what it is made of.
    fn check(&self, case: &Case, output: &Path) -> Result<()> {
        if case.read.is_empty() {
            let tool = format!("{}sum", case.output);
            let input = self.input(case.mib).display().to_string();
            let expected = tools::output(&tool, &[&input])?;
            let digest = expected.split(' ').next().unwrap_or_default();
            let found = std::fs::read_to_string(output)?;
            if digest.is_empty() || !found.starts_with(digest) {
                bail!("{}: kiln wrote {found}, {tool} {expected}", case.title);
            }
            return Ok(());
        }
        let read = self.filled(case.read, case, output);
        let line = self.filled(&format!("{read} | cmp - {{in}}"), case, output);
        tools::output("/bin/sh", &["-c", &line])
            .with_context(|| format!("{}: what kiln wrote differs", case.title))?;
        Ok(())
    }

    fn filled(&self, line: &str, case: &Case, output: &Path) -> String {
        line.replace("{in}", &self.input(case.mib).display().to_string())
            .replace("{out}", &output.display().to_string())
            .replace("{cores}", &self.cores.to_string())
    }
}

/// Writes a file like a disk image, always the same: about half of it can be compressed away.
fn write_image(path: &Path, bytes: usize) -> Result<()> {
    let mut file = BufWriter::new(std::fs::File::create(path)?);
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut stretch = Vec::with_capacity(STRETCH);
    for number in 0..bytes.div_ceil(STRETCH) {
        stretch.clear();
        match noise.draw() % 8 {
            0 => stretch.resize(STRETCH, 0),
            1..=3 => text(&mut noise, &mut stretch),
            4 => records(number, &mut noise, &mut stretch),
            _ => random(&mut noise, &mut stretch),
        }
        stretch.truncate(STRETCH);
        file.write_all(&stretch)?;
    }
    Ok(file.flush()?)
}

/// A generator of numbers that look random (xorshift).
struct Noise(u64);

impl Noise {
    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Words, the short ones often, as in scripts and documentation.
fn text(noise: &mut Noise, stretch: &mut Vec<u8>) {
    while stretch.len() < STRETCH {
        let number = noise.draw();
        // Small numbers more often than large ones.
        let word = (number % 4096) * (number >> 32 & 0xfff) / 4096;
        let end = if number.is_multiple_of(11) { '\n' } else { ' ' };
        stretch.extend(format!("{:x}{end}", word * 2_654_435_761 % 0xff_ffff).bytes());
    }
}

/// Records of a table: a number that grows, some that vary little, padding.
fn records(number: usize, noise: &mut Noise, stretch: &mut Vec<u8>) {
    let mut id = number * STRETCH;
    while stretch.len() < STRETCH {
        id += 24;
        stretch.extend((id as u64).to_le_bytes());
        stretch.extend((noise.draw() % 300).to_le_bytes());
        stretch.extend([0; 8]);
    }
}

/// What is compressed or encrypted already.
fn random(noise: &mut Noise, stretch: &mut Vec<u8>) {
    while stretch.len() < STRETCH {
        stretch.extend(noise.draw().to_le_bytes());
    }
}
