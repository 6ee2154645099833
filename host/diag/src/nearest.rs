//! The name that was probably meant.

/// Fewest letters of a name that is taken for the beginning of another.
const SHORTEST_BEGINNING: usize = 4;

/// The candidate closest to `name`, when one is close enough to be a typo of it; or the only one that
/// begins with it, unless another differs by a single letter.
///
/// The first in the alphabet of several equally close ones; never `name` itself.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = match name.chars().count() {
        // Names of one letter have nothing in common.
        0..=1 => return None,
        2..=3 => 1,
        4..=7 => 2,
        _ => 3,
    };
    let mut longer = None;
    let mut close = None;
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(name, candidate);
        if (1..=limit).contains(&distance) {
            close = close.into_iter().chain([(distance, candidate)]).min();
        }
        if candidate.starts_with(name) && candidate != name {
            longer = match longer {
                None => Some(Some(candidate)),
                // Several begin with it, so that none of them is meant in particular.
                Some(_) => Some(None),
            };
        }
    }
    let longer = longer
        .flatten()
        .filter(|_| name.len() >= SHORTEST_BEGINNING);
    match (close, longer) {
        (Some((1, close)), _) => Some(close),
        (close, longer) => longer.or(close.map(|(_, close)| close)),
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    fn check(name: &str, candidates: &[&str], expected: Option<&str>) {
        assert_eq!(
            nearest(name, candidates.iter().copied()),
            expected,
            "{name}"
        );
    }

    #[test]
    fn finds_typos_of_a_few_letters() {
        check("iso_ulr", &["iso_url", "iso_urls"], Some("iso_url"));
        check("ab", &["ax", "aa"], Some("aa"));
        check("sorce", &["build", "source"], Some("source"));
    }

    #[test]
    fn prefers_the_only_name_that_goes_on_like_it() {
        check(
            "ssh_pass",
            &["ssh_host", "ssh_password"],
            Some("ssh_password"),
        );
        check(
            "ssh_user",
            &["ssh_username", "memory"],
            Some("ssh_username"),
        );
        check("sourc", &["source", "sources"], Some("source"));
        check("disk", &["disk_size", "disk_cache"], None);
        check("ssh", &["ssh_username"], None);
    }

    #[test]
    fn leaves_distant_names_alone() {
        check("d", &["a", "b"], None);
        check("cpu", &["memory", "disk"], None);
        check("x", &[], None);
    }

    #[test]
    fn never_offers_the_name_itself() {
        check("cpus", &["cpus"], None);
    }
}
