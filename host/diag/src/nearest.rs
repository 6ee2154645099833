//! The name that was probably meant.

/// The candidate closest to `name`, when one is close enough to be a typo of it.
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
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| (1..=limit).contains(distance))
        .min()
        .map(|(_, candidate)| candidate)
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
