//! What happens when to what: everything from the seed.

use std::path::Path;

use kiln_tests::fault::{Fault, Plan, Toward};

/// What is under way when it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// A command that prints.
    Output,
    /// A command that reads its input.
    Input,
    Upload,
    Download,
    UploadTree,
    DownloadTree,
}

pub(super) const WORKS: [Work; 6] = [
    Work::Output,
    Work::Input,
    Work::Upload,
    Work::Download,
    Work::UploadTree,
    Work::DownloadTree,
];

/// What a machine has to move files with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// scp for files, tar for trees.
    Usual,
    /// sftp for files, tar for trees.
    Sftp,
    /// scp for both: the machine has no tar.
    OnlyScp,
    /// sftp for both: the machine has no tar.
    OnlySftp,
}

const MEANS: [Means; 4] = [Means::Usual, Means::Sftp, Means::OnlyScp, Means::OnlySftp];

/// One moment, all of it from the seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) number: u64,
    pub(super) work: Work,
    pub(super) means: Means,
    pub(super) plan: Plan,
    /// Whether bytes count from the first one of the handshake.
    pub(super) early: bool,
    /// Size of the file, and about that of the tree, in bytes.
    pub(super) size: usize,
    /// How the command shall end.
    pub(super) status: u32,
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let index = self.below(all.len() as u64);
        all[usize::try_from(index).expect("an index")]
    }
}

impl Moment {
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut random = Random(seed ^ number.wrapping_mul(0xd134_2543_de82_ef95));
        let work = random.one_of(&WORKS);
        let toward = random.one_of(&[Toward::Server, Toward::Client]);
        let limit = random.one_of(&[2_000, 600_000, 600_000]);
        let size = random.below(limit);
        let early = random.below(10) == 0;
        let heavy = match work {
            Work::Input | Work::Upload | Work::UploadTree => Toward::Server,
            Work::Output | Work::Download | Work::DownloadTree => Toward::Client,
        };
        // What goes the light way is a few messages; the handshake is about 4 KiB each way.
        let busy = if toward == heavy { size + 3_000 } else { 2_500 };
        let range = if early { 5_000 } else { busy };
        let after = match random.below(8) {
            // The first and the last messages deserve more than their share.
            0 => random.below(600),
            1 if toward == heavy => size + random.below(1_500),
            _ => random.below(range),
        };
        let fault = random.one_of(&Fault::ALL);
        Self {
            number,
            work,
            means: random.one_of(&MEANS),
            plan: Plan {
                fault,
                toward,
                after,
            },
            early,
            size: usize::try_from(size).expect("it is small"),
            status: random.one_of(&[0, 0, 7]),
        }
    }
}

/// Bytes that differ at every place.
pub(super) fn content(seed: u64, size: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let mut content: Vec<u8> = (0..size.div_ceil(8))
        .flat_map(|_| random.next().to_le_bytes())
        .collect();
    content.truncate(size);
    content
}

/// Makes a tree of about `size` bytes; most files are small, one is not.
pub(super) fn make_tree(root: &Path, seed: u64, size: usize) -> anyhow::Result<()> {
    let mut random = Random(seed);
    let mut left = size;
    for number in 0..random.below(30) + 3 {
        let folder = root.join(format!("d{}/e {}", number % 3, number % 4));
        std::fs::create_dir_all(&folder)?;
        let share = if number == 1 { left / 2 } else { left / 20 };
        left -= share;
        let file = folder.join(format!("f{number}"));
        std::fs::write(file, content(seed + number, share))?;
    }
    Ok(())
}
