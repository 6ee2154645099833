//! The packages of an image, from the databases its package managers keep.
//!
//! [`machine`] and [`root`] get the databases ([`Databases`]) from a machine, from a folder with a
//! root file system, or from a disk image ([`disk`]); [`Databases::inventory`] makes an
//! [`Inventory`] of them. Whoever made the image wrote these databases: nothing in them is
//! believed. An entry that is no package is counted and left out.

mod apk;
pub mod disk;
mod dpkg;
pub mod machine;
mod os_release;
mod pacman;
mod partitions;
pub mod purl;
pub mod root;
mod rpm;

pub use os_release::OsRelease;

/// The format of a package, which is also the type in its URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Alpine's.
    Apk,
    /// Arch's.
    Alpm,
    /// Debian's.
    Deb,
    /// Red Hat's.
    Rpm,
}

impl Kind {
    /// The type in package URLs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apk => "apk",
            Self::Alpm => "alpm",
            Self::Deb => "deb",
            Self::Rpm => "rpm",
        }
    }
}

/// An installed package. Empty texts are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its format.
    pub kind: Kind,
    /// Its name; never empty, and without blanks.
    pub name: String,
    /// Its version with everything the package manager compares but an RPM's epoch; likewise.
    pub version: String,
    /// An RPM's epoch.
    pub epoch: String,
    /// What it was built for.
    pub architecture: String,
    /// The licence as the database has it; Debian's has none.
    pub license: String,
    /// Who made it.
    pub supplier: String,
    /// One line.
    pub description: String,
    /// Its home page.
    pub homepage: String,
}

impl Package {
    fn named(kind: Kind, name: &str, version: &str) -> Option<Self> {
        let plain = |text: &str| {
            !text.is_empty()
                && text.len() <= LONGEST_NAME
                && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        (plain(name) && plain(version)).then(|| Self {
            kind,
            name: name.to_owned(),
            version: version.to_owned(),
            epoch: String::new(),
            architecture: String::new(),
            license: String::new(),
            supplier: String::new(),
            description: String::new(),
            homepage: String::new(),
        })
    }
}

/// Longest name or version, in bytes; file names end at 255.
const LONGEST_NAME: usize = 255;
/// Longest other text, in bytes; more is cut off.
const LONGEST_TEXT: usize = 1024;

/// Text from a database as documents may have it: one line, without control characters, not long.
fn tidy(text: &str) -> String {
    let mut tidied: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if tidied.len() > LONGEST_TEXT {
        let end = (0..=LONGEST_TEXT)
            .rev()
            .find(|&at| tidied.is_char_boundary(at));
        tidied.truncate(end.unwrap_or(0));
    }
    tidied.trim().to_owned()
}

/// The databases as they are stored; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Databases {
    /// `os-release`.
    pub os_release: String,
    /// dpkg's `status`.
    pub dpkg: String,
    /// apk's `installed`.
    pub apk: String,
    /// What `rpm` prints when [`machine`] asks it.
    pub rpm: String,
    /// pacman's `desc` files, one behind the other.
    pub pacman: String,
}

/// What is in an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// Its operating system.
    pub os: OsRelease,
    /// Its packages, sorted, each once.
    pub packages: Vec<Package>,
    /// Entries that are no packages.
    pub skipped: usize,
}

impl Databases {
    /// Whether there is no database of packages.
    pub fn is_empty(&self) -> bool {
        [&self.dpkg, &self.apk, &self.rpm, &self.pacman]
            .iter()
            .all(|text| text.trim().is_empty())
    }

    /// The packages of all databases.
    pub fn inventory(&self) -> Inventory {
        let mut found = Found::default();
        dpkg::read(&self.dpkg, &mut found);
        apk::read(&self.apk, &mut found);
        rpm::read(&self.rpm, &mut found);
        pacman::read(&self.pacman, &mut found);
        let Found {
            mut packages,
            skipped,
        } = found;
        let key = |package: &Package| {
            let Package {
                kind,
                name,
                epoch,
                version,
                architecture,
                ..
            } = package.clone();
            (kind, name, epoch, version, architecture)
        };
        packages.sort_by_cached_key(key);
        packages.dedup_by_key(|package| key(package));
        Inventory {
            os: OsRelease::read(&self.os_release),
            packages,
            skipped,
        }
    }
}

/// What a database gave.
#[derive(Debug, Default)]
struct Found {
    packages: Vec<Package>,
    skipped: usize,
}

impl Found {
    fn add(&mut self, package: Option<Package>) {
        match package {
            Some(package) => self.packages.push(package),
            None => self.skipped += 1,
        }
    }
}

#[cfg(test)]
mod tests;
